"""The study itself: its state, scale, design and protocol."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

from ratings.design import RECOMMENDED

if TYPE_CHECKING:
    from ratings.models.material import Arm, Case


def make_seed() -> str:
    return secrets.token_hex(32)


def default_anchors() -> list[dict[str, Any]]:
    words = ("very poor", "poor", "fair", "good", "excellent")
    return [{"value": n, "anchor": word} for n, word in enumerate(words, 1)]


def default_questions() -> list[dict[str, str]]:
    return [{"key": "quality", "text": "How good is this segmentation?"}]


def default_design() -> dict[str, Any]:
    return dict(RECOMMENDED)


class Study(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        LOCKED = "locked", "Locked"
        COLLECTING = "collecting", "Collecting"
        CLOSED = "closed", "Closed"
        UNBLINDED = "unblinded", "Unblinded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200)
    contact = models.CharField(max_length=200, blank=True)
    instructions = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    simulated = models.BooleanField(default=False)
    reference_arm = models.CharField(max_length=200, default="manual")
    scale = models.JSONField(default=default_anchors)
    questions = models.JSONField(default=default_questions)
    design = models.JSONField(default=default_design)
    seed = models.CharField(max_length=64, default=make_seed, editable=False)
    protocol = models.JSONField(null=True, blank=True)
    protocol_sha256 = models.CharField(max_length=64, blank=True)
    allocation_report = models.JSONField(default=dict, blank=True)
    # the last draw of the cases: rule, seed, pool, counts and words for the paper
    selection = models.JSONField(default=dict, blank=True)
    # what the coordinator states about faces in the images, a key of FACES
    faces = models.CharField(max_length=10, blank=True)
    # whether uploads are also kept as they came (P2); only a draft takes any in
    keep_originals = models.BooleanField(default=False)
    # counted up with every change, so that two people don't overwrite each other
    design_revision = models.PositiveIntegerField(default=0)
    cases_revision = models.PositiveIntegerField(default=0)
    # a short copy for the coordinator's own eyes; it has no results
    preview_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="previews"
    )
    deadline = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    locked_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    unblinded_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.title

    def rated_arms(self) -> models.QuerySet[Arm]:
        """The arms that are compared: all but the controls."""
        return self.arms.exclude(kind="control")

    def chosen_cases(self) -> models.QuerySet[Case]:
        """The cases that are rated: all but those left out, by draw or by hand."""
        return self.cases.filter(left_out="")

    def compared_cases(self) -> models.QuerySet[Case]:
        """The chosen cases without those that were withdrawn since."""
        return self.chosen_cases().filter(withdrawal=None)

    @property
    def levels(self) -> list[int]:
        return [point["value"] for point in self.scale]
