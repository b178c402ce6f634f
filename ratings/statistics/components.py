"""Where the variance of the scores of a finished study lies, to plan the next one."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ratings.statistics.table import FloatArray

REASONS = {
    "one_arm": "it has one arm only, so nothing says how arms differ",
    "too_few_complete": (
        "no two raters scored the same three cases in every arm, which is the least "
        "that this needs"
    ),
    "no_variation": "every score in it is the same",
}


@dataclass(frozen=True, kw_only=True)
class Components:
    """Variances of one score by source, in squared points of the scale.

    `rater` and `case` (and `rater_case`) are shared by the arms of a case and so
    cancel in a difference; `rater_arm` and `case_arm` are what a comparison must
    generalise over; `residual` is the rest of one score.
    """

    rater: float
    case: float
    rater_case: float
    rater_arm: float
    case_arm: float
    residual: float


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """What a finished study tells a planned one; `components` None with a reason.

    `negative` names the components whose estimate fell below zero and was set to zero;
    `n_raters` and `n_cases` are of the complete table that was used, out of
    `of_raters` and `of_cases`.
    """

    components: Components | None
    mean: float | None = None
    n_raters: int = 0
    n_cases: int = 0
    n_arms: int = 0
    of_raters: int = 0
    of_cases: int = 0
    negative: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def reason_text(self) -> str:
        return REASONS.get(self.reason or "", "")


def estimate_components(scores: FloatArray) -> Pilot:
    """Variance components of `scores` [rater, case, arm] by the method of moments.

    Raters and cases random, arms fixed, one score a cell: each mean square of the
    three-way analysis of variance is set equal to its expectation (Searle, Casella,
    McCulloch 1992, chapter 4). Missing scores (NaN) are met by the larger of two
    complete tables: the cases that every rater scored in every arm, or the raters who
    scored every case in every arm. Rounding to whole points is part of the residual.
    """
    full = _complete(scores)
    n_raters, n_cases, n_arms = full.shape
    found = {
        "n_raters": n_raters,
        "n_cases": n_cases,
        "n_arms": n_arms,
        "of_raters": scores.shape[0],
        "of_cases": scores.shape[1],
    }
    if n_arms < 2:
        return Pilot(components=None, reason="one_arm", **found)
    if n_raters < 2 or n_cases < 3:
        return Pilot(components=None, reason="too_few_complete", **found)
    if full.max() == full.min():
        return Pilot(components=None, reason="no_variation", **found)
    raw = _moments(full)
    return Pilot(
        components=Components(**{name: max(v, 0.0) for name, v in raw.items()}),
        mean=float(full.mean()),
        negative=tuple(f.name for f in fields(Components) if raw[f.name] < -1e-12),
        **found,
    )


def _complete(scores: FloatArray) -> FloatArray:
    """The larger of the tables without gaps; raters and cases without a score go."""
    there = ~np.isnan(scores)
    scores = scores[there.any((1, 2))][:, there.any((0, 2))]
    there = ~np.isnan(scores)
    of_cases = scores[:, there.all((0, 2))]
    of_raters = scores[there.all((1, 2))]

    def rank(table: FloatArray) -> tuple[bool, int]:
        return table.shape[0] >= 2 and table.shape[1] >= 3, table.size

    return max(of_cases, of_raters, key=rank)


def _moments(y: FloatArray) -> dict[str, float]:
    """Each component [unbounded] from the mean squares of a complete table."""
    n_raters, n_cases, n_arms = y.shape
    free = np.array([n_raters - 1, n_cases - 1, n_arms - 1])
    effects: dict[tuple[int, ...], FloatArray] = {}
    for kept in ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)):
        out = tuple(axis for axis in range(3) if axis not in kept)
        effect = y.mean(axis=out, keepdims=True) if out else y
        below = [e for axes, e in effects.items() if set(axes) < set(kept)]
        effects[kept] = effect - sum(below, np.zeros((1, 1, 1)))

    def square(*kept: int) -> float:
        spread = np.broadcast_to(effects[kept] ** 2, y.shape)
        return float(spread.sum() / free[list(kept)].prod())

    rest = square(0, 1, 2)
    rater_case, rater_arm, case_arm = square(0, 1), square(0, 2), square(1, 2)
    return {
        "rater": (square(0) - rater_case - rater_arm + rest) / (n_cases * n_arms),
        "case": (square(1) - rater_case - case_arm + rest) / (n_raters * n_arms),
        "rater_case": (rater_case - rest) / n_arms,
        "rater_arm": (rater_arm - rest) / n_cases,
        "case_arm": (case_arm - rest) / n_raters,
        "residual": rest,
    }
