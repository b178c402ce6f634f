"""The tables of robustness: by level, cut to the cord, and from coarser images."""

from __future__ import annotations

from collections.abc import Sequence

from ratings.statistics.sheets import Sheet
from ratings.statistics.sweeps import CoarserRow, CutRow, LevelRow

CUT_METRICS = ("Dice", "Recall", "PPV", "F1")


def make_sweep_tables(
    *,
    levels: Sequence[LevelRow],
    cuts: Sequence[CutRow],
    coarser: Sequence[CoarserRow],
) -> list[Sheet]:
    """Each table that has a row."""
    made = (table_levels(levels), table_cuts(cuts), table_coarser(coarser))
    return [sheet for sheet in made if sheet.rows]


def table_levels(rows: Sequence[LevelRow]) -> Sheet:
    return Sheet(
        key="levels",
        title="By vertebral or disc level",
        header=("Arm", "Level", "Cases", "With a lesion", "Reference, mm³",
                "Arm, mm³", "Lesions", "Lesions found", "Dice"),
        rows=tuple(
            (r.arm, r.level, r.cases, r.with_lesion, r.reference_mm3,
             r.prediction_mm3, r.lesions, r.found, r.dice)
            for r in rows
        ),
    )  # fmt: skip


def table_cuts(rows: Sequence[CutRow]) -> Sheet:
    whens = [f"{name}, {when}" for name in CUT_METRICS for when in ("before", "after")]
    return Sheet(
        key="outside_cord",
        title="Means before and after voxels outside the cord mask are removed",
        header=("Arm", "Cases", "Removed, mm³", *whens),
        rows=tuple(
            (r.arm, r.cases, r.removed_mm3, *(x for pair in r.pairs for x in pair))
            for r in rows
        ),
    )


def table_coarser(rows: Sequence[CoarserRow]) -> Sheet:
    return Sheet(
        key="coarser",
        title="Predicted again from the same images with longer voxels",
        header=("Arm", "Voxels longer, in slices × across", "Cases", "Dice", "SD",
                "F1", "Dice lost"),
        rows=tuple((r.arm, r.factors, r.cases, r.dice, r.sd, r.f1, r.lost)
                   for r in rows),
        text=2,
    )  # fmt: skip
