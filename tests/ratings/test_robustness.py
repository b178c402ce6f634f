"""Sweeps, levels, cord and calibration give what a person works out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ratings.statistics.robustness import (
    AtLevel,
    bands,
    calibrate,
    calibration_error,
    compare_levels,
    crop_to,
    cut_to_cord,
    find_best,
    pool,
    sweep_sizes,
    sweep_thresholds,
)
from ratings.statistics.segmentation import compare_masks

ONE_MM = (1.0, 1.0, 1.0)


def make_pair() -> tuple[np.ndarray, np.ndarray]:
    """A lesion of four voxels seen at 0.9, 0.7, 0.4 and not at all, and a stray 0.3."""
    reference = np.zeros((8, 3, 3), dtype=bool)
    reference[1:5, 1, 1] = True
    soft = np.zeros(reference.shape, dtype=np.float32)
    soft[1:4, 1, 1] = (0.9, 0.7, 0.4)
    soft[7, 2, 2] = 0.3
    return reference, soft


def test_each_threshold_is_judged_strictly_above_it() -> None:
    reference, soft = make_pair()
    swept = sweep_thresholds(
        reference=reference, soft=soft, spacing=ONE_MM, thresholds=(0, 0.3, 0.5, 1)
    )
    # (2·3+1)/(4+4+1), (2·3+1)/(4+3+1), (2·2+1)/(4+2+1), nothing: 1/(4+1)
    assert swept.dice == pytest.approx((7 / 9, 7 / 8, 5 / 7, 1 / 5))
    assert swept.ppv == (0.5, 1.0, 1.0, 0.0)
    assert swept.recall == (1.0, 1.0, 1.0, 0.0)


@given(
    arrays.arrays(bool, (5, 4, 3)),
    arrays.arrays(np.float32, (5, 4, 3), elements=st.floats(0, 1, width=32)),
    st.sampled_from((0.0, 0.25, 0.5, 0.9)),
)
@settings(max_examples=60, deadline=None)
def test_cropping_changes_no_number(
    reference: np.ndarray, soft: np.ndarray, threshold: float
) -> None:
    swept = sweep_thresholds(
        reference=reference, soft=soft, spacing=ONE_MM, thresholds=(threshold,)
    )
    whole = compare_masks(
        reference=reference, prediction=soft > threshold, spacing=ONE_MM
    )
    assert swept.dice == (whole.dice,)
    assert swept.f1 == (whole.f1,)


def test_small_predictions_are_dropped_by_their_volume_in_mm3() -> None:
    reference, soft = make_pair()
    swept = sweep_sizes(
        reference=reference,
        prediction=soft > 0,
        spacing=(1.0, 1.0, 2.0),
        sizes_mm3=(0, 2, 2.1, 6, 6.1),
    )
    # the stray voxel has 2 mm³, the lesion's three voxels 6 mm³
    assert swept.ppv == (0.5, 0.5, 1.0, 1.0, 0.0)
    assert swept.recall == (1.0, 1.0, 1.0, 1.0, 0.0)


def test_a_level_has_its_own_voxels_and_the_lesions_that_lie_mostly_there() -> None:
    reference, soft = make_pair()
    levels = np.zeros(reference.shape, dtype=np.uint8)
    levels[:4], levels[4:6] = 3, 4
    rows = compare_levels(
        reference=reference, prediction=soft > 0.5, levels=levels, spacing=ONE_MM
    )
    third, fourth = rows
    assert third == AtLevel(
        level=3, reference_mm3=3, prediction_mm3=2, lesions=1, found=1, dice=5 / 6
    )
    assert fourth == AtLevel(
        level=4, reference_mm3=1, prediction_mm3=0, lesions=0, found=0, dice=1 / 2
    )


def test_outside_the_cord_a_prediction_loses_its_false_lesion() -> None:
    reference, soft = make_pair()
    cord = np.zeros(reference.shape, dtype=bool)
    cord[:, 1, 1] = True
    cut = cut_to_cord(
        reference=reference, prediction=soft > 0, cord=cord, spacing=ONE_MM
    )
    assert cut.removed_mm3 == 1.0
    assert (cut.before[2], cut.after[2]) == (0.5, 1.0)


def test_calibration_counts_only_voxels_that_either_map_marks() -> None:
    reference, soft = make_pair()
    found = calibrate(reference=reference, soft=soft)
    assert sum(found.counts) == 5
    assert (found.counts[0], found.lesion[0]) == (1, 1)  # missed: lesion of value 0
    # |0−1| + |0.3−0| + |0.4−1| + |0.7−1| + |0.9−1| over five voxels
    assert calibration_error(found) == pytest.approx((1 + 0.3 + 0.6 + 0.3 + 0.1) / 5)
    assert calibration_error(pool([found, found])) == calibration_error(found)


def test_without_a_marked_voxel_there_is_no_calibration_error() -> None:
    nothing = np.zeros((2, 2, 2), dtype=bool)
    assert calibration_error(calibrate(reference=nothing, soft=nothing * 0.0)) is None
    assert crop_to(nothing) == (slice(0, 1),) * 3


def test_a_band_holds_its_mean_is_seeded_and_knows_no_order() -> None:
    curves = np.random.default_rng(5).random((30, 4))
    band = bands(curves, seed=1)
    assert band == bands(curves[::-1], seed=1)
    assert band != bands(curves, seed=2)
    for low, mean, high in zip(band.low, band.mean, band.high, strict=True):
        assert low < mean < high
    # as wide as a normal interval of the mean, nearly
    width = np.array(band.high) - np.array(band.low)
    assert width == pytest.approx(
        2 * 1.96 * curves.std(axis=0, ddof=1) / np.sqrt(30), rel=0.15
    )
    with pytest.raises(ValueError, match="at least one case"):
        bands(curves[:0], seed=1)


def test_of_equally_good_thresholds_the_one_nearest_to_the_stored_one_is_chosen() -> (
    None
):
    assert find_best((0.2, 0.4, 0.6, 0.8), (0.7, 0.8, 0.8, 0.7), near=0.5) == 1
    assert find_best((0.2, 0.4, 0.6, 0.8), (0.7, 0.8, 0.8, 0.7), near=0.7) == 2


def test_maps_of_unequal_shape_are_refused() -> None:
    reference, soft = make_pair()
    with pytest.raises(ValueError, match="unequal shapes"):
        sweep_thresholds(reference=reference, soft=soft[1:], spacing=ONE_MM)
