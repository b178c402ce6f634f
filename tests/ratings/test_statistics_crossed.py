"""The headline equals its references and knows its degenerate cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from ratings.statistics.comparison import non_inferiority
from ratings.statistics.crossed import Crossed, crossed_mean, variances
from ratings.statistics.result import interval_text
from ratings.statistics.table import FloatArray
from tests.ratings import golden

BALANCED = ["paper_8x40", "pseudorep_8x40", "null_5x16", "repeats_4x30", "catgap_3x25"]


def crossed(name: str) -> Crossed:
    d = golden.table(name).difference(arm="pred", reference="manual")
    return crossed_mean(d, what="mean difference")


@pytest.mark.parametrize("name", golden.having("two_way"))
def test_the_headline_equals_exact_arithmetic(name: str) -> None:
    want, found = golden.brute(name)["two_way"], crossed(name)
    assert found.both.value == pytest.approx(want["mean"], abs=1e-9)
    assert found.both.se == pytest.approx(want["se"], abs=1e-9)
    assert found.both.detail["df"] == pytest.approx(want["satterthwaite_df"], abs=1e-6)
    assert found.hillis.detail["df"] == pytest.approx(want["hillis_df"], abs=1e-6)
    assert found.cases.se is not None
    assert found.raters.se is not None
    assert found.cases.se**2 == pytest.approx(want["var_fixed_raters_random_cases"])
    assert found.raters.se**2 == pytest.approx(want["var_random_raters_fixed_cases"])
    for key, square in {
        "ms_rater": "MS_rater",
        "ms_case": "MS_case",
        "ms_error": "MSE",
    }.items():
        assert found.both.detail[key] == pytest.approx(want[square], abs=1e-9)


@pytest.mark.parametrize("name", BALANCED)
def test_intervals_and_p_equal_r(name: str) -> None:
    want: dict[str, Any] = golden.values("golden_R_extra")[name]["two_way"]
    found = crossed(name)
    for result, key in (
        (found.both, "satterthwaite"),
        (found.hillis, "hillis"),
        (found.cases, "fixed_raters"),
    ):
        assert result.ci == pytest.approx((want[key]["lo"], want[key]["hi"]), abs=1e-7)
        assert result.p == pytest.approx(want[key]["p"], abs=1e-9)


@pytest.mark.parametrize("name", BALANCED)
def test_non_inferiority_equals_r(name: str) -> None:
    want = golden.values("golden_R_extra")[name]["two_way"]["satterthwaite"]
    found = non_inferiority(crossed(name).both, margin=0.5)
    assert found.p == pytest.approx(want["p_noninferior_margin_0.5"], abs=1e-9)
    assert found.detail["verdict"] == (
        "not_worse" if want["lo"] > -0.5 else "inconclusive"
    )


def test_without_a_margin_there_is_no_verdict() -> None:
    found = non_inferiority(crossed("paper_8x40").both, margin=None)
    assert (found.value, found.p, found.reason) == (None, None, "no_margin")


def test_a_margin_without_an_interval_is_inconclusive() -> None:
    found = non_inferiority(crossed_mean(np.array([[2.0]]), what="").both, margin=0.5)
    assert (found.p, found.reason) == (None, "single_case")
    assert found.detail["verdict"] == "inconclusive"


def test_a_clearly_worse_arm_is_inferior() -> None:
    d = golden.table("paper_8x40").difference(arm="pred", reference="manual")
    worse = crossed_mean(d - 2, what="").both
    assert non_inferiority(worse, margin=0.5).detail["verdict"] == "inferior"


def test_the_unbalanced_variance_is_built_from_three_clusterings() -> None:
    """statsmodels gives the same sum once its own small-sample factors are off."""
    d = golden.table("missing_6x24").difference(arm="pred", reference="manual")
    rater, case = np.nonzero(~np.isnan(d))
    frame = pd.DataFrame({"d": d[rater, case]})
    fit = ols("d ~ 1", frame).fit()
    _, by_rater, by_case = cov_cluster_2groups(fit, rater, case, use_correction=False)
    n_raters, n_cases = len(set(rater)), len(set(case))
    kept = d[~np.isnan(d).all(1)][:, ~np.isnan(d).all(0)]
    found = variances(kept)
    assert not found.balanced
    assert found.rater == pytest.approx(by_rater[0, 0] * n_raters / (n_raters - 1))
    assert found.case == pytest.approx(by_case[0, 0] * n_cases / (n_cases - 1))
    residual = frame["d"] - frame["d"].mean()
    assert found.cell == pytest.approx((residual**2).sum() / len(frame) ** 2)


def test_removing_one_score_hardly_moves_the_interval() -> None:
    d = golden.table("paper_8x40").difference(arm="pred", reference="manual")
    holed = d.copy()
    holed[3, 17] = np.nan
    whole, less = crossed_mean(d, what="").both, crossed_mean(holed, what="").both
    assert less.n_excluded == 1
    assert "cluster-robust" in less.method
    assert less.se == pytest.approx(whole.se, rel=0.05)


def test_raters_and_cases_without_pairs_are_left_out() -> None:
    d = golden.table("null_5x16").difference(arm="pred", reference="manual")
    padded = np.full((7, 18), np.nan)
    padded[1:6, 1:17] = d
    found, bare = crossed_mean(padded, what="").both, crossed_mean(d, what="").both
    assert (found.value, found.ci, found.p) == (bare.value, bare.ci, bare.p)
    assert found.n_excluded == 7 * 18 - 5 * 16


def test_one_rater_gives_the_t_interval_and_a_warning() -> None:
    d = golden.table("paper_8x40").difference(arm="pred", reference="manual")[:1]
    found = crossed_mean(d, what="").both
    expected = stats.ttest_1samp(d[0], 0)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.ci == pytest.approx(tuple(expected.confidence_interval()))
    assert found.warnings == ("single_rater_no_generalisation",)
    assert "this rater" in found.scope


@pytest.mark.parametrize(
    ("values", "value", "reason"),
    [
        ([[np.nan, np.nan]], None, "no_pairs"),
        ([[2.0]], 2.0, "single_case"),
        ([[2.0], [1.0]], 1.5, "single_case"),
        ([[1.0, 1.0, 1.0]], 1.0, "zero_variance"),
        ([[1.0, 1.0], [1.0, 1.0]], 1.0, "zero_variance"),
        ([[1.0, 0.0], [0.0, 2.0]], 0.75, "too_few_cases"),
    ],
)
def test_what_cannot_be_estimated_has_a_reason(
    values: list[list[float]], value: float | None, reason: str
) -> None:
    found = crossed_mean(np.array(values), what="mean")
    for result in (found.both, found.hillis, found.cases, found.raters):
        assert (result.value, result.reason) == (value, reason)
        assert result.ci is None
        assert result.p is None


def test_a_negative_variance_falls_back_to_the_larger_one_way_form() -> None:
    checkered = np.array([[1.0, -1, 1, -1], [-1, 1, -1, 1], [1.0, -1, 1, -2]])
    v = variances(checkered)
    assert v.both < 0
    found = crossed_mean(checkered, what="mean").both
    assert found.warnings == ("negative_variance_truncated",)
    assert found.se == pytest.approx(np.sqrt(max(v.rater, v.case)))


def test_a_variance_as_good_as_zero_has_an_interval_with_a_warning() -> None:
    """MS_rater + MS_case is a hair above MS_error: by the formula df is 0.007."""
    d = np.array([[1.0, -1, 1, -1], [-1, 1, -1, 1], [1.0, -1, 1, -1]])
    d += 0.6 * np.array([1, 1, -1, -1])
    v = variances(d)
    assert 0 < v.both < 0.1 * v.case
    found = crossed_mean(d, what="mean").both
    assert found.warnings == ("hardly_any_freedom",)
    assert found.se == pytest.approx(np.sqrt(v.both))
    assert found.ci is not None
    assert found.ci[1] > 10**100
    words = interval_text(found.ci)
    assert len(words) < 40
    assert "× 10¹" in words


def test_a_table_without_main_effects_has_no_interval() -> None:
    square = np.array([[1.0, -1, 0], [-1, 0, 1], [0, 1, -1]])
    found = crossed_mean(square, what="mean").both
    assert (found.value, found.ci, found.reason) == (0, None, "variance_not_estimable")


def test_few_raters_with_holes_are_warned_about() -> None:
    d = golden.table("catgap_3x25").difference(arm="pred", reference="manual").copy()
    d[0, :20] = np.nan
    d[1, 5:] = np.nan
    found = crossed_mean(d, what="").both
    assert found.warnings == ("few_raters_unbalanced", "many_missing")


def tables(holes: bool) -> st.SearchStrategy[FloatArray]:
    cell = (
        st.one_of(st.integers(-4, 4), st.just(np.nan)) if holes else st.integers(-4, 4)
    )
    shape = st.tuples(st.integers(1, 5), st.integers(1, 6))
    return shape.flatmap(
        lambda size: st.lists(
            st.lists(cell, min_size=size[1], max_size=size[1]),
            min_size=size[0],
            max_size=size[0],
        ).map(lambda rows: np.array(rows, dtype=float))
    )


@given(tables(holes=True), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_order_changes_nothing_and_a_swap_changes_the_sign(
    d: FloatArray, random: Any
) -> None:
    rows, columns = list(range(d.shape[0])), list(range(d.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    one = crossed_mean(d, what="mean").both
    moved = crossed_mean(d[rows][:, columns], what="mean").both
    swapped = crossed_mean(-d, what="mean").both
    assert (one.reason, one.warnings) == (moved.reason, moved.warnings)
    assert one.reason == swapped.reason
    for name in ("value", "se", "p"):
        assert getattr(one, name) == pytest.approx(getattr(moved, name), abs=1e-9)
    assert one.p == pytest.approx(swapped.p, abs=1e-9)
    if one.value is not None:
        assert swapped.value == pytest.approx(-one.value, abs=1e-12)
    if one.ci is not None:
        assert swapped.ci == pytest.approx((-one.ci[1], -one.ci[0]), rel=1e-6)


@pytest.mark.parametrize(
    ("values", "which"),
    [
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], "both"),
        ([[1, 0, 0], [0, 1, 0]], "raters"),
        ([[0, 2, 0], [1, 2, -1], [2, 0, 0], [0, 2, 0]], "raters"),
        ([[1] * 7, [2] * 7, [2] * 7], "cases"),
    ],
)
def test_what_rounding_leaves_of_equal_means_is_no_variance(
    values: list[list[int]], which: str
) -> None:
    found = getattr(crossed_mean(np.array(values, dtype=float), what="mean"), which)
    assert found.reason == "variance_not_estimable"
    assert (found.p, found.ci, found.se) == (None, None, None)
