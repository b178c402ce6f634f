"""Bootstrap intervals over cases, seeded and the same for any order of the data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ratings.statistics.paired import biserial, rank_sums
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

RESAMPLES = 10_000
MIN_CASES = 10
MAX_UNDEFINED = 0.05


def rank_biserial(
    differences: FloatArray,
    *,
    seed: int,
    scope: str,
    resamples: int = RESAMPLES,
) -> Result:
    """Matched rank-biserial correlation of differences [n] with a case-bootstrap CI.

    (W+ − W−) / (W+ + W−) with Pratt's ranks; the denominator is the rank sum of the
    untied pairs (Kerby 2014). Percentile interval. Resamples in which all pairs are
    tied have no value; when they exceed 5 % no interval is given.
    """
    d = differences[~np.isnan(differences)]
    value = biserial(rank_sums(d, zeros="pratt"))
    result = partial(
        Result,
        n=len(d),
        n_excluded=int(differences.size - len(d)),
        method="matched rank-biserial correlation (pratt), case bootstrap",
        scope=scope,
    )
    if np.isnan(value):
        reason = "all_differences_zero" if len(d) else "no_pairs"
        return result(value=None, reason=reason)
    if len(d) < MIN_CASES:
        return result(value=value, reason="too_few_cases_for_bootstrap")
    draws = _resampled(d, seed, resamples)
    return summarise(result, value, draws, seed=seed)


def summarise(
    make: Callable[..., Result],
    value: float,
    draws: FloatArray,
    *,
    seed: int,
) -> Result:
    """A value with the spread and percentiles of its resamples; NaN = undefined."""
    undefined = int(np.isnan(draws).sum())
    detail = {"resamples": len(draws), "seed": seed, "undefined": undefined}
    if undefined > MAX_UNDEFINED * len(draws):
        return make(value=value, reason="bootstrap_unstable", detail=detail)
    kept = draws[~np.isnan(draws)]
    se = float(kept.std(ddof=1))
    if se <= 1e-12:
        return make(value=value, se=0.0, reason="constant_resamples", detail=detail)
    low, high = (float(q) for q in np.quantile(kept, [0.025, 0.975]))
    warnings = ("undefined_resamples",) if undefined else ()
    return make(
        value=value,
        se=se,
        ci=(low, high),
        reason="not_tested",
        detail=detail,
        warnings=warnings,
    )


def _resampled(d: FloatArray, seed: int, resamples: int) -> FloatArray:
    """Rank-biserial of resamples, by counting how often each difference is drawn."""
    # Facing the positive side first makes a swap of the arms mirror the interval.
    turn = 1.0 if d.sum() >= 0 else -1.0
    values, counts = np.unique(turn * d, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(d), counts / len(d), size=resamples).astype(float)
    sizes = np.unique(np.abs(values))
    per_size = np.stack([drawn[:, np.abs(values) == s].sum(1) for s in sizes], 1)
    ranks = np.cumsum(per_size, 1) - (per_size - 1) / 2.0
    rank_of = ranks[:, np.searchsorted(sizes, np.abs(values))]
    signed = drawn * rank_of * np.sign(values)
    with np.errstate(invalid="ignore"):
        share: FloatArray = signed.sum(1) / np.abs(signed).sum(1)
    return turn * share
