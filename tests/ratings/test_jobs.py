"""The job table keeps its promises whoever asks, in whatever order."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ratings import jobs
from ratings.models import Job, WorkerBeat

Status = Job.Status
rung: list[str] = []


def note_ring(job_id: str) -> None:
    """A bell that can be counted."""
    rung.append(job_id)


@pytest.fixture(autouse=True)
def bell(settings: Any) -> list[str]:
    settings.JOB_BELL = "tests.ratings.test_jobs.note_ring"
    rung.clear()
    return rung


def submit_and_claim(worker: str = "w1") -> Job:
    job = jobs.submit(kind="predict", payload={})
    claimed = jobs.claim(job_id=job.id, worker=worker)
    assert claimed is not None
    return claimed


def expire(job: Job) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(lease_until=past)


def store_result_and_finish(job: Job, *, worker: str) -> None:
    with transaction.atomic():
        WorkerBeat.objects.create(worker="a result", beat_at=timezone.now())
        jobs.finish(job_id=job.id, worker=worker)


def state(job: Job) -> str:
    return Job.objects.get(pk=job.pk).status


@pytest.mark.django_db
class TestSubmitting:
    def test_the_bell_rings_after_the_commit_and_not_before(
        self, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            job = jobs.submit(kind="predict", payload={"case": 1})
            assert rung == []
        assert rung == [str(job.id)]

    def test_a_rolled_back_job_never_rings(
        self, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            jobs.submit(kind="predict", payload={})
            transaction.set_rollback(True)
        assert rung == []
        assert not Job.objects.exists()


@pytest.mark.django_db
class TestClaiming:
    def test_the_first_worker_gets_the_job_and_the_second_nothing(self) -> None:
        job = submit_and_claim("w1")
        assert (job.status, job.worker, job.attempts) == (Status.RUNNING, "w1", 1)
        assert jobs.claim(job_id=job.id, worker="w2") is None

    def test_a_lease_lasts_as_long_as_the_settings_say(self, settings: Any) -> None:
        settings.JOB_LEASE_SECONDS = 60
        lease = submit_and_claim().lease_until
        assert lease is not None
        assert 55 < (lease - timezone.now()).total_seconds() <= 61

    def test_a_cancelled_job_cannot_be_claimed(self) -> None:
        job = jobs.submit(kind="predict", payload={})
        assert jobs.cancel(job_id=job.id)
        assert jobs.claim(job_id=job.id, worker="w1") is None

    def test_a_job_that_was_deleted_cannot_be_claimed(self) -> None:
        job = jobs.submit(kind="predict", payload={})
        Job.objects.all().delete()
        assert jobs.claim(job_id=job.id, worker="w1") is None


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_claim_at_once_exactly_one_wins() -> None:
    job = jobs.submit(kind="predict", payload={})
    start = threading.Barrier(8)
    won: list[str] = []

    def try_to_claim(worker: str) -> None:
        start.wait()
        if jobs.claim(job_id=job.id, worker=worker):
            won.append(worker)
        connection.close()

    threads = [threading.Thread(target=try_to_claim, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert Job.objects.get(pk=job.pk).worker == won[0]
    assert Job.objects.get(pk=job.pk).attempts == 1


@pytest.mark.django_db
class TestFinishing:
    def test_the_holder_finishes(self) -> None:
        job = submit_and_claim()
        jobs.finish(job_id=job.id, worker="w1", message="12 lesions")
        job.refresh_from_db()
        assert (job.status, job.progress, job.message) == ("done", 1.0, "12 lesions")
        assert job.finished_at is not None

    def test_a_worker_that_lost_its_lease_keeps_nothing_of_its_result(self) -> None:
        job = submit_and_claim("w1")
        expire(job)
        assert jobs.sweep() == 1
        jobs.claim(job_id=job.id, worker="w2")
        with pytest.raises(jobs.LeaseLost):
            store_result_and_finish(job, worker="w1")
        assert not WorkerBeat.objects.exists()
        assert state(job) == Status.RUNNING
        assert not jobs.fail(job_id=job.id, worker="w1", error="late")
        assert not jobs.release(job_id=job.id, worker="w1")
        assert not jobs.renew(job_id=job.id, worker="w1")
        jobs.finish(job_id=job.id, worker="w2")
        assert state(job) == Status.DONE

    def test_a_job_is_finished_once(self) -> None:
        job = submit_and_claim()
        jobs.finish(job_id=job.id, worker="w1")
        with pytest.raises(jobs.LeaseLost):
            jobs.finish(job_id=job.id, worker="w1")

    def test_a_failure_keeps_its_reason(self) -> None:
        job = submit_and_claim()
        assert jobs.fail(job_id=job.id, worker="w1", error="No disk.", log="trace")
        job.refresh_from_db()
        assert (job.status, job.error, job.log) == ("failed", "No disk.", "trace")


@pytest.mark.django_db
class TestProgress:
    def test_it_is_kept_within_0_and_1_and_its_message_within_the_column(self) -> None:
        job = submit_and_claim()
        jobs.report(job_id=job.id, worker="w1", progress=1.7, message="x" * 300)
        job.refresh_from_db()
        assert (job.progress, len(job.message)) == (1.0, 200)

    def test_nobody_else_can_write_it(self) -> None:
        job = submit_and_claim("w1")
        jobs.report(job_id=job.id, worker="w2", progress=0.5)
        job.refresh_from_db()
        assert job.progress == 0.0


@pytest.mark.django_db
class TestSweeping:
    def test_a_living_lease_is_left_alone(self) -> None:
        job = submit_and_claim()
        assert jobs.sweep() == 0
        assert state(job) == Status.RUNNING

    def test_a_dead_workers_job_waits_again_and_is_rung_for(self) -> None:
        job = submit_and_claim()
        expire(job)
        assert jobs.sweep() == 1
        assert state(job) == Status.QUEUED
        assert rung == [str(job.id)]

    def test_after_three_deaths_the_job_fails_and_says_so(self) -> None:
        job = jobs.submit(kind="predict", payload={})
        for n in range(3):
            assert jobs.claim(job_id=job.id, worker=f"w{n}")
            expire(job)
            jobs.sweep()
        job.refresh_from_db()
        assert job.status == Status.FAILED
        assert "died 3 times" in job.error

    def test_a_dead_worker_cannot_hold_up_a_cancellation(self) -> None:
        job = submit_and_claim()
        jobs.cancel(job_id=job.id)
        expire(job)
        assert jobs.sweep() == 0
        assert state(job) == Status.CANCELLED

    def test_a_lost_ring_is_made_up_for_after_ten_seconds(self) -> None:
        job = jobs.submit(kind="predict", payload={})
        assert jobs.ring_late() == 0
        past = timezone.now() - timedelta(seconds=11)
        Job.objects.filter(pk=job.pk).update(rung_at=past)
        assert jobs.ring_late() == 1
        assert jobs.ring_late() == 0
        assert rung == [str(job.id)]


@pytest.mark.django_db
class TestStopping:
    def test_a_running_job_is_asked_and_then_stops(self) -> None:
        job = submit_and_claim()
        assert jobs.cancel(job_id=job.id)
        assert state(job) == Status.RUNNING
        assert not jobs.renew(job_id=job.id, worker="w1")
        with pytest.raises(jobs.LeaseLost):
            jobs.finish(job_id=job.id, worker="w1")
        assert jobs.stop(job_id=job.id, worker="w1")
        assert state(job) == Status.CANCELLED

    def test_stopping_without_a_request_does_nothing(self) -> None:
        job = submit_and_claim()
        assert not jobs.stop(job_id=job.id, worker="w1")

    def test_what_is_over_cannot_be_cancelled(self) -> None:
        job = submit_and_claim()
        jobs.finish(job_id=job.id, worker="w1")
        assert not jobs.cancel(job_id=job.id)

    def test_a_worker_told_to_stop_gives_its_job_back_without_blame(self) -> None:
        job = submit_and_claim()
        assert jobs.release(job_id=job.id, worker="w1")
        job.refresh_from_db()
        assert (job.status, job.attempts) == (Status.QUEUED, 0)
        assert rung == [str(job.id)]


@pytest.mark.django_db
class TestRetrying:
    def test_a_failed_job_begins_anew(
        self, django_capture_on_commit_callbacks: Any
    ) -> None:
        job = submit_and_claim()
        jobs.fail(job_id=job.id, worker="w1", error="No disk.")
        with django_capture_on_commit_callbacks(execute=True):
            assert jobs.retry(job_id=job.id)
        job.refresh_from_db()
        assert (job.status, job.attempts, job.error) == (Status.QUEUED, 0, "")
        assert str(job.id) in rung

    def test_a_cancelled_job_can_be_claimed_after_a_retry(self) -> None:
        job = jobs.submit(kind="predict", payload={})
        jobs.cancel(job_id=job.id)
        assert jobs.retry(job_id=job.id)
        again = jobs.claim(job_id=job.id, worker="w1")
        assert again is not None
        jobs.finish(job_id=job.id, worker="w1")

    @pytest.mark.parametrize("status", ["queued", "running", "done"])
    def test_any_other_job_is_left_as_it_is(self, status: str) -> None:
        job = jobs.submit(kind="predict", payload={})
        Job.objects.filter(pk=job.pk).update(status=status)
        assert not jobs.retry(job_id=job.id)
        assert state(job) == status


@pytest.mark.django_db
class TestWatching:
    def test_only_workers_that_beat_lately_count(self) -> None:
        jobs.beat(worker="alive")
        long_ago = timezone.now() - timedelta(minutes=1)
        WorkerBeat.objects.create(worker="dead", beat_at=long_ago)
        assert jobs.live_workers() == 1

    def test_workers_gone_for_an_hour_are_forgotten(self) -> None:
        long_ago = timezone.now() - timedelta(hours=2)
        WorkerBeat.objects.create(worker="dead", beat_at=long_ago)
        jobs.beat(worker="alive")
        assert [beat.worker for beat in WorkerBeat.objects.all()] == ["alive"]

    def test_the_oldest_wait_counts_only_what_waits(self) -> None:
        assert jobs.oldest_wait() == 0
        submit_and_claim()
        assert jobs.oldest_wait() == 0
        job = jobs.submit(kind="predict", payload={})
        past = timezone.now() - timedelta(seconds=30)
        Job.objects.filter(pk=job.pk).update(created_at=past)
        assert 29 < jobs.oldest_wait() < 40


class TwoWorkersAndAUser(RuleBasedStateMachine):
    """Any sequence of events on one job: it is finished at most once, by its holder."""

    def __init__(self) -> None:
        super().__init__()
        Job.objects.all().delete()
        self.job = jobs.submit(kind="predict", payload={})
        self.holding: list[str] = []
        self.finished = 0

    @rule()
    def first_worker_claims(self) -> None:
        self.try_to_claim("w1")

    @rule()
    def second_worker_claims(self) -> None:
        self.try_to_claim("w2")

    def try_to_claim(self, worker: str) -> None:
        if jobs.claim(job_id=self.job.id, worker=worker):
            self.holding.append(worker)

    @precondition(lambda self: self.holding)
    @rule()
    def a_worker_finishes(self) -> None:
        worker = self.holding.pop(0)
        current = Job.objects.get(pk=self.job.pk)
        ours = current.status == Status.RUNNING and current.worker == worker
        try:
            jobs.finish(job_id=self.job.id, worker=worker)
        except jobs.LeaseLost:
            assert not ours or current.cancel_requested
        else:
            assert ours
            self.finished += 1

    @rule()
    def the_lease_expires(self) -> None:
        expire(self.job)
        jobs.sweep()

    @rule()
    def the_user_cancels(self) -> None:
        jobs.cancel(job_id=self.job.id)

    @rule()
    def the_user_retries(self) -> None:
        jobs.retry(job_id=self.job.id)

    @invariant()
    def at_most_one_result(self) -> None:
        job = Job.objects.get(pk=self.job.pk)
        assert self.finished <= 1
        assert (job.status == Status.DONE) == (self.finished == 1)
        assert job.attempts <= jobs.MAX_ATTEMPTS


@pytest.mark.django_db
def test_no_order_of_events_finishes_a_job_twice() -> None:
    run_state_machine_as_test(
        TwoWorkersAndAUser,
        settings=hypothesis_settings(
            max_examples=40, stateful_step_count=20, deadline=None
        ),
    )
