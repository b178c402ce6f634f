"""What raters answered and how they looked, and the two chains over who did what.

Rows of the tables in `APPEND_ONLY` are inserted and never changed or deleted; the
database itself refuses it (`ratings.triggers`).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q

from ratings.models.schedule import Item, Presentation
from ratings.models.study import Study


class ExactIntegerField(models.SmallIntegerField):  # type: ignore[type-arg]
    """A whole number in a column that keeps 3.5 as 3.5, so that it can be refused.

    PostgreSQL would round 3.5 to 4 on its way into a column of whole numbers.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        if connection.vendor == "postgresql":
            return "numeric"
        return super().db_type(connection)

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        return None if value is None else int(value)


class Score(models.Model):
    """One answer to one question on one item; a change is a new revision.

    `by` gave it at `created_at` by the server's clock; `change_reason` says why it
    supersedes an earlier one; `marks` are the structured reasons that were ticked;
    `protocol_version` is the protocol it was given under.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="scores")
    question = models.CharField(max_length=40)
    revision = models.PositiveSmallIntegerField(default=1)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="later"
    )
    value = ExactIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    comment = models.TextField(blank=True)
    marks = models.JSONField(default=list, blank=True)
    client_key = models.UUIDField()
    active_ms = models.PositiveIntegerField(default=0)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    change_reason = models.CharField(max_length=500, blank=True)
    protocol_version = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("item", "question", "revision"), name="score_revision"
            ),
            models.UniqueConstraint(
                fields=("client_key", "question"), name="score_client_key"
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=False, reason="")
                | (Q(value__isnull=True) & ~Q(reason="")),
                name="score_value_or_reason",
            ),
            models.CheckConstraint(
                condition=Q(revision=1, supersedes__isnull=True)
                | Q(revision__gt=1, supersedes__isnull=False),
                name="score_supersedes",
            ),
        )


class Guess(models.Model):
    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="guess")
    guess = models.CharField(max_length=12)
    confidence = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)


class ViewLog(models.Model):
    """How a presentation was looked at: conduct, never content."""

    presentation = models.ForeignKey(
        Presentation, on_delete=models.PROTECT, related_name="views"
    )
    # which of the masks shown together was scored; records before 0017 do not say
    item = models.ForeignKey(
        Item, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    active_ms = models.PositiveIntegerField(default=0)
    conduct = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)


class Problem(models.Model):
    """A technical problem that a rater flagged, or a question of the rater."""

    class Kind(models.TextChoices):
        PROBLEM = "problem", "Problem"
        QUESTION = "question", "Question"

    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PROBLEM)
    presentation = models.ForeignKey(
        Presentation, on_delete=models.PROTECT, related_name="problems"
    )
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)


class Reply(models.Model):
    """What a coordinator answered to a rater's words; the rater alone reads it."""

    problem = models.ForeignKey(
        Problem, on_delete=models.PROTECT, related_name="replies"
    )
    text = models.TextField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("created_at",)


class AuditEntry(models.Model):
    """One link of a study's record; the hash covers the previous one."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="audit")
    n = models.PositiveIntegerField()
    previous = models.CharField(max_length=64)
    actor = models.CharField(max_length=150)
    verb = models.CharField(max_length=40)
    payload = models.JSONField(default=dict)
    at = models.CharField(max_length=30)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("n",)
        constraints = (models.UniqueConstraint(fields=("study", "n"), name="audit_n"),)


class AccessEntry(models.Model):
    """One link of the site's second chain: who signed in, read and exported what.

    It is apart from the record, so that exporting does not change what is exported.
    """

    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, null=True, blank=True, related_name="accesses"
    )
    n = models.PositiveIntegerField(unique=True)
    previous = models.CharField(max_length=64)
    actor = models.CharField(max_length=150)
    verb = models.CharField(max_length=40)
    payload = models.JSONField(default=dict)
    at = models.CharField(max_length=30)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("n",)
