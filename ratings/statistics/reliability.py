"""Concordance and reliability of complete panels: Kendall's W and ICC."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.special import chdtrc

from ratings.statistics.crossed import BOTH, CASES
from ratings.statistics.paired import midranks
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

TINY = 1e-12


def kendall(values: FloatArray) -> Result:
    """Kendall's W of values [R, C] with the correction for ties, complete cases only.

    p: χ² = R(C − 1)W on C − 1 degrees of freedom. Kendall, Babington Smith 1939.
    """
    kept = _complete(values)
    raters, cases = kept.shape
    make = partial(
        Result,
        n=int(kept.size),
        n_excluded=int(values.size - kept.size),
        method="Kendall's W, corrected for ties",
        scope=CASES,
        what="Kendall's coefficient of concordance",
        warnings=("complete_cases_only",) if kept.size < values.size else (),
    )
    if raters < 2:
        return make(value=None, reason="single_rater")
    if cases < 2:
        return make(value=None, reason="too_few_complete_cases")
    ranks = np.stack([midranks(row) for row in kept])
    tied = sum(_ties(row) for row in kept)
    spread = ((ranks.sum(0) - ranks.sum() / cases) ** 2).sum()
    base = raters**2 * (cases**3 - cases) - raters * tied
    if base <= 0:
        return make(value=None, reason="no_variation")
    w = float(12 * spread / base)
    chi2 = raters * (cases - 1) * w
    return make(
        value=w,
        p=float(chdtrc(cases - 1, chi2)),
        reason="p_only",
        detail={"chi2": float(chi2), "df": float(cases - 1), "n_cases": cases},
    )


def _ties(row: FloatArray) -> float:
    _, counts = np.unique(row, return_counts=True)
    return float((counts**3 - counts).sum())


def icc(values: FloatArray) -> tuple[Result, Result]:
    """(ICC(2,1), ICC(2,k)) of values [R, C], absolute agreement, complete cases only.

    Two-way random effects (Shrout, Fleiss 1979) with the intervals of McGraw and
    Wong 1996. May be negative.
    """
    kept = _complete(values)
    k, n = kept.shape
    make = partial(
        Result,
        n=int(kept.size),
        n_excluded=int(values.size - kept.size),
        scope=BOTH,
        warnings=("complete_cases_only",) if kept.size < values.size else (),
    )
    names = (
        ("ICC(2,1), absolute agreement", "reliability of one rater, ICC(2,1)"),
        ("ICC(2,k), absolute agreement", "reliability of the panel's mean, ICC(2,k)"),
    )
    single, mean = (partial(make, method=m, what=what) for m, what in names)
    reason = "single_rater" if k < 2 else "too_few_complete_cases" if n < 2 else None
    if reason is None and kept.max() == kept.min():
        reason = "no_variation"
    if reason is not None:
        return single(value=None, reason=reason), mean(value=None, reason=reason)
    ms_case, ms_rater, ms_error = _squares(kept)
    detail = {"ms_case": ms_case, "ms_rater": ms_rater, "ms_error": ms_error}
    base = ms_case + (k - 1) * ms_error + k * (ms_rater - ms_error) / n
    whole = ms_case + (ms_rater - ms_error) / n
    if base <= TINY:
        why = "variance_not_estimable"
        return single(value=None, reason=why), mean(value=None, reason=why)
    value = (ms_case - ms_error) / base
    ci = _icc_interval(value, ms_case, ms_rater, ms_error, k, n)
    shared = {"reason": "not_tested" if ci else "variance_not_estimable"}
    one = single(value=value, ci=ci, detail={**detail, "n_cases": n}, **shared)
    if whole <= TINY:
        return one, mean(value=None, reason="variance_not_estimable")
    bounds = None if ci is None else _of_mean(ci, k)
    panel_mean = (ms_case - ms_error) / whole
    fits = bounds is not None and bounds[0] <= panel_mean <= bounds[1]
    both = mean(
        value=panel_mean,
        ci=bounds if fits else None,
        detail={**detail, "n_cases": n},
        reason="not_tested" if fits else "variance_not_estimable",
    )
    return one, both


def _of_mean(ci: tuple[float, float], k: int) -> tuple[float, float] | None:
    """The interval of the mean of `k` raters (Spearman–Brown); None without an end.

    The lowest ICC of one rater that k raters can have, −1/(k − 1), has none.
    """
    if 1 + (k - 1) * ci[0] <= TINY:
        return None
    low, high = (k * x / (1 + (k - 1) * x) for x in ci)
    return low, high


def _icc_interval(
    value: float, ms_case: float, ms_rater: float, ms_error: float, k: int, n: int
) -> tuple[float, float] | None:
    # Here and not above: a web process that only shows tables pays nothing for it.
    from scipy.stats import f as f_distribution

    if ms_error <= TINY or value >= 1:
        return None
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    spread = (a * ms_rater) ** 2 / (k - 1) + (b * ms_error) ** 2 / ((n - 1) * (k - 1))
    v = (a * ms_rater + b * ms_error) ** 2 / spread
    if not v > 0:
        return None
    lower = float(f_distribution.ppf(0.975, n - 1, v))
    upper = float(f_distribution.ppf(0.975, v, n - 1))
    rest = k * ms_rater + (k * n - k - n) * ms_error
    low = n * (ms_case - lower * ms_error) / (lower * rest + n * ms_case)
    high = n * (upper * ms_case - ms_error) / (rest + n * upper * ms_case)
    ordered = np.isfinite([low, high]).all() and low <= value <= high
    return (float(low), float(high)) if ordered else None


def _squares(kept: FloatArray) -> tuple[float, float, float]:
    k, n = kept.shape
    grand, case, rater = kept.mean(), kept.mean(0), kept.mean(1)
    error = kept - case[None] - rater[:, None] + grand
    return (
        float(k * ((case - grand) ** 2).sum() / (n - 1)),
        float(n * ((rater - grand) ** 2).sum() / (k - 1)),
        float((error**2).sum() / ((n - 1) * (k - 1))),
    )


def _complete(values: FloatArray) -> FloatArray:
    """The cases that every rater scored; raters without any score don't count."""
    seen = values[~np.isnan(values).all(1)]
    return seen[:, ~np.isnan(seen).any(0)]
