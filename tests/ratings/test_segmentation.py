"""Each rule of the comparison of two masks, by hand, and beside other ways to it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import f1_score

from ratings.statistics.lesions import BoolVolume, find_lesions
from ratings.statistics.segmentation import (
    CORNERS,
    ONE_TO_ONE,
    PUBLISHED,
    RULES,
    Comparison,
    Rule,
    compare_masks,
    partial_volume,
)
from ratings.statistics.surface import measure_surface
from tests.ratings.masks import REAL, compare_by_loop, draw, make_pair, read_real

# Neither says what types its functions take.
sitk: Any = import_module("SimpleITK")
label: Any = import_module("skimage.measure").label
needs_brains = pytest.mark.skipif(
    not REAL.exists(), reason="The brains of ../shared/data are not here."
)
EMPTY = draw(".....", ".....")


def compare(
    reference: BoolVolume, prediction: BoolVolume, rule: Rule = PUBLISHED
) -> Comparison:
    return compare_masks(
        reference=reference, prediction=prediction, spacing=(1.0, 2.0, 3.0), rule=rule
    )


def test_equal_masks_agree_in_everything() -> None:
    mask = draw("##..#", ".....")
    for rule in RULES:
        told = compare(mask, mask, rule)
        assert (told.dice, told.dice_plain, told.recall, told.ppv, told.f1) == (1,) * 5
        assert (told.found, told.missed, told.false) == (2, 0, 0)
        assert told.reference_mm3 == told.prediction_mm3 == 18.0


def test_dice_has_a_smoothing_of_one_and_a_plain_form() -> None:
    told = compare(draw("###.."), draw(".##.."))
    assert told.dice == (2 * 2 + 1) / (3 + 2 + 1)
    assert told.dice_plain == 2 * 2 / (3 + 2)


def test_two_empty_masks_agree() -> None:
    told = compare(EMPTY, EMPTY)
    assert (told.dice, told.dice_plain, told.recall, told.ppv, told.f1) == (1,) * 5
    assert told.any_empty
    assert told.lesions == ()


def test_on_an_empty_reference_recall_is_one_and_the_rest_zero() -> None:
    told = compare(EMPTY, draw("#....", "....."))
    assert (told.recall, told.ppv, told.f1) == (1, 0, 0)
    # one voxel too many, and yet half of the greatest Dice: the smoothing
    assert told.dice == 0.5
    assert told.dice_plain == 0
    assert told.reference_empty
    assert not told.prediction_empty


def test_an_empty_prediction_finds_nothing() -> None:
    told = compare(draw("#....", "....."), EMPTY)
    assert (told.recall, told.ppv, told.f1, told.missed) == (0, 0, 0, 1)
    assert told.prediction_empty
    assert told.any_empty


def test_one_blob_over_two_lesions_finds_both_without_an_error() -> None:
    told = compare(draw("#...#", "....."), draw("#####", "#####"))
    assert (told.recall, told.ppv, told.f1) == (1, 1, 1)
    assert told.dice_plain == pytest.approx(4 / 12)
    assert (told.reference_lesions, told.prediction_lesions) == (2, 1)
    strict = compare(draw("#...#", "....."), draw("#####", "#####"), ONE_TO_ONE)
    assert (strict.found, strict.missed, strict.false) == (0, 2, 1)


def test_voxels_that_touch_by_a_corner_are_two_lesions_or_one() -> None:
    mask = draw("#....", ".#...")
    assert compare(mask, mask).reference_lesions == 2
    assert compare(mask, mask, CORNERS).reference_lesions == 1


def test_a_row_does_not_touch_the_next_rows_start() -> None:
    assert find_lesions(draw("....#", "#....")).count == 2
    assert find_lesions(draw("....#", "#...."), connectivity=26).count == 2


def test_a_lesion_is_found_from_a_tenth_of_its_voxels_on() -> None:
    ten, eleven = draw("#" * 10 + "." * 5), draw("#" * 11 + "." * 4)
    one = draw("#" + "." * 14)
    assert compare(ten, one).found == 1
    assert compare(eleven, one).found == 0


def test_a_prediction_that_touches_too_little_is_neither_found_nor_false() -> None:
    told = compare(draw("#" * 11 + "...."), draw("#" + "." * 14))
    assert (told.found, told.missed, told.false) == (0, 1, 0)
    # the published code gives PPV 1 where it counts neither
    assert (told.recall, told.ppv, told.f1) == (0, 1, 0)


def test_ppv_counts_found_reference_lesions_beside_false_predictions() -> None:
    told = compare(draw("#.#.#....", "........."), draw("#####...#", "........."))
    assert (told.found, told.false, told.prediction_lesions) == (3, 1, 2)
    assert told.ppv == 3 / 4
    assert told.f1 == 3 / (3 + 0.5)


def test_one_to_one_pairs_each_lesion_at_most_once_and_best_in_sum() -> None:
    reference = draw("####.####")
    halves = draw("##.......")
    told = compare(reference, halves, ONE_TO_ONE)
    assert (told.found, told.missed, told.false) == (1, 1, 0)
    loose = Rule(name="loose", matching="one_to_one", threshold=0.1)
    told = compare(draw("######"), draw("##.###"), loose)
    assert (told.found, told.false) == (1, 1)
    assert [one.matched for one in told.lesions] == [True, False, True]


def test_each_lesion_has_its_row_with_size_place_level_and_fate() -> None:
    levels = np.array([[1, 2, 2, 0, 0], [0, 0, 0, 0, 7]])[:, :, None]
    told = compare_masks(
        reference=draw("###..", "....#"),
        prediction=draw("..#..", "#...."),
        spacing=(1.0, 1.0, 2.0),
        levels=levels,
    )
    first, second, right, wrong = told.lesions
    assert (first.voxels, first.mm3, first.overlap) == (3, 6.0, 1 / 3)
    assert (first.matched, first.level, first.centre) == (True, 2, (0, 1, 0))
    assert (second.matched, second.level, second.number) == (False, 7, 2)
    assert (right.side, right.matched, right.overlap) == ("prediction", True, 1)
    assert (wrong.matched, wrong.level) == (False, 0)


def test_a_soft_map_has_a_volume_of_parts_of_voxels() -> None:
    soft = np.array([[[0.25, 0.5, 1.0]]], dtype=np.float32)
    assert partial_volume(soft, spacing=(1.0, 2.0, 3.0)) == 10.5


def test_masks_of_unequal_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="unequal shapes"):
        compare(draw("#"), draw("##"))


@pytest.mark.parametrize("lay", [np.ascontiguousarray, np.asfortranarray])
def test_three_hundred_random_pairs_agree_with_the_plain_loop(lay: Any) -> None:
    rng, empties = np.random.default_rng(300), 0
    for _ in range(300):
        reference, prediction = map(lay, make_pair(rng))
        told = compare(reference, prediction)
        empties += told.any_empty
        expected = compare_by_loop(reference, prediction)
        assert (told.dice, told.recall, told.ppv, told.f1) == expected
    assert 30 < empties < 150


def test_lesions_are_those_of_two_other_libraries() -> None:
    rng = np.random.default_rng(5)
    for density in (0.0, 0.01, 0.03, 0.2, 0.6):
        mask = rng.random((12, 9, 10)) < density
        for connectivity, steps in ((6, 1), (26, 3)):
            ours = find_lesions(mask, connectivity=connectivity)  # type: ignore[arg-type]
            structure = ndimage.generate_binary_structure(3, steps)
            labels, count = ndimage.label(mask, structure)
            assert ours.count == count == label(mask, connectivity=steps).max()
            assert np.array_equal(labels.reshape(-1)[ours.voxels] - 1, ours.labels)


def test_dice_and_distances_are_those_of_other_libraries() -> None:
    rng, spacing = np.random.default_rng(6), (0.5, 0.7, 3.0)
    for _ in range(20):
        reference, prediction = make_pair(rng)
        told = compare(reference, prediction)
        if told.any_empty:
            continue
        other = f1_score(reference.ravel(), prediction.ravel())
        assert told.dice_plain == pytest.approx(other, abs=1e-12)
        images = [
            sitk.GetImageFromArray(m.T.astype(int)) for m in (reference, prediction)
        ]
        for image in images:
            image.SetSpacing(spacing)
        far = sitk.HausdorffDistanceImageFilter()
        far.Execute(*images)
        near = measure_surface(
            reference=reference, prediction=prediction, spacing=spacing
        )
        # theirs is over all voxels: inside, the distance is 0, so the greatest is equal
        assert near.hausdorff == pytest.approx(far.GetHausdorffDistance(), abs=1e-5)


def test_distances_of_two_squares_by_hand() -> None:
    # single voxels, three columns apart, 2 mm each
    told = measure_surface(
        reference=draw("#...."), prediction=draw("...#."), spacing=(1.0, 2.0, 5.0)
    )
    assert (told.hd95, told.hausdorff, told.average) == (6.0, 6.0, 6.0)
    # 0 for the shared voxel, 2 mm for the other; there 0 alone
    told = measure_surface(
        reference=draw("##..."), prediction=draw("#...."), spacing=(1.0, 2.0, 5.0)
    )
    assert told.hausdorff == 2.0
    assert told.hd95 == pytest.approx(1.9)
    assert told.average == pytest.approx(2 / 3)


def test_distances_are_those_of_a_distance_transform() -> None:
    rng, spacing = np.random.default_rng(7), (0.5, 0.7, 3.0)
    for _ in range(20):
        masks = make_pair(rng)
        told = measure_surface(reference=masks[0], prediction=masks[1], spacing=spacing)
        if told.hd95 is None:
            assert not masks[0].any() or not masks[1].any()
            continue
        edges = [m & ~ndimage.binary_erosion(m) for m in masks]
        maps = [ndimage.distance_transform_edt(~e, sampling=spacing) for e in edges]
        here, there = maps[1][edges[0]], maps[0][edges[1]]
        both = np.concatenate([here, there])
        worst = max(np.percentile(here, 95), np.percentile(there, 95))
        assert told.hd95 == pytest.approx(worst)
        assert told.average == pytest.approx(both.mean())


@needs_brains
def test_real_masks_move_each_number_in_the_expected_direction() -> None:
    truth = read_real("sub-07_desc-consensus_mask.nii.gz") > 0
    other = read_real("sub-19_desc-consensus_mask.nii.gz") > 0
    ball = ndimage.generate_binary_structure(3, 1)
    fat = ndimage.binary_dilation(truth, ball)
    thin = ndimage.binary_erosion(truth, ball)
    told = {
        name: (compare(truth, mask), measure_surface(
            reference=truth, prediction=mask, spacing=(1.0, 1.0, 1.0)))
        for name, mask in {
            "same": truth, "moved": np.roll(truth, 1, 0), "far": np.roll(truth, 4, 0),
            "fat": fat, "thin": thin, "other": other,
        }.items()
    }  # fmt: skip
    masks = {name: one[0] for name, one in told.items()}
    assert masks["same"].dice == masks["same"].f1 == 1
    assert 1 > masks["moved"].dice > masks["far"].dice > masks["other"].dice
    assert masks["fat"].recall == 1
    assert masks["fat"].false == 0
    assert masks["fat"].prediction_mm3 > masks["fat"].reference_mm3
    assert masks["thin"].recall < 1
    assert masks["thin"].ppv == 1
    assert masks["thin"].prediction_mm3 < masks["thin"].reference_mm3
    average = {name: one[1].average or 0.0 for name, one in told.items()}
    assert 0 == average["same"] < average["moved"] < average["far"] < average["other"]
    assert told["moved"][1].hausdorff == 1
