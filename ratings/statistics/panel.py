"""Agreement of a whole panel: Gwet's AC1 and AC2, Fleiss, Krippendorff."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ratings.statistics.agreement import Weighting, Z, weights
from ratings.statistics.bootstrap import MIN_CASES, RESAMPLES, summarise
from ratings.statistics.crossed import CASES
from ratings.statistics.reliability import icc, kendall
from ratings.statistics.resampling import resampled_sums
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

TINY = 1e-12


@dataclass(frozen=True)
class Panel:
    """Agreement of all raters on one kind of value.

    `ac1` and `fleiss` are unweighted, `ac2` has quadratic weights; `alpha` is
    Krippendorff's, ordinal; `icc_single` is ICC(2,1), the reliability of one rater,
    `icc_mean` ICC(2,k), that of the mean of these raters.
    """

    kind: str
    ac1: Result
    ac2: Result
    alpha: Result
    fleiss: Result
    kendall_w: Result
    icc_single: Result
    icc_mean: Result


def panel(
    values: FloatArray, *, kind: str, levels: tuple[int, ...], seed: int
) -> Panel:
    """Every panel statistic of values [R, C] (NaN = missing) on protocol levels."""
    counts = level_counts(values, levels)
    single, mean = icc(values)
    return Panel(
        kind=kind,
        ac1=gwet(counts, weighting="unweighted", expected=values.size),
        ac2=gwet(counts, weighting="quadratic", expected=values.size),
        alpha=krippendorff(counts, levels=levels, seed=seed, expected=values.size),
        fleiss=fleiss(counts, expected=values.size),
        kendall_w=kendall(values),
        icc_single=single,
        icc_mean=mean,
    )


def level_counts(values: FloatArray, levels: tuple[int, ...]) -> FloatArray:
    """How many raters gave each case each level, [C, K]."""
    hot = values[:, :, None] == np.array(levels, dtype=float)
    counts: FloatArray = hot.sum(0).astype(float)
    return counts


def gwet(counts: FloatArray, *, weighting: Weighting, expected: int) -> Result:
    """Gwet's AC1 (unweighted) or AC2 from counts [C, K]; missing scores are allowed.

    Chance agreement T_w Σ π(1−π)/(K(K−1)); standard error by linearisation over
    cases (Gwet 2008, 2014).
    """
    name = "AC1" if weighting == "unweighted" else f"AC2, {weighting} weights"
    return _chance_corrected(counts, weighting, expected, f"Gwet's {name}", gwet=True)


def fleiss(
    counts: FloatArray, *, expected: int, weighting: Weighting = "unweighted"
) -> Result:
    """Fleiss' kappa from counts [C, K]; missing scores are allowed (Fleiss 1971)."""
    name = "Fleiss' kappa"
    if weighting != "unweighted":
        name += f", {weighting} weights"
    return _chance_corrected(counts, weighting, expected, name, gwet=False)


def _chance_corrected(
    counts: FloatArray, weighting: Weighting, expected: int, name: str, *, gwet: bool
) -> Result:
    counts = counts[counts.sum(1) > 0]
    n, twice = len(counts), int((counts.sum(1) >= 2).sum())
    make = partial(
        Result,
        n=int(counts.sum()),
        n_excluded=int(expected - counts.sum()),
        method=name,
        scope=CASES,
        what=name,
    )
    if not twice:
        return make(value=None, reason="no_items_with_two_scores")
    agreed, by_case, chance = _by_case(
        counts, weights(counts.shape[1], weighting), gwet
    )
    if 1 - chance < TINY:
        return make(value=None, reason="no_variation")
    observed = float(agreed.mean())
    value = (observed - chance) / (1 - chance)
    known = np.where(counts.sum(1) >= 2, n / twice, 0.0)
    each = (agreed - chance * known - 2 * (1 - value) * (by_case - chance)) / (
        1 - chance
    )
    se = float(np.sqrt(((each - value) ** 2).sum() / (n * (n - 1)))) if n > 1 else 0.0
    reason = "not_tested" if se > TINY else "zero_variance"
    flags = {
        "never_alone": gwet and weighting == "quadratic",
        "few_cases": n < 10,
    }
    return make(
        value=value,
        se=se if n > 1 else None,
        ci=(value - Z * se, value + Z * se) if se > TINY else None,
        reason=reason if n > 1 else "single_case",
        warnings=tuple(code for code, applies in flags.items() if applies),
        detail={
            "observed_agreement": observed,
            "expected_agreement": chance,
            "n_cases": n,
            "n_cases_twice": twice,
        },
    )


def _by_case(
    counts: FloatArray, w: FloatArray, gwet: bool
) -> tuple[FloatArray, FloatArray, float]:
    """(observed agreement, chance agreement) of each case, and chance overall.

    The mean of the first is the observed agreement: cases scored once are 0 in it and
    the others are scaled up.
    """
    raters = counts.sum(1)
    twice = raters >= 2
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = (counts * (counts @ w - 1)).sum(1) / (raters * (raters - 1))
    agreed = np.where(twice, agreed * len(counts) / twice.sum(), 0.0)
    share = counts / raters[:, None]
    pi = share.mean(0)
    if gwet:
        scale = w.sum() / (w.shape[0] * (w.shape[0] - 1))
        return agreed, scale * (share * (1 - pi)).sum(1), float(scale * pi @ (1 - pi))
    return agreed, (share * (w @ pi)).sum(1), float(pi @ w @ pi)


def krippendorff(
    counts: FloatArray,
    *,
    levels: tuple[int, ...],
    seed: int,
    expected: int,
    metric: str = "ordinal",
    resamples: int = RESAMPLES,
) -> Result:
    """Krippendorff's alpha from counts [C, K], interval by bootstrap over cases.

    α = 1 − observed/expected disagreement; the ordinal metric squares the number of
    scores between two levels (Krippendorff 2004; Hayes, Krippendorff 2007). Cases with
    one score pair with nothing and are left out.
    """
    paired = counts[counts.sum(1) >= 2]
    make = partial(
        Result,
        n=int(paired.sum()),
        n_excluded=int(expected - paired.sum()),
        method=f"Krippendorff's alpha, {metric}, bootstrap over cases",
        scope=CASES,
        what=f"Krippendorff's alpha ({metric})",
    )
    if len(paired) == 0:
        return make(value=None, reason="no_items_with_two_scores")
    parts = coincidences(paired)
    value = float(_alpha(parts.sum(0)[None], levels, metric)[0])
    if np.isnan(value):
        return make(value=None, reason="no_variation")
    if len(paired) < MIN_CASES:
        return make(value=value, reason="too_few_cases_for_bootstrap")
    k = len(levels)
    flat = parts.reshape(len(parts), k * k)
    sums = resampled_sums(flat, resamples=resamples, seed=seed).reshape(-1, k, k)
    return summarise(make, value, _alpha(sums, levels, metric), seed=seed)


def coincidences(counts: FloatArray) -> FloatArray:
    """Each case's pairs of scores, each weighing 1/(m − 1), [C, K, K]."""
    pairs = counts[:, :, None] * counts[:, None, :]
    own = np.arange(counts.shape[1])
    pairs[:, own, own] -= counts
    parts: FloatArray = pairs / (counts.sum(1) - 1)[:, None, None]
    return parts


def _alpha(tables: FloatArray, levels: tuple[int, ...], metric: str) -> FloatArray:
    """Alpha of coincidence tables [B, K, K]; NaN where nothing varies."""
    n = tables.sum(2)
    distance = _distance(n, levels, metric)
    observed = (tables * distance).sum((1, 2))
    expected = (n[:, :, None] * n[:, None, :] * distance).sum((1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        alpha: FloatArray = 1 - (n.sum(1) - 1) * observed / expected
    return np.where(expected > TINY, alpha, np.nan)


def _distance(n: FloatArray, levels: tuple[int, ...], metric: str) -> FloatArray:
    if metric == "nominal":
        same: FloatArray = 1 - np.eye(len(levels))
        return same[None]
    if metric == "interval":
        points = np.array(levels, dtype=float)
        squares: FloatArray = (points[:, None] - points) ** 2
        return squares[None]
    middle = np.cumsum(n, axis=1) - n / 2
    apart: FloatArray = (middle[:, :, None] - middle[:, None, :]) ** 2
    return apart
