"""Words for what the draw could not give: how far apart masks stand, and controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DISTANCE, MISPLACED, EMPTY_MASKS = "distance", "misplaced", "empty"


@dataclass(frozen=True)
class Shortfall:
    """What one rater's order has less of than was wanted, in how many cases.

    `crowded` names what is shown again where that alone made a distance smaller.
    """

    kind: str
    wanted: int
    got: int
    cases: int
    crowded: str = ""


def write_notes(
    found: Mapping[str, Sequence[Shortfall]], *, shown: str
) -> tuple[str, ...]:
    """A sentence a kind over all raters; whom it concerns is named if not all alike.

    `shown` is what stands apart: "masks", or "showings" where nothing else is.
    """
    notes = []
    for kind in (DISTANCE, MISPLACED, EMPTY_MASKS):
        groups: dict[Shortfall, list[str]] = {}
        for rater, shortfalls in found.items():
            for one in shortfalls:
                if one.kind == kind:
                    groups.setdefault(one, []).append(rater)
        if groups:
            alike = len(groups) == 1 and sum(map(len, groups.values())) == len(found)
            tell = tell_distance if kind == DISTANCE else tell_controls
            notes.append(tell({} if alike else groups, next(iter(groups)), shown))
    return tuple(notes)


Groups = Mapping[Shortfall, Sequence[str]]


def tell_distance(groups: Groups, one: Shortfall, shown: str) -> str:
    start = (
        f"The {shown} of one case were to stand at least {one.wanted} positions apart;"
    )
    if not groups:
        cases = count_cases(one)
        return (
            f"{start} with {cases} no order does better than {one.got}, which was used."
        )
    parts = [
        f"{each.got} for {join(raters)}, with {count_cases(each)}"
        for each, raters in groups.items()
    ]
    return (
        f"{start} no order does better than these, which were used: {'; '.join(parts)}."
    )


def tell_controls(groups: Groups, one: Shortfall, shown: str) -> str:
    start = (
        f"{one.wanted} {one.kind} masks were to be mixed in as controls; with the "
        "cases that there are,"
    )
    if not groups:
        return f"{start} {one.got} could be."
    parts = [f"{each.got} for {join(raters)}" for each, raters in groups.items()]
    return f"{start} fewer could be: {'; '.join(parts)}."


def count_cases(one: Shortfall) -> str:
    """In how many cases, and beside what is shown again."""
    cases = f"{one.cases} case{'' if one.cases == 1 else 's'}"
    return f"{cases} and {one.crowded}" if one.crowded else cases


def join(raters: Sequence[str]) -> str:
    *most, last = raters
    return f"{', '.join(most)} and {last}" if most else last
