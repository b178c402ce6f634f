"""The draw of cases: no case is lost in silence, and chance is in the seed alone."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings.draw_text import spell_bound, tell
from ratings.sampling import (
    EXCLUSIONS,
    NO_REFERENCE,
    NOT_DRAWN,
    Candidate,
    Rule,
    RuleRefused,
    draw,
    list_words,
    share_out,
)

CONTRASTS = ("T2w", "UNIT1", "STIR", "PSIR")


def make_pool(count: int, *, seed: int = 0) -> list[Candidate]:
    rng = random.Random(seed)
    return [
        Candidate(
            label=f"C{n:03d}",
            strata={
                "contrast": rng.choice(CONTRASTS),
                "site": rng.choice(("A", "unknown", "")),
            },
            volumes={
                "manual": rng.choice((None, 0.0, 40.0, 900.0)),
                "model": rng.choice((0.0, 35.0)),
            },
            noticed=rng.random() < 0.1,
            by_hand="blurred" if rng.random() < 0.1 else "",
        )
        for n in range(1, count + 1)
    ]


RULES = st.builds(
    Rule,
    mode=st.sampled_from(("every", "proportional")),
    by=st.sampled_from(((), ("contrast",), ("contrast", "site"))),
    size=st.integers(1, 25),
    minimum=st.integers(0, 3),
    exclude=st.sets(st.sampled_from(sorted(EXCLUSIONS))).map(tuple),
    reference=st.just("manual"),
    smallest=st.just(10.0),
)


@given(
    rule=RULES,
    size=st.integers(1, 60),
    seed=st.integers(0, 9),
    rng=st.randoms(use_true_random=False),
)
def test_every_case_is_drawn_or_has_its_reason_whatever_the_order_of_the_pool(
    rule: Rule, size: int, seed: int, rng: random.Random
) -> None:
    pool = make_pool(size, seed=seed)
    try:
        drawn = draw(pool, rule, seed="ab")
    except RuleRefused:
        return
    labels = {case.label for case in pool}
    assert set(drawn.chosen) | set(drawn.left_out) == labels
    assert not set(drawn.chosen) & set(drawn.left_out)
    assert set(drawn.left_out.values()) <= {NOT_DRAWN, "blurred", *list_words(rule)}
    assert sum(row.drawn for row in drawn.strata) == len(drawn.chosen)
    assert sum(row.pool for row in drawn.strata) == len(pool)
    assert sum(drawn.count_reasons().values()) == sum(r.excluded for r in drawn.strata)
    if rule.mode == "proportional":
        assert len(drawn.chosen) == rule.size
        assert all(row.drawn >= min(rule.minimum, row.eligible) for row in drawn.strata)
    rng.shuffle(pool)
    assert draw(pool, rule, seed="ab") == drawn


@given(
    sizes=st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 60), min_size=1),
    share=st.fractions(0, 1),
    minimum=st.integers(0, 4),
)
def test_seats_follow_the_sizes_within_what_there_is(
    sizes: dict[str, int], share: Fraction, minimum: int
) -> None:
    sizes = {name: sizes[name] for name in sorted(sizes)}
    size = int(share * sum(sizes.values()))
    least = sum(min(minimum, n) for n in sizes.values())
    if least > size:
        with pytest.raises(RuleRefused, match="lower the minimum"):
            share_out(sizes, size=size, minimum=minimum)
        return
    seats = share_out(sizes, size=size, minimum=minimum)
    assert sum(seats.values()) == size
    for name, n in sizes.items():
        assert min(minimum, n) <= seats[name] <= n
        for other, more in sizes.items():
            # nobody above the minimum could give a seat to one further behind
            if seats[name] > min(minimum, n) and seats[other] < more:
                assert Fraction(n, 2 * seats[name] - 1) >= Fraction(
                    more, 2 * seats[other] + 1
                )


def test_the_published_proportions_come_out() -> None:
    sizes = {"PSIR": 30, "STIR": 10, "T1w": 10, "T2star": 50, "T2w": 260, "UNIT1": 40}
    seats = share_out(sizes, size=40, minimum=1)
    assert seats == {
        "PSIR": 3, "STIR": 1, "T1w": 1, "T2star": 5, "T2w": 26, "UNIT1": 4,
    }  # fmt: skip


def test_each_case_of_a_stratum_is_drawn_equally_often() -> None:
    pool = [Candidate(f"C{n}") for n in range(10)]
    rule = Rule(mode="proportional", size=3)
    counts = Counter(
        label
        for seed in range(2000)
        for label in draw(pool, rule, seed=str(seed)).chosen
    )
    # 600 expected; the standard deviation is 20.5
    assert all(500 < counts[case.label] < 700 for case in pool)


def test_targets_are_met_exactly_or_refused_with_every_shortage() -> None:
    pool = [
        Candidate(f"C{n}", {"contrast": "T2w" if n < 6 else "T1w"}) for n in range(8)
    ]
    rule = Rule(mode="targets", by=("contrast",), targets={"T2w": 4, "T1w": 1})
    assert [(r.name, r.drawn) for r in draw(pool, rule, seed="s").strata] == [
        ("T1w", 1), ("T2w", 4),
    ]  # fmt: skip
    greedy = Rule(
        mode="targets", by=("contrast",), targets={"T2w": 7, "T1w": 3, "STIR": 1}
    )
    with pytest.raises(RuleRefused) as refusal:
        draw(pool, greedy, seed="s")
    for part in ("T2w has 6 of the 7", "T1w has 2 of the 3", "no STIR"):
        assert part in str(refusal.value)


def test_an_exclusion_is_counted_even_when_it_took_nobody() -> None:
    pool = [
        Candidate("C1", volumes={"manual": 0.0, "model": 0.0}),
        Candidate("C2", volumes={"manual": 0.0, "model": 3.0}),
        Candidate("C3", volumes={"manual": 5.0, "model": 3.0}),
    ]
    rule = Rule(exclude=("all_empty", "lacks_mask"))
    drawn = draw(pool, rule, seed="s")
    assert drawn.left_out == {"C1": EXCLUSIONS["all_empty"]}
    text = tell(drawn, rule, seed="s", number=1)
    assert "Of 3 available cases 1 was excluded" in text
    assert "lacks a mask of one source, 0" in text
    assert "selects on what is compared" in text


def test_the_text_names_strata_seed_and_earlier_draws() -> None:
    rule = Rule(mode="proportional", size=10, by=("contrast",), minimum=1)
    drawn = draw(make_pool(40), rule, seed="5eed")
    text = tell(drawn, rule, seed="5eed", number=3)
    for part in ("stratified by contrast", "at least 1 of each or all that it has",
                 "seed 5eed", "after 2 earlier draws", "T2w"):  # fmt: skip
        assert part in text


def test_a_rule_that_takes_nobody_is_refused() -> None:
    rule = Rule(exclude=("any_empty",))
    with pytest.raises(RuleRefused, match="no case at all"):
        draw([Candidate("C1", volumes={"manual": 0.0})], rule, seed="s")


def test_a_site_called_unknown_and_one_not_given_are_drawn_in_any_order() -> None:
    pool = [Candidate(f"u{n}", {"site": "unknown"}) for n in range(5)]
    pool += [Candidate(f"n{n}") for n in range(5)]
    rule = Rule(mode="proportional", by=("site",), size=5)
    assert draw(pool, rule, seed="s") == draw(pool[::-1], rule, seed="s")


def test_a_case_without_the_reference_is_not_said_to_be_out_of_the_range() -> None:
    pool = [Candidate(f"C{n}", volumes={"manual": n * 10.0}) for n in range(1, 5)]
    pool.append(Candidate("C5", volumes={"manual": None, "model": 30.0}))
    rule = Rule(exclude=("volume",), reference="manual", smallest=15)
    drawn = draw(pool, rule, seed="s")
    assert drawn.left_out == {"C1": EXCLUSIONS["volume"], "C5": NO_REFERENCE}
    text = tell(drawn, rule, seed="s", number=1)
    assert f"({EXCLUSIONS['volume']}, 1; {NO_REFERENCE}, 1)" in text
    whole = tell(draw(pool[:4], rule, seed="s"), rule, seed="s", number=1)
    assert NO_REFERENCE not in whole, "said only where it took a case"


@pytest.mark.parametrize(
    ("bound", "words"),
    [(1234567.8, "1234567.8"), (3.0, "3"), (1e-05, "0.00001"), (4e16, "4" + "0" * 16)],
)
def test_a_bound_is_printed_as_it_was_typed(bound: float, words: str) -> None:
    pool = [Candidate("C1", volumes={"manual": 5.0})]
    rule = Rule(exclude=("volume",), reference="manual", largest=max(bound, 9.0))
    text = tell(draw(pool, rule, seed="s"), rule, seed="s", number=1)
    assert f"0 to {spell_bound(max(bound, 9.0))} mm³ (manual)" in text
    assert spell_bound(bound) == words


def test_two_numbers_for_one_stratum_are_refused() -> None:
    pool = [Candidate(f"C{n}", {"site": "a\nb"}) for n in range(4)]
    twice = Rule(mode="targets", by=("site",), targets={"a b": 1, "a\nb": 2})
    with pytest.raises(RuleRefused, match="More than one number is given"):
        draw(pool, twice, seed="s")


def test_those_left_out_by_hand_are_counted_and_named_with_their_reason() -> None:
    pool = [Candidate(f"C{n:02d}", by_hand="Metal") for n in range(12)]
    pool += [Candidate("C12", by_hand="Wrong contrast"), Candidate("C13")]
    drawn = draw(pool, Rule(), seed="s")
    assert (drawn.chosen, drawn.left_out["C12"]) == (("C13",), "Wrong contrast")
    assert tell(drawn, Rule(), seed="s", number=1) == (
        "Of 14 available cases 13 were excluded (left out by hand, 13). Left out by "
        "hand: C00, C01, C02, C03, C04, C05, C06, C07, C08, C09 and 2 more (Metal); "
        "C12 (Wrong contrast). The other was taken."
    )
