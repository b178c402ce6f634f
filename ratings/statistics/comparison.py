"""One arm against the reference: the primary result and what supports it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from ratings.statistics import bootstrap, location, primary
from ratings.statistics.agreement import Agreement, agreement
from ratings.statistics.crossed import (
    ONE_RATER,
    Crossed,
    crossed_mean,
    one_sided_p,
)
from ratings.statistics.paired import Preference, holm, preference, signed_rank
from ratings.statistics.published import AsPublished, as_published
from ratings.statistics.result import Result
from ratings.statistics.sensitivity import Sensitivity, other_ways
from ratings.statistics.table import FloatArray, ScoreTable


@dataclass(frozen=True)
class RaterComparison:
    """One rater's differences, arm − reference.

    `p_holm` adjusts the Pratt p-values over the raters of this comparison.
    """

    rater: str
    difference: Result
    preference: Preference
    rank_biserial: Result
    signed_rank: Result
    signed_rank_zeros_dropped: Result
    sign_test: Result
    win_probability: Result
    hodges_lehmann: Result
    p_holm: float | None


@dataclass(frozen=True)
class Comparison:
    """Everything about one arm against the reference.

    `main` is the primary result of the study, and `p_holm` adjusts its p over all arms
    compared with the reference. `primary` is None where `difference.both` is that.
    """

    arm: str
    reference: str
    difference: Crossed
    p_holm: float | None
    preference: Preference
    net_preference: Result
    non_inferiority: Result
    equivalence: Result
    sensitivity: Sensitivity
    per_rater: tuple[RaterComparison, ...]
    agreement: tuple[Agreement, ...]
    as_published: AsPublished
    as_published_complete_raters: AsPublished | None
    sentences: tuple[str, ...] = ()
    primary: Result | None = None

    @property
    def main(self) -> Result:
        return self.primary or self.difference.both


def compare(
    table: ScoreTable,
    *,
    arm: str,
    reference: str,
    agreements: tuple[Agreement, ...],
    seed: int,
    margin: float | None,
    test: str = primary.CROSSED,
) -> Comparison:
    """Compare one arm with the reference on all pairs that both have.

    Args:
        agreements: those on the reference and on the arm, already computed.
        margin: non-inferiority margin in points, set before the analysis.
        test: the primary one, a key of `primary.TESTS`.
    """
    d = table.difference(arm=arm, reference=reference)
    difference = crossed_mean(d, what="mean difference")
    paired = _paired_agreements(table, arm, reference, d)
    listed = (*agreements, *paired)
    scores = {"reference": table.of_arm(reference), "arm": table.of_arm(arm)}
    published = _published(table, listed, scores)
    estimate = primary.estimate(test, difference)
    sensitivity = other_ways(table, arm=arm, reference=reference, seed=seed)
    chosen = primary.answer(test, difference, sensitivity.case_flips)
    return Comparison(
        arm=arm,
        reference=reference,
        difference=difference,
        p_holm=(chosen or difference.both).p,
        preference=preference(d),
        net_preference=crossed_mean(np.sign(d), what="net preference").both,
        non_inferiority=non_inferiority(estimate, margin=margin),
        equivalence=equivalence(estimate, margin=margin),
        sensitivity=sensitivity,
        per_rater=_per_rater(table, d, seed),
        agreement=paired,
        as_published=published,
        as_published_complete_raters=_complete_only(table, d, listed, scores)
        if published.reason
        else None,
        primary=chosen,
    )


def with_holm(comparisons: tuple[Comparison, ...]) -> tuple[Comparison, ...]:
    """Adjust the primary p-values over all arms compared with the reference."""
    adjusted = holm([c.main.p for c in comparisons])
    pairs = zip(comparisons, adjusted, strict=True)
    return tuple(replace(c, p_holm=p) for c, p in pairs)


def non_inferiority(difference: Result, *, margin: float | None) -> Result:
    """Is the arm not worse than the reference by more than `margin` points?

    p is one-sided for H0: difference ≤ −margin. The verdict in `detail` follows the
    two-sided 95 % interval: `not_worse` above −margin, `inferior` below it,
    `inconclusive` across it.
    """
    if margin is None:
        return Result(
            value=None,
            n=difference.n,
            n_excluded=difference.n_excluded,
            method="non-inferiority",
            scope=difference.scope,
            reason="no_margin",
        )
    verdict = "inconclusive"
    if difference.ci is not None:
        low, high = difference.ci
        verdict = "not_worse" if low > -margin else verdict
        verdict = "inferior" if high < -margin else verdict
    return replace(
        difference,
        p=one_sided_p(difference, bound=-margin),
        method=f"non-inferiority, one-sided, from: {difference.method}",
        detail={**difference.detail, "margin": margin, "verdict": verdict},
    )


def equivalence(difference: Result, *, margin: float | None) -> Result:
    """Two one-sided tests: does the difference lie within ± `margin` points?

    The interval is of 90 %, as belongs to two tests at 5 % (Schuirmann 1987); p is the
    larger of both. The verdict in `detail` is `equivalent` or `not_shown`.
    """
    base = replace(difference, what="equivalence")
    if margin is None:
        return replace(base, value=None, se=None, ci=None, p=None, warnings=(),
                       detail={}, method="equivalence", reason="no_margin")  # fmt: skip
    sides = [
        one_sided_p(difference, bound=-margin),
        one_sided_p(_mirrored(difference), bound=-margin),
    ]
    known = [side for side in sides if side is not None]
    p, ci, df = None, difference.ci, difference.detail.get("df")
    value, se = difference.value, difference.se
    if len(known) == 2 and value is not None and se and isinstance(df, float):
        p = max(known)
        half = float(stdtrit(df, 0.95)) * se
        ci = (value - half, value + half)
    verdict = "equivalent" if p is not None and p < 0.05 else "not_shown"
    return replace(
        base,
        p=p,
        ci=ci,
        method=f"equivalence, two one-sided tests, 90 % CI, from: {difference.method}",
        detail={**difference.detail, "margin": margin, "verdict": verdict},
    )


def _mirrored(difference: Result) -> Result:
    if difference.value is None or difference.ci is None:
        return difference
    low, high = difference.ci
    return replace(difference, value=-difference.value, ci=(-high, -low))


def _per_rater(
    table: ScoreTable, d: FloatArray, seed: int
) -> tuple[RaterComparison, ...]:
    found = [
        RaterComparison(
            rater=rater,
            difference=crossed_mean(d[r : r + 1], what="mean difference").both,
            preference=preference(d[r]),
            rank_biserial=bootstrap.rank_biserial(d[r], seed=seed, scope=ONE_RATER),
            signed_rank=signed_rank(d[r], zeros="pratt", scope=ONE_RATER),
            signed_rank_zeros_dropped=signed_rank(
                d[r], zeros="wilcox", scope=ONE_RATER
            ),
            sign_test=location.sign_test(d[r], scope=ONE_RATER),
            win_probability=location.win_probability(d[r], scope=ONE_RATER),
            hodges_lehmann=location.hodges_lehmann(d[r], scope=ONE_RATER),
            p_holm=None,
        )
        for r, rater in enumerate(table.raters)
    ]
    adjusted = holm([rater.signed_rank.p for rater in found])
    pairs = zip(found, adjusted, strict=True)
    return tuple(replace(rater, p_holm=p) for rater, p in pairs)


def _paired_agreements(
    table: ScoreTable, arm: str, reference: str, d: FloatArray
) -> tuple[Agreement, ...]:
    both = np.concatenate([table.of_arm(reference), table.of_arm(arm)], axis=1)
    span = table.levels[-1] - table.levels[0]
    steps = tuple(range(-span, span + 1))
    raters = table.raters
    return (
        agreement(both, kind="all", raters=raters, levels=table.levels, times=2),
        agreement(d, kind="difference", raters=raters, levels=steps),
        agreement(np.sign(d), kind="sign", raters=raters, levels=(-1, 0, 1)),
    )


def _published(
    table: ScoreTable,
    agreements: tuple[Agreement, ...],
    scores: dict[str, FloatArray],
) -> AsPublished:
    """The published table; its script never heard of a rater who gave no score."""
    raters = tuple(rater for rater in table.raters if rater not in table.silent)
    kept = [rater in raters for rater in table.raters]
    return as_published(
        raters=raters,
        agreements=tuple(_among(found, raters) for found in agreements),
        **{name: values[kept] for name, values in scores.items()},
    )


def _complete_only(
    table: ScoreTable,
    d: FloatArray,
    agreements: tuple[Agreement, ...],
    scores: dict[str, FloatArray],
) -> AsPublished | None:
    """The published table over the raters who scored everything, if any did."""
    kept = np.flatnonzero(~np.isnan(d).any(axis=1))
    if len(kept) == 0:
        return None
    raters = tuple(table.raters[r] for r in kept)
    return as_published(
        raters=raters,
        agreements=tuple(_among(found, raters) for found in agreements),
        **{name: values[kept] for name, values in scores.items()},
    )


def _among(found: Agreement, raters: tuple[str, ...]) -> Agreement:
    pairs = (k for k in found.pairs if k.rater_a in raters and k.rater_b in raters)
    return replace(found, pairs=tuple(pairs))
