"""Draws, from a secret seed, who sees which mask of which case at which position.

Pure: no Django, no clock, no other randomness. The generator is SHA-256 in counter
mode, so that anybody can repeat the draw in any language from the revealed seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ratings.allocation.balance import draw_first_arms, draw_late_row
from ratings.allocation.burden import (
    Burden,
    bound_distance,
    count_masks,
    list_rest,
)
from ratings.allocation.draws import make_picker, shuffle
from ratings.allocation.one_rater import allocate_rater
from ratings.allocation.plan import (
    BAD,
    CALIBRATION,
    CONTROL,
    EMPTY,
    MAIN,
    REPEAT,
    VERSION,
    Allocation,
    Design,
    Material,
    Placement,
)
from ratings.allocation.shortfalls import Shortfall, write_notes

__all__ = [
    "BAD",
    "CALIBRATION",
    "CONTROL",
    "EMPTY",
    "MAIN",
    "REPEAT",
    "VERSION",
    "Allocation",
    "Burden",
    "Design",
    "Material",
    "Placement",
    "allocate",
    "allocate_late",
    "bound_distance",
    "count_masks",
    "list_firsts",
    "make_picker",
    "name_shown",
    "shuffle",
]


def allocate(
    *, material: Material, raters: Sequence[str], design: Design, seed: str
) -> Allocation:
    """The orders of all raters who are there when the study is locked.

    Which arm of a case comes first (or stands on the first side) is drawn jointly:
    each arm equally often, within one, for every rater (over cases) and every case
    (over raters). Names are sorted first, so upload order has no influence.
    """
    raters, arms = sorted(raters), sorted(material.arms)
    cases = {rater: list_rest(material, design, rater) for rater in raters}
    everything = sorted({case for own in cases.values() for case in own})
    place = {case: n for n, case in enumerate(everything)}
    table = draw_first_arms(
        cells=[(r, place[c]) for r, rater in enumerate(raters) for c in cases[rater]],
        arms=len(arms),
        pick=make_picker(seed, "first"),
    )
    firsts = {
        rater: {case: arms[table[r, place[case]]] for case in cases[rater]}
        for r, rater in enumerate(raters)
    }
    return draw_orders(firsts, material=material, design=design, seed=seed)


def allocate_late(
    *,
    earlier: Iterable[Placement],
    rater: str,
    material: Material,
    design: Design,
    seed: str,
) -> Allocation:
    """The order of one rater who comes later; the `earlier` orders stay as they are.

    Each arm is first equally often, within one, over this rater's cases, and under
    that as evenly over all raters for every case as is still possible.
    """
    earlier, arms = list(earlier), sorted(material.arms)
    cases = list_rest(material, design, rater)
    counts = Counter(list_firsts(earlier))
    row = draw_late_row(
        seen=[[counts[case, arm] for arm in arms] for case in cases],
        arms=len(arms),
        pick=make_picker(seed, f"first/{rater}"),
    )
    first = {case: arms[k] for case, k in zip(cases, row, strict=True)}
    drawn = draw_orders({rater: first}, material=material, design=design, seed=seed)
    counts.update(first.items())
    return Allocation(
        drawn.placements, drawn.distance, drawn.notes, drawn.spread_raters,
        find_spread(counts, cases, arms),
    )  # fmt: skip


def list_firsts(placements: Iterable[Placement]) -> list[tuple[str, str]]:
    """(case, arm) of the first main showing of each case, for each rater."""
    first: dict[tuple[str, str], Placement] = {}
    for p in placements:
        known = first.get((p.rater, p.case))
        if p.kind == MAIN and (
            known is None or (p.position, p.slot) < (known.position, known.slot)
        ):
            first[p.rater, p.case] = p
    return [(p.case, p.arm) for p in first.values()]


def draw_orders(
    firsts: Mapping[str, Mapping[str, str]],
    *,
    material: Material,
    design: Design,
    seed: str,
) -> Allocation:
    placements: list[Placement] = []
    found: dict[str, tuple[Shortfall, ...]] = {}
    distances = []
    for rater, first in firsts.items():
        drawn = allocate_rater(
            rater=rater, first=first, material=material, design=design, seed=seed
        )
        placements += drawn.placements
        distances.append(drawn.distance)
        found[rater] = drawn.shortfalls
    arms = sorted(material.arms)
    per_case = Counter(
        (case, arm) for first in firsts.values() for case, arm in first.items()
    )
    per_rater = Counter(
        (rater, arm) for rater, first in firsts.items() for arm in first.values()
    )
    cases = {case for case, _ in per_case}
    return Allocation(
        placements=tuple(placements),
        distance=min(distances, default=design.min_distance),
        notes=write_notes(found, shown=name_shown(material, design)),
        spread_raters=find_spread(per_rater, firsts, arms),
        spread_cases=find_spread(per_case, cases, arms),
    )


def name_shown(material: Material, design: Design) -> str:
    """What of one case stands apart: masks, or only the same ones shown again."""
    alone = len(material.arms) > 1 and not design.paired
    return "masks" if alone else "showings"


def find_spread(
    counts: Mapping[tuple[str, str], int], lines: Iterable[str], arms: Sequence[str]
) -> int:
    """The greatest difference, over the lines, between how often two arms occur."""
    spreads = [
        max(row) - min(row)
        for line in lines
        if (row := [counts.get((line, arm), 0) for arm in arms])
    ]
    return max(spreads, default=0)
