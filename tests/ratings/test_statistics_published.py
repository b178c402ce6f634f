"""The as-published tier equals the paper's own script, digit for digit."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ratings.statistics.published import AsPublished, legacy_wilcoxon
from ratings.statistics.summary import analyse
from ratings.statistics.table import make_table
from tests.ratings import golden

KINDS = {"difference": "diff"}
VALUES = {
    "paper_8x40": "golden_paper_mode",
    "null_5x16": "golden_paper_mode_null_5x16",
}


def published(name: str) -> AsPublished:
    return golden.analysis(name).comparisons[0].as_published


@pytest.mark.parametrize("name", VALUES)
def test_means_and_tests_equal_the_script(name: str) -> None:
    want, found = golden.values(VALUES[name]), published(name)
    assert found.overall is not None
    rows = [(found.overall, want["global"])]
    rows += [(row, want["per_rater"][row.label]) for row in found.per_rater]
    assert len(rows) == 1 + len(want["per_rater"])
    for row, expected in rows:
        assert row.reference_mean == pytest.approx(expected["manual_mean"], abs=1e-12)
        assert row.reference_sd == pytest.approx(expected["manual_sd_ddof1"], abs=1e-12)
        assert row.arm_mean == pytest.approx(expected["pred_mean"], abs=1e-12)
        assert row.arm_sd == pytest.approx(expected["pred_sd_ddof1"], abs=1e-12)
        assert row.test.value == expected["W_min"]
        assert row.test.p == pytest.approx(expected["p"], abs=1e-12)


@pytest.mark.parametrize("name", VALUES)
def test_kappas_equal_the_script(name: str) -> None:
    want, found = golden.values(VALUES[name]), published(name)
    assert len(found.kappas) == 5
    for kappa in found.kappas:
        kind = KINDS.get(kappa.kind, kappa.kind)
        for rater_a, rater_b, value in kappa.pairs:
            expected = want["kappa_pairs"][kind][f"{rater_a}|{rater_b}"]
            assert value == pytest.approx(expected, abs=1e-12)
        summary = want["kappa_summary"][kind]
        assert kappa.mean == pytest.approx(summary["nanmean"], abs=1e-12)
        assert kappa.sd == pytest.approx(summary["nanstd_ddof0"], abs=1e-12)


def test_what_the_script_printed_is_printed_again() -> None:
    text = (golden.FOLDER / "paper_mode" / "stdout.txt").read_text()
    found = published("paper_8x40")
    assert found.overall is not None
    assert f"Global Average Score: {found.overall.printed_means}" in text
    assert f"Global {found.overall.printed_test}" in text
    for row in found.per_rater:
        left, right = row.printed_means.split(" vs ")
        assert re.search(rf"{row.label} - rater \d : {left}   vs   {right}\n", text)
        test = re.escape(row.printed_test)
        assert re.search(rf"{row.label} - rater \d : {test}\n", text)
    printed = {kappa.kind: kappa.printed for kappa in found.kappas}
    assert f"on all scores: {printed['all']}\n" in text
    assert f"predicted and manual: {printed['difference']}\n" in text
    assert f"sign of difference between predicted and manual: {printed['sign']}" in text


def test_the_pooled_test_carries_its_warning() -> None:
    overall = published("paper_8x40").overall
    assert overall is not None
    assert "pseudo_replication" in overall.test.warnings
    assert published("paper_8x40").weaknesses


def test_incomplete_data_have_a_reason_and_complete_raters_an_offer() -> None:
    comparison = golden.analysis("missing_6x24").comparisons[0]
    assert comparison.as_published.reason == "incomplete_data"
    assert comparison.as_published.overall is None
    table = golden.table("missing_6x24")
    d = table.difference(arm="pred", reference="manual")
    whole = [
        r for r, row in zip(table.raters, d, strict=True) if not np.isnan(row).any()
    ]
    offer = comparison.as_published_complete_raters
    assert (offer is None) == (not whole)
    arms3 = golden.analysis("arms3_missing_6x20").comparisons
    offers = [c.as_published_complete_raters for c in arms3]
    for offered in offers:
        assert offered is None or offered.reason is None


def test_complete_raters_alone_give_their_own_published_table() -> None:
    table = golden.table("null_5x16")
    holed = make_table(
        [r for r in table.rows if (r.rater, r.case, r.arm) != ("R05", "C0001", "pred")],
        levels=table.levels,
    )
    offer = (
        analyse(holed, reference="manual", seed=1)
        .comparisons[0]
        .as_published_complete_raters
    )
    assert offer is not None
    assert offer.raters == ("R01", "R02", "R03", "R04")
    want = golden.values(VALUES["null_5x16"])
    for row in offer.per_rater:
        assert row.test.p == pytest.approx(want["per_rater"][row.label]["p"], abs=1e-12)
    pairs = {pair[:2] for kappa in offer.kappas for pair in kappa.pairs}
    assert len(pairs) == 6


@given(st.lists(st.integers(-4, 4).filter(bool), min_size=1, max_size=30))
def test_without_zeros_the_untied_exact_table_is_used(values: list[int]) -> None:
    d = np.array(values, dtype=float)
    statistic, p, method = legacy_wilcoxon(d)
    want = stats.wilcoxon(d, method="exact")
    assert method == "untied exact"
    assert statistic == want.statistic
    assert p == pytest.approx(want.pvalue, abs=1e-12)


def test_beyond_fifty_pairs_the_normal_approximation_is_used() -> None:
    d = np.arange(1.0, 52) * np.where(np.arange(51) % 3, 1, -1)
    _, p, used = legacy_wilcoxon(d)
    assert used == "asymptotic"
    method: Any = "asymptotic"
    assert p == pytest.approx(stats.wilcoxon(d, method=method).pvalue, abs=1e-12)


def test_all_ties_have_no_p() -> None:
    assert legacy_wilcoxon(np.zeros(4)) == (0.0, None, "asymptotic")
    overall = published("tiny_allzero_1x6").overall
    assert overall is not None
    assert overall.test.reason == "all_differences_zero"
