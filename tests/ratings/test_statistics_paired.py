"""Signed-rank tests, effects and corrections equal their exact references."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ratings.statistics import bootstrap
from ratings.statistics.paired import (
    Zeros,
    asymptotic_p,
    biserial,
    exact_p,
    holm,
    midranks,
    preference,
    rank_sums,
    signed_rank,
)
from tests.ratings import golden

DIFFERENCES = st.lists(st.integers(-4, 4), min_size=1, max_size=12).map(
    lambda d: np.array(d, dtype=float)
)


@pytest.mark.parametrize("zeros", ["pratt", "wilcox"])
@pytest.mark.parametrize("name", golden.having("per_rater"))
def test_per_rater_tests_equal_exact_enumeration(name: str, zeros: Zeros) -> None:
    table = golden.table(name)
    d = table.difference(arm="pred", reference="manual")
    for rater, expected in golden.brute(name)["per_rater"].items():
        row = d[table.raters.index(rater)]
        result = signed_rank(row, zeros=zeros, scope="")
        assert result.n == expected["n"]
        if "reason" in expected:
            assert (result.value, result.p) == (None, None)
            assert result.reason == "all_differences_zero"
            continue
        want = expected[zeros]
        effect = want.get(
            "rank_biserial", want.get("rank_biserial_nonzero_denominator")
        )
        assert result.detail["n_zero"] == expected["n_zero"]
        assert result.detail["w_plus"] == want["W_plus"]
        assert result.detail["w_minus"] == want["W_minus"]
        assert result.p == pytest.approx(want["p_two_sided"], abs=1e-12)
        assert result.detail["p_asymptotic"] == pytest.approx(
            want["p_asymptotic"], abs=1e-9
        )
        assert biserial(rank_sums(row, zeros=zeros)) == pytest.approx(effect, abs=1e-9)


@given(DIFFERENCES, st.sampled_from(["pratt", "wilcox"]))
@settings(max_examples=60, deadline=None)
def test_the_exact_p_counts_every_pattern_of_signs(d: np.ndarray, zeros: Zeros) -> None:
    ranks = rank_sums(d, zeros=zeros).ranks
    if len(ranks) == 0:
        return
    observed = ranks.sum()
    sums = [
        (np.abs(ranks) * signs).sum()
        for signs in itertools.product((-1, 1), repeat=len(ranks))
    ]
    tails = np.mean(np.array(sums) >= observed), np.mean(np.array(sums) <= observed)
    assert exact_p(ranks) == pytest.approx(min(1.0, 2 * min(tails)), abs=1e-12)


@given(DIFFERENCES)
@settings(deadline=None)
def test_swapping_the_arms_keeps_p_and_swaps_the_sums(d: np.ndarray) -> None:
    one, other = rank_sums(d, zeros="pratt"), rank_sums(-d, zeros="pratt")
    assert (one.plus, one.minus) == (other.minus, other.plus)
    if len(one.ranks):
        assert exact_p(one.ranks) == pytest.approx(exact_p(other.ranks), abs=1e-12)


@given(st.lists(st.integers(-3, 3), min_size=1))
def test_midranks_equal_scipy(values: list[int]) -> None:
    array = np.array(values, dtype=float)
    assert midranks(array).tolist() == stats.rankdata(array).tolist()


def test_the_asymptotic_p_equals_scipy() -> None:
    d = golden.table("paper_8x40").difference(arm="pred", reference="manual").ravel()
    method: Any = "asymptotic"
    names: tuple[Zeros, ...] = ("pratt", "wilcox")
    for zeros in names:
        expected = stats.wilcoxon(d, zero_method=zeros, method=method).pvalue
        assert asymptotic_p(rank_sums(d, zeros=zeros).ranks)[1] == pytest.approx(
            expected, abs=1e-12
        )


def test_five_untied_pairs_warn_that_p_cannot_reach_the_line() -> None:
    result = signed_rank(np.array([1.0, 2, 1, 3, 1, 0]), scope="")
    assert result.p == pytest.approx(2 / 2**5)
    assert result.warnings == ("p_cannot_reach_0.05",)
    assert signed_rank(np.arange(1.0, 7), scope="").warnings == ()


def test_many_pairs_fall_back_to_the_normal_approximation_and_say_so() -> None:
    d = np.tile([1.0, -1, 2], 200)
    result = signed_rank(d, scope="")
    assert result.warnings == ("asymptotic",)
    assert result.p == result.detail["p_asymptotic"]


def test_missing_pairs_are_counted_as_excluded() -> None:
    result = signed_rank(np.array([np.nan, 1.0, np.nan]), scope="")
    assert (result.n, result.n_excluded) == (1, 2)
    nothing = signed_rank(np.array([np.nan]), scope="")
    assert (nothing.value, nothing.reason) == (None, "no_pairs")


def test_preferences_are_counted_without_the_missing() -> None:
    found = preference(np.array([[1.0, 0, -2], [3, np.nan, 0]]))
    assert (found.better, found.tied, found.worse, found.n) == (2, 2, 1, 5)


def test_holm_leaves_missing_values_out_of_the_family() -> None:
    p_values = json.loads(
        "[0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, null, 1.0]"
    )
    known = [p for p in p_values if p is not None]
    adjusted = holm(p_values)
    expected = iter(multipletests(known, method="holm")[1])
    for p, found in zip(p_values, adjusted, strict=True):
        assert (found is None) if p is None else found == pytest.approx(next(expected))


@pytest.mark.slow
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(max_examples=25, deadline=None)
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(tuple(expected))


def test_the_effect_interval_is_seeded_and_mirrors_a_swap_of_arms() -> None:
    d = golden.table("paper_8x40").difference(arm="pred", reference="manual")[1]
    one = bootstrap.rank_biserial(d, seed=7, scope="")
    again = bootstrap.rank_biserial(d[::-1], seed=7, scope="")
    swapped = bootstrap.rank_biserial(-d, seed=7, scope="")
    other = bootstrap.rank_biserial(d, seed=8, scope="")
    assert one == again
    assert one.ci is not None
    assert swapped.ci == pytest.approx((-one.ci[1], -one.ci[0]))
    assert other.ci != one.ci
    assert one.ci == pytest.approx(other.ci, abs=0.02)


def test_the_effect_interval_equals_a_plain_bootstrap() -> None:
    d = golden.table("paper_8x40").difference(arm="pred", reference="manual")[1]
    rng = np.random.default_rng(1)
    draws = [
        biserial(rank_sums(rng.choice(d, len(d)), zeros="pratt")) for _ in range(4000)
    ]
    result = bootstrap.rank_biserial(d, seed=1, scope="")
    assert result.se == pytest.approx(np.std(draws, ddof=1), rel=0.05)
    assert result.ci == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.03)


def test_an_effect_without_untied_or_enough_cases_says_why() -> None:
    flat = bootstrap.rank_biserial(np.zeros(12), seed=1, scope="")
    assert (flat.value, flat.reason) == (None, "all_differences_zero")
    few = bootstrap.rank_biserial(np.ones(6), seed=1, scope="")
    assert (few.value, few.ci, few.reason) == (1.0, None, "too_few_cases_for_bootstrap")
    rare = bootstrap.rank_biserial(np.eye(1, 12)[0], seed=1, scope="")
    assert (rare.value, rare.ci, rare.reason) == (1.0, None, "bootstrap_unstable")
