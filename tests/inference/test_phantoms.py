"""Phantoms: repeatable, in every contrast and geometry, and hard enough to mean it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from inference.overlap import find_best_threshold_dice, measure_dice, measure_volumes
from inference.phantoms import (
    ACQUISITIONS,
    CONTRASTS,
    make_phantom,
    perturb_mask,
    write_phantom,
)
from tests.inference.scans import load

pytestmark = pytest.mark.slow

KINDS = [(contrast, kind) for contrast in CONTRASTS for kind in ACQUISITIONS]


def test_the_same_seed_gives_the_same_phantom_and_another_seed_another() -> None:
    one, same, other = (
        make_phantom(seed=seed, contrast="STIR", acquisition="axial")
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one.image, same.image)
    np.testing.assert_array_equal(one.truth, same.truth)
    np.testing.assert_array_equal(one.affine, same.affine)
    assert one.image.shape != other.image.shape or np.any(one.image != other.image)


@pytest.mark.parametrize(("contrast", "acquisition"), KINDS)
def test_every_kind_has_lesions_in_an_image_of_its_geometry(
    contrast: str, acquisition: str
) -> None:
    phantom = make_phantom(seed=11, contrast=contrast, acquisition=acquisition)
    assert phantom.image.shape == phantom.truth.shape
    assert set(np.unique(phantom.truth)) == {0, 1}
    assert phantom.truth.sum() * np.prod(phantom.zooms) >= 50
    assert phantom.zooms == pytest.approx(nib.affines.voxel_sizes(phantom.affine))
    thin, thick = min(phantom.zooms), max(phantom.zooms)
    if acquisition == "isotropic":
        assert (thin, thick) == pytest.approx((1.0, 1.0))
    else:
        assert 0.45 <= thin <= 0.65
        assert 2.7 <= thick <= 4.5


def test_storage_orders_are_mixed_and_slightly_oblique() -> None:
    phantoms = [
        make_phantom(seed=seed, contrast="T1w", acquisition="sagittal")
        for seed in range(8)
    ]
    orders = {"".join(nib.aff2axcodes(p.affine)) for p in phantoms}
    assert len(orders) >= 3
    tilts = [measure_tilt(phantom.affine) for phantom in phantoms]
    assert max(tilts) < 25
    assert np.median(tilts) > 1


def measure_tilt(affine: NDArray[np.float64]) -> float:
    """Return the largest angle in degrees between a stored axis and the body's."""
    directions = np.abs(affine[:3, :3] / nib.affines.voxel_sizes(affine))
    return float(np.rad2deg(np.arccos(np.clip(directions.max(axis=0), 0, 1))).max())


def test_contrasts_show_lesions_brighter_or_darker_as_the_sequence_does() -> None:
    brighter = {
        contrast: measure_contrast(contrast) > 0
        for contrast in ("T2w", "STIR", "T2star", "T1w", "PSIR", "UNIT1")
    }
    assert brighter == {
        "T2w": True,
        "STIR": True,
        "T2star": True,
        "T1w": False,
        "PSIR": False,
        "UNIT1": False,
    }


def measure_contrast(contrast: str) -> float:
    """Return lesion minus surrounding cord, in standard deviations of the cord."""
    phantom = make_phantom(seed=21, contrast=contrast, acquisition="isotropic")
    lesion = phantom.truth > 0
    near = ndimage.binary_dilation(lesion, iterations=2)
    far = ndimage.binary_dilation(lesion, iterations=1)
    around = phantom.image[near & ~far]
    inner = phantom.image[lesion]
    return float((np.median(inner) - np.median(around)) / (around.std() + 1e-9))


@pytest.mark.slow
def test_no_single_threshold_finds_the_lesions_and_they_are_small() -> None:
    scores: list[float] = []
    volumes: list[float] = []
    for number, (contrast, acquisition) in enumerate(KINDS):
        phantom = make_phantom(
            seed=700 + number, contrast=contrast, acquisition=acquisition
        )
        scores.append(find_best_threshold_dice(phantom.image, phantom.truth))
        volumes += measure_volumes(phantom.truth, zooms=phantom.zooms)
    assert np.mean(scores) < 0.3
    assert np.median(volumes) <= 150


def test_written_phantoms_have_one_geometry_in_both_files(tmp_path: Path) -> None:
    phantom = make_phantom(seed=1, contrast="PSIR", acquisition="axial")
    image, truth = tmp_path / "image.nii.gz", tmp_path / "truth.nii.gz"
    write_phantom(phantom=phantom, image=image, truth=truth)
    read_image, read_truth = load(image), load(truth)
    np.testing.assert_allclose(read_image.affine, phantom.affine, atol=1e-5)
    np.testing.assert_array_equal(read_image.affine, read_truth.affine)
    np.testing.assert_array_equal(read_truth.dataobj, phantom.truth)
    np.testing.assert_array_equal(read_image.dataobj, phantom.image)


@pytest.mark.parametrize(
    ("contrast", "acquisition", "words"),
    [("FLAIR", "axial", "'FLAIR'"), ("T2w", "coronal", "'coronal'")],
)
def test_an_unknown_kind_is_named(contrast: str, acquisition: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make_phantom(seed=0, contrast=contrast, acquisition=acquisition)


def make_spheres(radii: tuple[float, ...], gap: float) -> NDArray[np.uint8]:
    """Return spheres in a row, `gap` mm between them, on a 1 mm grid."""
    grid = np.indices((24, 24, 90)).astype(float)
    mask, place = np.zeros((24, 24, 90), np.uint8), 4.0
    for radius in radii:
        place += radius
        squared = (grid[0] - 12) ** 2 + (grid[1] - 12) ** 2 + (grid[2] - place) ** 2
        mask[squared <= radius**2] = 1
        place += radius + gap
    return mask


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_raters_mask_stays_near_the_truth_and_is_never_empty(seed: int) -> None:
    truth = make_spheres((5.0, 4.0), gap=20.0)
    drawn = perturb_mask(truth=truth, zooms=(1.0, 1.0, 1.0), seed=seed)
    assert drawn.dtype == np.uint8
    assert drawn.any()
    reach = ndimage.distance_transform_edt(truth == 0)
    assert reach[drawn > 0].max() <= 2.0


def test_raters_differ_but_mostly_agree() -> None:
    truth = make_spheres((6.0, 5.0), gap=20.0)
    scores = [
        measure_dice(perturb_mask(truth=truth, zooms=(1.0, 1.0, 1.0), seed=seed), truth)
        for seed in range(30)
    ]
    assert 0.7 < np.median(scores) < 0.97
    assert len(set(scores)) > 20


def test_small_lesions_are_missed_more_often_than_large_ones() -> None:
    truth = make_spheres((1.5, 6.0), gap=20.0)
    small = truth[:, :, :10] > 0
    drawn = [
        perturb_mask(truth=truth, zooms=(1.0, 1.0, 1.0), seed=seed)
        for seed in range(60)
    ]
    missed_small = sum(not mask[:, :, :10][small].any() for mask in drawn)
    missed_large = sum(not mask[:, :, 20:].any() for mask in drawn)
    assert missed_small >= 15
    assert missed_large <= 6


def test_near_lesions_are_sometimes_drawn_as_one() -> None:
    truth = make_spheres((5.0, 5.0), gap=2.5)
    assert ndimage.label(truth)[1] == 2
    counts = {
        ndimage.label(perturb_mask(truth=truth, zooms=(1.0, 1.0, 1.0), seed=seed))[1]
        for seed in range(20)
    }
    assert 1 in counts
    assert 2 in counts


def test_nothing_is_drawn_where_nothing_is() -> None:
    empty = np.zeros((8, 8, 8), np.uint8)
    assert not perturb_mask(truth=empty, zooms=(1.0, 1.0, 3.0), seed=1).any()
