"""Jobs for the tests of the queue: each leaves a trace in a file."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path

from inference import predictions
from ratings import jobs
from ratings.models import Job

Report = Callable[[float, str], None]
Cancelled = Callable[[], bool]


def write(job: Job, line: str) -> None:
    with Path(job.payload["file"]).open("a") as file:
        file.write(line + "\n")


def write_line(job: Job, *, report: Report, cancelled: Cancelled) -> None:
    write(job, "done")


def write_line_and_wait(job: Job, *, report: Report, cancelled: Cancelled) -> None:
    """Take long until a file appears, as a prediction would, reporting on the way."""
    write(job, "begun")
    for step in range(600):
        if cancelled():
            write(job, "stopped")
            return
        if Path(job.payload["until"]).exists():
            break
        report(step / 600, f"step {step}")
        time.sleep(0.1)
    jobs.finish(job_id=job.id, worker=job.worker, message="seen")
    write(job, "done")


def refuse(job: Job, *, report: Report, cancelled: Cancelled) -> None:
    raise jobs.JobFailed("The image has no voxels: upload it again.")


def divide_by_zero(job: Job, *, report: Report, cancelled: Cancelled) -> None:
    write(job, str(1 // 0))


def predict_on_a_full_disk(job: Job, *, report: Report, cancelled: Cancelled) -> None:
    """A real prediction while no file may grow beyond some bytes."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, usual[1]))
    try:
        predictions.run_job(job, report=lambda *_: None, cancelled=cancelled)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
