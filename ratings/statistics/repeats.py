"""How far a rater agrees with themselves: the main rating against hidden repeats."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ratings.statistics.agreement import Weighting, Z, kappas
from ratings.statistics.bootstrap import RESAMPLES, summarise
from ratings.statistics.resampling import MIN_RATERS, resampled_sums
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray, ScoreTable

OWN = "for this rater, and cases like these"
ALL = "for raters like these, on these cases"


@dataclass(frozen=True)
class RaterRepeats:
    """One rater's quadratically weighted kappa and share of exactly equal scores."""

    rater: str
    kappa: Result
    linear: Result
    unweighted: Result
    exact: Result


@dataclass(frozen=True)
class Repeats:
    """Agreement with oneself; repeats enter no other result."""

    per_rater: tuple[RaterRepeats, ...]
    kappa: Result
    exact: Result


def repeats(table: ScoreTable, *, seed: int) -> Repeats | None:
    """Compare each first repeat (rep 1) with its main rating; None without repeats."""
    if not table.repeats:
        return None
    tables = repeat_tables(table)
    kept = [(r, t) for r, t in zip(table.raters, tables, strict=True) if t.sum()]
    shown = np.stack([t for _, t in kept]) if kept else np.zeros((0, *tables[0].shape))
    return Repeats(
        per_rater=tuple(_one(rater, found) for rater, found in kept),
        kappa=_pooled(shown, seed=seed, exact=False),
        exact=_pooled(shown, seed=seed, exact=True),
    )


def repeat_tables(table: ScoreTable) -> FloatArray:
    """Counts [R, K, K] of (main score, first repeat) of every rater."""
    k = len(table.levels)
    found = np.zeros((len(table.raters), k, k))
    places = [
        {label: i for i, label in enumerate(axis)}
        for axis in (table.raters, table.cases, table.arms)
    ]
    for row in table.repeats:
        r, c, a = (
            axis[label]
            for axis, label in zip(places, (row.rater, row.case, row.arm), strict=True)
        )
        first = table.scores[r, c, a]
        if row.rep == 1 and row.score is not None and not np.isnan(first):
            low = table.levels[0]
            found[r, int(first) - low, row.score - low] += 1
    return found


def _one(rater: str, counts: FloatArray) -> RaterRepeats:
    return RaterRepeats(
        rater=rater,
        kappa=_kappa(counts, "quadratic", rater),
        linear=_kappa(counts, "linear", rater),
        unweighted=_kappa(counts, "unweighted", rater),
        exact=_exact(counts, rater),
    )


def _kappa(counts: FloatArray, weighting: Weighting, rater: str) -> Result:
    found = kappas(counts[None], weighting)
    n = int(counts.sum())
    make = partial(
        Result,
        n=n,
        method=f"Cohen's kappa of repeats, {weighting}",
        what=f"agreement of {rater} with themselves (kappa, {weighting})",
        scope=OWN,
    )
    value, se = float(found.value[0]), float(found.se[0])
    if np.isnan(value):
        return make(value=None, reason="both_constant_same")
    flags = {"one_rater_constant": bool(found.constant[0]), "few_cases": n < 10}
    return make(
        value=value,
        se=se,
        ci=(value - Z * se, value + Z * se) if se else None,
        reason="not_tested" if se else "zero_variance",
        warnings=tuple(code for code, applies in flags.items() if applies),
        detail={"observed_agreement": float(found.observed[0])},
    )


def _exact(counts: FloatArray, rater: str) -> Result:
    n = int(counts.sum())
    return Result(
        value=float(np.trace(counts) / n),
        n=n,
        method="share of repeats with the same score",
        what=f"share of equal scores of {rater}",
        scope=OWN,
        reason="not_tested",
    )


def _pooled(tables: FloatArray, *, seed: int, exact: bool) -> Result:
    """Over all raters together, raters resampled."""
    n = int(tables.sum())
    name = "share of equal scores" if exact else "quadratic kappa of repeats"
    make = partial(
        Result,
        n=n,
        method=f"{name}, all raters, bootstrap over raters",
        what=f"agreement of raters with themselves ({name})",
        scope=ALL,
    )
    if n == 0:
        return make(value=None, reason="no_repeats")
    value = float(_values(tables.sum(0)[None], exact)[0])
    if np.isnan(value):
        return make(value=None, reason="both_constant_same")
    if len(tables) < MIN_RATERS:
        return make(value=value, reason="too_few_raters")
    flat = tables.reshape(len(tables), -1)
    sums = resampled_sums(flat, resamples=RESAMPLES, seed=seed)
    return summarise(
        make, value, _values(sums.reshape(-1, *tables.shape[1:]), exact), seed=seed
    )


def _values(tables: FloatArray, exact: bool) -> FloatArray:
    if exact:
        shares: FloatArray = np.trace(tables, axis1=1, axis2=2) / tables.sum((1, 2))
        return shares
    return kappas(tables, "quadratic").value
