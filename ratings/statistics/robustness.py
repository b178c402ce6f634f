"""How agreement depends on threshold, lesion size, level, cord and calibration.

Each function measures one case; `bands` puts cases together. The published analyses
of this kind are Appendices D and F of Benveniste et al. 2026. See docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratings.statistics.lesions import BoolVolume, find_lesions
from ratings.statistics.resampling import resampled_sums
from ratings.statistics.segmentation import (
    PUBLISHED,
    Comparison,
    Rule,
    Spacing,
    compare_masks,
)

Floats = npt.NDArray[np.float64]
METRICS = ("dice", "recall", "ppv", "f1")
THRESHOLDS = tuple(step / 20 for step in range(21))
SIZES_MM3 = (0.0, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 50.0)
BINS = 10
RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One case's metrics at each of the swept values, in their order."""

    dice: tuple[float, ...]
    recall: tuple[float, ...]
    ppv: tuple[float, ...]
    f1: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class AtLevel:
    """What of one case lies at one level; `lesions` are the reference's."""

    level: int
    reference_mm3: float
    prediction_mm3: float
    lesions: int
    found: int
    dice: float


@dataclass(frozen=True, kw_only=True)
class CordCut:
    """Agreement before and after a prediction loses what lies outside the cord."""

    removed_mm3: float
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Voxels of a soft map by the value they have, in bins of equal width from 0 to 1.

    Attributes:
        counts: voxels of each bin. predicted: the sum of their values.
        lesion: how many of them are lesion in the reference.
    """

    counts: tuple[int, ...]
    predicted: tuple[float, ...]
    lesion: tuple[int, ...]


@dataclass(frozen=True)
class Band:
    """A mean over cases with its 95 % bootstrap interval at each swept value."""

    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def crop_to(marked: BoolVolume) -> tuple[slice, ...]:
    """The smallest box that holds all that is marked; one voxel where nothing is."""
    if not marked.any():
        return (slice(0, 1),) * marked.ndim
    axes = range(marked.ndim)
    lines: list[BoolVolume] = [
        np.atleast_1d(marked.any(axis=tuple(a for a in axes if a != axis)))
        for axis in axes
    ]
    return tuple(
        slice(int(np.argmax(line)), len(line) - int(np.argmax(line[::-1])))
        for line in lines
    )


def gather(told: Sequence[Comparison]) -> Sweep:
    return Sweep(**{m: tuple(float(getattr(c, m)) for c in told) for m in METRICS})


def sweep_thresholds(
    *,
    reference: BoolVolume,
    soft: npt.NDArray[np.floating],
    spacing: Spacing,
    thresholds: Sequence[float] = THRESHOLDS,
    rule: Rule = PUBLISHED,
) -> Sweep:
    """Metrics of `soft > threshold` [x, y, z] against the reference, per threshold.

    The comparison is strict, as the published rule is: at 1 every mask is empty.
    Raises ValueError for maps of unequal shape.
    """
    check_shapes(reference, soft)
    box = crop_to(reference | (soft > 0))
    truth, values = reference[box], soft[box]
    told = [
        compare_masks(
            reference=truth, prediction=values > t, spacing=spacing, rule=rule
        )
        for t in thresholds
    ]
    return gather(told)


def sweep_sizes(
    *,
    reference: BoolVolume,
    prediction: BoolVolume,
    spacing: Spacing,
    sizes_mm3: Sequence[float] = SIZES_MM3,
    rule: Rule = PUBLISHED,
) -> Sweep:
    """Metrics after predicted lesions smaller than each size in mm³ are dropped.

    The reference keeps all of its lesions: what is asked is which predictions to trust.
    """
    check_shapes(reference, prediction)
    box = crop_to(reference | prediction)
    truth, told = np.ascontiguousarray(reference[box]), prediction[box]
    lesions = find_lesions(told, connectivity=rule.connectivity)
    volumes = lesions.sizes[lesions.labels] * float(np.prod(spacing))
    kept = []
    for size in sizes_mm3:
        left = np.zeros(told.size, dtype=bool)
        left[lesions.voxels[volumes >= size]] = True
        mask = left.reshape(told.shape)
        kept.append(
            compare_masks(reference=truth, prediction=mask, spacing=spacing, rule=rule)
        )
    return gather(kept)


def compare_levels(
    *,
    reference: BoolVolume,
    prediction: BoolVolume,
    levels: npt.NDArray[Any],
    spacing: Spacing,
    rule: Rule = PUBLISHED,
) -> tuple[AtLevel, ...]:
    """Agreement within each level of a map [x, y, z] of whole numbers; 0 is no level.

    A lesion belongs to the level of most of its voxels; volumes and Dice are of the
    voxels at the level themselves.
    """
    check_shapes(reference, levels)
    whole = compare_masks(
        reference=reference, prediction=prediction, spacing=spacing, rule=rule,
        levels=levels,
    )  # fmt: skip
    mine = [lesion for lesion in whole.lesions if lesion.side == "reference"]
    voxel = float(np.prod(spacing))
    rows = []
    for level in (int(n) for n in np.unique(levels) if n > 0):
        here = levels == level
        ours, theirs = int(reference[here].sum()), int(prediction[here].sum())
        common = int((reference & prediction)[here].sum())
        own = [lesion for lesion in mine if lesion.level == level]
        rows.append(
            AtLevel(
                level=level,
                reference_mm3=ours * voxel,
                prediction_mm3=theirs * voxel,
                lesions=len(own),
                found=sum(lesion.matched for lesion in own),
                dice=(2 * common + 1) / (ours + theirs + 1),
            )
        )
    return tuple(rows)


def cut_to_cord(
    *,
    reference: BoolVolume,
    prediction: BoolVolume,
    cord: BoolVolume,
    spacing: Spacing,
    rule: Rule = PUBLISHED,
) -> CordCut:
    """Metrics of a prediction as it is and without its voxels outside the cord."""
    check_shapes(reference, cord)
    inside = prediction & cord
    pair = [
        compare_masks(reference=reference, prediction=mask, spacing=spacing, rule=rule)
        for mask in (prediction, inside)
    ]
    before, after = (tuple(float(getattr(c, m)) for m in METRICS) for c in pair)
    gone = int(prediction.sum()) - int(inside.sum())
    return CordCut(
        removed_mm3=gone * float(np.prod(spacing)), before=before, after=after
    )


def calibrate(
    *, reference: BoolVolume, soft: npt.NDArray[np.floating], bins: int = BINS
) -> Calibration:
    """Counts for a reliability diagram, over voxels that either map marks at all.

    The rest is background that both agree on; it would make any map look calibrated.
    """
    check_shapes(reference, soft)
    asked = reference | (soft > 0)
    values, truth = soft[asked].astype(np.float64), reference[asked]
    at = np.clip((values * bins).astype(np.int64), 0, bins - 1)
    return Calibration(
        counts=tuple(np.bincount(at, minlength=bins).tolist()),
        predicted=tuple(np.bincount(at, values, bins).tolist()),
        lesion=tuple(np.bincount(at[truth], minlength=bins).tolist()),
    )


def pool(cases: Sequence[Calibration]) -> Calibration:
    """The voxels of all cases together."""
    counts, predicted, lesion = (
        np.sum([getattr(case, name) for case in cases], axis=0).tolist()
        for name in ("counts", "predicted", "lesion")
    )
    return Calibration(
        counts=tuple(counts), predicted=tuple(predicted), lesion=tuple(lesion)
    )


def calibration_error(found: Calibration) -> float | None:
    """Expected calibration error: Σ nᵦ/n · |share of lesion − mean value| over bins.

    None without a voxel. Source: Guo et al., ICML 2017.
    """
    total = sum(found.counts)
    if not total:
        return None
    gaps = zip(found.predicted, found.lesion, strict=True)
    return sum(abs(value - lesion) for value, lesion in gaps) / total


def bands(curves: Floats, *, seed: int, resamples: int = RESAMPLES) -> Band:
    """Mean and percentile band of curves [cases, values], whole cases resampled.

    Raises ValueError without a case. The order of the cases changes nothing.
    """
    if not len(curves):
        raise ValueError("A band needs at least one case.")
    drawn = resampled_sums(curves, resamples=resamples, seed=seed) / len(curves)
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    return Band(
        mean=tuple((np.sort(curves, axis=0).sum(axis=0) / len(curves)).tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
    )


def find_best(values: Sequence[float], mean: Sequence[float], *, near: float) -> int:
    """The place of the greatest mean; of equals the one nearest to `near`."""
    best = max(mean)
    equal = [i for i, m in enumerate(mean) if m >= best - 1e-12]
    return min(equal, key=lambda i: (abs(values[i] - near), i))


def check_shapes(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> None:
    if one.shape != other.shape:
        raise ValueError(f"The maps have unequal shapes {one.shape} and {other.shape}.")
