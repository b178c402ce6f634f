"""What a worker does with a job: claim it, do it, and settle how it ended."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils.module_loading import import_string

from config.keeper import Hold, Keeper
from ratings import jobs
from ratings.models import Job

log = logging.getLogger(__name__)
REPORT_SECONDS = 1.0
LOOK_SECONDS = 0.5
keeper = Keeper(
    worker=f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
)


def run(job_id: str) -> None:
    """Do a job whose bell rang, unless someone else has it or we are stopping."""
    if keeper.stopping.is_set():
        return
    claim = partial(jobs.claim, job_id=job_id, worker=keeper.worker)
    job = jobs.persist(claim)
    if job is None:
        return
    log.info("Job %s (%s) begins, attempt %d.", job.id, job.kind, job.attempts)
    with keeper.hold(job_id) as hold:
        do(job, cancelled=make_cancelled(job, hold))
    job.refresh_from_db(fields=["status"])
    log.info("Job %s (%s) is now %s.", job.id, job.kind, job.status)


def do(job: Job, *, cancelled: Callable[[], bool]) -> None:
    """Run the function of the job's kind and turn every end into a status."""
    try:
        function = find_function(job.kind)
        function(job, report=make_report(job), cancelled=cancelled)
    except jobs.LeaseLost:
        log.info("Job %s is no longer ours; its result is dropped.", job.id)
    except jobs.JobFailed as failure:
        fail(job, error=str(failure), log_text=failure.log)
    except Exception as error:
        log.exception("Job %s stopped on an error.", job.id)
        reason = f"{type(error).__name__}: {error}"
        fail(job, error=f"This stopped on an unexpected error ({reason}); retry it.")
    else:
        finish(job)
    jobs.stop(job_id=job.id, worker=job.worker)


def make_cancelled(job: Job, hold: Hold) -> Callable[[], bool]:
    """A function that tells whether to stop, and asks the database now and then.

    The keeper looks at every tick only, which is too slow for a person who waits.
    """
    due = 0.0

    def cancelled() -> bool:
        nonlocal due
        if not hold.unwanted.is_set() and time.monotonic() >= due:
            due = time.monotonic() + LOOK_SECONDS
            with suppress(DatabaseError):
                if not jobs.is_wanted(job_id=job.id, worker=job.worker):
                    hold.unwanted.set()
        return hold.unwanted.is_set()

    return cancelled


def find_function(kind: str) -> Callable[..., None]:
    path = settings.JOB_KINDS.get(kind)
    if path is None:
        raise jobs.JobFailed(f"No job of the kind {kind!r} is known to this version.")
    function: Callable[..., None] = import_string(path)
    return function


def make_report(job: Job) -> Callable[[float, str], None]:
    """A function that shows progress, and writes at most once a second."""
    show = partial(jobs.report, job_id=job.id, worker=job.worker)
    due = 0.0

    def report(progress: float, message: str) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + REPORT_SECONDS
            # Work of minutes is not to be lost to a moment's lock for its percentage.
            try:
                show(progress=progress, message=message)
            except DatabaseError as error:
                log.warning("Progress of job %s is not shown (%s).", job.id, error)
                close_old_connections()

    return report


def fail(job: Job, *, error: str, log_text: str = "") -> None:
    told = log_text or traceback.format_exc()
    jobs.persist(
        partial(jobs.fail, job_id=job.id, worker=job.worker, error=error, log=told)
    )


def finish(job: Job) -> None:
    # A job that stores a result has finished itself, with it, in one transaction.
    with suppress(jobs.LeaseLost):
        jobs.persist(partial(jobs.finish, job_id=job.id, worker=job.worker))
