"""Who sees what at which position: sessions, presentations and items."""

from __future__ import annotations

import secrets

from django.db import models

from ratings.models.material import Case, Mask
from ratings.models.people import Enrolment


def make_token() -> str:
    """An opaque identifier of 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


class Session(models.Model):
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, related_name="sessions"
    )
    number = models.PositiveSmallIntegerField(default=1)
    key = models.CharField(max_length=43, unique=True, default=make_token)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("enrolment", "number"), name="session_number"
            ),
        )


class Presentation(models.Model):
    """What is on the screen at one time: one item, or one per arm in pair modes."""

    class Kind(models.TextChoices):
        MAIN = "main"
        REPEAT = "repeat"
        CONTROL = "control"
        CALIBRATION = "calibration"

    session = models.ForeignKey(
        Session, on_delete=models.PROTECT, related_name="presentations"
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.MAIN)
    repeat = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("session__number", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("session", "position"), name="presentation_position"
            ),
        )


class Item(models.Model):
    """One mask shown once."""

    presentation = models.ForeignKey(
        Presentation, on_delete=models.PROTECT, related_name="items"
    )
    slot = models.PositiveSmallIntegerField(default=0)
    token = models.CharField(max_length=43, unique=True, default=make_token)
    mask = models.ForeignKey(Mask, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("slot",)
        constraints = (
            models.UniqueConstraint(fields=("presentation", "slot"), name="item_slot"),
        )
