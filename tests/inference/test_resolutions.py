"""From coarser images the same ensemble predicts again, compared on the old grid."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from numpy.testing import assert_allclose

from inference import registering
from inference.measuring import run_job
from inference.models import Ensemble
from inference.resolutions import coarsen, predict_coarser, spread_factors
from inference.settings import Settings
from ratings import files, jobs, measuring
from ratings.models import Job, MaskComparison, Study
from tests.inference.test_predictions import run, submit
from tests.ratings.conftest import AddCases


def make_ramp() -> Any:
    """An oblique image whose value is its place along the first axis, in voxels."""
    voxels = np.zeros((24, 18, 9), dtype=np.float32)
    voxels += np.arange(24)[:, None, None]
    affine = np.eye(4)
    affine[:3] = np.array([[0.5, 0.1, 0, -4], [-0.1, 0.5, 0, 7], [0, 0, 3, 2]])
    return nib.Nifti1Image(voxels, affine)


def test_a_coarser_grid_has_the_same_corners_and_the_same_picture() -> None:
    image = make_ramp()
    coarse = coarsen(image, (2.0, 1.5, 1.0))
    assert coarse.shape == (12, 12, 9)
    assert_allclose(
        nib.affines.voxel_sizes(coarse.affine),
        nib.affines.voxel_sizes(image.affine) * (2.0, 1.5, 1.0),
    )
    for corner in ((-0.5, -0.5, -0.5), (23.5, 17.5, 8.5)):
        there = (np.array(corner) + 0.5) / (2.0, 1.5, 1.0) - 0.5
        assert_allclose(
            nib.affines.apply_affine(coarse.affine, there),
            nib.affines.apply_affine(image.affine, corner),
        )
    # away from the ends a ramp stays the same ramp
    inner = coarse.get_fdata()[2:-2]
    assert_allclose(inner[:, 6, 4], 2 * np.arange(2, 10) + 0.5, atol=1e-3)


def test_the_longest_side_of_a_voxel_is_across_the_slices() -> None:
    assert spread_factors((0.6, 3.3, 0.6), (1.5, 2.0)) == (1.5, 2.0, 1.5)
    assert spread_factors((0.5, 0.5, 4.0), (2.0, 1.0)) == (2.0, 2.0, 1.0)


@pytest.mark.slow
@pytest.mark.django_db
def test_voxels_that_stay_as_they_are_give_the_mask_that_is_stored(
    study: Study, add_cases: AddCases, ensemble: Ensemble
) -> None:
    add_cases(1)
    (job,) = submit(study, ensemble)
    run(job)
    mask = study.cases.get().masks.get(arm__key="ensemble")
    image: Any = nib.load(files.locate(mask.case.image_path))
    again = predict_coarser(
        image=image,
        factors=(1.0, 1.0, 1.0),
        ensemble=registering.find_folder(ensemble),
        settings=Settings(mirroring=False),
    )
    assert np.array_equal(again, measuring.read_mask(mask)[0])


def work(study: Study) -> None:
    job = study.jobs.get(kind=Job.Kind.MEASURE, status=Job.Status.QUEUED)
    claimed = jobs.claim(job_id=job.pk, worker="me")
    assert claimed
    run_job(claimed, report=lambda *_: None, cancelled=lambda: False)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.DONE)


@pytest.mark.slow
@pytest.mark.django_db
def test_the_desk_asks_and_the_worker_predicts_each_case_from_coarser_images(
    study: Study,
    add_cases: AddCases,
    ensemble: Ensemble,
    coordinator: Client,
) -> None:
    add_cases(2)
    for job in submit(study, ensemble):
        run(job)
    coordinator.get(reverse("comparison", args=[study.pk]))
    work(study)
    page = reverse("robustness", args=[study.pk])
    assert "2 cases to go" in coordinator.get(page).content.decode()
    asked = reverse("robustness-coarser", args=[study.pk])
    assert coordinator.post(asked).status_code == 302
    assert "Waiting for a worker" in coordinator.get(page).content.decode()
    work(study)
    text = coordinator.get(page).content.decode()
    assert "to go" not in text
    for factors in ("1.5 × 1", "2 × 1", "1 × 2", "2 × 2"):
        assert f'<td class="num">{factors}</td><td class="num">2</td>' in text
    kept = MaskComparison.objects.get(arm__key="ensemble", case__label="C001")
    assert 0 <= kept.results["resolutions"]["2 × 2"]["dice"] <= 1
    other = MaskComparison.objects.get(arm__key="model", case__label="C001")
    assert "resolutions" not in other.results  # not made by an ensemble
