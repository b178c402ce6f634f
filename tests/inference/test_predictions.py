from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from django.contrib.auth.models import User
from numpy.typing import NDArray

from inference import batches, engine, predictions, progress
from inference.models import Ensemble, Prediction, Result
from inference.sources import Source
from ratings import files, images, importing, invitations, jobs, protocol
from ratings.models import Arm, Case, Job, Mask, Study
from tests.ratings.conftest import AddCases, make_user
from tests.volumes import make_affine, make_image, make_lesion, save

pytestmark = pytest.mark.django_db
SETTINGS: dict[str, Any] = {"rule": "paper", "mirroring": False}
Status = Job.Status


@pytest.fixture(autouse=True)
def cases(add_cases: AddCases) -> None:
    add_cases(2)


def submit(study: Study, ensemble: Ensemble, **changes: Any) -> list[Job]:
    batch = batches.submit(
        study=study,
        actor=study.created_by,
        source=Source(ensemble=ensemble),
        label=changes.pop("label", "Ensemble"),
        settings=SETTINGS | changes,
    )
    return list(batches.list_jobs(batch.arm))


def run(job: Job, *, cancelled: Callable[[], bool] = lambda: False) -> list[str]:
    """Claim and do a job as a worker does; the words that it reported."""
    claimed = jobs.claim(job_id=job.pk, worker="me")
    assert claimed
    words: list[str] = []
    predictions.run_job(
        claimed, report=lambda _, word: words.append(word), cancelled=cancelled
    )
    job.refresh_from_db()
    return words


def refusal(job: Job) -> str:
    with pytest.raises(jobs.JobFailed) as error:
        run(job)
    return str(error.value)


def read(relative: str) -> NDArray[Any]:
    image = nib.Nifti1Image.from_bytes(
        gzip.decompress(files.locate(relative).read_bytes())
    )
    return np.asarray(image.dataobj)


def list_files(folder: str) -> list[Path]:
    return sorted(files.locate(folder).glob("*"))


def test_a_prediction_becomes_a_mask_of_its_arm(
    study: Study, ensemble: Ensemble
) -> None:
    job, _ = submit(study, ensemble)
    words = run(job)
    mask = Mask.objects.get(arm__key="ensemble")
    assert job.status == Status.DONE
    assert job.message == f"{mask.volume_mm3:,.0f} mm³ marked."
    assert words[-1] == "Storing the mask"
    assert mask.arm.kind == Arm.Kind.MODEL
    assert str(mask.case_id) == job.payload["case"]
    assert mask.provenance["folds"] == 3
    assert mask.provenance["settings"]["mirroring"] is False


def test_the_stored_mask_is_what_the_engine_says(
    study: Study, ensemble: Ensemble
) -> None:
    job, _ = submit(study, ensemble)
    run(job)
    mask = Mask.objects.select_related("case").get(arm__key="ensemble")
    voxels, grid = images.decode_mask(files.locate(mask.path).read_bytes())
    image = images.decode_image(files.locate(mask.case.image_path).read_bytes())
    expected = engine.predict(
        image=files.locate(mask.case.image_path),
        ensemble=Path(ensemble.folder),
        settings=engine.Settings(**SETTINGS),
    )
    assert grid == image.grid
    assert 0 < voxels.sum() < voxels.size
    assert np.array_equal(voxels, expected.mask == 1)
    assert mask.voxels == int(voxels.sum())


def test_votes_and_soft_map_are_kept_and_agree_with_the_mask(
    study: Study, ensemble: Ensemble
) -> None:
    job, _ = submit(study, ensemble)
    run(job)
    prediction = Prediction.objects.select_related("mask", "result").get()
    assert prediction.result
    votes = read(prediction.result.votes_path)
    soft = read(prediction.result.soft_path)
    assert prediction.mask
    voxels, _ = images.decode_mask(files.locate(prediction.mask.path).read_bytes())
    assert votes.dtype == np.uint8
    assert soft.dtype == np.float32
    assert np.array_equal(votes * 2 > 3, voxels)
    assert np.array_equal(soft > 0, votes > 0)
    assert prediction.settings == SETTINGS


def test_the_next_case_is_read_while_the_networks_work(
    study: Study, ensemble: Ensemble
) -> None:
    for job in submit(study, ensemble):
        run(job)
    ahead = [result.provenance["read_ahead"] for result in Result.objects.all()]
    assert sorted(ahead) in ([False, True], [True, True])


def test_a_case_left_out_is_not_predicted(
    study: Study, ensemble: Ensemble, cases: None
) -> None:
    left, kept = study.cases.order_by("label")
    study.cases.filter(pk=left.pk).update(left_out="not drawn")
    assert [job.payload["case"] for job in submit(study, ensemble)] == [str(kept.pk)]
    (overview,) = progress.survey(study)
    assert (overview.cases, overview.missing) == (1, 0)
    study.cases.filter(pk=left.pk).update(left_out="")
    (overview,) = progress.survey(study)
    assert (overview.cases, overview.missing) == (2, 1)


def test_running_a_finished_job_again_changes_nothing(
    study: Study, ensemble: Ensemble
) -> None:
    job, _ = submit(study, ensemble)
    run(job)
    before = Mask.objects.get(arm__key="ensemble")
    Job.objects.filter(pk=job.pk).update(status=Status.QUEUED)
    run(job)
    after = Mask.objects.get(arm__key="ensemble")
    assert (after.pk, after.path) == (before.pk, before.path)
    assert Prediction.objects.count() == 1
    assert Result.objects.count() == 1


def test_a_mask_from_elsewhere_is_never_replaced(
    study: Study, ensemble: Ensemble, tmp_path: Path
) -> None:
    job, _ = submit(study, ensemble)
    case = Case.objects.get(pk=job.payload["case"])
    lesion = make_lesion((24, 20, 8), np.random.default_rng(5))
    path = save(tmp_path / "own_seg.nii.gz", lesion, make_affine((0.6, 0.6, 3.0)))
    arm = Arm.objects.get(key="ensemble")
    own = importing.add_mask(case=case, arm=arm, path=path, name=path.name)
    assert "it was kept" in refusal(job)
    assert Mask.objects.get(case=case, arm=arm).sha256 == own.sha256


def lock(study: Study, ada: User) -> None:
    """Lock with the prediction still under way, as a race would."""
    make_user("rhea")
    invitations.add_rater(study=study, actor=ada, name="Rhea", email="rhea@example.org")
    Arm.objects.filter(key="ensemble").update(kind=Arm.Kind.CONTROL)
    Study.objects.filter(pk=study.pk).update(state=Study.State.LOCKED)


def test_nothing_is_stored_once_the_study_is_locked(
    study: Study, ensemble: Ensemble, ada: User
) -> None:
    job, _ = submit(study, ensemble)
    lock(study, ada)
    assert "nothing was stored" in refusal(job)
    assert not Mask.objects.filter(arm__key="ensemble").exists()


def test_nothing_is_stored_when_the_study_is_locked_while_predicting(
    study: Study, ensemble: Ensemble, ada: User
) -> None:
    job, _ = submit(study, ensemble)

    def lock_meanwhile() -> bool:
        lock(study, ada) if not study.enrolments.filter(code="R01") else None
        return False

    masks = len(list_files("masks"))
    with pytest.raises(jobs.JobFailed, match="nothing was stored"):
        run(job, cancelled=lock_meanwhile)
    assert not Prediction.objects.exists()
    assert len(list_files("masks")) == masks


def test_a_cancelled_prediction_stores_nothing(
    study: Study, ensemble: Ensemble
) -> None:
    job, _ = submit(study, ensemble)
    with pytest.raises(jobs.LeaseLost):
        run(job, cancelled=lambda: True)
    assert not Prediction.objects.exists()


def test_a_lost_lease_takes_the_whole_result_with_it(
    study: Study, ensemble: Ensemble
) -> None:
    job, _ = submit(study, ensemble)
    masks = len(list_files("masks"))

    def lose_lease() -> bool:
        Job.objects.filter(pk=job.pk).update(worker="another")
        return False

    with pytest.raises(jobs.LeaseLost):
        run(job, cancelled=lose_lease)
    assert not Prediction.objects.exists()
    assert not Mask.objects.filter(arm__key="ensemble").exists()
    assert len(list_files("masks")) == masks


def test_a_removed_case_is_said(study: Study, ensemble: Ensemble) -> None:
    job, _ = submit(study, ensemble)
    Case.objects.filter(pk=job.payload["case"]).delete()
    assert "The case was removed" in refusal(job)


def test_a_case_of_another_study_is_as_good_as_removed(
    study: Study, ensemble: Ensemble, ada: User
) -> None:
    job, _ = submit(study, ensemble)
    other = Study.objects.create(title="Other", created_by=ada)
    Job.objects.filter(pk=job.pk).update(study=other)
    assert "The case was removed" in refusal(job)


def test_a_changed_ensemble_is_refused_with_the_remedy(
    study: Study, ensemble: Ensemble, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(ensemble.folder, tmp_path / "copy"))
    Ensemble.objects.update(folder=str(folder))
    job, _ = submit(study, ensemble)
    (folder / "fold_1/checkpoint_final.safetensors").write_bytes(b"x")
    assert "not those that were registered" in refusal(job)


def test_a_damaged_image_fails_with_its_reason(
    study: Study, ensemble: Ensemble
) -> None:
    job, _ = submit(study, ensemble)
    case = Case.objects.get(pk=job.payload["case"])
    files.locate(case.image_path).write_bytes(b"no image")
    assert case.label in refusal(job)


def test_a_prediction_after_a_damaged_attempt_can_be_retried(
    study: Study, ensemble: Ensemble
) -> None:
    job, _ = submit(study, ensemble)
    case = Case.objects.get(pk=job.payload["case"])
    path = files.locate(case.image_path)
    whole = path.read_bytes()
    path.write_bytes(b"no image")
    jobs.fail(job_id=job.pk, worker="me", error=refusal(job))
    path.write_bytes(whole)
    assert jobs.retry(job_id=job.pk)
    run(job)
    assert (job.status, job.error) == (Status.DONE, "")


def test_an_empty_mask_is_a_result_and_said_in_words() -> None:
    assert predictions.describe(Mask(voxels=0, volume_mm3=0.0)) == (
        "No lesion found: the mask is empty."
    )


def test_each_case_is_asked_for_once(study: Study, ensemble: Ensemble) -> None:
    first = submit(study, ensemble)
    assert len(first) == 2
    run(first[0])
    again = submit(study, ensemble)
    assert {job.pk for job in again} == {job.pk for job in first}


def test_a_case_added_later_is_the_only_one_asked_for(
    study: Study, ensemble: Ensemble, tmp_path: Path
) -> None:
    first = submit(study, ensemble)
    rng = np.random.default_rng(9)
    path = save(
        tmp_path / "late.nii.gz", make_image((24, 20, 8), rng), make_affine((1, 1, 3))
    )
    importing.add_image(study=study, path=path, name=path.name, strata={})
    again = submit(study, ensemble)
    assert len(again) == len(first) + 1


def test_an_arm_has_one_source(study: Study, ensemble: Ensemble) -> None:
    submit(study, ensemble)
    with pytest.raises(batches.BatchRefused, match="an arm has one source"):
        submit(study, ensemble, mirroring=True)
    assert submit(study, ensemble, label="Mirrored", mirroring=True)


@pytest.mark.parametrize("label", ["Manual", "manual"])
def test_the_manual_arm_is_not_predicted(
    study: Study, ensemble: Ensemble, label: str
) -> None:
    with pytest.raises(batches.BatchRefused, match="uploaded masks"):
        submit(study, ensemble, label=label)


def test_a_label_without_latin_letters_still_makes_an_arm(
    study: Study, ensemble: Ensemble
) -> None:
    submit(study, ensemble, label="模型")
    made = Arm.objects.get(kind=Arm.Kind.MODEL)
    assert (made.key[:4], made.label) == ("arm-", "模型")


def test_withdrawing_deletes_masks_jobs_and_files(
    study: Study, ensemble: Ensemble, django_capture_on_commit_callbacks: Any
) -> None:
    for job in submit(study, ensemble):
        run(job)
    arm = Arm.objects.get(key="ensemble")
    with django_capture_on_commit_callbacks(execute=True):
        assert batches.withdraw(arm=arm, actor=study.created_by) == 2
    assert not Arm.objects.filter(key="ensemble").exists()
    assert not Job.objects.exists()
    assert not Prediction.objects.exists()
    assert len(list_files("masks")) == 4
    assert study.audit.filter(verb="withdraw_predictions").exists()


def test_a_running_arm_is_not_withdrawn(study: Study, ensemble: Ensemble) -> None:
    submit(study, ensemble)
    arm = Arm.objects.get(key="ensemble")
    with pytest.raises(batches.BatchRefused, match="Cancel them first"):
        batches.withdraw(arm=arm, actor=study.created_by)
    assert batches.cancel_all(arm) == 2
    assert batches.withdraw(arm=arm, actor=study.created_by) == 0


def test_a_locked_study_asks_for_nothing(
    study: Study, ensemble: Ensemble, ada: User
) -> None:
    invitations.add_rater(study=study, actor=ada, name="Rhea", email="r@example.org")
    study.design["min_distance"] = 1
    study.save()
    protocol.lock(study=study, actor=ada)
    with pytest.raises(batches.BatchRefused, match="locked"):
        submit(study, ensemble)
    assert not Job.objects.exists()
