"""The job table: the row is the job, and whoever holds its lease may finish it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, close_old_connections, transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.module_loading import import_string

from ratings.models import Job, Study, WorkerBeat

log = logging.getLogger(__name__)
Result = TypeVar("Result")
MAX_ATTEMPTS = 3
STORE_PAUSES = (1.0, 3.0, 10.0)
RING_AGAIN_SECONDS = 10
RINGS_AT_ONCE = 10
FORGET_WORKER_SECONDS = 3600
Status = Job.Status


class JobFailed(Exception):
    """Raised by a job with a sentence that tells a person what to do.

    `log` is what a program printed; without one the log says where the job stopped.
    """

    def __init__(self, sentence: str, *, log: str = "") -> None:
        super().__init__(sentence)
        self.log = log


class LeaseLost(Exception):
    """The job was cancelled or given to another worker: keep nothing of it."""


def submit(*, kind: str, payload: dict[str, Any], study: Study | None = None) -> Job:
    """Queue a job; the bell rings once the surrounding transaction is committed."""
    job = Job.objects.create(
        kind=kind, payload=payload, study=study, rung_at=timezone.now()
    )
    transaction.on_commit(partial(ring, job.id))
    return job


def ring(job_id: UUID) -> None:
    """Tell the workers, by the bell that the composition root has hung up."""
    import_string(settings.JOB_BELL)(str(job_id))


def claim(*, job_id: UUID | str, worker: str) -> Job | None:
    """Take a queued job; None when another worker was first or it was cancelled."""
    taken = Job.objects.filter(pk=job_id, status=Status.QUEUED).update(
        status=Status.RUNNING,
        worker=worker,
        lease_until=seconds_from_now(settings.JOB_LEASE_SECONDS),
        attempts=F("attempts") + 1,
        progress=0.0,
        message="",
        started_at=Now(),
    )
    return Job.objects.get(pk=job_id) if taken else None


def renew(*, job_id: UUID | str, worker: str) -> bool:
    """Lengthen the lease; False when the job is no longer wanted from this worker."""
    lease_until = seconds_from_now(settings.JOB_LEASE_SECONDS)
    return bool(held(job_id, worker).update(lease_until=lease_until))


def is_wanted(*, job_id: UUID | str, worker: str) -> bool:
    """Whether a running job is still this worker's, and nobody cancelled it."""
    return held(job_id, worker).exists()


def persist(write: Callable[[], Result]) -> Result:
    """Store through moments in which the database is locked or away."""
    for pause in STORE_PAUSES:
        try:
            return write()
        except OperationalError as error:
            log.warning("The database did not take a result (%s); again.", error)
            time.sleep(pause)
            close_old_connections()
    return write()


def report(
    *, job_id: UUID | str, worker: str, progress: float, message: str = ""
) -> None:
    """Show how far a running job has come, 0 to 1, and what it is doing."""
    held(job_id, worker).update(
        progress=min(max(progress, 0.0), 1.0), message=message[:200]
    )


def finish(*, job_id: UUID | str, worker: str, message: str = "") -> None:
    """Mark as done, in the transaction that stores the result.

    Raises LeaseLost, which undoes that transaction, when the lease is not ours.
    """
    done = held(job_id, worker).update(
        status=Status.DONE, progress=1.0, message=message[:200], finished_at=Now()
    )
    if not done:
        raise LeaseLost(str(job_id))


def fail(*, job_id: UUID | str, worker: str, error: str, log: str = "") -> bool:
    """Mark as failed with a reason; False when the lease is not ours."""
    return bool(
        held(job_id, worker).update(
            status=Status.FAILED, error=error, log=log, finished_at=Now()
        )
    )


def release(*, job_id: UUID | str, worker: str) -> bool:
    """Give a job back unharmed, for a worker that was told to stop."""
    given = held(job_id, worker).update(
        status=Status.QUEUED, attempts=F("attempts") - 1, worker="", rung_at=Now()
    )
    if given:
        ring(UUID(str(job_id)))
    return bool(given)


def stop(*, job_id: UUID | str, worker: str) -> bool:
    """Obey a request to cancel a running job."""
    ours = Job.objects.filter(pk=job_id, status=Status.RUNNING, worker=worker)
    return bool(
        ours.filter(cancel_requested=True).update(
            status=Status.CANCELLED, finished_at=Now()
        )
    )


def cancel(*, job_id: UUID | str) -> bool:
    """Cancel at once what waits, ask a running job to stop; False when it is over."""
    job = Job.objects.filter(pk=job_id)
    waiting = job.filter(status=Status.QUEUED).update(
        status=Status.CANCELLED, cancel_requested=True, finished_at=Now()
    )
    running = job.filter(status=Status.RUNNING).update(cancel_requested=True)
    return bool(waiting or running)


def retry(*, job_id: UUID | str) -> bool:
    """Queue a failed or cancelled job again, as new; False for any other."""
    over = Job.objects.filter(pk=job_id, status__in=(Status.FAILED, Status.CANCELLED))
    again = over.update(
        status=Status.QUEUED,
        attempts=0,
        cancel_requested=False,
        progress=0.0,
        message="",
        error="",
        log="",
        worker="",
        lease_until=None,
        rung_at=Now(),
        started_at=None,
        finished_at=None,
    )
    if again:
        transaction.on_commit(partial(ring, UUID(str(job_id))))
    return bool(again)


def sweep() -> int:
    """Settle the jobs whose worker died; how many were queued again."""
    expired = Job.objects.filter(status=Status.RUNNING, lease_until__lt=Now())
    if not expired.exists():
        return 0
    expired.filter(cancel_requested=True).update(
        status=Status.CANCELLED, finished_at=Now()
    )
    expired.filter(attempts__gte=MAX_ATTEMPTS).update(
        status=Status.FAILED,
        finished_at=Now(),
        error=f"The worker died {MAX_ATTEMPTS} times while doing this: look at its "
        "log and memory, then retry.",
    )
    return ring_each(
        expired, status=Status.QUEUED, worker="", message="Waiting for a worker again."
    )


def ring_late(*, after_seconds: float = RING_AGAIN_SECONDS) -> int:
    """Ring again for jobs whose message may be lost; how many were rung for."""
    before = seconds_from_now(-after_seconds)
    return ring_each(Job.objects.filter(status=Status.QUEUED, rung_at__lt=before))


def ring_each(jobs: QuerySet[Job], **changes: Any) -> int:
    """Change and ring for the oldest of some jobs, each by one keeper alone."""
    rung = 0
    for job_id in list(jobs.values_list("pk", flat=True)[:RINGS_AT_ONCE]):
        if jobs.filter(pk=job_id).update(rung_at=Now(), **changes):
            ring(job_id)
            rung += 1
    return rung


def beat(*, worker: str) -> None:
    """Note that a worker is alive, and forget those long gone."""
    WorkerBeat.objects.update_or_create(worker=worker, defaults={"beat_at": Now()})
    gone = WorkerBeat.objects.filter(
        beat_at__lt=seconds_from_now(-FORGET_WORKER_SECONDS)
    )
    if gone.exists():
        gone.delete()


def live_workers() -> int:
    """How many workers drew breath within one lease."""
    since = seconds_from_now(-settings.JOB_LEASE_SECONDS)
    return WorkerBeat.objects.filter(beat_at__gte=since).count()


def oldest_wait() -> float:
    """Seconds that the oldest queued job has waited; 0 when none waits."""
    queued = Job.objects.filter(status=Status.QUEUED)
    since: Iterable[datetime] = queued.values_list("created_at", flat=True)[:1]
    return max(((timezone.now() - at).total_seconds() for at in since), default=0.0)


def held(job_id: UUID | str, worker: str) -> QuerySet[Job]:
    """The job, if it is still this worker's and still wanted."""
    return Job.objects.filter(
        pk=job_id, status=Status.RUNNING, worker=worker, cancel_requested=False
    )


def seconds_from_now(seconds: float) -> CombinedExpression:
    """A moment by the database's clock, which all workers share."""
    return Now() + timedelta(seconds=seconds)
