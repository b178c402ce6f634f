"""Real workers through broken brokers, locked databases and real predictions."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import override_settings
from kombu.entity import Queue
from kombu.messaging import Consumer, Producer
from pytest_django import DjangoDbBlocker

from config import celery
from inference import batches, registering
from inference.models import Ensemble, Prediction, Result
from inference.registering import Stored
from inference.sources import Source
from inference.training import DEMO_ENSEMBLE
from ratings import files, importing, jobs
from ratings.models import Job, Mask, Study
from tests import services
from tests.config.site import Site, make_site
from tests.inference.scans import write_small
from tests.processes import free_port, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(tmp_path: Path, transactional_db: None) -> Iterator[Site]:
    with make_site(tmp_path, broker="filesystem://") as site:
        yield site


def test_a_message_delivered_many_times_to_two_workers_is_obeyed_once(
    site: Site,
) -> None:
    site.start_worker()
    site.start_worker()
    job = site.submit("wait")
    site.wait_for_line("begun")
    site.ring(job, times=6)
    last = site.submit("write")
    site.gate.touch()
    site.wait_for(job, "done")
    site.wait_for(last, "done")
    site.ring(job, times=3)
    site.wait_for(site.submit("write"), "done")
    assert site.lines().count("begun") == 1
    assert (job.attempts, site.lines().count("done")) == (1, 3)


class Redis:
    """A server of the test's own, which it may end and start again."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--save", ""]
        self.process = subprocess.Popen(
            [*command, "--bind", "127.0.0.1", "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        services.miss("Redis")
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


def test_a_broker_that_forgets_everything_and_returns_loses_no_job(
    redis: Redis, tmp_path: Path, transactional_db: None
) -> None:
    with make_site(tmp_path, broker=redis.url) as site:
        site.start_worker()
        running = site.submit("wait")
        site.wait_for_line("begun")
        waiting = [site.submit("write") for _ in range(2)]
        redis.kill()
        unheard = site.submit("write")
        site.gate.touch()
        site.wait_for(running, "done")
        redis.start()
        # The worker calls again in ever longer steps, the longer it heard nothing.
        missing = Job.objects.exclude(status="done")
        wait_until(
            lambda: not site.revive() and not missing.exists(),
            seconds=240,
            what=f"the end of {waiting} and {unheard}",
        )
        assert site.lines() == ["begun", *["done"] * 4]
        assert {j.attempts for j in Job.objects.all()} == {1}


def test_a_connection_that_broke_with_a_message_in_hand_can_be_left(
    redis: Redis,
) -> None:
    line = celery.app.connection_for_read(url=redis.url)
    line.ensure_connection(timeout=10)
    channel = line.channel()
    queue = Queue("held", channel=channel)
    queue.declare()
    Producer(channel).publish({"job": 1}, routing_key="held")
    held: list[object] = []
    call = [lambda *told: held.append(told)]
    Consumer(channel, [queue], callbacks=call).consume()
    line.drain_events(timeout=5)
    assert held
    redis.kill()
    # as the worker leaves a connection that it found broken
    line.transport.client = None
    channel.close()
    line.close()


def test_a_locked_database_delays_a_job_and_loses_nothing(site: Site) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows, not the database")
    site.env |= {"JOB_LEASE_SECONDS": "4", "JOB_TICK_SECONDS": "1"}
    site.start_worker()
    job = site.submit("wait")
    site.wait_for_line("begun")
    holder = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    site.gate.touch()
    time.sleep(6)
    holder.execute("ROLLBACK")
    holder.close()
    site.wait_for(job, "done")
    site.wait_for(site.submit("write"), "done")
    assert (job.attempts, site.lines()) == (1, ["begun", "done", "done"])


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Stored:
    place = override_settings(ENSEMBLES_DIR=tmp_path_factory.mktemp("ensembles"))
    with django_db_blocker.unblock(), place:
        return registering.store(DEMO_ENSEMBLE)


Ask = Callable[..., Job]
# Of some seconds' work, and of one tile.
LARGE, SMALL = (128, 128, 64), (60, 60, 40)


@pytest.fixture
def ask(
    site: Site, study: Study, ada: User, demo: Stored, tmp_path: Path
) -> Iterator[Ask]:
    """Ask for the real prediction of a scan by the demo ensemble."""

    def ask(*, shape: tuple[int, int, int]) -> Job:
        path = write_small(tmp_path / "scan.nii.gz", shape=shape, zooms=(1.0, 1.0, 1.0))
        importing.add_image(study=study, path=path, name=path.name, strata={})
        ensemble, _ = registering.enter(name="demo", label="Demo", stored=demo)
        batch = batches.submit(
            study=study, actor=ada, source=Source(ensemble=ensemble), label="Model",
            settings={"rule": "paper", "mirroring": False},
        )  # fmt: skip
        return batches.list_jobs(batch.arm).get()

    # The test's own process rings no bell: the worker looks for late jobs by itself.
    with override_settings(JOB_BELL="tests.inference.test_worker_hardship.stay_silent"):
        yield ask


def stay_silent(job_id: str) -> None:
    """A bell that nobody hears."""


def wait_for_progress(job: Job) -> None:
    def moves() -> bool:
        job.refresh_from_db()
        return job.status == "running" and job.progress > 0

    wait_until(moves, seconds=90, what="progress")


def test_a_worker_killed_while_predicting_leaves_exactly_one_result(
    site: Site,
    ask: Ask,
    study: Study,
) -> None:
    job = ask(shape=LARGE)
    worker = site.start_worker()
    wait_for_progress(job)
    os.killpg(worker.pid, signal.SIGKILL)
    site.start_worker()
    site.wait_for(job, "done", seconds=180)
    assert job.attempts == 2
    assert Mask.objects.count() == Prediction.objects.count() == 1
    result, case = Result.objects.get(), study.cases.get()
    folder = files.locate(files.name_derived_folder(case.pk))
    assert len(list(folder.iterdir())) == 3
    assert result.provenance["folds"] == 5


def test_a_prediction_is_cancelled_within_two_seconds(site: Site, ask: Ask) -> None:
    job = ask(shape=LARGE)
    site.start_worker()
    wait_for_progress(job)
    jobs.cancel(job_id=job.pk)
    site.wait_for(job, "cancelled", seconds=2)
    assert not Mask.objects.exists()
    site.wait_for(site.submit("write"), "done")


def test_a_disk_that_is_full_fails_the_job_with_the_remedy(
    site: Site, ask: Ask
) -> None:
    job = ask(shape=SMALL)
    Job.objects.filter(pk=job.pk).update(kind="full")
    site.start_worker()
    site.wait_for(job, "failed", seconds=120)
    assert "make room, then retry" in job.error
    assert not Mask.objects.exists()
    Job.objects.filter(pk=job.pk).update(kind=Job.Kind.PREDICT)
    jobs.retry(job_id=job.pk)
    site.ring(job, times=1)
    site.wait_for(job, "done", seconds=120)
    assert Mask.objects.count() == 1


def test_a_worker_without_the_model_on_its_disk_says_so_and_works_on(
    site: Site, ask: Ask, tmp_path: Path
) -> None:
    job = ask(shape=SMALL)
    Ensemble.objects.update(folder=str(tmp_path / "gone"))
    site.start_worker()
    site.wait_for(job, "failed", seconds=60)
    assert "register the model again under the same name" in job.error
    site.wait_for(site.submit("write"), "done")
