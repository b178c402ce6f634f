from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inference import batches, progress
from inference.models import Ensemble
from ratings import jobs
from ratings.models import Arm, Enrolment, Job, Mask, Study, WorkerBeat
from tests.inference.test_predictions import run
from tests.ratings.conftest import AddCases, make_user, sign_in

pytestmark = pytest.mark.django_db
Status = Job.Status
HTMX = {"HX-Request": "true"}


@pytest.fixture
def url(study: Study) -> str:
    return reverse("predictions", args=[study.pk])


def text(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def ask(client: Client, url: str, chosen: Ensemble, **changes: str) -> str:
    form = {
        "source": f"ensemble:{chosen.name}", "label": "Ensemble", "rule": "paper",
        "mirroring": "off",
    }  # fmt: skip
    response = client.post(url, form | changes, follow=True)
    return response.content.decode()


@pytest.fixture
def asked(
    coordinator: Client, url: str, ensemble: Ensemble, add_cases: AddCases
) -> list[Job]:
    """Three cases whose predictions wait."""
    add_cases(3)
    ask(coordinator, url, ensemble)
    return list(Job.objects.order_by("created_at"))


def beat(*, seconds_ago: float) -> None:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    WorkerBeat.objects.update_or_create(worker="w", defaults={"beat_at": at})


def test_an_empty_study_says_what_the_page_will_show(
    coordinator: Client, url: str
) -> None:
    page = text(coordinator, url)
    assert "No case yet" in page
    assert "Predict all cases" not in page


def test_without_an_ensemble_the_page_says_how_one_is_registered(
    coordinator: Client, url: str, add_cases: AddCases
) -> None:
    add_cases(1)
    page = text(coordinator, url)
    assert "No ensemble is registered" in page
    assert "manage.py register_ensemble NAME FOLDER" in page


def test_asking_queues_one_job_per_case_with_the_settings(
    asked: list[Job], study: Study, ensemble: Ensemble
) -> None:
    arm = Arm.objects.get(key="ensemble")
    assert {job.payload["case"] for job in asked} == {
        str(case.pk) for case in study.cases.all()
    }
    assert {job.status for job in asked} == {Status.QUEUED}
    assert arm.source == {
        "ensemble": "random",
        "digest": ensemble.digest,
        "settings": {"rule": "paper", "mirroring": False},
    }
    assert study.audit.get(verb="predict").payload["cases"] == 3


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"label": ""}, "Give the arm a name"),
        ({"label": "Manual"}, "uploaded masks"),
        ({"label": "Model"}, "uploaded masks"),
        ({"source": "ensemble:nobody"}, "Select a valid choice"),
        ({"source": "tool:nobody"}, "Select a valid choice"),
        ({"rule": "nnunet", "threshold": "0.3"}, "rule has no threshold"),
        ({"threshold": "1.5"}, "less than or equal to 0.999"),
        ({"rule": "magic"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_asked_is_said_beside_the_field(
    coordinator: Client,
    url: str,
    ensemble: Ensemble,
    add_cases: AddCases,
    changes: dict[str, str],
    sentence: str,
) -> None:
    add_cases(1)
    assert sentence in ask(coordinator, url, ensemble, **changes)
    assert not Job.objects.exists()


def test_the_page_says_when_no_worker_is_running(
    coordinator: Client, url: str, asked: list[Job]
) -> None:
    assert "No worker is running" in text(coordinator, url)
    beat(seconds_ago=31)
    assert "No worker is running" in text(coordinator, url)
    beat(seconds_ago=5)
    assert "No worker is running" not in text(coordinator, url)


def test_a_running_job_shows_bar_elapsed_and_remaining(
    coordinator: Client, url: str, asked: list[Job]
) -> None:
    jobs.claim(job_id=asked[0].pk, worker="w")
    Job.objects.filter(pk=asked[0].pk).update(
        progress=0.25, started_at=timezone.now() - timedelta(seconds=30),
        message="fold 1 of 3",
    )  # fmt: skip
    page = text(coordinator, url)
    assert 'max="100" value="25"' in page
    assert "Fold 1 of 3" in page
    assert re.search(r"0 / 3 predicted, 1 running, 2 waiting; about .+ left\.", page)


def test_a_failed_job_shows_its_reason_and_can_be_retried(
    coordinator: Client, url: str, asked: list[Job], study: Study
) -> None:
    jobs.claim(job_id=asked[0].pk, worker="w")
    jobs.fail(job_id=asked[0].pk, worker="w", error="The image is <odd>: crop it.")
    page = text(coordinator, url)
    assert "The image is &lt;odd&gt;: crop it." in page
    assert "1 failed" in page
    coordinator.post(reverse("prediction-retry", args=[study.pk, asked[0].pk]))
    asked[0].refresh_from_db()
    assert (asked[0].status, asked[0].error) == (Status.QUEUED, "")


def test_one_or_all_can_be_cancelled_and_retried(
    coordinator: Client, asked: list[Job], study: Study
) -> None:
    arm = Arm.objects.get(key="ensemble")
    coordinator.post(reverse("prediction-cancel", args=[study.pk, asked[0].pk]))
    assert count(Status.CANCELLED) == 1
    coordinator.post(reverse("predictions-cancel", args=[study.pk, arm.pk]))
    assert count(Status.CANCELLED) == 3
    coordinator.post(reverse("predictions-retry", args=[study.pk, arm.pk]))
    assert count(Status.QUEUED) == 3


def count(status: str) -> int:
    return Job.objects.filter(status=status).count()


def test_a_running_job_that_was_asked_to_stop_says_so(
    coordinator: Client, url: str, asked: list[Job]
) -> None:
    jobs.claim(job_id=asked[0].pk, worker="w")
    jobs.cancel(job_id=asked[0].pk)
    assert "Stopping" in text(coordinator, url)


def test_cases_added_later_are_completed_by_the_same_ensemble(
    coordinator: Client, url: str, asked: list[Job], study: Study
) -> None:
    arm = Arm.objects.get(key="ensemble")
    asked[0].delete()
    assert "Predict 1 missing case" in text(coordinator, url)
    coordinator.post(reverse("predictions-complete", args=[study.pk, arm.pk]))
    assert count(Status.QUEUED) == 3


def test_the_part_refreshes_itself_only_while_something_is_under_way(
    coordinator: Client, study: Study, asked: list[Job]
) -> None:
    part = reverse("predictions-progress", args=[study.pk])
    response = coordinator.get(part, headers=HTMX)
    assert b'hx-trigger="every 2s"' in response.content
    assert b"<html" not in response.content
    batches.cancel_all(Arm.objects.get(key="ensemble"))
    ended = coordinator.get(part, headers=HTMX)
    assert (ended.headers["HX-Refresh"], ended.content) == ("true", b"")


def test_the_steps_come_along_when_their_count_has_changed(
    coordinator: Client, study: Study, asked: list[Job]
) -> None:
    part = reverse("predictions-progress", args=[study.pk])
    same = coordinator.get(f"{part}?left=3", headers=HTMX).content.decode()
    fewer = coordinator.get(f"{part}?left=4", headers=HTMX).content.decode()
    assert "hx-swap-oob" not in same
    assert "3 to go" in fewer


def test_a_signed_out_browser_reloads_instead_of_showing_the_door_inside(
    study: Study,
) -> None:
    part = reverse("predictions-progress", args=[study.pk])
    assert Client().get(part, headers=HTMX).headers["HX-Refresh"] == "true"


def test_real_predictions_fill_the_page(
    coordinator: Client, url: str, asked: list[Job]
) -> None:
    for job in asked:
        run(job)
    page = text(coordinator, url)
    assert "3 / 3 predicted." in page
    assert page.count("mm³ marked.") == 3
    assert "hx-trigger" not in page


def test_removing_an_arm_is_asked_first_and_then_done(
    coordinator: Client, study: Study, url: str, asked: list[Job]
) -> None:
    run(asked[0])
    arm = Arm.objects.get(key="ensemble")
    place = reverse("predictions-withdraw", args=[study.pk, arm.pk])
    assert "still running" in coordinator.post(place, follow=True).content.decode()
    batches.cancel_all(arm)
    assert "its masks (1) are deleted" in text(coordinator, place)
    assert Mask.objects.filter(arm=arm).exists()
    coordinator.post(place)
    assert not Arm.objects.filter(pk=arm.pk).exists()
    assert "Predict all cases" in text(coordinator, url)


def test_after_locking_the_page_only_shows(
    coordinator: Client, url: str, asked: list[Job], study: Study
) -> None:
    batches.cancel_all(Arm.objects.get(key="ensemble"))
    Study.objects.filter(pk=study.pk).update(state=Study.State.LOCKED)
    page = text(coordinator, url)
    assert "Retry" not in page
    assert "<form class" not in page
    coordinator.post(reverse("prediction-retry", args=[study.pk, asked[0].pk]))
    assert count(Status.QUEUED) == 0


ROUTES = (
    ("predictions", "get", ()),
    ("predictions", "post", ()),
    ("predictions-progress", "get", ()),
    ("prediction-log", "get", ("job",)),
    ("prediction-retry", "post", ("job",)),
    ("prediction-cancel", "post", ("job",)),
    ("predictions-retry", "post", ("arm",)),
    ("predictions-cancel", "post", ("arm",)),
    ("predictions-complete", "post", ("arm",)),
    ("predictions-withdraw", "get", ("arm",)),
    ("predictions-withdraw", "post", ("arm",)),
)


@pytest.mark.parametrize(("name", "method", "extra"), ROUTES)
def test_strangers_and_raters_find_nothing_here(
    outsider: Client,
    study: Study,
    asked: list[Job],
    name: str,
    method: str,
    extra: tuple[str, ...],
) -> None:
    rhea = make_user("rhea")
    Enrolment.objects.create(study=study, user=rhea, role="rater", code="R01")
    arm = Arm.objects.get(key="ensemble")
    found: dict[str, Any] = {"job": asked[0].pk, "arm": arm.pk}
    url = reverse(name, args=[study.pk, *[found[key] for key in extra]])
    for client in (outsider, sign_in(rhea)):
        assert getattr(client, method)(url).status_code == 404
    assert count(Status.QUEUED) == 3
    assert Arm.objects.filter(pk=arm.pk).exists()


def test_changes_are_not_made_by_get(
    coordinator: Client, asked: list[Job], study: Study
) -> None:
    for name in ("prediction-retry", "prediction-cancel"):
        url = reverse(name, args=[study.pk, asked[0].pk])
        assert coordinator.get(url).status_code == 405
    assert count(Status.QUEUED) == 3


def test_another_study_s_job_is_unknown(
    coordinator: Client, asked: list[Job], ada: User
) -> None:
    other = Study.objects.create(title="Other", created_by=ada)
    foreign = Job.objects.create(study=other, kind=Job.Kind.PREDICT)
    url = reverse("prediction-cancel", args=[asked[0].study_id, foreign.pk])
    assert coordinator.post(url).status_code == 404


def test_a_quarter_done_in_half_a_minute_leaves_a_minute_and_a_half(
    asked: list[Job], study: Study
) -> None:
    started = timezone.now()
    job = asked[0]
    job.status, job.progress, job.started_at = Status.RUNNING, 0.25, started
    row = progress.describe_job(
        study.cases.all()[0], job, started + timedelta(seconds=30), None
    )
    assert (row.percent, row.elapsed, row.remaining) == (25, 30.0, 90.0)
    waiting = progress.describe_job(study.cases.all()[1], asked[1], started, None)
    assert progress.sum_remaining([row, waiting], None) == 90 + 120


def test_the_pace_of_finished_jobs_predicts_the_rest(
    asked: list[Job], study: Study
) -> None:
    now = timezone.now()
    Job.objects.filter(pk=asked[0].pk).update(
        status=Status.DONE, started_at=now - timedelta(seconds=40), finished_at=now
    )
    (overview,) = progress.survey(study)
    assert overview.remaining == pytest.approx(80, abs=1)
    assert overview.rows[0].elapsed == pytest.approx(40, abs=1)


def test_nothing_is_promised_before_anything_is_known(
    asked: list[Job], study: Study
) -> None:
    (overview,) = progress.survey(study)
    assert overview.remaining is None
    assert all(row.elapsed is None for row in overview.rows)


@pytest.mark.parametrize("label", ["SCT 6.5", "sct 6.5", "SCT 65"])
def test_a_name_of_uploads_that_wait_is_no_name_for_predictions(
    coordinator: Client,
    url: str,
    ensemble: Ensemble,
    add_cases: AddCases,
    study: Study,
    label: str,
) -> None:
    add_cases(1)
    study.uploads.create(
        name="a_seg.nii", kind="mask", uploaded_by=study.created_by,
        facts={"arm": "sct-65", "arm_label": "SCT 6.5"},
    )  # fmt: skip
    assert "wait for their import" in ask(coordinator, url, ensemble, label=label)
    assert not study.arms.filter(kind="model").exists()


def test_names_in_another_script_are_arms_of_their_own(
    coordinator: Client, url: str, ensemble: Ensemble, add_cases: AddCases, study: Study
) -> None:
    add_cases(1)
    for label in ("模型一", "模型二"):
        ask(coordinator, url, ensemble, label=label)
    ask(coordinator, url, ensemble, label="模型一")
    made = study.arms.filter(kind="model").values_list("label", flat=True)
    assert list(made) == ["模型一", "模型二"]
