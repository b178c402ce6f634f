"""Asks whether experts' scores follow a metric: rank correlation over cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ratings.statistics.bootstrap import summarise
from ratings.statistics.paired import midranks
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

RESAMPLES = 2_000
MIN_CASES = 10
MAX_UNDEFINED = 0.05
# Below this difference in rank, as a share of all ranks, nobody speaks of a case.
GAP = 0.5


@dataclass(frozen=True)
class Point:
    """One case: the metric, the experts' mean score, and how far their ranks part.

    `gap` is (rank of the score − rank of the metric) / (n − 1): above 0, experts rank
    the case higher than the metric does.
    """

    case: str
    metric: float
    score: float
    gap: float

    @property
    def outlying(self) -> bool:
        return abs(self.gap) >= GAP


@dataclass(frozen=True)
class Relation:
    """How one arm's scores (or differences in score) go with a metric."""

    arm: str
    what: str
    correlation: Result
    points: tuple[Point, ...]

    @property
    def disagreements(self) -> tuple[Point, ...]:
        """The cases by how far the ranks part, the farthest first."""
        parted = sorted(self.points, key=lambda point: (-abs(point.gap), point.case))
        return tuple(point for point in parted if point.gap)


def relate(
    *,
    arm: str,
    what: str,
    cases: Sequence[str],
    metric: FloatArray,
    scores: FloatArray,
    seed: int,
) -> Relation:
    """Spearman's correlation of a metric [case] with scores [rater, case].

    Each case enters once, with the mean of its raters, so that raters of one case are
    not taken as independent. The percentile interval resamples whole cases, with all
    their raters. Spearman 1904; ties share mid-ranks.
    """
    kept = ~np.isnan(metric) & ~np.isnan(scores).all(axis=0)
    x = metric[kept]
    y = np.nanmean(scores[:, kept], axis=0) if kept.any() else np.zeros(0)
    names = [case for case, keep in zip(cases, kept, strict=True) if keep]
    gaps = (midranks(y) - midranks(x)) / max(len(x) - 1, 1)
    points = tuple(
        Point(name, float(a), float(b), float(gap))
        for name, a, b, gap in zip(names, x, y, gaps, strict=True)
    )
    return Relation(arm, what, correlate(x, y, seed=seed), points)


def correlate(x: FloatArray, y: FloatArray, *, seed: int) -> Result:
    """Spearman's correlation of pairs [case] with a case-bootstrap 95 % interval."""
    make = partial(
        Result,
        n=len(x),
        method="Spearman's rank correlation, case bootstrap",
        scope="for these raters and cases like these",
        what="rank correlation of score and metric",
    )
    if len(x) < 3:
        return make(value=None, reason="too_few_cases")
    value = rank_correlation(x, y)
    if np.isnan(value):
        return make(value=None, reason="zero_variance")
    if len(x) < MIN_CASES:
        return make(value=value, reason="too_few_cases_for_bootstrap")
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(x), (RESAMPLES, len(x)))
    draws = np.array([rank_correlation(x[pick], y[pick]) for pick in picks])
    return summarise(make, value, draws, seed=seed)


def rank_correlation(x: FloatArray, y: FloatArray) -> float:
    """Pearson's correlation of mid-ranks; NaN where either does not vary."""
    a, b = midranks(x), midranks(y)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else float("nan")
