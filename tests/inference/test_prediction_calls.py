"""Predictions by script, a whole arm at a time; logs; models on the shelf."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from inference.models import Ensemble
from ratings.models import Job, Study
from tests.ratings.conftest import AddCases, make_user
from tests.ratings.script import Script


@pytest.fixture
def one(study: Study, add_cases: AddCases, ensemble: Ensemble, script: Script) -> str:
    """The address of predictions of a draft, where two wait of the arm "rival"."""
    add_cases(2)
    source = script.get("sources").json()["results"][0]["key"]
    at = f"studies/{study.pk}/predictions"
    asked = script.post(at, {"source": source, "label": "Rival"})
    assert (asked.status_code, asked.json()["queued"]) == (202, 2)
    return at


def test_an_arm_is_cancelled_repeated_completed_and_removed(
    script: Script, one: str, study: Study, add_cases: AddCases
) -> None:
    arm = f"{one}/rival"
    busy = script.delete(arm)
    assert (busy.status_code, "Cancel them" in busy.json()["detail"]) == (409, True)
    assert script.post(f"{arm}/cancel").json() == {"changed": 2}
    assert script.post(f"{arm}/retry").json() == {"changed": 2}
    script.post(f"{arm}/cancel")
    again = script.post(f"{arm}/complete")
    assert (again.status_code, again.json()["queued"]) == (202, 2)
    script.post(f"{arm}/cancel")
    assert script.delete(arm).json() == {"changed": 0}
    assert not study.arms.filter(key="rival").exists()
    assert script.delete(arm).status_code == 404


@pytest.mark.parametrize("act", ["complete", "retry", "cancel"])
def test_an_arm_that_was_uploaded_is_no_prediction(
    script: Script, one: str, act: str
) -> None:
    assert script.post(f"{one}/manual/{act}").status_code == 404
    assert script.delete(f"{one}/manual").status_code == 404


def test_predictions_of_a_locked_study_are_fixed(
    script: Script, one: str, study: Study
) -> None:
    script.post(f"{one}/rival/cancel")
    Study.objects.filter(pk=study.pk).update(state="locked")
    for answer in (
        script.post(f"{one}/rival/retry"),
        script.post(f"{one}/rival/complete"),
        script.delete(f"{one}/rival"),
    ):
        assert (answer.status_code, "locked" in answer.json()["detail"]) == (409, True)


def test_the_log_of_a_prediction_is_read(
    script: Script, one: str, study: Study
) -> None:
    job = study.jobs.filter(kind=Job.Kind.PREDICT)[0]
    Job.objects.filter(pk=job.pk).update(log="It went wrong here.")
    at = f"studies/{study.pk}/jobs"
    answer = script.get(f"{at}/{job.pk}/log")
    assert answer["Content-Type"].startswith("text/plain")
    assert answer.content == b"It went wrong here."
    assert script.get(f"{at}/{uuid4()}/log").status_code == 404


def test_a_model_on_the_shelf_is_registered_by_staff_alone(
    script: Script, statistician: Script, tmp_path: Path, settings: Any
) -> None:
    settings.MODELS_DIR = tmp_path
    (tmp_path / "lesions.zip").write_bytes(b"PK")
    (entry,) = script.get("models").json()["results"]
    assert (entry["entry"], entry["registered"], entry["job"]) == (
        "lesions.zip", [], None,
    )  # fmt: skip
    body = {"entry": "lesions.zip", "name": entry["suggestion"]}
    asked = script.post("models", body)
    assert (asked.status_code, asked.json()["status"]) == (202, "queued")
    at = f"models/jobs/{asked.json()['id']}"
    assert script.get(at).json()["status"] == "queued"
    twice = script.post("models", body)
    assert (twice.status_code, "already" in twice.json()["detail"]) == (409, True)
    assert script.post("models", {**body, "entry": "none"}).status_code == 409
    for path in ("models", at):
        assert statistician.get(path).status_code == 404
    assert statistician.post("models", body).status_code == 404
    assert Script(make_user("olaf", staff=True)).get(at).status_code == 200
