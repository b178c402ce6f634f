"""The order of one rater: showings of a case stand apart, otherwise by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ratings.allocation.draws import Pick, shuffle

SWAPS_PER_ENTRY = 20


def reach_distance(counts: Mapping[str, int], wanted: int) -> int:
    """The greatest distance up to `wanted` that some order of these showings keeps.

    With `most` showings of each of `often` cases the last of them can't come before
    position (most − 1) · distance + often; that is the only limit.
    """
    most = max(counts.values(), default=0)
    if most < 2:
        return wanted
    often = sum(count == most for count in counts.values())
    return min(wanted, (sum(counts.values()) - often) // (most - 1))


def order_cases(*, counts: Mapping[str, int], distance: int, pick: Pick) -> list[str]:
    """Each case as often as `counts` says, its showings at least `distance` apart.

    Starts from an order that keeps the distance and exchanges random positions
    whenever the distance allows it.
    """
    sequence = spread(counts, distance, pick)
    places: dict[str, list[int]] = {case: [] for case in counts}
    for position, case in enumerate(sequence):
        places[case].append(position)
    for _ in range(SWAPS_PER_ENTRY * len(sequence)):
        exchange(sequence, places, pick(len(sequence)), pick(len(sequence)), distance)
    return sequence


def spread(counts: Mapping[str, int], distance: int, pick: Pick) -> list[str]:
    """At each position, of the cases that are far enough, one with the most to come."""
    left = Counter({case: counts[case] for case in shuffle(sorted(counts), pick)})
    sequence: list[str] = []
    total = sum(left.values())
    while len(sequence) < total:
        near = set(sequence[max(0, len(sequence) - distance + 1) :])
        free = [case for case, count in left.items() if count and case not in near]
        case = max(free, key=left.__getitem__)
        sequence.append(case)
        left[case] -= 1
    return sequence


def exchange(
    sequence: list[str], places: dict[str, list[int]], i: int, j: int, distance: int
) -> None:
    a, b = sequence[i], sequence[j]
    if a == b or not (
        keeps_distance(places[a], i, j, distance)
        and keeps_distance(places[b], j, i, distance)
    ):
        return
    sequence[i], sequence[j] = b, a
    places[a][places[a].index(i)] = j
    places[b][places[b].index(j)] = i


def keeps_distance(places: Sequence[int], old: int, new: int, distance: int) -> bool:
    return all(abs(p - new) >= distance for p in places if p != old)


def split_sessions(length: int, maximum: int) -> list[int]:
    """The session (from 1) of each position; few, and of about equal length."""
    if not length:
        return []
    sessions = -(-length // maximum) if maximum else 1
    return [1 + position * sessions // length for position in range(length)]
