"""What the scores of each arm look like, before any comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratings.statistics.agreement import Agreement, agreement
from ratings.statistics.crossed import crossed_mean
from ratings.statistics.panel import Panel, panel
from ratings.statistics.result import Result
from ratings.statistics.strata import Strata, by_stratum
from ratings.statistics.table import FloatArray, ScoreTable


@dataclass(frozen=True)
class Described:
    """Scores of one arm by one rater or by all.

    `counts` follows the levels of the scale; `n_expected` is how many the table
    says were asked for; `sd` is the sample SD (ddof 1) of the scores themselves.
    """

    label: str
    mean: Result
    sd: Result
    counts: tuple[int, ...]
    n_expected: int


@dataclass(frozen=True)
class ArmSummary:
    """One arm: all raters together, each rater, agreement, and groups of cases."""

    arm: str
    overall: Described
    per_rater: tuple[Described, ...]
    agreement: Agreement
    panel: Panel
    strata: tuple[Strata, ...]


def describe_arm(table: ScoreTable, *, arm: str, seed: int) -> ArmSummary:
    """Mean with its crossed interval, SD and counts of one arm."""
    scores, asked = table.of_arm(arm), table.expected_of(arm).sum(1)
    return ArmSummary(
        arm=arm,
        overall=_described("all raters", scores, table.levels, int(asked.sum())),
        per_rater=tuple(
            _described(rater, scores[r : r + 1], table.levels, int(asked[r]))
            for r, rater in enumerate(table.raters)
        ),
        agreement=agreement(scores, kind=arm, raters=table.raters, levels=table.levels),
        panel=panel(scores, kind=arm, levels=table.levels, seed=seed),
        strata=by_stratum(table, scores, what="mean score", tested=False, seed=seed),
    )


def _described(
    label: str, scores: FloatArray, levels: tuple[int, ...], n_expected: int
) -> Described:
    mean = crossed_mean(scores, what="mean score").both
    reason = "no_scores" if mean.value is None else mean.reason or "not_tested"
    given = scores[~np.isnan(scores)]
    return Described(
        label=label,
        # A test of “mean = 0” would mean nothing on a scale.
        mean=replace(mean, p=None, reason=reason),
        sd=_sd(given, n_expected, mean.scope),
        counts=tuple(int((given == level).sum()) for level in levels),
        n_expected=n_expected,
    )


def _sd(given: FloatArray, expected: int, scope: str) -> Result:
    enough = len(given) > 1
    return Result(
        value=float(given.std(ddof=1)) if enough else None,
        n=len(given),
        n_excluded=expected - len(given),
        method="standard deviation of the scores (ddof 1)",
        scope=scope,
        reason="not_tested" if enough else "single_value",
    )
