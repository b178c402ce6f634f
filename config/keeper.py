"""The thread beside a worker's task: it keeps the lease and sweeps for dead workers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from ratings import jobs, leftovers

log = logging.getLogger(__name__)
TIDY_SECONDS = 3600.0


@dataclass(frozen=True)
class Hold:
    """One job in this worker's hands, and whether it is still wanted."""

    job_id: str
    unwanted: threading.Event = field(default_factory=threading.Event)


class Keeper(threading.Thread):
    """Renews, sweeps, rings again and beats, at every tick until told to stop."""

    def __init__(self, *, worker: str) -> None:
        super().__init__(name="keeper", daemon=True)
        self.worker = worker
        self.stopping = threading.Event()
        self.current: Hold | None = None
        self.tidy_at = 0.0
        self.reached_at = 0.0
        self.patient_until = 0.0

    @contextmanager
    def hold(self, job_id: str) -> Iterator[Hold]:
        """Keep the lease of a job for as long as the block lasts."""
        self.current = hold = Hold(job_id)
        try:
            yield hold
        finally:
            self.current = None

    def run(self) -> None:
        self.tick(late_after=0)
        while not self.stopping.wait(settings.JOB_TICK_SECONDS):
            self.tick()
        self.let_go()
        connection.close()

    def tick(self, *, late_after: float = jobs.RING_AGAIN_SECONDS) -> None:
        """One round; a database that is away for a moment must not end the thread."""
        close_old_connections()
        hold = self.current
        try:
            if hold and not jobs.renew(job_id=hold.job_id, worker=self.worker):
                hold.unwanted.set()
            jobs.beat(worker=self.worker)
            if self.may_sweep():
                jobs.sweep()
            # A busy worker's queue is long by right: only an idle one misses rings.
            if hold is None:
                jobs.ring_late(after_seconds=late_after)
            self.tidy()
        except DatabaseError:
            log.exception("The keeper could not reach the database; it tries again.")

    def may_sweep(self) -> bool:
        """After an outage whoever lives renews first: only then is silence a death."""
        now = time.monotonic()
        missed = (
            self.reached_at and now - self.reached_at > 2 * settings.JOB_TICK_SECONDS
        )
        self.reached_at = now
        if missed and not self.patient_until:
            self.patient_until = now + settings.JOB_LEASE_SECONDS
        if now < self.patient_until:
            return False
        self.patient_until = 0.0
        return True

    def tidy(self) -> None:
        """Once an hour; a folder that is away for a moment must not end the thread."""
        if time.monotonic() < self.tidy_at:
            return
        self.tidy_at = time.monotonic() + TIDY_SECONDS
        try:
            leftovers.sweep()
        except OSError as error:
            log.warning("What uploads left behind stays for now (%s).", error)

    def let_go(self) -> None:
        """Give the job back at once, so that another worker need not wait."""
        if hold := self.current:
            hold.unwanted.set()
            jobs.release(job_id=hold.job_id, worker=self.worker)
