"""The one job table, the workers' signs of life, and finished analyses."""

from __future__ import annotations

import uuid

from django.db import models

from ratings.models.study import Study


class Job(models.Model):
    class Kind(models.TextChoices):
        PREDICT = "predict"
        ANALYSE = "analyse"
        MEASURE = "measure"
        IMPORT = "import"
        REGISTER = "register"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(
        Study, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    payload = models.JSONField(default=dict)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.QUEUED, db_index=True
    )
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    progress = models.FloatField(default=0.0)
    message = models.CharField(max_length=200, blank=True)
    log = models.TextField(blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("created_at",)


class WorkerBeat(models.Model):
    """When a worker's keeper last drew breath."""

    worker = models.CharField(max_length=100, primary_key=True)
    beat_at = models.DateTimeField()


class AnalysisRun(models.Model):
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="analyses")
    question = models.CharField(max_length=200)
    data_sha256 = models.CharField(max_length=64)
    versions = models.JSONField(default=dict)
    results = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("study", "question", "data_sha256"), name="analysis_once"
            ),
        )
