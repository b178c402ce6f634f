"""Lists every lesion of either mask: its size, its level, and whether it was found."""

from __future__ import annotations

from collections.abc import Iterable

from ratings.statistics.segmentation import Lesion
from ratings.statistics.sheets import Sheet

HEADER = ("case", "arm", "side", "number", "voxels", "mm3", "overlap", "matched",
          "level", "x", "y", "z")  # fmt: skip


def table_lesions(lesions: Iterable[tuple[str, str, Lesion]]) -> Sheet:
    """One row a lesion of (case, arm, lesion); without a map of levels no level."""
    return Sheet(
        key="lesions", title="Every lesion of either mask", header=HEADER, text=3,
        rows=tuple(
            (case, arm, one.side, one.number, one.voxels, one.mm3, one.overlap,
             int(one.matched), one.level, *one.centre)
            for case, arm, one in lesions
        ),
    )  # fmt: skip
