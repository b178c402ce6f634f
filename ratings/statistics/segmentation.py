"""Compares a predicted mask with a reference mask, by voxels and by lesions.

The rules and conventions are those of the published evaluation (Benveniste et al.
2026, `evaluation/utils.py`); variants carry a name. See docs/metrics.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratings.statistics.lesions import (
    BoolVolume,
    Connectivity,
    Indices,
    Lesions,
    find_lesions,
)

Spacing = tuple[float, float, float]
SMOOTHING = 1.0


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a reference lesion counts as found and a predicted one as false.

    "overlap": found when at least `threshold` of its voxels are predicted; false when
    it touches no reference voxel. "one_to_one": lesions are paired, each at most once,
    so that the sum of IoU is greatest among pairs of IoU ≥ `threshold`; the paired
    are found, predicted lesions without a partner are false.
    """

    name: str
    connectivity: Connectivity = 6
    matching: Literal["overlap", "one_to_one"] = "overlap"
    threshold: float = 0.1


PUBLISHED = Rule(name="published")
CORNERS = Rule(name="26-connectivity", connectivity=26)
ONE_TO_ONE = Rule(name="one-to-one IoU", matching="one_to_one", threshold=0.5)
RULES = (PUBLISHED, CORNERS, ONE_TO_ONE)


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """One lesion of either mask.

    Attributes:
        side: the mask it belongs to. voxels, mm3: its size.
        overlap: the share of its voxels that lie in the other mask.
        matched: reference: found; predicted: not counted as false.
        centre: its mean voxel position. level: the level that most of its voxels
            with a level have; None without a level map, 0 where none has one.
    """

    side: Literal["reference", "prediction"]
    number: int
    voxels: int
    mm3: float
    overlap: float
    matched: bool
    centre: tuple[float, float, float]
    level: int | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All that one rule says about a pair of masks.

    Attributes:
        dice: with smoothing 1, as published. dice_plain: 2|A∩B| / (|A|+|B|), and 1
            for two empty masks.
        recall, ppv, f1: lesion-wise; `found` counts reference lesions, also in PPV.
        found, missed, false: lesions found and missed (reference), false (predicted).
        reference_lesions, prediction_lesions: how many each mask has.
        reference_mm3, prediction_mm3: volumes.
        reference_empty, prediction_empty: then a convention gives the numbers above.
        lesions: one row per lesion of either mask, the reference first.
    """

    rule: str
    dice: float
    dice_plain: float
    recall: float
    ppv: float
    f1: float
    found: int
    missed: int
    false: int
    reference_lesions: int
    prediction_lesions: int
    reference_mm3: float
    prediction_mm3: float
    reference_empty: bool
    prediction_empty: bool
    lesions: tuple[Lesion, ...]

    @property
    def any_empty(self) -> bool:
        """Whether a convention for empty masks had a say."""
        return self.reference_empty or self.prediction_empty


def compare_masks(
    *,
    reference: BoolVolume,
    prediction: BoolVolume,
    spacing: Spacing,
    rule: Rule = PUBLISHED,
    levels: npt.NDArray[np.integer] | None = None,
) -> Comparison:
    """Compare two masks [x, y, z] of one grid with voxels of `spacing` mm.

    Conventions for empty masks, as published: both empty, all is 1; only the
    reference empty, recall 1, PPV and F1 0; only the prediction empty, all three 0.
    Raises ValueError for masks of unequal shape.
    """
    if reference.shape != prediction.shape:
        raise ValueError(
            f"The masks have unequal shapes {reference.shape} and {prediction.shape}."
        )
    true, told = same_order(reference), same_order(prediction)
    ours = find_lesions(true, connectivity=rule.connectivity)
    theirs = find_lesions(told, connectivity=rule.connectivity)
    seen, touched = ours.count_in(told), theirs.count_in(true)
    found, real = judge(rule, ours, theirs, seen, touched)
    common, both = int(seen.sum()), len(ours.voxels) + len(theirs.voxels)
    hits, false = int(found.sum()), int((~real).sum())
    recall, ppv, f1 = rate(hits, ours.count, false, theirs.count)
    voxel = float(np.prod(spacing))
    return Comparison(
        rule=rule.name,
        dice=(2 * common + SMOOTHING) / (both + SMOOTHING),
        dice_plain=2 * common / both if both else 1.0,
        recall=recall,
        ppv=ppv,
        f1=f1,
        found=hits,
        missed=ours.count - hits,
        false=false,
        reference_lesions=ours.count,
        prediction_lesions=theirs.count,
        reference_mm3=len(ours.voxels) * voxel,
        prediction_mm3=len(theirs.voxels) * voxel,
        reference_empty=not ours.count,
        prediction_empty=not theirs.count,
        lesions=(
            *list_lesions("reference", ours, seen, found, voxel, levels),
            *list_lesions("prediction", theirs, touched, real, voxel, levels),
        ),
    )


def same_order(mask: BoolVolume) -> BoolVolume:
    return np.ascontiguousarray(mask, dtype=bool)


def judge(
    rule: Rule, ours: Lesions, theirs: Lesions, seen: Indices, touched: Indices
) -> tuple[BoolVolume, BoolVolume]:
    """Which reference lesions are found, and which predicted ones are not false."""
    if rule.matching == "overlap":
        return seen / np.maximum(ours.sizes, 1) >= rule.threshold, touched > 0
    found, real = np.zeros(ours.count, bool), np.zeros(theirs.count, bool)
    mine, other = pair_lesions(ours, theirs, threshold=rule.threshold)
    found[mine], real[other] = True, True
    return found, real


def pair_lesions(
    ours: Lesions, theirs: Lesions, *, threshold: float
) -> tuple[Indices, Indices]:
    """The lesions paired one to one: those of the first mask, and their partners."""
    # Here and not above: a web process that only shows tables pays nothing for it.
    from scipy.optimize import linear_sum_assignment

    _, mine, other = np.intersect1d(
        ours.voxels, theirs.voxels, assume_unique=True, return_indices=True
    )
    pairs, common = np.unique(
        np.stack([ours.labels[mine], theirs.labels[other]]), axis=1, return_counts=True
    )
    iou = common / (ours.sizes[pairs[0]] + theirs.sizes[pairs[1]] - common)
    near = iou >= threshold
    # Only lesions with a possible partner enter: their matrix stays small.
    rows, row = np.unique(pairs[0][near], return_inverse=True)
    columns, column = np.unique(pairs[1][near], return_inverse=True)
    gain = np.zeros((len(rows), len(columns)))
    gain[row, column] = iou[near]
    chosen, partner = linear_sum_assignment(gain, maximize=True)
    real = gain[chosen, partner] > 0
    return rows[chosen[real]], columns[partner[real]]


def rate(
    found: int, reference: int, false: int, prediction: int
) -> tuple[float, float, float]:
    """Recall, PPV and F1 from counts, with the published conventions.

    A prediction that touches lesions but finds none and is nowhere false has PPV 1.
    """
    if not reference and not prediction:
        return 1.0, 1.0, 1.0
    recall = found / reference if reference else 1.0
    if not reference or not prediction:
        return recall, 0.0, 0.0
    ppv = found / (found + false) if found + false else 1.0
    return recall, ppv, found / (found + (false + reference - found) / 2)


def list_lesions(
    side: Literal["reference", "prediction"],
    lesions: Lesions,
    overlap: Indices,
    matched: BoolVolume,
    voxel_mm3: float,
    levels: npt.NDArray[np.integer] | None,
) -> list[Lesion]:
    of_level = find_levels(lesions, levels)
    return [
        Lesion(
            side=side,
            number=number + 1,
            voxels=int(size),
            mm3=float(size) * voxel_mm3,
            overlap=float(overlap[number] / size),
            matched=bool(matched[number]),
            centre=(float(centre[0]), float(centre[1]), float(centre[2])),
            level=of_level[number],
        )
        for number, (size, centre) in enumerate(
            zip(lesions.sizes, lesions.centres(), strict=True)
        )
    ]


def find_levels(
    lesions: Lesions, levels: npt.NDArray[np.integer] | None
) -> list[int | None]:
    """The most frequent level of each lesion's voxels, the lower one of a tie."""
    if levels is None:
        return [None] * lesions.count
    if levels.shape != lesions.shape:
        raise ValueError("The level map has another shape than the masks.")
    at = np.ascontiguousarray(levels).reshape(-1)[lesions.voxels].astype(np.int64)
    table = np.zeros((lesions.count, int(at.max(initial=0)) + 1), dtype=np.int64)
    np.add.at(table, (lesions.labels[at > 0], at[at > 0]), 1)
    return [int(row.argmax()) for row in table]


def partial_volume(soft: npt.NDArray[np.floating], *, spacing: Spacing) -> float:
    """Volume in mm³ of a soft map: each voxel counts by its value, 0 to 1."""
    return float(soft.sum(dtype=np.float64) * np.prod(spacing))
