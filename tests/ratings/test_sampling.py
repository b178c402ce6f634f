"""The draw of cases: no case is lost in silence, and chance is in the seed alone."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings.sampling import (
    EXCLUSIONS,
    NOT_DRAWN,
    Candidate,
    Rule,
    RuleRefused,
    draw,
    share_out,
    tell,
)

CONTRASTS = ("T2w", "UNIT1", "STIR", "PSIR")


def make_pool(count: int, *, seed: int = 0) -> list[Candidate]:
    rng = random.Random(seed)
    return [
        Candidate(
            label=f"C{n:03d}",
            strata={"contrast": rng.choice(CONTRASTS), "site": rng.choice("AB")},
            volumes={
                "manual": rng.choice((None, 0.0, 40.0, 900.0)),
                "model": rng.choice((0.0, 35.0)),
            },
            noticed=rng.random() < 0.1,
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
    assert set(drawn.left_out.values()) <= {NOT_DRAWN, *EXCLUSIONS.values()}
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
    assert "Of 3 available cases 1 were excluded" in text
    assert "lacks a mask of one source, 0" in text
    assert "selects on what is compared" in text


def test_the_text_names_strata_seed_and_earlier_draws() -> None:
    rule = Rule(mode="proportional", size=10, by=("contrast",), minimum=1)
    drawn = draw(make_pool(40), rule, seed="5eed")
    text = tell(drawn, rule, seed="5eed", number=3)
    for part in ("stratified by contrast", "at least 1 of each", "seed 5eed",
                 "after 2 earlier draws", "T2w"):  # fmt: skip
        assert part in text


def test_a_rule_that_takes_nobody_is_refused() -> None:
    rule = Rule(exclude=("any_empty",))
    with pytest.raises(RuleRefused, match="no case at all"):
        draw([Candidate("C1", volumes={"manual": 0.0})], rule, seed="s")
