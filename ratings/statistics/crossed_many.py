"""The raters × cases test of many studies at once, decided as `crossed` decides one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from ratings.statistics.crossed import MIN_CASES, ROUNDING
from ratings.statistics.table import FloatArray

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Decisions:
    """One value a study: its mean (NaN without a pair), p, and lower 95 % limit.

    Without a test p is 1 and the limit −∞, so that such a study shows nothing. `few`
    marks those with fewer cases than a test needs, `flat` those where nothing varies.
    """

    mean: FloatArray
    p: FloatArray
    low: FloatArray
    few: Flags
    flat: Flags


@dataclass(frozen=True)
class _Sums:
    """What the variances of each study are made of; empty rows and columns are out."""

    n: FloatArray
    raters: FloatArray
    cases: FloatArray
    mean: FloatArray
    rows: FloatArray
    columns: FloatArray
    squares: FloatArray


def decide(d: FloatArray) -> Decisions:
    """What `crossed_mean(d[i]).both` finds in each study of d [study, rater, case]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = _sum(d)
        variance, df = _choose(sums)
        few = sums.cases < MIN_CASES
        flat = ~few & ~((variance > 0) & np.isfinite(df) & _vary(d))
        se = np.sqrt(variance)
        p = 2 * stdtr(df, -np.abs(sums.mean) / se)
        low = sums.mean - stdtrit(df, 0.975) * se
    none = few | flat
    return Decisions(
        mean=sums.mean,
        p=np.where(none, 1.0, p),
        low=np.where(none, -np.inf, low),
        few=few,
        flat=flat,
    )


def _vary(d: FloatArray) -> Flags:
    there = ~np.isnan(d)
    highest = np.where(there, d, -np.inf).max((1, 2))
    found: Flags = highest > np.where(there, d, np.inf).min((1, 2))
    return found


def _sum(d: FloatArray) -> _Sums:
    there = ~np.isnan(d)
    n = there.sum((1, 2)).astype(float)
    mean = np.where(there, d, 0).sum((1, 2)) / n
    left = np.where(there, d - mean[:, None, None], 0)
    return _Sums(
        n=n,
        raters=there.any(2).sum(1).astype(float),
        cases=there.any(1).sum(1).astype(float),
        mean=mean,
        rows=(left.sum(2) ** 2).sum(1),
        columns=(left.sum(1) ** 2).sum(1),
        squares=(left**2).sum((1, 2)),
    )


def _choose(s: _Sums) -> tuple[FloatArray, FloatArray]:
    """(variance of the mean, degrees of freedom) [study], Satterthwaite's or, where
    the variance would be negative, those of the larger source; one rater: the cases'.
    """
    rater, case, cell = _split(s)
    both, larger = rater + case - cell, np.maximum(rater, case)
    spread = (
        rater**2 / (s.raters - 1)
        + case**2 / (s.cases - 1)
        + cell**2 / ((s.raters - 1) * (s.cases - 1))
    )
    usable = both > ROUNDING * larger
    its_df = np.where(rater >= case, s.raters, s.cases) - 1
    alone = s.raters == 1
    variance = np.where(alone, case, np.where(usable, both, larger))
    df = np.where(alone, s.cases - 1, np.where(usable, both**2 / spread, its_df))
    return variance, df


def _split(s: _Sums) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Variance of the mean by rater, case and cell; what rounding leaves is none."""
    within = s.squares - s.rows / s.cases - s.columns / s.raters
    error = within / ((s.raters - 1) * (s.cases - 1))
    parts = (
        s.rows * s.raters / (s.raters - 1),
        s.columns * s.cases / (s.cases - 1),
        np.where(s.n == s.raters * s.cases, error * s.n, s.squares),
    )
    least = ROUNDING * s.squares
    rater, case, cell = (np.where(part > least, part, 0) / s.n**2 for part in parts)
    return rater, case, cell
