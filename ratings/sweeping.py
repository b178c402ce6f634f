"""Measures how robust each pair of masks is, beside what else is measured of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratings import companions
from ratings.models import Case, Mask, MaskComparison
from ratings.statistics.robustness import (
    calibrate,
    compare_levels,
    cut_to_cord,
    sweep_sizes,
    sweep_thresholds,
)
from ratings.statistics.segmentation import Spacing


@dataclass(frozen=True)
class Maps:
    """What an ensemble left of a mask, on its grid: both 0 to 1, or None."""

    soft: NDArray[Any] | None = None
    votes: NDArray[Any] | None = None


def measure(
    *,
    case: Case,
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing: Spacing,
    maps: Maps,
) -> dict[str, Any]:
    """One pair's sweeps, levels, cord and calibration, as plain JSON."""
    sizes = sweep_sizes(reference=reference, prediction=prediction, spacing=spacing)
    found: dict[str, Any] = {
        "sizes": asdict(sizes),
        "soft": None, "votes": None, "calibration": None, "levels": None, "cord": None,
    }  # fmt: skip
    for name, values in (("soft", maps.soft), ("votes", maps.votes)):
        if values is not None:
            swept = sweep_thresholds(reference=reference, soft=values, spacing=spacing)
            found[name] = asdict(swept)
    if maps.soft is not None:
        found["calibration"] = asdict(calibrate(reference=reference, soft=maps.soft))
    if (levels := read_levels(case)) is not None:
        at = compare_levels(
            reference=reference, prediction=prediction, spacing=spacing, levels=levels
        )
        found["levels"] = [asdict(row) for row in at]
    if (cord := companions.read_cord(case)) is not None:
        cut = cut_to_cord(
            reference=reference, prediction=prediction, spacing=spacing, cord=cord
        )
        found["cord"] = asdict(cut)
    return found


def read_levels(case: Case) -> NDArray[np.int_] | None:
    """The uploaded map of levels as whole numbers, or None."""
    levels = companions.read_levels(case)
    return None if levels is None else np.rint(levels).astype(int)


def with_uploaded(mask: Mask, maps: Maps) -> Maps:
    """The maps of a prediction, else the soft map that was uploaded for this mask."""
    if maps.soft is not None or not companions.name_soft(mask):
        return maps
    return replace(maps, soft=companions.read_soft(mask.case))


def name_companions(mask: Mask) -> str:
    """The digests of the maps that a measurement depends on."""
    found = [mask.case.find_companion(kind) for kind in ("cord", "levels")]
    digests = [one.sha256 if one else "-" for one in found]
    return "/".join([*digests, *filter(None, [companions.name_soft(mask)])])


def list_parts(
    kept: Iterable[MaskComparison], name: str
) -> dict[str, list[dict[str, Any]]]:
    """One part of what was measured, by arm, of each case that has it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in kept:
        part = one.results["robustness"][name]
        if part is not None:
            parts = part if isinstance(part, list) else [part]
            found.setdefault(one.arm.label, []).extend(parts)
    return found


def list_coarser(kept: Iterable[MaskComparison]) -> dict[str, list[dict[str, Any]]]:
    """What coarser images gave, by arm, each case with its Dice as stored."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in kept:
        if coarser := one.results.get("resolutions"):
            stored = one.results["rules"]["published"]["dice"]
            found.setdefault(one.arm.label, []).append({**coarser, "stored": stored})
    return found
