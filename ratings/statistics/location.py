"""Sign test, Hodges–Lehmann shift and the share of pairs won, for one rater's pairs."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, ndtri

from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

MIN_FOR_INTERVAL = 6
EXACT_LIMIT = 300


def sign_test(differences: FloatArray, *, scope: str) -> Result:
    """Exact binomial test of as many differences above zero as below; ties drop out.

    The value is the share above zero among the untied pairs [n].
    """
    d = differences[~np.isnan(differences)]
    above, below = int((d > 0).sum()), int((d < 0).sum())
    n = above + below
    make = partial(
        Result,
        n=n,
        n_excluded=int(differences.size - n),
        method="sign test, exact binomial, ties dropped",
        scope=scope,
        what="share of untied pairs scored higher",
    )
    if n == 0:
        return make(value=None, reason="all_differences_zero" if len(d) else "no_pairs")
    return make(
        value=above / n,
        p=_two_sided_binomial(min(above, below), n),
        reason="p_only",
        detail={"above": above, "below": below, "n_zero": int(len(d) - n)},
    )


def win_probability(differences: FloatArray, *, scope: str) -> Result:
    """P(d > 0) + ½ P(d = 0): the chance that the arm is preferred, ties split."""
    d = differences[~np.isnan(differences)]
    make = partial(
        Result,
        n=len(d),
        n_excluded=int(differences.size - len(d)),
        method="probability of superiority of pairs, ties split",
        scope=scope,
        what="chance of being scored higher, ties split",
    )
    if len(d) == 0:
        return make(value=None, reason="no_pairs")
    value = float((d > 0).mean() + (d == 0).mean() / 2)
    return make(value=value, reason="not_tested")


def hodges_lehmann(differences: FloatArray, *, scope: str) -> Result:
    """Median of the Walsh averages of all differences [n], zeros among them.

    The interval is of two Walsh order statistics, at the exact quantile of the
    signed-rank sum without ties (conservative under ties); above 300 pairs that
    quantile is a normal approximation. Hodges and Lehmann 1963.
    """
    d = differences[~np.isnan(differences)]
    make = partial(
        Result,
        n=len(d),
        n_excluded=int(differences.size - len(d)),
        method="Hodges–Lehmann estimate, Walsh averages",
        scope=scope,
        what="typical shift (Hodges–Lehmann)",
    )
    if len(d) == 0:
        return make(value=None, reason="no_pairs")
    averages, counts = _walsh(d)
    total = int(counts.sum())
    middle = [_order(averages, counts, k) for k in ((total - 1) // 2, total // 2)]
    value = float(np.mean(middle))
    if len(d) < MIN_FOR_INTERVAL:
        return make(value=value, reason="n_too_small")
    if not d.any():
        return make(value=0.0, reason="all_differences_zero")
    k = _quantile(len(d))
    low, high = (_order(averages, counts, i) for i in (k, total - 1 - k))
    detail = {"walsh_order": k}
    return make(value=value, ci=(low, high), reason="not_tested", detail=detail)


def _two_sided_binomial(smaller: int, n: int) -> float:
    if 2 * smaller >= n:
        return 1.0
    # P(X ≤ k) of a fair binomial is an incomplete beta function.
    return float(min(1.0, 2 * betainc(n - smaller, smaller + 1, 0.5)))


def _walsh(d: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Distinct Walsh averages (i ≤ j), ascending, and how often each occurs."""
    values, n = np.unique(d, return_counts=True)
    first, second = np.triu_indices(len(values))
    same = first == second
    pairs = np.where(same, n[first] * (n[first] + 1) // 2, n[first] * n[second])
    averages, inverse = np.unique(
        (values[first] + values[second]) / 2, return_inverse=True
    )
    counts = np.zeros(len(averages), dtype=np.int64)
    np.add.at(counts, inverse, pairs)
    return averages, counts


def _order(averages: FloatArray, counts: npt.NDArray[np.int64], k: int) -> float:
    """The Walsh average of rank `k`, counted from 0."""
    return float(averages[np.searchsorted(np.cumsum(counts), k, side="right")])


def _quantile(n: int) -> int:
    """Index from 0 of the lower Walsh average of a 95 % interval."""
    if n > EXACT_LIMIT:
        spread = np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        k = n * (n + 1) / 4 + ndtri(0.025) * spread
        return max(int(np.floor(k)) - 1, 0)
    chances = np.zeros(n * (n + 1) // 2 + 1)
    chances[0] = 1.0
    for rank in range(1, n + 1):
        moved = chances[:-rank].copy()
        chances *= 0.5
        chances[rank:] += 0.5 * moved
    below = np.cumsum(chances)
    return max(int(np.searchsorted(below, 0.025 - 1e-15)) - 1, 0)
