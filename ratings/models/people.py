"""Who takes part in a study, and the links that invite them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ratings.models.study import Study


class Enrolment(models.Model):
    """One person's part in one study; results know raters by their code alone.

    `years` and `specialty` qualify a rater, `conflict` is what the rater declares to
    have had to do with the cases, at `declared_at`; an own `deadline` replaces the
    study's.
    """

    class Role(models.TextChoices):
        COORDINATOR = "coordinator", "Coordinator"
        RATER = "rater", "Rater"
        STATISTICIAN = "statistician", "Statistician"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(
        Study, on_delete=models.CASCADE, related_name="enrolments"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrolments"
    )
    role = models.CharField(max_length=12, choices=Role)
    code = models.CharField(max_length=8, blank=True)
    years = models.PositiveSmallIntegerField(null=True, blank=True)
    specialty = models.CharField(max_length=100, blank=True)
    institution = models.CharField(max_length=150, blank=True)
    conflict = models.TextField(blank=True)
    declared_at = models.DateTimeField(null=True, blank=True)
    deadline = models.DateField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("code", "created_at")
        constraints = (
            models.UniqueConstraint(fields=("study", "user"), name="enrolment_once"),
            models.UniqueConstraint(
                fields=("study", "code"),
                condition=~Q(code=""),
                name="enrolment_code",
            ),
        )


class Invitation(models.Model):
    """A single-use link; only the digest of its token is kept."""

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="invitations"
    )
    token_sha256 = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)


class AccessToken(models.Model):
    """What a script shows instead of a password; only its digest is kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tokens"
    )
    label = models.CharField(max_length=80)
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
