"""Real worker processes do every job once, whatever is killed, on every broker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from ratings import jobs
from ratings.models import Job, WorkerBeat
from tests import services
from tests.config.site import Site, make_site
from tests.processes import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(tmp_path: Path, transactional_db: None) -> Iterator[Site]:
    with make_site(tmp_path, broker="filesystem://") as site:
        yield site


@pytest.fixture(params=["files", "Redis", "RabbitMQ"])
def site_on_any_broker(
    request: pytest.FixtureRequest, tmp_path: Path, transactional_db: None
) -> Iterator[Site]:
    local = request.param == "files"
    broker = "filesystem://" if local else services.require(request.param)
    with make_site(tmp_path, broker=broker) as site:
        yield site


def test_a_worker_killed_in_a_job_has_it_done_again_once(
    site_on_any_broker: Site,
) -> None:
    site = site_on_any_broker
    worker = site.start_worker()
    job = site.submit("wait")
    site.wait_for_line("begun")
    os.killpg(worker.pid, signal.SIGKILL)
    killed = time.monotonic()
    site.start_worker()
    site.wait_for_line("begun", times=2)
    assert time.monotonic() - killed <= 15
    site.gate.touch()
    site.wait_for(job, "done")
    time.sleep(1)
    assert site.lines() == ["begun", "begun", "done"]
    assert job.attempts == 2


def test_jobs_that_wait_when_no_worker_runs_are_done_once_each(
    site_on_any_broker: Site,
) -> None:
    site = site_on_any_broker
    waiting = [site.submit("write") for _ in range(3)]
    site.start_worker()
    site.start_worker()
    for job in waiting:
        assert site.wait_for(job, "done").attempts == 1
    assert site.lines() == ["done"] * 3


def test_progress_is_seen_while_a_job_runs(site: Site) -> None:
    site.start_worker()
    job = site.submit("wait")
    site.wait_for_line("begun")
    time.sleep(2.5)
    job.refresh_from_db()
    assert job.progress > 0
    assert job.message.startswith("step ")


def test_a_job_outlives_many_leases_while_its_worker_lives(
    tmp_path: Path, transactional_db: None
) -> None:
    with make_site(tmp_path, broker="filesystem://") as site:
        site.env |= {"JOB_LEASE_SECONDS": "4", "JOB_TICK_SECONDS": "1"}
        site.start_worker()
        site.start_worker()
        job = site.submit("wait")
        site.wait_for_line("begun")
        time.sleep(10)
        site.gate.touch()
        assert site.wait_for(job, "done").attempts == 1
        assert site.lines() == ["begun", "done"]


def test_a_cancelled_job_stops_within_seconds_and_the_worker_goes_on(
    site: Site,
) -> None:
    site.start_worker()
    job = site.submit("wait")
    site.wait_for_line("begun")
    jobs.cancel(job_id=job.id)
    site.wait_for(job, "cancelled", seconds=6)
    site.wait_for(site.submit("write"), "done")
    assert site.lines() == ["begun", "stopped", "done"]


def test_a_worker_told_to_stop_gives_its_job_back_and_ends(site: Site) -> None:
    worker = site.start_worker()
    job = site.submit("wait")
    site.wait_for_line("begun")
    worker.terminate()
    assert worker.wait(timeout=30) == 0
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("queued", 0)
    assert site.lines() == ["begun", "stopped"]
    site.gate.touch()
    site.start_worker()
    site.wait_for(job, "done")


def test_a_lost_message_is_made_up_for(site: Site) -> None:
    job = Job.objects.create(
        kind="write", payload={"file": str(site.trace)}, rung_at="2020-01-01T00:00Z"
    )
    site.start_worker()
    site.wait_for(job, "done")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refuse", "The image has no voxels: upload it again."),
        ("break", "ZeroDivisionError: integer division or modulo by zero"),
        ("unheard", "No job of the kind 'unheard' is known to this version."),
    ],
)
def test_a_failed_job_keeps_the_reason_and_the_trace(
    site: Site, kind: str, error: str
) -> None:
    site.start_worker()
    job = site.wait_for(site.submit(kind), "failed")
    assert error in job.error
    assert "Traceback" in job.log


def test_a_machines_health_check_sees_its_worker_live_and_die(site: Site) -> None:
    assert site.manage("alive").returncode == 1
    worker = site.start_worker()
    wait_until(
        lambda: site.manage("alive").returncode == 0, seconds=20, what="a sign of life"
    )
    worker.kill()
    WorkerBeat.objects.update(beat_at=timezone.now() - timedelta(minutes=1))
    done = site.manage("alive")
    assert done.returncode == 1
    assert "gave a sign of life: restart it." in done.stderr
