"""Scores that were given elsewhere and moved here, and what was decided on the way."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from ratings.models.study import Study


class ScoreImport(models.Model):
    """Files of a finished study; with `study` it is done, without it under way.

    `files` lists name, path, size and SHA-256 of each file; `mapping` says which column
    means what; `choices` what was done with each kind of oddity; `report` counts them.
    `reading` is what the page shows of the files while the import is under way.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.OneToOneField(
        Study, on_delete=models.CASCADE, null=True, blank=True, related_name="moved"
    )
    title = models.CharField(max_length=200)
    files = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    choices = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    reading = models.JSONField(default=dict)
    rows_path = models.CharField(max_length=255, blank=True)
    report_path = models.CharField(max_length=255, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
