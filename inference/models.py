"""The registered ensembles, what was computed of each case, and whence its masks."""

from __future__ import annotations

from django.db import models

from ratings.models import Case, Job, Mask


class Ensemble(models.Model):
    """A trained nnU-Net model folder that an operator registered."""

    name = models.SlugField(max_length=60, unique=True)
    label = models.CharField(max_length=200)
    folder = models.CharField(max_length=500)
    digest = models.CharField(max_length=64)
    folds = models.PositiveSmallIntegerField()
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.label


class Result(models.Model):
    """What an engine made of one case's image: kept until the case is removed.

    `key` names engine, settings and voxels, so that equal work is done once.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="results")
    key = models.CharField(max_length=64, db_index=True)
    votes_path = models.CharField(max_length=255, blank=True)
    soft_path = models.CharField(max_length=255, blank=True)
    mask_path = models.CharField(max_length=255)
    provenance = models.JSONField(default=dict)
    log = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "key"), name="result_once"),
        )


class Prediction(models.Model):
    """A mask of a study that an engine made, with the settings that were asked for."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="predictions")
    ensemble = models.ForeignKey(
        Ensemble,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="predictions",
    )
    tool = models.CharField(max_length=40, blank=True)
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="prediction")
    result = models.ForeignKey(
        Result,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="predictions",
    )
    mask = models.ForeignKey(
        Mask, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    settings = models.JSONField(default=dict)
    provenance = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
