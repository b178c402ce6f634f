"""Draws each figure of how robust the arms' masks are, from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratings import results, sweeping
from ratings.models import MaskComparison, Study
from ratings.statistics.sweeps import (
    Curve,
    make_curves,
    make_levels,
    make_reliability,
)

if TYPE_CHECKING:
    from ratings.figures.canvas import Figure

SWEEPS = {
    "soft": "Threshold on the soft map",
    "votes": "Threshold on the votes",
    "sizes": "Smallest lesion kept",
}
VOXELS = {
    "slice_thickness": "Slice thickness (mm)",
    "voxel_volume": "Voxel volume (mm³)",
}


NAMES = (*(f"sweep_{swept}" for swept in SWEEPS), *VOXELS, "levels", "reliability")


def list_curves(study: Study, kept: list[MaskComparison], swept: str) -> list[Curve]:
    parts = sweeping.list_parts(kept, swept)
    return make_curves(parts, swept=swept, seed=results.make_seed(study.pk))


def draw(study: Study, kept: list[MaskComparison], name: str) -> Figure | None:
    # Here and not above: matplotlib takes a second to load.
    from ratings.figures import robustness as figures

    simulated = study.simulated
    if name.startswith("sweep_") and (swept := name.removeprefix("sweep_")) in SWEEPS:
        curves = list_curves(study, kept, swept)
        return figures.sweep_curves(curves, simulated=simulated) if curves else None
    if name in VOXELS:
        points = list_points(kept, name)
        return figures.by_voxels(
            points, name=name, label=VOXELS[name], simulated=simulated
        )
    if name == "levels":
        rows = make_levels(sweeping.list_parts(kept, "levels"))
        return figures.level_bars(rows, simulated=simulated) if rows else None
    if name == "reliability":
        found = make_reliability(sweeping.list_parts(kept, "calibration"))
        return (
            figures.reliability_diagram(found, simulated=simulated) if found else None
        )
    return None


def list_points(
    kept: list[MaskComparison], name: str
) -> list[tuple[str, str, float, float]]:
    """(arm, case, slice thickness or voxel volume, Dice) of each mask."""
    points = []
    for one in kept:
        x, y, z = one.case.geometry["zooms"]
        size = max(x, y, z) if name == "slice_thickness" else x * y * z
        dice = one.results["rules"]["published"]["dice"]
        points.append((one.arm.label, one.case.label, float(size), float(dice)))
    return points
