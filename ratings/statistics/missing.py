"""What missing scores could change: the primary difference under four assumptions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratings.statistics.crossed import BOTH, crossed_mean
from ratings.statistics.result import Result
from ratings.statistics.table import BoolArray, FloatArray, ScoreTable


@dataclass(frozen=True)
class MissingScores:
    """The primary difference again; every entry has a reason when nothing is missing.

    `worst` puts the lowest score where the arm's is missing and the highest where the
    reference's is; `best` the other way round.
    """

    n_missing: int
    complete_raters: Result
    complete_cases: Result
    worst: Result
    best: Result


def assume(table: ScoreTable, *, arm: str, reference: str) -> MissingScores:
    """The difference of two arms under each assumption about missing scores."""
    a, r = table.of_arm(arm), table.of_arm(reference)
    d = a - r
    low, high = table.levels[0], table.levels[-1]
    asked = table.expected_of(arm), table.expected_of(reference)
    lacking = sum(
        int((np.isnan(scores) & place).sum())
        for scores, place in zip((a, r), asked, strict=True)
    )

    def fill(in_arm: int, in_reference: int) -> FloatArray:
        return _filled(a, asked[0], in_arm) - _filled(r, asked[1], in_reference)

    forms = {
        "complete_raters": ("complete raters only", d[~np.isnan(d).any(1)]),
        "complete_cases": ("complete cases only", _complete_cases(d)),
        "worst": ("missing scores against the arm", fill(low, high)),
        "best": ("missing scores for the arm", fill(high, low)),
    }
    found = {
        name: _one(label, values, d.size, lacking)
        for name, (label, values) in forms.items()
    }
    return MissingScores(n_missing=lacking, **found)


def _one(label: str, values: FloatArray, size: int, lacking: int) -> Result:
    what = f"mean difference, {label}"
    if not lacking:
        return Result(
            value=None, n=size, method=what, what=what, scope=BOTH,
            reason="nothing_missing",
        )  # fmt: skip
    if values.size == 0:
        return Result(
            value=None, n=0, n_excluded=size, method=what, what=what, scope=BOTH,
            reason="none_left",
        )  # fmt: skip
    found = crossed_mean(values, what=what).both
    return replace(found, n_excluded=size - found.n)


def _complete_cases(d: FloatArray) -> FloatArray:
    """Cases complete over the raters who gave any pair."""
    seen = d[~np.isnan(d).all(1)]
    return seen[:, ~np.isnan(seen).any(0)]


def _filled(scores: FloatArray, asked: BoolArray, value: int) -> FloatArray:
    return np.where(np.isnan(scores) & asked, float(value), scores)
