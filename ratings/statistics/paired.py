"""Statistics of paired differences of one rater: tests, effects, preferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from scipy.special import ndtr

from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

Zeros = Literal["pratt", "wilcox"]
EXACT_LIMIT = 500


@dataclass(frozen=True)
class RankSums:
    """Rank sums of the positive and of the negative differences, in mid-ranks."""

    plus: float
    minus: float
    ranks: FloatArray  # signed ranks of the non-zero differences
    n_zero: int


def midranks(values: FloatArray) -> FloatArray:
    """Ranks 1..n of `values` [n], tied values sharing the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: FloatArray = last - (counts - 1) / 2.0
    return means[inverse]


def rank_sums(differences: FloatArray, *, zeros: Zeros) -> RankSums:
    """Signed rank sums of differences [n]; NaN are left out.

    Args:
        differences: arm − reference.
        zeros: `wilcox` drops zeros before ranking (Wilcoxon 1945); `pratt` ranks
            them with the rest and then drops their ranks (Pratt 1959).
    """
    d = differences[~np.isnan(differences)]
    nonzero = d[d != 0]
    ranked = d if zeros == "pratt" else nonzero
    ranks = midranks(np.abs(ranked)) * np.sign(ranked)
    signed = ranks[ranked != 0]
    return RankSums(
        plus=float(signed[signed > 0].sum()),
        minus=float(-signed[signed < 0].sum()),
        ranks=signed,
        n_zero=int(len(d) - len(nonzero)),
    )


def exact_p(ranks: FloatArray) -> float:
    """Two-sided p of a signed-rank sum: every pattern of signs equally likely.

    The distribution is conditional on the observed mid-ranks, so it is exact under
    ties and zeros. It is built by adding one rank after another on a grid of
    doubled ranks, which are whole numbers. Two-sided p is twice the smaller tail.
    """
    doubled = np.rint(2 * np.abs(ranks)).astype(np.int64)
    observed = int(doubled[ranks > 0].sum())
    chances = np.zeros(int(doubled.sum()) + 1)
    chances[0] = 1.0
    top = 0
    for step in doubled:
        moved = chances[: top + 1].copy()
        chances[: top + 1] *= 0.5
        chances[step : step + top + 1] += 0.5 * moved
        top += int(step)
    tail = min(chances[: observed + 1].sum(), chances[observed:].sum())
    return float(min(1.0, 2.0 * tail))


def asymptotic_p(ranks: FloatArray) -> tuple[float, float]:
    """(z, two-sided p) of a signed-rank sum: z = ΣSR / √ΣSR², no continuity step."""
    z = float(ranks.sum() / np.sqrt((ranks**2).sum()))
    return z, float(2.0 * ndtr(-abs(z)))


def signed_rank(
    differences: FloatArray, *, zeros: Zeros = "pratt", scope: str
) -> Result:
    """Signed-rank test of paired differences [n] from independent cases.

    The value is W+ (the rank sum in favour of the arm). Reference: Wilcoxon 1945,
    Pratt 1959; Conover 1973 compares the two ways with zeros. With more than
    `EXACT_LIMIT` untied pairs the normal approximation is used, and said.
    """
    n = int((~np.isnan(differences)).sum())
    sums = rank_sums(differences, zeros=zeros)
    exact = len(sums.ranks) <= EXACT_LIMIT
    result = partial(
        Result,
        n=n,
        n_excluded=int(differences.size - n),
        method=f"signed-rank test ({zeros}), {'exact' if exact else 'asymptotic'}",
        scope=scope,
    )
    if len(sums.ranks) == 0:
        return result(value=None, reason="all_differences_zero" if n else "no_pairs")
    z, p_asymptotic = asymptotic_p(sums.ranks)
    warnings = ("p_cannot_reach_0.05",) if len(sums.ranks) <= 5 else ()
    return result(
        value=sums.plus,
        p=exact_p(sums.ranks) if exact else p_asymptotic,
        reason="p_only",
        warnings=warnings if exact else ("asymptotic",),
        detail={
            "w_plus": sums.plus,
            "w_minus": sums.minus,
            "n_zero": sums.n_zero,
            "z_asymptotic": z,
            "p_asymptotic": p_asymptotic,
        },
    )


def biserial(sums: RankSums) -> float:
    """(W+ − W−) / (W+ + W−): rank-biserial correlation, NaN when all are tied."""
    total = sums.plus + sums.minus
    return (sums.plus - sums.minus) / total if total else float("nan")


@dataclass(frozen=True)
class Preference:
    """How often the arm was scored higher, equal or lower than the reference."""

    better: int
    tied: int
    worse: int

    @property
    def n(self) -> int:
        """Pairs counted."""
        return self.better + self.tied + self.worse


def preference(differences: FloatArray) -> Preference:
    """Count differences of any shape above, at and below zero; NaN are left out."""
    return Preference(
        better=int((differences > 0).sum()),
        tied=int((differences == 0).sum()),
        worse=int((differences < 0).sum()),
    )


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm-adjusted p-values (Holm 1979); None stays None and leaves the family."""
    known = [(p, i) for i, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for place, (p, i) in enumerate(sorted(known)):
        highest = max(highest, min(1.0, (len(known) - place) * p))
        adjusted[i] = highest
    return tuple(adjusted)
