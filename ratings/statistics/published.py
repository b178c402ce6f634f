"""The analysis exactly as the paper printed it, with what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ratings.statistics.agreement import Agreement
from ratings.statistics.paired import asymptotic_p, exact_p, rank_sums
from ratings.statistics.result import Result, finite
from ratings.statistics.table import FloatArray

SCOPE = "assumes that every rating is independent; shown for comparability only"
LEGACY_EXACT_LIMIT = 50
WEAKNESSES = (
    "The pooled test counts every rating as independent, although the same raters "
    "and the same cases repeat; with no true difference it can come out significant "
    "in 30 to 42 % of studies of 8 raters and 40 cases.",
    "The tests per rater are not corrected for their number: with eight raters and "
    "no true difference, one in three studies shows at least one p below 0.05.",
    "There is no effect size and no confidence interval, and the publication gives p "
    "with two decimals.",
    "“No significant difference” is not evidence that two arms are equal.",
    "Tied pairs are dropped without mention.",
    "Kappa is unweighted although the scale is ordered, and its SD over pairs of "
    "raters is not a standard error.",
)


@dataclass(frozen=True)
class PublishedRow:
    """Means and test of all ratings together, or of one rater."""

    label: str
    reference_mean: float
    reference_sd: float | None
    arm_mean: float
    arm_sd: float | None
    test: Result
    printed_means: str
    printed_test: str


@dataclass(frozen=True)
class PublishedKappa:
    """Unweighted kappas of one kind, with mean and population SD over pairs."""

    kind: str
    pairs: tuple[tuple[str, str, float | None], ...]
    mean: float | None
    sd: float | None
    printed: str


@dataclass(frozen=True)
class AsPublished:
    """The published table; `reason` says why it is empty."""

    scope: str
    raters: tuple[str, ...]
    overall: PublishedRow | None
    per_rater: tuple[PublishedRow, ...]
    kappas: tuple[PublishedKappa, ...]
    weaknesses: tuple[str, ...]
    reason: str | None


def as_published(
    *,
    reference: FloatArray,
    arm: FloatArray,
    raters: tuple[str, ...],
    agreements: tuple[Agreement, ...],
) -> AsPublished:
    """Reproduce the published table digit for digit from complete data.

    Args:
        reference, arm: scores [R, C]; with any NaN the table is empty, reason
            `incomplete_data`, because the published script fails there.
        raters: labels [R]; rows come in this order.
        agreements: whose unweighted kappas are listed.
    """
    empty = reference.size == 0 or bool(np.isnan(arm - reference).any())
    if empty:
        return AsPublished(SCOPE, raters, None, (), (), WEAKNESSES, "incomplete_data")
    rows = (
        _row(label, reference[r], arm[r], warnings=()) for r, label in enumerate(raters)
    )
    return AsPublished(
        scope=SCOPE,
        raters=raters,
        overall=_row(
            "all raters",
            reference.ravel(),
            arm.ravel(),
            warnings=("pseudo_replication",) if len(raters) > 1 else (),
        ),
        per_rater=tuple(rows),
        kappas=tuple(_kappas(found) for found in agreements),
        weaknesses=WEAKNESSES,
        reason=None,
    )


def legacy_wilcoxon(differences: FloatArray) -> tuple[float, float | None, str]:
    """(min(W+, W−), two-sided p, method) by the rule of scipy up to 1.14.

    Zeros are dropped. With up to 50 pairs and no zero the exact distribution without
    ties is used even where there are ties (W+ rounded outwards); otherwise the normal
    approximation without continuity correction. p is None when all pairs are tied.
    """
    sums = rank_sums(differences, zeros="wilcox")
    smaller = min(sums.plus, sums.minus)
    if len(sums.ranks) == 0:
        return 0.0, None, "asymptotic"
    if len(differences) <= LEGACY_EXACT_LIMIT and sums.n_zero == 0:
        return smaller, _untied_exact_p(sums.plus, len(sums.ranks)), "untied exact"
    return smaller, asymptotic_p(sums.ranks)[1], "asymptotic"


def _untied_exact_p(plus: float, n: int) -> float:
    """Exact p with ranks 1..n; a half rank sum is rounded towards the middle."""
    inward = np.ceil(plus) if plus < n * (n + 1) / 4 else np.floor(plus)
    # Any set of ranks with this sum gives the same p; take them greedily.
    left, signs = int(inward), np.full(n, -1.0)
    for rank in range(n, 0, -1):
        if rank <= left:
            signs[rank - 1], left = 1.0, left - rank
    return exact_p(signs * np.arange(1, n + 1))


def _row(
    label: str, reference: FloatArray, arm: FloatArray, *, warnings: tuple[str, ...]
) -> PublishedRow:
    differences = arm - reference
    statistic, p, method = legacy_wilcoxon(differences)
    few = method == "asymptotic" and len(differences) < 10
    test = partial(
        Result,
        n=len(differences),
        method=f"Wilcoxon signed-rank as in scipy 1.13 (zeros dropped), {method}",
        scope=SCOPE,
        warnings=(*warnings, *(("small_sample",) if few else ())),
    )
    if p is None:
        result = test(value=None, reason="all_differences_zero")
    else:
        result = test(value=statistic, p=p, reason="p_only")
    means = (_mean_sd(reference), _mean_sd(arm))
    return PublishedRow(
        label=label,
        reference_mean=float(reference.mean()),
        reference_sd=_sd(reference),
        arm_mean=float(arm.mean()),
        arm_sd=_sd(arm),
        test=result,
        printed_means=" vs ".join(means),
        printed_test="" if p is None else _printed_test(statistic, p),
    )


def _sd(scores: FloatArray) -> float | None:
    return float(scores.std(ddof=1)) if len(scores) > 1 else None


def _mean_sd(scores: FloatArray) -> str:
    sd = _sd(scores)
    return f"{scores.mean():.2f} ± {'nan' if sd is None else f'{sd:.2f}'}"


def _printed_test(statistic: float, p: float) -> str:
    return f"Wilcoxon test statistic = {statistic:.2f}, p-value = {p:.2f}"


def _kappas(found: Agreement) -> PublishedKappa:
    pairs = tuple((k.rater_a, k.rater_b, k.unweighted.value) for k in found.pairs)
    values = np.array([value for *_, value in pairs if value is not None])
    mean = finite(values.mean()) if len(values) else None
    sd = finite(values.std(ddof=0)) if len(values) else None
    printed = "" if mean is None else f"{mean:.2f} ± {sd:.2f}"
    return PublishedKappa(found.kind, pairs, mean, sd, printed)
