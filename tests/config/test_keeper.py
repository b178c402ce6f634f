"""A database that was away is no worker's death, and a worker that died is found."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import OperationalError, connection

from config.keeper import Keeper
from ratings import jobs
from ratings.models import Job

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
LEASE, TICK = 2.0, 0.5


@pytest.fixture(autouse=True)
def short_lease(settings: Any) -> None:
    settings.JOB_LEASE_SECONDS, settings.JOB_TICK_SECONDS = LEASE, TICK


@pytest.fixture
def held() -> Job:
    """A job in the hands of the worker w1."""
    waiting = Job.objects.create(kind="predict", payload={})
    job = jobs.claim(job_id=waiting.pk, worker="w1")
    assert job is not None
    return job


def refuse(*_: Any) -> None:
    raise OperationalError("the database system is shutting down")


def outlast_an_outage(*keepers: Keeper) -> None:
    """The database is away for longer than a lease, and every keeper finds it so."""
    with connection.execute_wrapper(refuse):
        for keeper in keepers:
            keeper.tick()
        time.sleep(LEASE + TICK)


def test_a_worker_that_outlived_an_outage_keeps_its_job(held: Job) -> None:
    owner, other = Keeper(worker="w1"), Keeper(worker="w2")
    with owner.hold(str(held.pk)) as hold:
        owner.tick()
        other.tick()
        outlast_an_outage(owner, other)
        other.tick()
        owner.tick()
        other.tick()
    held.refresh_from_db()
    assert (held.status, held.worker, held.attempts) == ("running", "w1", 1)
    assert not hold.unwanted.is_set()


def test_a_worker_that_died_in_an_outage_is_found_a_lease_later(held: Job) -> None:
    other = Keeper(worker="w2")
    other.tick()
    outlast_an_outage(other)
    other.tick()
    held.refresh_from_db()
    assert held.status == "running"
    time.sleep(LEASE + TICK)
    other.tick()
    held.refresh_from_db()
    assert held.status == "queued"


def test_a_worker_that_died_while_all_was_well_is_found_at_once(held: Job) -> None:
    other = Keeper(worker="w2")
    for _ in range(6):
        other.tick()
        time.sleep(TICK)
    held.refresh_from_db()
    assert held.status == "queued"
