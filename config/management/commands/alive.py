"""Tells a container's health check whether this machine's worker is alive."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ratings.models import WorkerBeat


class Command(BaseCommand):
    help = "Exit with 0 when a worker on this machine gave a sign of life lately, or 1."

    def handle(self, *args: Any, **options: Any) -> None:
        host = socket.gethostname()[:60]
        since = timezone.now() - timedelta(seconds=2 * settings.JOB_LEASE_SECONDS)
        beats = WorkerBeat.objects.filter(worker__startswith=f"{host}:")
        if not beats.filter(beat_at__gte=since).exists():
            raise CommandError(f"No worker on {host} gave a sign of life: restart it.")
        self.stdout.write("A worker is alive.")
