"""Describes the images of a test set: who, where, how acquired, how fine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ratings.statistics.sheets import Sheet, SheetCell, spread
from ratings.statistics.table import natural

NOT_GIVEN = "not given"


@dataclass(frozen=True, kw_only=True)
class CaseFacts:
    """What is known of one image; `zooms` are mm along R–L, A–P and S–I."""

    case: str
    zooms: tuple[float, float, float]
    site: str = NOT_GIVEN
    participant: str = ""
    field_strength: str = NOT_GIVEN
    contrast: str = NOT_GIVEN
    acquisition: str = NOT_GIVEN
    orientation: str = NOT_GIVEN


def find_plane(zooms: Sequence[float]) -> str:
    """The plane of acquisition, from the thickest direction; 3-D when none stands out.

    A direction stands out when it is more than 1.5 times as thick as the next.
    """
    order = sorted(range(3), key=lambda axis: zooms[axis])
    if zooms[order[2]] <= 1.5 * zooms[order[1]]:
        return "3D"
    return ("sagittal", "coronal", "axial")[order[2]]


def table_test_set(cases: Sequence[CaseFacts], *, absent: str = "") -> Sheet:
    """Table 1: one row for each combination of site, field, contrast, acquisition.

    `absent` says which cases are no part of the test set.
    """
    groups: dict[tuple[str, ...], list[CaseFacts]] = {}
    for case in cases:
        key = (case.site, case.field_strength, case.contrast, case.acquisition)
        groups.setdefault(key, []).append(case)
    ordered = sorted(groups, key=lambda key: [natural(part) for part in key])
    lines = [describe(key, groups[key]) for key in ordered]
    if len(lines) > 1:
        lines.append(describe(("all", "", "", ""), list(cases)))
    return Sheet(
        key="test_set", title="The test set",
        header=("Site", "Field strength", "Contrast", "Acquisition", "Orientation",
                "Participants", "R–L (mm)", "A–P (mm)", "S–I (mm)", "Images"),
        rows=tuple(lines),
        notes=("Resolution is mean ± SD along right–left, anterior–posterior and "
               "superior–inferior (RPI order). Orientation is that of the stored "
               "files, letters naming the positive ends.",
               *([absent] if absent else [])),
        text=5,
    )  # fmt: skip


def describe(key: tuple[str, ...], cases: list[CaseFacts]) -> tuple[SheetCell, ...]:
    stored = Counter(case.orientation for case in cases)
    orientation = ", ".join(name for name, _ in stored.most_common())
    people = len({case.participant or case.case for case in cases})
    sizes = (spread(case.zooms[axis] for case in cases) for axis in range(3))
    return (*key, orientation, people, *sizes, len(cases))


def count_flow(cases: Sequence[CaseFacts]) -> dict[tuple[str, str, str], int]:
    """Figure 1: how many images go from site over acquisition to contrast."""
    paths = Counter((case.site, case.acquisition, case.contrast) for case in cases)
    return {
        path: paths[path] for path in sorted(paths, key=lambda p: [*map(natural, p)])
    }
