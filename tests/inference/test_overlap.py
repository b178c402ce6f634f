"""Dice, the reach of a threshold and lesion volumes, by hand and by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.overlap import find_best_threshold_dice, measure_dice, measure_volumes


def test_dice_by_hand() -> None:
    a, b = np.zeros(10, np.uint8), np.zeros(10, np.uint8)
    assert measure_dice(a, b) == 1.0
    a[:4] = 1
    assert measure_dice(a, b) == 0.0
    b[2:5] = 1
    assert measure_dice(a, b) == pytest.approx(2 * 2 / 7)


@given(
    image=arrays(np.int16, 24, elements=st.integers(-3, 3), unique=False),
    truth=arrays(np.uint8, 24, elements=st.integers(0, 1)).filter(np.any),
)
@settings(max_examples=150, deadline=None)
def test_no_threshold_beats_the_best_threshold(
    image: np.ndarray, truth: np.ndarray
) -> None:
    """Ties in intensity can only help the bound, so it is never below the truth."""
    best = find_best_threshold_dice(image, truth)
    tried = [
        measure_dice(mask, truth)
        for value in np.unique(image)
        for mask in (image >= value, image <= value, image > value)
        if mask.any()
    ]
    assert best >= max(tried) - 1e-12
    assert best <= 1.0


def test_a_lesion_brighter_than_all_else_is_found_by_a_threshold() -> None:
    image, truth = np.arange(50), np.zeros(50, np.uint8)
    truth[40:] = 1
    assert find_best_threshold_dice(image, truth) == 1.0
    assert find_best_threshold_dice(-image, truth) == 1.0


def test_volumes_join_lesions_that_touch_at_a_corner() -> None:
    mask = np.zeros((6, 6, 6), np.uint8)
    mask[0, 0, 0] = mask[1, 1, 1] = 1
    mask[4, 4, 3:6] = 1
    assert measure_volumes(mask, zooms=(0.5, 0.5, 4.0)) == (2.0, 3.0)
    assert measure_volumes(np.zeros_like(mask), zooms=(1.0, 1.0, 1.0)) == ()
