"""How long `manage.py up` takes to the first page, and a queued job to its start."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from django.conf import settings

from bench.rows import Row, percentile
from bench.site import serve

JOBS = 20


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        fresh = time_start(Path(folder))
        again = time_start(Path(folder))
    waits = time_jobs()
    return [
        Row("start on an empty folder", fresh, "s", "up to /healthz, without the demo"),
        Row("start on a used folder", again, "s", "up to /healthz"),
        Row("queued to begun, p50", percentile(waits, 50), "ms", f"{JOBS} jobs, files"),
        Row("queued to begun, p95", percentile(waits, 95), "ms", f"{JOBS} jobs, files"),
    ]


def time_start(folder: Path) -> float:
    start = time.perf_counter()
    with serve(folder, ready="healthz"):
        return time.perf_counter() - start


def time_jobs() -> list[float]:
    """Milliseconds that a job waits for an idle worker, with no other job about."""
    from ratings import jobs

    with serve(settings.DATA_DIR):
        waits = []
        for _ in range(JOBS):
            # Of no known kind: it fails as soon as it has begun.
            job = jobs.submit(kind="bench", payload={})
            while job.started_at is None:
                time.sleep(0.01)
                job.refresh_from_db()
            waits.append((job.started_at - job.created_at).total_seconds() * 1000)
    return waits
