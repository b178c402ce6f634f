"""A site of real processes on the test's database, with a broker of choice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection
from kombu.connection import Connection

from ratings.models import Job
from tests.processes import ROOT, environment, wait_until

WORKER = [sys.executable, "-m", "celery", "-A", "config.celery", "worker"]
SUBMIT = """
import sys, json, django
django.setup()
from ratings import jobs
print(jobs.submit(kind=sys.argv[1], payload=json.loads(sys.argv[2])).id)
"""


RING = """
import sys, django
django.setup()
from config.celery import ring
for _ in range(int(sys.argv[2])):
    ring(sys.argv[1])
"""


@dataclass
class Site:
    folder: Path
    env: dict[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "worker.log"

    @property
    def trace(self) -> Path:
        return self.folder / "trace"

    @property
    def gate(self) -> Path:
        """The file for which a job of the kind "wait" waits."""
        return self.folder / "gate"

    def start_worker(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            worker = subprocess.Popen(
                [*WORKER, "-n", f"{len(self.workers)}@test", "--without-mingle"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def revive(self) -> bool:
        """Start a worker again that died, as the supervisor would; False: none had."""
        died = self.workers[-1].poll() is not None
        if died:
            self.start_worker()
        return died

    def submit(self, kind: str) -> Job:
        """Queue a job from a process of its own, as the web process does."""
        payload = f'{{"file": "{self.trace}", "until": "{self.gate}"}}'
        done = subprocess.run(
            [sys.executable, "-c", SUBMIT, kind, payload],
            cwd=ROOT,
            env=self.env,
            check=True,
            capture_output=True,
            text=True,
        )
        return Job.objects.get(pk=done.stdout.strip())

    def ring(self, job: Job, *, times: int) -> None:
        """Deliver a job's message, several times over."""
        subprocess.run(
            [sys.executable, "-c", RING, str(job.pk), str(times)],
            cwd=ROOT,
            env=self.env,
            check=True,
        )

    def manage(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
        )

    def lines(self) -> list[str]:
        return self.trace.read_text().split() if self.trace.exists() else []

    def wait_for(self, job: Job, status: str, *, seconds: float = 20) -> Job:
        def reached() -> bool:
            job.refresh_from_db()
            return job.status == status

        try:
            wait_until(reached, seconds=seconds, what=f"status {status}")
        except AssertionError as missed:
            said = self.log.read_text() if self.log.exists() else "nothing"
            raise AssertionError(
                f"{missed}; the worker said:\n{said[-4000:]}"
            ) from None
        return job

    def wait_for_line(self, line: str, *, times: int = 1, seconds: float = 20) -> float:
        start = time.monotonic()
        wait_until(
            lambda: self.lines().count(line) >= times,
            seconds=seconds,
            what=f"line {line!r} number {times}",
        )
        return time.monotonic() - start

    def stop(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def database_url() -> str:
    """Where the test's own database is, for other processes."""
    parts: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{parts['NAME']}"
    login = parts["USER"] + (f":{parts['PASSWORD']}" if parts["PASSWORD"] else "")
    return f"postgres://{login}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"


@contextmanager
def make_site(folder: Path, *, broker: str) -> Iterator[Site]:
    queue = f"blindfold-test-{os.getpid()}-{time.monotonic_ns()}"
    env = environment(
        folder,
        DATABASE_URL=database_url(),
        BROKER_URL=broker,
        JOB_QUEUE=queue,
        DJANGO_SETTINGS_MODULE="tests.config.settings_worker",
    )
    site = Site(folder, env)
    try:
        yield site
    finally:
        site.stop()
        if not broker.startswith("filesystem"):
            with Connection(broker) as broker_connection:
                channel = broker_connection.channel()
                channel.queue_delete(queue)
