"""The draw: complete, balanced, apart, repeatable, and secret without its seed."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratings.allocation import (
    CALIBRATION,
    CONTROL,
    MAIN,
    REPEAT,
    Allocation,
    Burden,
    Design,
    Material,
    Placement,
    allocate,
    allocate_late,
    bound_distance,
    count_masks,
    list_firsts,
    make_picker,
    shuffle,
)
from ratings.allocation.balance import draw_late_row
from ratings.allocation.order import reach_distance
from ratings.allocation.shortfalls import Shortfall, write_notes


def make_material(cases: int, arms: int) -> Material:
    return Material(
        cases=tuple(f"C{n:03d}" for n in range(cases)),
        arms=tuple(f"arm{n}" for n in range(arms)),
    )


def name_raters(count: int) -> list[str]:
    return [f"R{n:02d}" for n in range(count)]


def draw(
    *,
    raters: int,
    cases: int,
    arms: int,
    design: Design | None = None,
    seed: str = "seed",
) -> Allocation:
    return allocate(
        material=make_material(cases, arms),
        raters=name_raters(raters),
        design=design or Design(),
        seed=seed,
    )


def find_firsts(placements: Sequence[Placement]) -> dict[tuple[str, str], str]:
    first: dict[tuple[str, str], str] = {}
    for p in sorted(placements, key=lambda p: (p.position, p.slot)):
        if p.kind == MAIN:
            first.setdefault((p.rater, p.case), p.arm)
    return first


def spread_of(counts: Counter[str], arms: int) -> int:
    times = [counts[f"arm{n}"] for n in range(arms)]
    return max(times) - min(times)


def by_rater(allocation: Allocation) -> dict[str, list[Placement]]:
    orders: dict[str, list[Placement]] = defaultdict(list)
    for p in allocation.placements:
        orders[p.rater].append(p)
    return orders


designs = st.builds(
    Design,
    mode=st.sampled_from(["single", "sequential", "side_by_side"]),
    min_distance=st.integers(1, 30),
    repeat_percent=st.integers(0, 30),
    session_maximum=st.sampled_from([0, 1, 7, 40]),
    control_bad=st.integers(0, 3),
    control_empty=st.integers(0, 3),
)
seeds = st.text("0123456789abcdef", min_size=8, max_size=8)
small = st.tuples(st.integers(1, 16), st.integers(1, 30), st.integers(1, 5))
whole = st.tuples(st.integers(1, 16), st.integers(1, 200), st.integers(1, 5))


def check_everything(size: tuple[int, int, int], design: Design, seed: str) -> None:
    """All that an allocation promises, whatever its size and design."""
    raters, cases, arms = size
    allocation = draw(raters=raters, cases=cases, arms=arms, design=design, seed=seed)
    check_completeness(allocation, size)
    check_balance(allocation, arms, paired=design.paired)
    check_distances(allocation, design)
    check_extras(allocation, size, design)
    check_sessions(allocation, design)


@settings(max_examples=60, deadline=None)
@given(small, designs, seeds)
def test_every_promise_holds_for_small_studies(
    size: tuple[int, int, int], design: Design, seed: str
) -> None:
    check_everything(size, design, seed)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(whole, designs, seeds)
def test_every_promise_holds_for_studies_of_any_size(
    size: tuple[int, int, int], design: Design, seed: str
) -> None:
    check_everything(size, design, seed)


def check_completeness(allocation: Allocation, size: tuple[int, int, int]) -> None:
    """Every rater sees every mask once, and a position is one case's."""
    raters, cases, arms = size
    main = [p for p in allocation.placements if p.kind == MAIN]
    seen = Counter((p.rater, p.case, p.arm) for p in main)
    assert len(seen) == len(main) == raters * cases * arms
    for placements in by_rater(allocation).values():
        positions = sorted({p.position for p in placements})
        assert positions == list(range(1, len(positions) + 1))
        assert len({(p.position, p.case) for p in placements}) == len(positions)


def check_balance(allocation: Allocation, arms: int, *, paired: bool) -> None:
    """Each arm first equally often, per rater and per case; each side as well."""
    per_rater: dict[str, Counter[str]] = defaultdict(Counter)
    per_case: dict[str, Counter[str]] = defaultdict(Counter)
    for (rater, case), arm in find_firsts(allocation.placements).items():
        per_rater[rater][arm] += 1
        per_case[case][arm] += 1
    spreads = [spread_of(c, arms) for c in (*per_rater.values(), *per_case.values())]
    assert max(spreads) <= 1
    assert allocation.spread_raters <= 1
    assert allocation.spread_cases <= 1
    if paired:
        sides: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        for p in allocation.placements:
            if p.kind == MAIN:
                sides[p.rater, p.slot][p.arm] += 1
        assert max(spread_of(counts, arms) for counts in sides.values()) <= 1


def check_distances(allocation: Allocation, design: Design) -> None:
    """No two showings of a case nearer than what was reached, and that is the most."""
    reached = []
    for placements in by_rater(allocation).values():
        places: dict[str, list[int]] = defaultdict(list)
        for position, case in sorted({(p.position, p.case) for p in placements}):
            places[case].append(position)
        gaps = [b - a for own in places.values() for a, b in pairwise(own)]
        assert all(gap >= allocation.distance for gap in gaps)
        counts = {case: len(own) for case, own in places.items()}
        reached.append(reach_distance(counts, design.min_distance))
    assert allocation.distance == min(reached)
    said = any("no order does better" in note for note in allocation.notes)
    assert said == (allocation.distance < design.min_distance)


def check_extras(
    allocation: Allocation, size: tuple[int, int, int], design: Design
) -> None:
    """So many repeats and controls; a repeat comes after what it repeats."""
    _, cases, arms = size
    units = cases if design.paired else cases * arms
    for placements in by_rater(allocation).values():
        repeats = {p.position for p in placements if p.kind == REPEAT}
        assert len(repeats) == (units * design.repeat_percent + 50) // 100
        main = {(p.case, p.arm): p for p in placements if p.kind == MAIN}
        for p in placements:
            if p.kind == REPEAT:
                original = main[p.case, p.arm]
                assert p.position >= original.position + allocation.distance
                assert p.repeat == 1
                assert not design.paired or arms == 1 or p.slot != original.slot
        controls = {p.position for p in placements if p.kind == CONTROL}
        wanted = min(design.control_bad, cases) + min(design.control_empty, cases)
        assert len(controls) == wanted


def check_sessions(allocation: Allocation, design: Design) -> None:
    """No session is longer than the longest, and they differ by one at most."""
    for placements in by_rater(allocation).values():
        lengths = Counter(
            session for session, _ in {(p.session, p.position) for p in placements}
        )
        assert sorted(lengths) == list(range(1, len(lengths) + 1))
        if design.session_maximum:
            assert max(lengths.values()) <= design.session_maximum
        else:
            assert len(lengths) == 1
        assert max(lengths.values()) - min(lengths.values()) <= 1


@settings(max_examples=30, deadline=None)
@given(small, st.data())
def test_cases_left_out_for_a_rater_stay_out_and_balance_holds(
    size: tuple[int, int, int], data: st.DataObject
) -> None:
    raters, cases, arms = size
    known = make_material(cases, arms)
    some = st.lists(st.sampled_from(known.cases), max_size=cases // 2, unique=True)
    excluded = {rater: tuple(data.draw(some)) for rater in name_raters(raters)}
    allocation = allocate(
        material=Material(known.cases, known.arms, excluded),
        raters=name_raters(raters),
        design=Design(repeat_percent=10, control_bad=1),
        seed=data.draw(seeds),
    )
    for p in allocation.placements:
        assert p.case not in excluded[p.rater]
    check_balance(allocation, arms, paired=False)


@settings(max_examples=30, deadline=None)
@given(small, seeds, st.integers(1, 4))
def test_later_raters_change_nobodys_order_and_get_the_best_balance(
    size: tuple[int, int, int], seed: str, more: int
) -> None:
    raters, cases, arms = size
    material = make_material(cases, arms)
    placements = list(draw(raters=raters, cases=cases, arms=arms, seed=seed).placements)
    before = list(placements)
    for n in range(more):
        late = allocate_late(
            earlier=placements, rater=f"R{raters + n:02d}", material=material,
            design=Design(), seed=seed,
        )  # fmt: skip
        placements += late.placements
        assert {p.rater for p in late.placements} == {f"R{raters + n:02d}"}
        assert late.spread_raters <= 1
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for case, arm in list_firsts(placements):
            counts[case][arm] += 1
        assert late.spread_cases == max(spread_of(c, arms) for c in counts.values())
    assert placements[: len(before)] == before


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(2, 3), st.data())
def test_a_late_row_is_the_best_of_all_balanced_rows(
    cases: int, arms: int, data: st.DataObject
) -> None:
    counts = st.lists(st.integers(0, 4), min_size=arms, max_size=arms)
    seen = data.draw(st.lists(counts, min_size=cases, max_size=cases))
    row = draw_late_row(seen=seen, arms=arms, pick=make_picker(data.draw(seeds), "x"))

    def cost(row: Sequence[int]) -> int:
        return sum(seen[case][arm] for case, arm in enumerate(row))

    def balanced(row: Sequence[int]) -> bool:
        times = [row.count(arm) for arm in range(arms)]
        return max(times) - min(times) <= 1

    every: list[list[int]] = [[]]
    for _ in range(cases):
        every = [[*row, arm] for row in every for arm in range(arms)]
    assert balanced(row)
    assert cost(row) == min(cost(r) for r in every if balanced(r))


@st.composite
def practising(draw: st.DrawFn) -> tuple[Material, Design]:
    """Practice on chosen cases and on two others; any of the cases may be empty."""
    known = make_material(draw(st.integers(1, 12)), draw(st.integers(1, 4)))
    some = st.sets(st.sampled_from(known.cases)).map(lambda found: tuple(sorted(found)))
    row = st.tuples(
        st.sampled_from([*known.cases, "left-out-1", "left-out-2"]),
        st.sampled_from(known.arms),
    )
    rows = draw(st.lists(row, max_size=6, unique=True))
    material = replace(known, empty_cases=draw(st.one_of(st.none(), some)))
    return material, replace(draw(designs), calibration=tuple(rows))


@settings(max_examples=300, deadline=None)
@given(practising())
def test_the_burden_that_is_told_is_what_is_drawn(
    planned: tuple[Material, Design],
) -> None:
    material, design = planned
    drawn = allocate(material=material, raters=["R01"], design=design, seed="seed")
    kinds = Counter(p.kind for p in drawn.placements)
    assert count_masks(material=material, design=design) == Burden(
        main=kinds[MAIN], repeats=kinds[REPEAT], controls=kinds[CONTROL],
        calibration=kinds[CALIBRATION],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("practised", "main", "controls"),
    [((), 24, 2), (("C000",), 22, 1), (("left-out",), 24, 2)],
)
def test_practice_takes_cases_from_the_burden_only_where_they_are_its_own(
    practised: tuple[str, ...], main: int, controls: int
) -> None:
    material = replace(make_material(12, 2), empty_cases=("C000", "C001"))
    design = Design(
        control_empty=3, calibration=tuple((case, "arm0") for case in practised)
    )
    told = count_masks(material=material, design=design)
    assert (told.main, told.controls) == (main, controls)
    assert told.calibration == len(practised)


def test_calibration_comes_first_in_the_given_order_and_is_not_scored_again() -> None:
    design = Design(
        calibration=(("C003", "arm1"), ("C001", "arm0")), repeat_percent=30,
        control_bad=2, session_maximum=5,
    )  # fmt: skip
    allocation = draw(raters=2, cases=8, arms=2, design=design)
    for placements in by_rater(allocation).values():
        head = [(p.case, p.arm, p.kind) for p in placements[:2]]
        assert head == [
            ("C003", "arm1", "calibration"),
            ("C001", "arm0", "calibration"),
        ]
        assert not {"C003", "C001"} & {p.case for p in placements[2:]}
        assert {p.session for p in placements[:2]} == {1}


def test_in_pair_modes_a_control_stands_beside_a_real_mask() -> None:
    design = Design(mode="side_by_side", control_bad=2, control_empty=1)
    allocation = draw(raters=3, cases=9, arms=2, design=design)
    shown: dict[tuple[str, int], set[str]] = defaultdict(set)
    for p in allocation.placements:
        if p.kind == CONTROL:
            shown[p.rater, p.position].add(p.arm)
    assert len(shown) == 9
    for arms in shown.values():
        assert len(arms) == 2
        assert len(arms & {"control-bad", "control-empty"}) == 1


def test_all_raters_get_the_same_controls() -> None:
    allocation = draw(
        raters=4, cases=20, arms=2, design=Design(control_bad=2, control_empty=2)
    )
    chosen = {
        rater: {(p.case, p.arm) for p in placements if p.kind == CONTROL}
        for rater, placements in by_rater(allocation).items()
    }
    assert len({frozenset(pairs) for pairs in chosen.values()}) == 1


def test_an_empty_control_is_put_where_there_is_something() -> None:
    known = make_material(12, 2)
    allocation = allocate(
        material=Material(known.cases, known.arms, {}, empty_cases=("C004", "C007")),
        raters=["R01"],
        design=Design(control_empty=3),
        seed="s",
    )
    empty = {p.case for p in allocation.placements if p.arm == "control-empty"}
    assert empty == {"C004", "C007"}
    assert "3 empty masks were to be mixed in" in allocation.notes[0]
    assert "2 could be" in allocation.notes[0]


def test_it_says_plainly_when_the_distance_cannot_be_kept() -> None:
    allocation = draw(raters=1, cases=2, arms=2)
    assert allocation.distance == 2
    assert "with 2 cases no order does better than 2" in allocation.notes[0]
    assert draw(raters=1, cases=20, arms=2).notes == ()


@settings(max_examples=200, deadline=None)
@given(practising())
def test_no_draw_keeps_a_greater_distance_than_was_foretold(
    planned: tuple[Material, Design],
) -> None:
    material, design = planned
    bound = bound_distance(material=material, design=design)
    drawn = allocate(material=material, raters=["R01"], design=design, seed="seed")
    if bound is None:
        return
    assert drawn.distance <= bound < design.min_distance
    told = count_masks(material=material, design=design)
    assert told.repeats or told.controls or drawn.distance == bound


def test_one_sentence_names_who_has_which_distance_and_why() -> None:
    plain, crowded = (
        Shortfall("distance", 10, 2, 2),
        Shortfall("distance", 10, 1, 2, "hidden repeats and controls"),
    )
    found = {"R01": [plain], "R02": [crowded], "R03": [plain], "R04": []}
    assert write_notes(found, shown="masks") == (
        "The masks of one case were to stand at least 10 positions apart; no order "
        "does better than these, which were used: 2 for R01 and R03, with 2 "
        "cases; 1 for R02, with 2 cases and hidden repeats and controls.",
    )
    alike = write_notes({"R01": [crowded], "R02": [crowded]}, shown="showings")
    assert alike == (
        "The showings of one case were to stand at least 10 positions apart; with 2 "
        "cases and hidden repeats and controls no order does better than 1, which was "
        "used.",
    )
    few = {"R01": [Shortfall("empty", 3, 2, 5)], "R02": [Shortfall("empty", 3, 1, 4)]}
    assert write_notes(few, shown="masks") == (
        "3 empty masks were to be mixed in as controls; with the cases that there are, "
        "fewer could be: 2 for R01; 1 for R02.",
    )


def test_what_is_shown_again_is_blamed_only_where_it_is_why() -> None:
    crowded = Design(repeat_percent=30, control_bad=1)
    (note,) = draw(raters=1, cases=2, arms=2, design=crowded, seed="2").notes
    assert "with 2 cases and hidden repeats and controls no order" in note
    (note,) = draw(raters=3, cases=4, arms=2).notes
    assert "with 4 cases no order does better than 4" in note


def test_repeats_are_spread_over_arms_and_cases() -> None:
    allocation = draw(raters=3, cases=20, arms=2, design=Design(repeat_percent=20))
    for placements in by_rater(allocation).values():
        repeats = [p for p in placements if p.kind == REPEAT]
        assert Counter(p.arm for p in repeats) == {"arm0": 4, "arm1": 4}
        assert len({p.case for p in repeats}) == 8


def test_the_same_seed_draws_the_same_order_and_another_seed_another() -> None:
    assert draw(raters=3, cases=9, arms=2) == draw(raters=3, cases=9, arms=2)
    other = draw(raters=3, cases=9, arms=2, seed="other")
    assert draw(raters=3, cases=9, arms=2) != other


def test_the_order_of_upload_has_no_influence() -> None:
    names, arms = [f"C{n}" for n in range(8)], ["a", "b"]
    one, two = (
        allocate(
            material=Material(tuple(names[::step]), tuple(arms[::step])),
            raters=["R01", "R02"][::step],
            design=Design(min_distance=3, repeat_percent=10, control_bad=1),
            seed="s",
        )
        for step in (1, -1)
    )
    assert one == two


def test_the_second_half_is_not_a_repetition_of_the_first() -> None:
    order = [p.case for p in draw(raters=1, cases=40, arms=2).placements]
    halves = order[:40], order[40:]
    assert len(set(halves[0])) < 40
    assert halves[0] != halves[1]


def test_which_arm_is_first_is_fair_over_many_draws() -> None:
    firsts = Counter(
        arm
        for n in range(50)
        for arm in find_firsts(
            draw(raters=6, cases=9, arms=2, seed=str(n)).placements
        ).values()
    )
    share = firsts["arm0"] / sum(firsts.values())
    assert share == pytest.approx(0.5, abs=0.02)


def correlate(rows: Sequence[int], cases: int) -> float:
    """The greatest |correlation| between two raters' first arms, a bit a case."""
    return max(
        abs(cases - 2 * (rows[i] ^ rows[j]).bit_count()) / cases
        for i in range(len(rows))
        for j in range(i)
    )


@pytest.mark.parametrize("raters", [6, 8])
def test_raters_first_arms_are_independent(raters: int) -> None:
    """A permutation test (p > 1e-3) of the greatest correlation between two raters."""
    cases = 60
    first = find_firsts(draw(raters=raters, cases=cases, arms=2).placements)
    rows = [
        sum((first[rater, f"C{c:03d}"] == "arm0") << c for c in range(cases))
        for rater in name_raters(raters)
    ]
    rng = random.Random(1)
    reference = [
        [sum(1 << c for c in rng.sample(range(cases), cases // 2)) for _ in rows]
        for _ in range(2000)
    ]
    seen = correlate(rows, cases)
    larger = sum(correlate(chance, cases) >= seen for chance in reference)
    assert larger / len(reference) > 1e-3


def test_the_generator_is_the_documented_one() -> None:
    # SHA-256("abc/first/0") begins with these eight bytes
    number = int.from_bytes(hashlib.sha256(b"abc/first/0").digest()[:8], "big")
    assert make_picker("abc", "first")(1000) == number % 1000


def test_shuffling_gives_every_order_about_equally_often() -> None:
    pick = make_picker("fair", "shuffle")
    counts = Counter(tuple(shuffle("abc", pick)) for _ in range(6000))
    assert len(counts) == 6
    assert all(880 < n < 1120 for n in counts.values())
