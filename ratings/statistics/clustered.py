"""Signed-rank tests that keep together what one case, or one rater, contributed."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
from scipy.special import ndtr

from ratings.statistics.crossed import CASES, RATERS
from ratings.statistics.paired import Zeros, asymptotic_p, exact_p, midranks
from ratings.statistics.primary import MIN_INFORMATIVE
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

Cluster = Literal["case", "rater"]
MIN_RATERS = 6
MIN_RANK_FREE = 15
EXACT_WORK = 4e8  # steps of the exact distribution: about a second
PATTERNS = 100_000
CHUNK = 1000


def clustered_signed_rank(
    differences: FloatArray, *, by: Cluster, seed: int, zeros: Zeros = "pratt"
) -> Result:
    """Signed-rank sum of differences [R, C] (NaN = missing), flipping whole clusters.

    T = Σ_clusters Σ signed ranks (Rosner, Glynn, Lee 2006), ranks over all pairs
    together. p: every pattern of signs of the clusters is equally likely, by the exact
    distribution of the cluster sums; where that has too many steps, 100 000 seeded
    random patterns with (b + 1)/(B + 1). Ties share mid-ranks; zeros as in
    `paired.rank_sums`. Clusters of cases answer for these raters; clusters of raters
    for these cases, and need six raters, because p is never below 2/2^R.
    """
    n = int((~np.isnan(differences)).sum())
    make = partial(
        Result,
        n=n,
        n_excluded=int(differences.size - n),
        scope=CASES if by == "case" else RATERS,
        what=f"signed-rank sum, whole {by}s flipped",
    )
    sums = cluster_sums(differences, by=by, zeros=zeros)
    method = f"signed-rank test ({zeros}) with {by}s as clusters"
    if by == "rater" and differences.shape[0] < MIN_RATERS:
        return make(value=None, method=method, reason="too_few_raters")
    if len(sums) == 0:
        reason = "all_differences_zero" if n else "no_pairs"
        return make(value=None, method=method, reason=reason)
    p, exact = flip_p(sums, seed=seed)
    z, p_normal = asymptotic_p(sums)
    flags = {
        "few_informative_cases": by == "case" and len(sums) < MIN_INFORMATIVE,
        "monte_carlo": not exact,
    }
    return make(
        value=float(sums.sum()),
        p=p,
        method=f"{method}, {'exact' if exact else 'Monte Carlo'} sign flips",
        reason="p_only",
        warnings=tuple(code for code, applies in flags.items() if applies),
        detail={
            "z_asymptotic": z,
            "p_asymptotic": p_normal,
            "n_clusters": len(sums),
            "patterns": None if exact else PATTERNS,
        },
    )


def cluster_sums(differences: FloatArray, *, by: Cluster, zeros: Zeros) -> FloatArray:
    """Sums of signed ranks of the clusters whose sum is not zero."""
    ranks = signed_ranks(differences, zeros=zeros)
    sums = ranks.sum(0 if by == "case" else 1)
    kept: FloatArray = sums[sums != 0]
    return kept


def signed_ranks(differences: FloatArray, *, zeros: Zeros) -> FloatArray:
    """Signed mid-ranks over all pairs together, 0 for zeros and missing pairs."""
    ranked = ~np.isnan(differences)
    if zeros == "wilcox":
        ranked &= differences != 0
    ranks = np.zeros(differences.shape)
    d = differences[ranked]
    ranks[ranked] = midranks(np.abs(d)) * np.sign(d)
    return ranks


def flip_p(sums: FloatArray, *, seed: int) -> tuple[float, bool]:
    """(two-sided p of Σ sums under random signs, whether it is exact)."""
    if 2 * np.abs(sums).sum() * len(sums) <= EXACT_WORK:
        return exact_p(sums), True
    rng = np.random.default_rng(seed)
    # The order of the clusters must not matter.
    sizes = np.sort(np.abs(sums)).astype(np.float32)
    observed, beyond = abs(float(sums.sum())), 0
    for _ in range(PATTERNS // CHUNK):
        bits = np.frombuffer(rng.bytes(CHUNK * (len(sizes) // 8 + 1)), np.uint8)
        signs = np.unpackbits(bits.reshape(CHUNK, -1), axis=1)[:, : len(sizes)]
        totals = 2 * (signs.astype(np.float32) @ sizes) - sizes.sum()
        beyond += int((np.abs(totals) >= observed * (1 - 1e-6)).sum())
    return (beyond + 1) / (PATTERNS + 1), False


def rank_cluster_size_free(differences: FloatArray, *, by: Cluster) -> Result:
    """The signed-rank test of Datta and Satten 2008, free of the clusters' sizes.

    Each cluster counts once, whatever its number of pairs [R, C]. z from the
    cluster-level variance; zeros have sign 0 and keep their rank. It needs about
    fifteen clusters to be trusted; below that it has no p.
    """
    d = differences if by == "rater" else differences.T
    clusters = [row[~np.isnan(row)] for row in d if not np.isnan(row).all()]
    n = sum(len(one) for one in clusters)
    make = partial(
        Result,
        n=n,
        n_excluded=int(differences.size - n),
        method=f"signed-rank test of Datta and Satten, {by}s as clusters",
        scope=CASES if by == "case" else RATERS,
        what="rank sum free of cluster sizes",
    )
    if not clusters:
        return make(value=None, reason="no_pairs")
    total, variance = _datta_satten(clusters)
    if variance <= 0:
        return make(value=None, reason="all_differences_zero")
    z = total / float(np.sqrt(variance))
    enough = len(clusters) >= MIN_RANK_FREE
    return make(
        value=total,
        se=float(np.sqrt(variance)),
        p=float(2 * ndtr(-abs(z))) if enough else None,
        reason="p_only" if enough else "too_few_clusters",
        detail={"z": z, "variance": variance, "n_clusters": len(clusters)},
    )


def _datta_satten(clusters: list[FloatArray]) -> tuple[float, float]:
    """(T, its variance) from the pairs of each cluster."""
    levels = np.unique(np.abs(np.concatenate(clusters)))
    # Share of each cluster's |d| at or below, and below, every level.
    at = np.stack([(np.abs(one)[:, None] <= levels).mean(0) for one in clusters])
    below = np.stack([(np.abs(one)[:, None] < levels).mean(0) for one in clusters])
    half = (at + below) / 2
    sizes = np.array([len(one) for one in clusters], dtype=float)
    everyone, pooled = half.sum(0), sizes @ half / sizes.sum()
    total = variance = 0.0
    for one, own in zip(clusters, half, strict=True):
        place = np.searchsorted(levels, np.abs(one))
        sign = np.sign(one)
        total += float((sign * (1 + everyone[place] - own[place])).mean())
        share = float((sign * pooled[place]).mean()) * (len(clusters) - 1)
        variance += (float(sign.mean()) + share) ** 2
    return total, variance
