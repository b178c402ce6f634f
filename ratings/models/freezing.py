"""What locking and later acts leave behind: protocol versions, signatures, endings."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ratings.models.material import Case
from ratings.models.people import Enrolment
from ratings.models.schedule import Session
from ratings.models.study import Study


class ProtocolVersion(models.Model):
    """The protocol as locked (number 1), or as a numbered amendment left it."""

    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="protocol_versions"
    )
    number = models.PositiveSmallIntegerField(default=1)
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(
                fields=("study", "number"), name="protocol_version_number"
            ),
            models.CheckConstraint(
                condition=Q(number=1) | (Q(number__gt=1) & ~Q(reason="")),
                name="protocol_amendment_has_reason",
            ),
        )


class Signature(models.Model):
    """A person's name under a meaning, bound to the digest of what was signed.

    The record keeps only a digest of `salt` and `name`, so that both can be emptied
    when the person's account is erased.
    """

    class Meaning(models.TextChoices):
        SESSION = "session", "I completed this session; my scores are final"
        LOCK = "lock", "I lock this protocol"
        UNBLIND = "unblind", "I open the key of this study"
        AMEND = "amend", "I amend this protocol"
        WITNESS = "witness", "I agree that the key is opened before the end"

    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="signatures"
    )
    session = models.OneToOneField(
        Session,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="signature",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(max_length=300, blank=True)
    salt = models.CharField(max_length=32, blank=True)
    meaning = models.CharField(max_length=8, choices=Meaning)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(meaning="session", session__isnull=False)
                | (~Q(meaning="session") & Q(session__isnull=True)),
                name="signature_of_session",
            ),
        )


class Withdrawal(models.Model):
    """A case taken out for every rater, or a rater who left; what was given is kept."""

    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="withdrawals"
    )
    case = models.OneToOneField(
        Case, on_delete=models.PROTECT, null=True, blank=True, related_name="withdrawal"
    )
    enrolment = models.OneToOneField(
        Enrolment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="withdrawal",
    )
    reason = models.TextField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(case__isnull=False, enrolment__isnull=True)
                | Q(case__isnull=True, enrolment__isnull=False),
                name="withdrawal_of_one",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="withdrawal_has_reason"
            ),
        )


class Unblinding(models.Model):
    """That the key was opened: by whom, why, and whether before the planned end."""

    study = models.OneToOneField(
        Study, on_delete=models.PROTECT, related_name="unblinding"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    witness = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    reason = models.TextField()
    early = models.BooleanField(default=False)
    missing = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(reason=""), name="unblinding_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(early=False)
                | (Q(witness__isnull=False) & ~Q(witness=F("by"))),
                name="early_unblinding_has_witness",
            ),
        )
