"""One rater's order: calibration, then main showings, hidden repeats and controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ratings.allocation.balance import arrange
from ratings.allocation.draws import Pick, make_picker, shuffle
from ratings.allocation.order import order_cases, reach_distance, split_sessions
from ratings.allocation.plan import (
    BAD,
    CALIBRATION,
    CONTROL,
    EMPTY,
    MAIN,
    REPEAT,
    Design,
    Material,
    Placement,
)
from ratings.allocation.shortfalls import (
    DISTANCE,
    EMPTY_MASKS,
    MISPLACED,
    Shortfall,
)


@dataclass(frozen=True)
class Showing:
    """What one position shows: the arms of a case from the first side to the last."""

    case: str
    arms: tuple[str, ...]
    kind: str = MAIN
    repeat: int = 0


@dataclass(frozen=True)
class Order:
    """One rater's placements, the least distance kept, and what could not be met."""

    placements: tuple[Placement, ...]
    distance: int
    shortfalls: tuple[Shortfall, ...]


def allocate_rater(
    *,
    rater: str,
    first: Mapping[str, str],
    material: Material,
    design: Design,
    seed: str,
) -> Order:
    """One rater's placements; `first` says which arm of a case has the first place."""
    pick = make_picker(seed, f"order/{rater}")
    arms = sorted(material.arms)
    orders = arrange(first=first, arms=arms, pick=pick)
    main = list_main(orders, paired=design.paired)
    repeats = draw_repeats(main, design=design, pick=pick)
    controls, missing = draw_controls(
        cases=sorted(first), material=material, design=design, seed=seed, pick=pick
    )
    counts = count_showings(main, repeats, controls)
    distance = reach_distance(counts, design.min_distance)
    close = find_closeness(main, repeats, controls, wanted=design.min_distance)
    sequence = order_cases(counts=counts, distance=distance, pick=pick)
    body = fill(sequence, [*main, *repeats], controls, pick)
    head = list_calibration(design, arms, pick)
    placements = place(rater, [*head, *body], design.session_maximum)
    return Order(tuple(placements), distance, (*close, *missing))


def count_showings(*showings: Sequence[Showing]) -> Counter[str]:
    return Counter(showing.case for some in showings for showing in some)


def find_closeness(
    main: Sequence[Showing],
    repeats: Sequence[Showing],
    controls: Sequence[Showing],
    *,
    wanted: int,
) -> tuple[Shortfall, ...]:
    """Why showings of a case stand nearer than wanted, if they do."""
    counts = count_showings(main, repeats, controls)
    distance = reach_distance(counts, wanted)
    if distance >= wanted:
        return ()
    again = {"hidden repeats": repeats, "controls": controls}
    alone = reach_distance(count_showings(main), wanted)
    crowded = [name for name, shown in again.items() if shown and alone > distance]
    return (Shortfall(DISTANCE, wanted, distance, len(counts), " and ".join(crowded)),)


def list_main(orders: Mapping[str, Sequence[str]], *, paired: bool) -> list[Showing]:
    if paired:
        return [Showing(case, tuple(arms)) for case, arms in orders.items()]
    return [Showing(case, (arm,)) for case, arms in orders.items() for arm in arms]


def draw_repeats(
    main: Sequence[Showing], *, design: Design, pick: Pick
) -> list[Showing]:
    """So many per cent of the main showings again, spread over arms and cases evenly.

    In the pair modes a repeat turns the sides on by one, so that no side is favoured.
    """
    wanted = (len(main) * design.repeat_percent + 50) // 100
    waiting: dict[str, list[Showing]] = {}
    for showing in shuffle(main, pick):
        waiting.setdefault(showing.arms[0], []).append(showing)
    chosen: list[Showing] = []
    uses: Counter[str] = Counter()
    while len(chosen) < wanted:
        for arm in shuffle(sorted(waiting), pick):
            if waiting[arm] and len(chosen) < wanted:
                best = min(waiting[arm], key=lambda s: uses[s.case])
                waiting[arm].remove(best)
                uses[best.case] += 1
                chosen.append(best)
    return [
        replace(s, arms=(*s.arms[1:], s.arms[0]), kind=REPEAT, repeat=1) for s in chosen
    ]


def draw_controls(
    *,
    cases: Sequence[str],
    material: Material,
    design: Design,
    seed: str,
    pick: Pick,
) -> tuple[list[Showing], tuple[Shortfall, ...]]:
    """Controls on the same cases for all raters, as far as each may see them."""
    usual = shuffle(sorted(material.cases), make_picker(seed, "controls"))
    allowed = [case for case in usual if case in cases]
    fit = set(material.cases if material.empty_cases is None else material.empty_cases)
    bad = allowed[: design.control_bad]
    rest = [*allowed[design.control_bad :], *bad]
    empty = [case for case in rest if case in fit][: design.control_empty]
    missing = tuple(
        Shortfall(kind, wanted, got, len(cases))
        for kind, got, wanted in (
            (MISPLACED, len(bad), design.control_bad),
            (EMPTY_MASKS, len(empty), design.control_empty),
        )
        if got < wanted
    )
    arms = sorted(material.arms)
    showings = []
    for arm, chosen in ((BAD, bad), (EMPTY, empty)):
        for case in chosen:
            shown = [arm]
            if design.paired:
                shown = shuffle([arm, *shuffle(arms, pick)[1:]], pick)
            showings.append(Showing(case, tuple(shown), CONTROL))
    return showings, missing


def fill(
    sequence: Sequence[str],
    showings: Sequence[Showing],
    controls: Sequence[Showing],
    pick: Pick,
) -> list[Showing]:
    """Put the showings of each case into the places of the case, in their order.

    Main showings keep the drawn order of arms; a repeat comes at a random place after
    the showing that it repeats; controls come anywhere.
    """
    queues: dict[str, list[Showing]] = {case: [] for case in sequence}
    for showing in showings:
        queue = queues[showing.case]
        if showing.kind == REPEAT:
            start = 1 + find_original(queue, showing)
            queue.insert(start + pick(len(queue) - start + 1), showing)
        else:
            queue.append(showing)
    for showing in controls:
        queue = queues[showing.case]
        queue.insert(pick(len(queue) + 1), showing)
    return [queues[case].pop(0) for case in sequence]


def find_original(queue: Sequence[Showing], showing: Showing) -> int:
    return next(
        n for n, s in enumerate(queue)
        if s.kind == MAIN and set(s.arms) == set(showing.arms)
    )  # fmt: skip


def list_calibration(design: Design, arms: Sequence[str], pick: Pick) -> list[Showing]:
    """The calibration items in the coordinator's order; in pair modes a case once."""
    if not design.paired:
        return [Showing(case, (arm,), CALIBRATION) for case, arm in design.calibration]
    cases = dict.fromkeys(case for case, _ in design.calibration)
    return [Showing(case, tuple(shuffle(arms, pick)), CALIBRATION) for case in cases]


def place(
    rater: str, showings: Sequence[Showing], session_maximum: int
) -> list[Placement]:
    sessions = split_sessions(len(showings), session_maximum)
    return [
        Placement(
            rater=rater, position=position, case=showing.case, arm=arm, slot=slot,
            kind=showing.kind, repeat=showing.repeat, session=session,
        )
        for position, (showing, session) in enumerate(
            zip(showings, sessions, strict=True), 1
        )
        for slot, arm in enumerate(showing.arms)
    ]  # fmt: skip
