"""Kappas, their errors and their mean equal exact references, on protocol levels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from ratings.statistics.agreement import (
    WEIGHTINGS,
    Agreement,
    Weighting,
    agreement,
    kappas,
)
from ratings.statistics.result import Result
from tests.ratings import golden

KINDS = {"difference": "diff"}


def agreements(name: str) -> list[Agreement]:
    """Every agreement of a data set for which there are reference values."""
    found = golden.analysis(name)
    compared = [c.agreement for c in found.comparisons if c.arm == "pred"]
    return [*(arm.agreement for arm in found.arms), *(a for c in compared for a in c)]


@pytest.mark.parametrize("name", golden.having("kappa"))
def test_pairwise_kappas_equal_exact_arithmetic(name: str) -> None:
    checked = 0
    for found in agreements(name):
        pairs = golden.brute(name)["kappa"].get(KINDS.get(found.kind, found.kind))
        if pairs is None:
            continue
        assert len(found.pairs) == len(pairs)
        for pair in found.pairs:
            expected = pairs[f"{pair.rater_a}|{pair.rater_b}"]
            for weighting in WEIGHTINGS:
                compare_kappa(pair.by(weighting), expected[weighting])
                checked += 1
    assert checked >= 3


def compare_kappa(found: Result, want: dict[str, float | None]) -> None:
    if want["value"] is None:
        assert found.value is None
        assert found.reason in ("both_constant_same", "no_common_cases")
        return
    assert found.n == want["n"]
    assert found.value == pytest.approx(want["value"], abs=1e-9)
    assert found.se == pytest.approx(want["se"], abs=1e-7)
    assert found.detail["se_null"] == pytest.approx(want["se0"], abs=1e-7)
    assert found.detail["observed_agreement"] == pytest.approx(want["po"], abs=1e-9)
    assert found.detail["expected_agreement"] == pytest.approx(want["pe"], abs=1e-9)
    if found.se:
        assert found.ci == pytest.approx(want["ci95"], abs=1e-7)
    else:
        assert (found.ci, found.reason) == (None, "zero_variance")
    if "kappa_max" in want:
        assert found.detail["kappa_max"] == pytest.approx(want["kappa_max"], abs=1e-9)


@pytest.mark.parametrize("name", golden.having("kappa"))
def test_mean_kappas_equal_exact_arithmetic(name: str) -> None:
    summary = golden.brute(name)["kappa"].get("_summary", {})
    for found in agreements(name):
        want = summary.get(KINDS.get(found.kind, found.kind))
        if want is not None:
            mean = found.mean.unweighted
            assert mean.value == pytest.approx(want["mean_unweighted"], abs=1e-9)
            assert mean.n == want["n_pairs"]
            assert mean.n_excluded == want["n_undefined"]


@given(st.lists(st.integers(0, 30), min_size=16, max_size=16))
@settings(deadline=None)
def test_kappas_equal_statsmodels(cells: list[int]) -> None:
    table = np.array(cells, dtype=float).reshape(4, 4)
    for weighting in WEIGHTINGS:
        found = kappas(table[None], weighting)
        if np.isnan(found.value[0]) or found.constant[0]:
            continue
        name = None if weighting == "unweighted" else weighting
        want = cohens_kappa(table, wt=name)
        assert found.value[0] == pytest.approx(want.kappa, abs=1e-9)
        assert found.se[0] ** 2 == pytest.approx(want.var_kappa, abs=1e-9)
        assert found.se_null[0] ** 2 == pytest.approx(want.var_kappa0, abs=1e-9)


def test_weights_come_from_the_scale_and_not_from_the_scores_used() -> None:
    values = np.array([[1.0, 4, 5, 5, 1, 4], [1, 5, 5, 4, 4, 1]])
    used = agreement(
        np.searchsorted([1, 4, 5], values).astype(np.float64) + 1,
        kind="",
        raters=("A", "B"),
        levels=(1, 2, 3),
    )
    full = agreement(values, kind="", raters=("A", "B"), levels=(1, 2, 3, 4, 5))
    assert full.pairs[0].unweighted.value == pytest.approx(
        used.pairs[0].unweighted.value
    )
    assert full.pairs[0].quadratic.value != used.pairs[0].quadratic.value


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_error_of_the_mean_equals_the_bootstrap_over_cases(
    weighting: Weighting,
) -> None:
    table = golden.table("paper_8x40")
    scores = table.of_arm("pred")
    found = agreement(scores, kind="pred", raters=table.raters, levels=table.levels)
    rng = np.random.default_rng(3)
    means = []
    for _ in range(300):
        drawn = scores[:, rng.integers(0, 40, 40)]
        again = agreement(drawn, kind="", raters=table.raters, levels=table.levels)
        means.append(again.mean.by(weighting).value)
    spread = np.std(np.array(means, dtype=float), ddof=1)
    assert found.mean.by(weighting).se == pytest.approx(spread, rel=0.15)


def test_for_two_raters_the_mean_is_their_kappa_with_the_same_error() -> None:
    table = golden.table("paradox_2x100")
    found = golden.analysis("paradox_2x100").arms[0].agreement
    assert len(table.raters) == 2
    for weighting in WEIGHTINGS:
        assert found.mean.by(weighting).se == pytest.approx(
            found.pairs[0].by(weighting).se, abs=1e-12
        )


def test_the_paradox_is_flagged() -> None:
    pair = golden.analysis("paradox_2x100").arms[0].agreement.pairs[0]
    assert pair.unweighted.value == pytest.approx(-0.066, abs=5e-4)
    assert "kappa_paradox" in pair.unweighted.warnings
    plain = golden.analysis("paper_8x40").arms[0].agreement.pairs[0]
    assert "kappa_paradox" not in plain.unweighted.warnings


def test_constant_raters_are_named() -> None:
    levels, raters = (1, 2, 3, 4, 5), ("A", "B")
    same = agreement(np.full((2, 12), 4.0), kind="", raters=raters, levels=levels)
    assert same.pairs[0].quadratic.reason == "both_constant_same"
    assert same.mean.quadratic.reason == "no_defined_pairs"
    values = np.array([[4.0] * 12, [3, 4, 5] * 4])
    one = agreement(values, kind="", raters=raters, levels=levels).pairs[0].quadratic
    assert (one.value, one.se, one.ci) == (0.0, 0.0, None)
    assert "one_rater_constant" in one.warnings


def test_one_rater_or_no_common_case_says_so() -> None:
    levels = (1, 2, 3)
    alone = agreement(np.ones((1, 4)), kind="", raters=("A",), levels=levels)
    assert alone.pairs == ()
    assert alone.mean.linear.reason == "single_rater"
    apart = np.array([[1.0, 2, np.nan, np.nan], [np.nan, np.nan, 1, 2]])
    found = agreement(apart, kind="", raters=("A", "B"), levels=levels)
    assert found.pairs[0].linear.reason == "no_common_cases"


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_kappa_does_not_depend_on_order_or_on_who_comes_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 6, (3, 9)).astype(float)
    values[rng.random((3, 9)) < 0.1] = np.nan
    options = {"kind": "", "levels": (1, 2, 3, 4, 5)}
    one = agreement(values, raters=("A", "B", "C"), **options)  # type: ignore[arg-type]
    turned = agreement(values[::-1, ::-1], raters=("C", "B", "A"), **options)  # type: ignore[arg-type]
    for weighting in WEIGHTINGS:
        first, last = one.pairs[0].by(weighting), turned.pairs[-1].by(weighting)
        assert first.value == pytest.approx(last.value, abs=1e-12)
        mean, again = one.mean.by(weighting), turned.mean.by(weighting)
        assert mean.value == pytest.approx(again.value, abs=1e-12)
        assert mean.se == pytest.approx(again.se, abs=1e-12)
