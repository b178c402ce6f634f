"""What was computed once is not computed again: other thresholds, arms and studies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User

from inference import batches, engine, results, sources
from inference.models import Ensemble, Prediction, Result
from ratings import files, images, importing, jobs, removal
from ratings.models import Case, Job, Mask, Study
from tests.inference.test_predictions import SETTINGS, read, refusal, run, submit
from tests.ratings.conftest import AddCases

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cases(add_cases: AddCases) -> None:
    add_cases(1)


def forbid_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    def predict(**_: Any) -> None:
        raise AssertionError("the networks ran again")

    monkeypatch.setattr(engine, "predict", predict)


def voxels(arm: str) -> np.ndarray[Any, Any]:
    mask = Mask.objects.get(arm__key=arm)
    return images.decode_mask(files.locate(mask.path).read_bytes())[0]


@pytest.mark.parametrize(("threshold", "least"), [(0.0, 1), (0.7, 3)])
def test_another_threshold_follows_from_the_votes_without_running_again(
    study: Study,
    ensemble: Ensemble,
    monkeypatch: pytest.MonkeyPatch,
    threshold: float,
    least: int,
) -> None:
    run(submit(study, ensemble)[0])
    forbid_networks(monkeypatch)
    job, *_ = submit(study, ensemble, label="Other", threshold=threshold)
    run(job)
    votes = read(Result.objects.get().votes_path)
    assert np.array_equal(voxels("other"), votes >= least)
    assert not np.array_equal(voxels("other"), voxels("ensemble"))
    provenance = Mask.objects.get(arm__key="other").provenance
    assert provenance["settings"]["threshold"] == threshold
    assert Prediction.objects.count() == 2


def test_the_rule_of_the_toolbox_shares_the_work_of_equal_passes(
    study: Study, ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(submit(study, ensemble)[0])
    forbid_networks(monkeypatch)
    run(submit(study, ensemble, label="Toolbox", rule="sct")[0])
    assert np.array_equal(voxels("toolbox"), voxels("ensemble"))
    with pytest.raises(AssertionError, match="ran again"):
        run(submit(study, ensemble, label="Stock", rule="nnunet")[0])


def test_predicting_again_after_withdrawing_takes_no_network(
    study: Study, ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, *_ = submit(study, ensemble)
    run(job)
    before = voxels("ensemble")
    batches.withdraw(
        arm=Mask.objects.get(arm__key="ensemble").arm, actor=study.created_by
    )
    forbid_networks(monkeypatch)
    run(submit(study, ensemble)[0])
    assert np.array_equal(voxels("ensemble"), before)


def copy_study(study: Study, ada: User, tmp_path: Path) -> Study:
    """Another study with the same image, compressed otherwise."""
    other = Study.objects.create(title="Other", created_by=ada)
    image = files.locate(study.cases.get().image_path)
    volume = images.decode_image(image.read_bytes())
    path = tmp_path / "again.nii"
    engine.write_like(array=np.asarray(volume.voxels), like=image, out=path)
    importing.add_image(study=other, path=path, name="again.nii", strata={})
    return other


def test_the_same_image_in_another_study_is_not_predicted_again(
    study: Study,
    ensemble: Ensemble,
    ada: User,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(submit(study, ensemble)[0])
    other = copy_study(study, ada, tmp_path)
    forbid_networks(monkeypatch)
    run(submit(other, ensemble)[0])
    first, second = Mask.objects.filter(arm__key="ensemble")
    assert first.sha256 == second.sha256
    ours, theirs = Result.objects.order_by("created_at")
    assert ours.key == theirs.key
    assert files.locate(ours.votes_path).samefile(files.locate(theirs.votes_path))


def test_a_removed_case_takes_its_own_maps_along_and_no_others(
    study: Study,
    ensemble: Ensemble,
    ada: User,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    run(submit(study, ensemble)[0])
    other = copy_study(study, ada, tmp_path)
    run(submit(other, ensemble)[0])
    case = study.cases.get()
    with django_capture_on_commit_callbacks(execute=True):
        removal.remove_cases(study=study, actor=ada, ids=[case.pk])
    left = Result.objects.get()
    assert not files.locate(files.name_derived_folder(case.pk)).exists()
    assert results.is_whole(left)
    assert left.case.study == other


def test_lost_files_are_computed_anew(study: Study, ensemble: Ensemble) -> None:
    run(submit(study, ensemble)[0])
    files.remove(Result.objects.get().votes_path)
    run(submit(study, ensemble, label="Again")[0])
    assert results.is_whole(Result.objects.get())


def test_each_thing_that_matters_changes_the_key(ensemble: Ensemble) -> None:
    def key(image: str = "a", model: Ensemble = ensemble, **changes: Any) -> str:
        settings = engine.Settings(**(SETTINGS | changes))
        return sources.make_key(facts=model.facts, settings=settings, image=image)

    other = Ensemble(facts={"sources": ensemble.facts["sources"] | {"plans.json": "x"}})
    keys = [
        key(), key("b"), key(model=other), key(mirroring=True), key(step=0.7),
        key(rule="nnunet"), key(precision="float32"),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    same = [key(threshold=0.2), key(rule="sct"), key(device="cpu")]
    same.append(key(checkpoint="best"))
    assert set(same) == {key()}


def test_a_preferred_checkpoint_that_is_there_changes_the_key() -> None:
    files_of_two = {
        "plans.json": "p", "fold_0/checkpoint_best.pth": "b",
        "fold_0/checkpoint_final.pth": "f", "fold_1/checkpoint_final.pth": "g",
    }  # fmt: skip
    assert sources.choose_files(files_of_two, "best") == ["b", "g", "p"]
    assert sources.choose_files(files_of_two, "final") == ["f", "g", "p"]


@pytest.mark.parametrize("number", [28, 27, 122])
def test_a_full_disk_is_said_and_nothing_half_done_stays(
    study: Study,
    ensemble: Ensemble,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    def full(path: Path, data: bytes) -> str:
        raise OSError(number, "No space left on device", str(path))

    job, *_ = submit(study, ensemble)
    monkeypatch.setattr(files, "write_durably", full)
    assert "make room, then retry" in refusal(job)
    monkeypatch.undo()
    assert not Mask.objects.filter(arm__key="ensemble").exists()
    assert jobs.fail(job_id=job.pk, worker="me", error="full")
    assert jobs.retry(job_id=job.pk)
    run(job)
    assert Job.objects.get(pk=job.pk).status == Job.Status.DONE


def test_an_attempt_after_a_crash_writes_over_what_was_left(
    study: Study, ensemble: Ensemble
) -> None:
    job, *_ = submit(study, ensemble)
    run(job)
    result, case = Result.objects.get(), Case.objects.get()
    folder = files.locate(files.name_derived_folder(case.pk))
    before = sorted(path.name for path in folder.iterdir())
    Mask.objects.filter(arm__key="ensemble").delete()
    Result.objects.all().delete()
    Job.objects.filter(pk=job.pk).update(status=Job.Status.QUEUED)
    run(job)
    assert sorted(path.name for path in folder.iterdir()) == before
    assert Result.objects.get().key == result.key
