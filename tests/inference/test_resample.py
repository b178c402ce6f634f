"""Only the voxels near a lesion are brought back, and the answer is that of all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.nnunet.resample import interpolate, list_reaches, make_stencil


@given(
    seed=st.integers(0, 10_000),
    source=st.tuples(*[st.integers(1, 20)] * 3),
    target=st.tuples(st.integers(1, 50), st.integers(1, 30), st.integers(1, 30)),
    nearest=st.booleans(),
    share=st.sampled_from([0.0, 0.001, 0.02, 0.5, 1.0]),
)
@settings(max_examples=150, deadline=None)
def test_the_boxes_hold_all_that_is_above_0(
    seed: int,
    source: tuple[int, int, int],
    target: tuple[int, int, int],
    nearest: bool,
    share: float,
) -> None:
    rng = np.random.default_rng(seed)
    margin = np.where(rng.random(source) < share, 1.0, -1.0) * rng.random(source)
    stencils = [
        make_stencil(source=a, target=b, nearest=nearest and axis == 0)
        for axis, (a, b) in enumerate(zip(source, target, strict=True))
    ]
    everything = (slice(0, target[0]), slice(0, target[1]), slice(0, target[2]))
    expected = interpolate(margin, stencils=stencils, reach=everything)
    found = np.zeros(target)
    times = np.zeros(target, int)
    for reach in list_reaches(margin > 0, stencils=stencils):
        found[reach] = interpolate(margin, stencils=stencils, reach=reach)
        times[reach] += 1
    assert times.max() <= 1
    np.testing.assert_array_equal(found > 0, expected > 0)
    np.testing.assert_array_equal(found[times == 1], expected[times == 1])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_two_lesions_far_apart_leave_out_what_lies_between(axis: int) -> None:
    positive = np.zeros((64, 64, 64), bool)
    first, last = [8, 8, 8], [8, 8, 8]
    last[axis] = 56
    positive[tuple(first)] = positive[tuple(last)] = True
    stencils = [make_stencil(source=64, target=128, nearest=False) for _ in range(3)]
    boxes = list(list_reaches(positive, stencils=stencils))
    voxels = sum(np.prod([side.stop - side.start for side in box]) for box in boxes)
    assert voxels < 128**3 / 50
