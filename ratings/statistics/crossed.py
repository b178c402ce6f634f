"""The raters × cases analysis: a mean with both kinds of sampling in its interval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from ratings.statistics.result import Result, finite
from ratings.statistics.table import FloatArray

BOTH = "for raters and cases like these"
CASES = "for these raters, and cases like these"
RATERS = "for these cases, and raters like these"
ONE_RATER = "for this rater, and cases like these"
ROUNDING = 1e-12
MIN_CASES = 3


@dataclass(frozen=True)
class Variances:
    """Variance of a grand mean by source, on the scale of that mean.

    `rater`, `case` and `cell` are MS/(RC) in a balanced design and one-way
    cluster-robust variances otherwise; the variance of the mean is
    rater + case − cell.
    """

    mean: float
    n_raters: int
    n_cases: int
    n: int
    balanced: bool
    rater: float
    case: float
    cell: float

    @property
    def both(self) -> float:
        """Variance for random raters and random cases; may be negative."""
        return self.rater + self.case - self.cell


@dataclass(frozen=True)
class Crossed:
    """One mean over raters and cases, with an interval for each claim.

    `both` is the primary result; `hillis` the same with Hillis' variance and
    degrees of freedom; `cases` and `raters` let only that factor vary.
    """

    both: Result
    hillis: Result
    cases: Result
    raters: Result


def crossed_mean(values: FloatArray, *, what: str) -> Crossed:
    """Mean of `values` [rater, case] (NaN = missing) and its crossed uncertainty.

    Balanced: two-way random-effects analysis of variance,
    Var = (MS_rater + MS_case − MS_error)/(RC), Satterthwaite degrees of freedom; with
    one value per cell this is the Obuchowski–Rockette analysis of a mean score.
    Unbalanced: two-way cluster-robust variance (Cameron, Gelbach, Miller 2011),
    V = (V_case·C/(C−1) + V_rater·R/(R−1) − V_cell)/N², same recipe for the degrees of
    freedom. Raters and cases without any value are left out.

    Args:
        values: paired differences, signs of differences, or scores.
        what: names the quantity in `method`.
    """
    kept = _without_empty(values)
    n_excluded = int(values.size - (~np.isnan(kept)).sum())
    result = partial(Result, n=int(values.size - n_excluded), n_excluded=n_excluded)
    if kept.size == 0:
        nothing = result(value=None, method=what, scope=BOTH, reason="no_pairs")
        return Crossed(nothing, nothing, nothing, nothing)
    if kept.shape[0] == 1:
        return _one_rater(kept[0], what, result)
    mean = float(np.nanmean(kept))
    problem = _problem(kept)
    if problem is not None:
        se = 0.0 if problem == "zero_variance" else None
        flat = partial(result, value=mean, se=se, method=what, reason=problem)
        both, cases, raters = (flat(scope=scope) for scope in (BOTH, CASES, RATERS))
        return Crossed(both, both, cases, raters)
    return _crossed(variances(kept), kept, what, result)


def variances(values: FloatArray) -> Variances:
    """Split the variance of the mean of `values` [R ≥ 2, C ≥ 2] by its sources."""
    there = ~np.isnan(values)
    n_raters, n_cases = values.shape
    n = int(there.sum())
    mean = float(values[there].sum() / n)
    balanced = n == values.size
    residual = np.where(there, values - mean, 0.0)
    by_rater = (residual.sum(1) ** 2).sum() * n_raters / (n_raters - 1)
    by_case = (residual.sum(0) ** 2).sum() * n_cases / (n_cases - 1)
    cell = (residual**2).sum()
    if balanced:
        cell = _mean_squares(values)[2] * n
    # What rounding leaves of equal means must not pass for a variance.
    by_rater, by_case, cell = (
        part if part > ROUNDING * (residual**2).sum() else 0.0
        for part in (by_rater, by_case, cell)
    )
    return Variances(
        mean=mean,
        n_raters=n_raters,
        n_cases=n_cases,
        n=n,
        balanced=balanced,
        rater=float(by_rater / n**2),
        case=float(by_case / n**2),
        cell=float(cell / n**2),
    )


def one_sided_p(result: Result, *, bound: float) -> float | None:
    """P-value of H0: mean ≤ bound, from a crossed result; None without a test."""
    df = result.detail.get("df")
    if result.value is None or not result.se or not isinstance(df, float):
        return None
    return float(stdtr(df, -(result.value - bound) / result.se))


def _without_empty(values: FloatArray) -> FloatArray:
    there = ~np.isnan(values)
    return values[there.any(1)][:, there.any(0)]


def _problem(values: FloatArray) -> str | None:
    if values.shape[1] == 1:
        return "single_case"
    if np.nanmax(values) == np.nanmin(values):
        return "zero_variance"
    return "too_few_cases" if values.shape[1] < MIN_CASES else None


def _one_rater(values: FloatArray, what: str, result: partial[Result]) -> Crossed:
    """One rater: the ordinary t interval over cases, with nothing said of raters."""
    mean = float(values.mean())
    make = partial(
        result,
        value=mean,
        method=f"{what}, t interval over cases",
        scope=ONE_RATER,
        warnings=("single_rater_no_generalisation",),
    )
    problem = _problem(values[None, :])
    if problem is not None:
        alone = make(se=0.0 if problem == "zero_variance" else None, reason=problem)
    else:
        se = float(values.std(ddof=1) / np.sqrt(len(values)))
        alone = make(**_interval(mean, se, len(values) - 1.0))
    return Crossed(alone, alone, alone, alone)


def _crossed(
    v: Variances, values: FloatArray, what: str, result: partial[Result]
) -> Crossed:
    name = "two-way random effects" if v.balanced else "two-way cluster-robust"
    make = partial(result, value=v.mean, scope=BOTH)
    variance, df, truncated = _satterthwaite(v)
    return Crossed(
        both=_finish(
            partial(make, method=f"{what}, {name}, Satterthwaite"),
            *(variance, df, v),
            warnings=(*truncated, *_cautions(v)),
            detail=_shares(values) if v.balanced else {},
        ),
        hillis=_hillis(partial(make, method=f"{what}, {name}, Hillis"), v),
        cases=_finish(
            partial(make, method=f"{what}, {name}, cases vary", scope=CASES),
            *(v.case, v.n_cases - 1.0, v),
        ),
        raters=_finish(
            partial(make, method=f"{what}, {name}, raters vary", scope=RATERS),
            *(v.rater, v.n_raters - 1.0, v),
        ),
    )


def _satterthwaite(v: Variances) -> tuple[float, float, tuple[str, ...]]:
    """(variance, degrees of freedom, warnings) for random raters and cases."""
    if v.both <= 1e-12 * max(v.rater, v.case):
        if v.rater >= v.case:
            return v.rater, v.n_raters - 1.0, ("negative_variance_truncated",)
        return v.case, v.n_cases - 1.0, ("negative_variance_truncated",)
    spread = (
        v.rater**2 / (v.n_raters - 1)
        + v.case**2 / (v.n_cases - 1)
        + v.cell**2 / ((v.n_raters - 1) * (v.n_cases - 1))
    )
    df = v.both**2 / spread
    return v.both, df, ("hardly_any_freedom",) if df < 1 else ()


def _hillis(make: partial[Result], v: Variances) -> Result:
    """Hillis 2007: max(MS_case − MS_error, 0), and df from the raters alone."""
    if not v.balanced:
        return make(reason="unbalanced_design")
    variance = v.rater + max(v.case - v.cell, 0.0)
    spread = v.rater**2 / (v.n_raters - 1)
    if spread <= 0:
        return make(reason="variance_not_estimable")
    return _finish(make, variance, variance**2 / spread, v)


def _finish(
    make: partial[Result],
    variance: float,
    df: float,
    v: Variances,
    *,
    warnings: tuple[str, ...] = (),
    detail: dict[str, float | None] | None = None,
) -> Result:
    if variance <= 0 or finite(df) is None:
        return make(reason="variance_not_estimable", warnings=warnings)
    found = _interval(v.mean, float(np.sqrt(variance)), df)
    found["detail"] = {**found["detail"], **(detail or {})}
    return make(warnings=warnings, **found)


def _interval(mean: float, se: float, df: float) -> dict[str, Any]:
    """Standard error, 95 % t interval, two-sided p and df, as fields of a Result."""
    half = float(stdtrit(df, 0.975)) * se
    return {
        "se": se,
        "ci": (mean - half, mean + half),
        "p": float(2 * stdtr(df, -abs(mean) / se)),
        "detail": {"df": float(df)},
    }


def _cautions(v: Variances) -> tuple[str, ...]:
    few = not v.balanced and v.n_raters < 4
    sparse = v.n < 0.7 * v.n_raters * v.n_cases
    codes = {"few_raters_unbalanced": few, "many_missing": sparse}
    return tuple(code for code, applies in codes.items() if applies)


def _mean_squares(values: FloatArray) -> tuple[float, float, float]:
    """(MS_rater, MS_case, MS_error) of a complete [R, C] table."""
    n_raters, n_cases = values.shape
    rater, case, mean = values.mean(1), values.mean(0), values.mean()
    error = values - rater[:, None] - case[None, :] + mean
    return (
        float(n_cases * ((rater - mean) ** 2).sum() / (n_raters - 1)),
        float(n_raters * ((case - mean) ** 2).sum() / (n_cases - 1)),
        float((error**2).sum() / ((n_raters - 1) * (n_cases - 1))),
    )


def _shares(values: FloatArray) -> dict[str, float | None]:
    """Mean squares and the share of the variance due to rater, case and rest."""
    n_raters, n_cases = values.shape
    ms_rater, ms_case, ms_error = _mean_squares(values)
    parts = {
        "share_rater": max((ms_rater - ms_error) / n_cases, 0.0),
        "share_case": max((ms_case - ms_error) / n_raters, 0.0),
        "share_residual": ms_error,
    }
    total = sum(parts.values())
    shares = {name: part / total if total else None for name, part in parts.items()}
    squares = {"ms_rater": ms_rater, "ms_case": ms_case, "ms_error": ms_error}
    return {**squares, **shares}
