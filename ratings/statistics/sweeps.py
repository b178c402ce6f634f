"""Gathers what was swept, cut and counted case by case into one answer an arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratings.statistics.robustness import (
    SIZES_MM3,
    THRESHOLDS,
    Band,
    Calibration,
    bands,
    calibration_error,
    find_best,
    pool,
)

Parts = Mapping[str, Sequence[Mapping[str, Any]]]  # by arm, one a case
STORED_THRESHOLD = 0.5
# how much longer the voxels become, within the slices and across them
COARSER = ((1.5, 1.0), (2.0, 1.0), (1.0, 2.0), (2.0, 2.0))


@dataclass(frozen=True)
class Curve:
    """One metric of one arm over swept values, and the value that serves best."""

    arm: str
    swept: str
    metric: str
    values: tuple[float, ...]
    band: Band
    cases: int
    best: int

    @property
    def best_value(self) -> float:
        return self.values[self.best]

    @property
    def best_mean(self) -> float:
        return self.band.mean[self.best]


@dataclass(frozen=True)
class LevelRow:
    """One level of one arm over all cases that have it."""

    arm: str
    level: int
    cases: int
    with_lesion: int
    reference_mm3: float
    prediction_mm3: float
    lesions: int
    found: int
    dice: float


@dataclass(frozen=True)
class CutRow:
    """What the cord mask changes for one arm: means over the cases that have one."""

    arm: str
    cases: int
    removed_mm3: float
    before: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def pairs(self) -> list[tuple[float, float]]:
        """Before and after, metric by metric."""
        return list(zip(self.before, self.after, strict=True))


@dataclass(frozen=True)
class CoarserRow:
    """One arm predicted again from coarser images: mean and SD of Dice over cases."""

    arm: str
    factors: str
    cases: int
    dice: float
    sd: float | None
    f1: float
    lost: float


@dataclass(frozen=True)
class Reliability:
    """An arm's soft maps against the reference, all voxels of all cases together."""

    arm: str
    cases: int
    found: Calibration
    error: float | None


def make_curves(told: Parts, *, swept: str, seed: int) -> list[Curve]:
    """A curve for each arm and for Dice and F1; `swept` is soft, votes or sizes."""
    values = SIZES_MM3 if swept == "sizes" else THRESHOLDS
    near = 0.0 if swept == "sizes" else STORED_THRESHOLD
    curves = []
    for arm, parts in told.items():
        for metric in ("dice", "f1") if parts else ():
            band = bands(np.array([part[metric] for part in parts]), seed=seed)
            best = find_best(values, band.mean, near=near)
            curves.append(Curve(arm, swept, metric, values, band, len(parts), best))
    return curves


def make_levels(told: Parts) -> list[LevelRow]:
    """A row for each arm and level, over the cases whose map has the level."""
    return [
        add_up(arm, level, [row for row in rows if row["level"] == level])
        for arm, rows in told.items()
        for level in sorted({row["level"] for row in rows})
    ]


def add_up(arm: str, level: int, told: Sequence[Mapping[str, Any]]) -> LevelRow:
    def total(name: str) -> float:
        return float(sum(row[name] for row in told))

    return LevelRow(
        arm=arm,
        level=level,
        cases=len(told),
        with_lesion=sum(row["reference_mm3"] > 0 for row in told),
        reference_mm3=total("reference_mm3") / len(told),
        prediction_mm3=total("prediction_mm3") / len(told),
        lesions=int(total("lesions")),
        found=int(total("found")),
        dice=total("dice") / len(told),
    )


def make_cuts(told: Parts) -> list[CutRow]:
    """Means before and after the cut to the cord."""
    rows = []
    for arm, parts in told.items():
        before, after = (
            tuple(np.mean([part[when] for part in parts], axis=0).tolist())
            for when in ("before", "after")
        )
        removed = float(np.mean([part["removed_mm3"] for part in parts]))
        rows.append(CutRow(arm, len(parts), removed, before, after))
    return rows


def make_reliability(told: Parts) -> list[Reliability]:
    """The voxels of all cases of an arm together."""
    found = []
    for arm, parts in told.items():
        voxels = pool([Calibration(**part) for part in parts])
        error = calibration_error(voxels)
        found.append(Reliability(arm, len(parts), voxels, error))
    return found


def name_factors(pair: tuple[float, float]) -> str:
    """How a pair of factors is written: within the slices, then across them."""
    return f"{pair[0]:g} × {pair[1]:g}"


def make_coarser(told: Parts) -> list[CoarserRow]:
    """A row for each arm and pair of factors; `lost` is Dice as stored minus this.

    Each part has the metrics of a case by factors, and under "stored" its Dice.
    """
    rows = []
    for arm, parts in told.items():
        for name in map(name_factors, COARSER):
            dice = np.array([part[name]["dice"] for part in parts])
            stored = np.array([part["stored"] for part in parts])
            rows.append(
                CoarserRow(
                    arm=arm,
                    factors=name,
                    cases=len(parts),
                    dice=float(dice.mean()),
                    sd=float(dice.std(ddof=1)) if len(parts) > 1 else None,
                    f1=float(np.mean([part[name]["f1"] for part in parts])),
                    lost=float((stored - dice).mean()),
                )
            )
    return rows
