"""Sensitivity, agreement and conduct equal exact enumeration and R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ratings.statistics import location
from ratings.statistics.agreement import kappas
from ratings.statistics.blinding_index import bang, blinding, james
from ratings.statistics.clmm import cumulative_link
from ratings.statistics.clustered import clustered_signed_rank, rank_cluster_size_free
from ratings.statistics.comparison import equivalence
from ratings.statistics.crossed import crossed_mean
from ratings.statistics.paired import holm
from ratings.statistics.panel import fleiss, gwet, krippendorff, level_counts, panel
from ratings.statistics.resampling import over_cases, resampled_sums
from ratings.statistics.several import several_arms
from ratings.statistics.strata import benjamini_hochberg
from ratings.statistics.table import FloatArray
from tests.ratings import golden

R = golden.values("golden_R_panels")
EXTRA = golden.values("golden_R_extra")
MODELS = [name for name, x in EXTRA.items() if "clmm_crossed_slopes" in x]
BLINDING = golden.values("blinding_tables")


def differences(name: str) -> FloatArray:
    return golden.table(name).difference(arm="pred", reference="manual")


@pytest.mark.parametrize("name", golden.having("clustered_exact"))
def test_clustered_permutations_equal_enumeration(name: str) -> None:
    checked = 0
    for key, want in golden.brute(name)["clustered_exact"].items():
        by, _, rest = key.partition("_level_signed_rank_")
        if rest not in ("pratt", "wilcox") or "p_two_sided" not in want:
            continue
        if by == "rater" and len(golden.table(name).raters) < 6:
            continue
        d = differences(name)
        found = clustered_signed_rank(d, by=by, zeros=rest, seed=1)
        assert found.value == pytest.approx(want["T_signed"], abs=1e-9)
        assert found.p == pytest.approx(want["p_two_sided"], abs=1e-12)
        if "z" in want:
            assert found.detail["z_asymptotic"] == pytest.approx(want["z"], abs=1e-9)
        checked += 1
    assert checked


@pytest.mark.parametrize("name", golden.having("datta_satten"))
def test_the_cluster_size_free_test_equals_its_definition(name: str) -> None:
    for by in ("case", "rater"):
        want = golden.brute(name)["datta_satten"].get(f"by_{by}")
        if not want or want.get("Z") is None:
            continue
        found = rank_cluster_size_free(differences(name), by=by)
        assert found.value == pytest.approx(want["T"], abs=1e-9)
        assert found.detail["variance"] == pytest.approx(want["Var"], rel=1e-9)
        assert found.detail["z"] == pytest.approx(want["Z"], abs=1e-9)


@pytest.mark.parametrize("name", golden.having("per_rater"))
def test_shift_sign_test_and_win_probability_equal_enumeration(name: str) -> None:
    table, checked = golden.table(name), 0
    for rater, d in zip(table.raters, differences(name), strict=True):
        want = golden.brute(name)["per_rater"][rater]
        if "hodges_lehmann" not in want:
            continue
        shift = location.hodges_lehmann(d, scope="s")
        assert shift.value == want["hodges_lehmann"]
        if want.get("hodges_lehmann_ci95"):
            assert shift.ci == tuple(want["hodges_lehmann_ci95"])
        sign = location.sign_test(d, scope="s")
        assert sign.p == pytest.approx(want["sign_test_p"], abs=1e-12)
        win = location.win_probability(d, scope="s")
        assert win.value == pytest.approx(want["prob_superiority_paired"], abs=1e-12)
        checked += 1
    degenerate = name in ("tiny_allzero_1x6", "tiny_onepair_1x1")
    assert checked or degenerate


@pytest.mark.parametrize("name", golden.having("panel"))
def test_panel_coefficients_equal_exact_arithmetic(name: str) -> None:
    table = golden.table(name)
    for arm, want in golden.brute(name)["panel"].items():
        values = table.of_arm(arm)
        counts = level_counts(values, table.levels)
        for metric, alpha in want["krippendorff"].items():
            found = krippendorff(
                counts, levels=table.levels, seed=1, expected=values.size,
                metric=metric, resamples=10,
            )  # fmt: skip
            assert found.value == pytest.approx(alpha, abs=1e-9)
        for weighting, forms in want["gwet"].items():
            for function, key in ((gwet, "gwet_ac"), (fleiss, "fleiss")):
                one = function(counts, weighting=weighting, expected=values.size)
                assert one.value == pytest.approx(forms[key]["value"], abs=1e-9)
                assert one.se == pytest.approx(forms[key]["se"], abs=1e-7)
        whole = panel(values, kind=arm, levels=table.levels, seed=1)
        icc = want["icc_complete_cases"]
        if "ICC2" in icc:
            assert whole.icc_single.value == pytest.approx(icc["ICC2"], abs=1e-9)
            assert whole.icc_mean.value == pytest.approx(icc["ICC2k"], abs=1e-9)
        else:
            assert whole.icc_single.reason == "too_few_complete_cases"
        w = want["kendall"].get("W")
        assert whole.kendall_w.value == pytest.approx(w, abs=1e-9)
        assert (w is None) == (whole.kendall_w.reason == "too_few_complete_cases")


@pytest.mark.parametrize("name", golden.having("panel"))
def test_intervals_of_the_icc_equal_r(name: str) -> None:
    table = golden.table(name)
    for arm, want in R[name].items():
        whole = panel(table.of_arm(arm), kind=arm, levels=table.levels, seed=1)
        if "icc_single" in want:
            interval = (want["icc_single"]["lo"], want["icc_single"]["hi"])
            assert whole.icc_single.ci == pytest.approx(interval, abs=1e-7)
            assert whole.kendall_w.p == pytest.approx(want["kendall"]["p"], abs=1e-9)
        if "icc_mean" in want and not np.isnan(table.of_arm(arm)).any():
            interval = (want["icc_mean"]["lo"], want["icc_mean"]["hi"])
            assert whole.icc_mean.ci == pytest.approx(interval, abs=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_the_mixed_model_equals_r(name: str) -> None:
    want, table = EXTRA[name]["clmm_crossed_slopes"], golden.table(name)
    found = cumulative_link(table.of_arm("manual"), table.of_arm("pred"))
    edge = "boundary" in found.warnings
    rel = 1e-2 if edge else 1e-3
    assert found.detail["beta"] == pytest.approx(want["beta"], rel=rel)
    assert found.detail["se"] == pytest.approx(want["se"], rel=rel)
    assert found.detail["log_likelihood"] == pytest.approx(want["loglik"], abs=1e-3)
    assert found.detail["lr_p"] == pytest.approx(EXTRA[name]["lrt_arm"]["p"], abs=1e-4)
    names = ("rater", "case", "rater_arm", "case_arm")
    sds = sorted(float(found.detail[f"sd_{n}"] or 0) for n in names)
    assert sds == pytest.approx(sorted(want["sd"]), abs=2e-3)
    assert found.value == pytest.approx(np.exp(want["beta"]), rel=2e-3)


@pytest.mark.parametrize("name", [n for n in EXTRA if "two_way" in EXTRA[n]])
def test_equivalence_equals_r(name: str) -> None:
    want = EXTRA[name]["two_way"]["satterthwaite"]
    both = crossed_mean(differences(name), what="difference").both
    found = equivalence(both, margin=0.5)
    assert found.p == pytest.approx(want["p_tost_margin_0.5"], abs=1e-9)
    p = want["p_tost_margin_0.5"]
    verdict = "equivalent" if p < 0.05 else "not_shown"
    assert found.detail["verdict"] == verdict


@pytest.mark.parametrize("name", BLINDING)
def test_blinding_indices_equal_arithmetic_and_r(name: str) -> None:
    counts = np.array(BLINDING[name], dtype=float)
    wanted = golden.values("golden_bruteforce")["blinding"][name]
    for truth, key in enumerate(("bang_manual", "bang_pred")):
        found, want = bang(counts, truth=truth, label="x"), wanted[key]
        assert found.value == pytest.approx(want["value"], abs=1e-9)
        if want["value"] is None:
            assert found.reason == "no_guesses"
        else:
            assert found.se == pytest.approx(want["se"], abs=1e-7)
            assert (found.ci is None) == want["degenerate_se"]
    whole, (value, se, *_) = james(counts), R["blinding"][name]["james"]
    assert whole.value == pytest.approx(value, abs=1e-9)
    assert whole.se == pytest.approx(se, abs=1e-6)


def test_the_clustered_interval_of_guesses_is_wider_where_raters_differ() -> None:
    guesses = np.zeros((8, 40, 2))
    guesses[:4, :, 1] = 1  # half of the raters always right, half always “reference”
    found = blinding(
        guesses, arm="a", reference="r", raters=tuple("ABCDEFGH"), seed=1
    ).bang_arm
    assert found.analytic.se is not None
    assert found.clustered.se is not None
    assert found.clustered.se > 2 * found.analytic.se


@pytest.mark.parametrize("name", ["arms3_6x20", "arms3_missing_6x20"])
def test_friedman_equals_exact_arithmetic_and_r(name: str) -> None:
    found = several_arms(golden.table(name))
    want = golden.brute(name)["friedman_case_means"]
    assert found is not None
    assert found.mean_ranks is not None
    by_arm = dict(zip(found.arms, found.mean_ranks, strict=True))
    ranks = [by_arm[arm] for arm in ("manual", "pred", "baseline")]
    assert ranks == pytest.approx(want["mean_ranks"], abs=1e-9)
    assert found.friedman.detail["chi2"] == pytest.approx(want["chisq"], abs=1e-9)
    assert found.friedman.p == pytest.approx(R["friedman"][name]["p"], abs=1e-9)
    raw = [pair.difference.p for pair in found.pairs]
    assert [pair.p_holm for pair in found.pairs] == pytest.approx(list(holm(raw)))


def test_repeats_equal_exact_arithmetic() -> None:
    found = golden.analysis("repeats_4x30").repeats
    assert found is not None
    for one in found.per_rater:
        want = golden.brute("repeats_4x30")["intra"][one.rater]
        for form, key in (
            (one.kappa, "quadratic"), (one.linear, "linear"),
            (one.unweighted, "unweighted"),
        ):  # fmt: skip
            assert form.value == pytest.approx(want[key]["value"], abs=1e-9)
            assert form.se == pytest.approx(want[key]["se"], abs=1e-7)
        assert one.exact.value == pytest.approx(want["unweighted"]["po"], abs=1e-9)
    assert found.kappa.reason == "too_few_raters"


BOOTSTRAPPED = golden.having("exact_case_bootstrap_of_mean_difference")


@pytest.mark.parametrize("name", BOOTSTRAPPED)
def test_the_case_bootstrap_nears_full_enumeration(name: str) -> None:
    want = golden.brute(name)["exact_case_bootstrap_of_mean_difference"]
    few, _ = over_cases(differences(name), seed=20261122)
    many, _ = over_cases(differences(name), seed=20261122, resamples=100_000)
    assert few.se == pytest.approx(want["se"], rel=0.03)
    if many.ci is None:
        assert len(golden.table(name).cases) < 10
    else:
        # Whole steps of 1/(RC) may lie between two runs.
        assert many.ci == pytest.approx((want["q025"], want["q975"]), abs=0.02)


@pytest.mark.parametrize("pair", golden.values("golden_exact_bootstrap_kappa"))
def test_the_bootstrap_of_kappa_nears_full_enumeration(pair: str) -> None:
    want = golden.values("golden_exact_bootstrap_kappa")[pair]
    table = golden.table("null_5x16")
    cases = [table.cases.index(case) for case in want["cases"]]
    scores = table.of_arm(want["arm"])[:, cases]
    parts = np.zeros((8, 5, 5))
    places = [
        scores[table.raters.index(name)].astype(int) - 1 for name in pair.split("|")
    ]
    parts[np.arange(8), places[0], places[1]] = 1
    whole = kappas(parts.sum(0)[None], "unweighted").value[0]
    assert whole == pytest.approx(want["kappa"], abs=1e-9)
    sums = resampled_sums(parts.reshape(8, 25), resamples=10_000, seed=3)
    values = kappas(sums.reshape(-1, 5, 5), "unweighted").value
    assert np.nanstd(values) == pytest.approx(want["boot_se"], rel=0.03)


def test_adjusted_p_values_equal_r() -> None:
    p: list[Any] = golden.values("pvalues")
    assert list(holm(p)) == pytest.approx(R["p_adjust"]["holm"], abs=1e-12)
    assert list(benjamini_hochberg(p)) == pytest.approx(R["p_adjust"]["BH"], abs=1e-12)
