"""Does the primary answer survive other assumptions? One comparison, many ways."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ratings.statistics import location, resampling
from ratings.statistics.clmm import cumulative_link
from ratings.statistics.clustered import (
    clustered_signed_rank,
    rank_cluster_size_free,
)
from ratings.statistics.missing import MissingScores, assume
from ratings.statistics.result import Result
from ratings.statistics.strata import Strata, by_stratum
from ratings.statistics.table import FloatArray, ScoreTable


@dataclass(frozen=True)
class Sensitivity:
    """The same comparison by other methods, each with whom it speaks for.

    `case_flips` and `rater_flips` are exact or Monte Carlo permutation tests;
    `bootstrap_*` are percentile intervals of the mean difference, and of the net
    preference over cases; `model` is the cumulative-link mixed model.
    """

    case_flips: Result
    case_flips_zeros_dropped: Result
    rater_flips: Result
    rank_free: Result
    bootstrap_cases: Result
    bootstrap_raters: Result
    bootstrap_both: Result
    bootstrap_preference: Result
    bootstrap_win: Result
    model: Result
    missing: MissingScores
    strata: tuple[Strata, ...]


def other_ways(
    table: ScoreTable, *, arm: str, reference: str, seed: int
) -> Sensitivity:
    """All sensitivity analyses of one arm against the reference."""
    d = table.difference(arm=arm, reference=reference)
    flips = partial(clustered_signed_rank, d, seed=seed)
    mean_cases, preference = resampling.over_cases(d, seed=seed)
    return Sensitivity(
        case_flips=flips(by="case"),
        case_flips_zeros_dropped=flips(by="case", zeros="wilcox"),
        rater_flips=flips(by="rater"),
        rank_free=rank_cluster_size_free(d, by="case"),
        bootstrap_cases=mean_cases,
        bootstrap_raters=resampling.over_raters(d, seed=seed)[0],
        bootstrap_both=resampling.over_both(d, seed=seed)[0],
        bootstrap_preference=preference,
        bootstrap_win=_win(d, preference),
        model=cumulative_link(table.of_arm(reference), table.of_arm(arm)),
        missing=assume(table, arm=arm, reference=reference),
        strata=by_stratum(table, d, what="mean difference", tested=True, seed=seed),
    )


def _win(d: FloatArray, preference: Result) -> Result:
    """Chance of being scored higher, ties split: (1 + net preference)/2."""
    found = location.win_probability(d.ravel(), scope=preference.scope)
    if found.value is None or preference.ci is None or preference.se is None:
        return found
    low, high = ((1 + end) / 2 for end in preference.ci)
    return Result(
        value=found.value,
        se=preference.se / 2,
        ci=(low, high),
        n=found.n,
        n_excluded=found.n_excluded,
        method=f"{found.method}, bootstrap over cases",
        what=found.what,
        scope=preference.scope,
        reason="not_tested",
        detail=preference.detail,
    )
