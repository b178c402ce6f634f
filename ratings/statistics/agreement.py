"""How far raters agree: Cohen's kappa of every pair of raters, and its mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from ratings.statistics.crossed import CASES
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

Weighting = Literal["quadratic", "linear", "unweighted"]
WEIGHTINGS: tuple[Weighting, ...] = ("quadratic", "linear", "unweighted")
IntArray = npt.NDArray[np.int64]
Z = 1.959963984540054
TINY = 1e-12


@dataclass(frozen=True)
class PairKappa:
    """Agreement of two raters."""

    rater_a: str
    rater_b: str
    quadratic: Result
    linear: Result
    unweighted: Result

    def by(self, weighting: Weighting) -> Result:
        """The kappa of one weighting."""
        found: Result = getattr(self, weighting)
        return found


@dataclass(frozen=True)
class MeanKappa:
    """Mean kappa over all pairs of raters (Light 1971)."""

    quadratic: Result
    linear: Result
    unweighted: Result

    def by(self, weighting: Weighting) -> Result:
        """The mean of one weighting."""
        found: Result = getattr(self, weighting)
        return found


@dataclass(frozen=True)
class Agreement:
    """All pairwise kappas on one kind of value (scores, differences, signs)."""

    kind: str
    levels: tuple[int, ...]
    pairs: tuple[PairKappa, ...]
    mean: MeanKappa


@dataclass(frozen=True)
class Kappas:
    """Kappas of P tables of K × K counts; undefined entries are NaN.

    `influence` [P, K, K] is what one item in a cell adds to kappa: its mean square
    over the items divided by n is the variance of Fleiss, Cohen, Everitt 1969.
    """

    n: FloatArray
    observed: FloatArray
    expected: FloatArray
    value: FloatArray
    se: FloatArray
    se_null: FloatArray
    influence: FloatArray
    highest: FloatArray  # kappa_max given the marginals, unweighted
    constant: npt.NDArray[np.bool_]  # one rater used a single level


def weights(n_levels: int, weighting: Weighting) -> FloatArray:
    """Agreement weights [K, K] on the levels of the protocol, 1 on the diagonal."""
    if weighting == "unweighted":
        return np.eye(n_levels)
    apart = np.abs(np.subtract.outer(np.arange(n_levels), np.arange(n_levels)))
    share: FloatArray = apart / (n_levels - 1)
    return 1 - (share**2 if weighting == "quadratic" else share)


def pair_tables(codes: IntArray, n_levels: int) -> FloatArray:
    """Count tables [P, K, K] of all rater pairs (i < j) from codes [R, N].

    `codes` index the levels, −1 where a rater gave none; such items count only in
    the pairs where both raters have a value.
    """
    n_raters, n_items = codes.shape
    hot = codes[:, None, :] == np.arange(n_levels)[None, :, None]
    flat = hot.reshape(n_raters * n_levels, n_items).astype(float)
    gram = (flat @ flat.T).reshape(n_raters, n_levels, n_raters, n_levels)
    first, second = np.triu_indices(n_raters, 1)
    tables: FloatArray = gram[first, :, second, :]
    return tables


def kappas(tables: FloatArray, weighting: Weighting) -> Kappas:
    """Cohen's kappa with its standard errors from tables [P, K, K].

    κ = (po − pe)/(1 − pe) with agreement weights; standard errors of Fleiss, Cohen
    and Everitt 1969, for estimation (`se`) and for testing κ = 0 (`se_null`).
    Undefined (NaN) when n = 0 or pe = 1; exactly 0 when one rater is constant.
    """
    w = weights(tables.shape[1], weighting)[None]
    with np.errstate(invalid="ignore", divide="ignore"):
        n = tables.sum((1, 2))
        share = tables / n[:, None, None]
        row, column = share.sum(2), share.sum(1)
        observed = (w * share).sum((1, 2))
        mean_weight = (w @ column[:, :, None]) + (row[:, None, :] @ w)
        expected = (row[:, :, None] * w * column[:, None, :]).sum((1, 2))
        left = np.where(1 - expected > TINY, 1 - expected, np.nan)
        constant = (row.max(1) > 1 - TINY) | (column.max(1) > 1 - TINY)
        value = np.where(constant, 0.0, observed - expected) / left
        gap = (1 - value)[:, None, None]
        influence = (
            w
            - observed[:, None, None]
            - (mean_weight - 2 * expected[:, None, None]) * gap
        ) / left[:, None, None]
        variance = (share * influence**2).sum((1, 2)) / n
        product = row[:, :, None] * column[:, None, :]
        null = (product * (w - mean_weight) ** 2).sum((1, 2)) - expected**2
        highest = (np.minimum(row, column).sum(1) - expected) / left
    return Kappas(
        n=n,
        observed=observed,
        expected=expected,
        value=value,
        se=np.sqrt(np.where(variance < TINY, 0.0, variance)),
        se_null=np.sqrt(np.where(null < TINY, 0.0, null) / n) / left,
        influence=influence,
        highest=highest,
        constant=constant,
    )


def agreement(
    values: FloatArray,
    *,
    kind: str,
    raters: tuple[str, ...],
    levels: tuple[int, ...],
    times: int = 1,
) -> Agreement:
    """Kappas of all pairs of raters on `values` [R, times × C].

    Args:
        values: NaN = missing. With `times` > 1 the columns hold all cases of the
            first arm, then all cases of the second, and so on.
        levels: every value that the protocol allows.
    """
    codes = np.where(np.isnan(values), -1, values - levels[0]).astype(np.int64)
    tables = pair_tables(codes, len(levels))
    first, second = np.triu_indices(len(raters), 1)
    found = {name: kappas(tables, name) for name in WEIGHTINGS}
    extra = ("cases_enter_twice",) if times > 1 else ()
    rows = [
        PairKappa(
            raters[i],
            raters[j],
            *(_pair(found[name], p, len(levels), name, extra) for name in WEIGHTINGS),
        )
        for p, (i, j) in enumerate(zip(first, second, strict=True))
    ]
    means = (_mean(found[name], codes, times, name) for name in WEIGHTINGS)
    return Agreement(kind, levels, tuple(rows), MeanKappa(*means))


def _pair(
    k: Kappas, p: int, n_levels: int, weighting: Weighting, extra: tuple[str, ...]
) -> Result:
    n = int(k.n[p])
    make = partial(
        Result,
        n=n,
        method=f"Cohen's kappa, {weighting}",
        scope="for these two raters, and cases like these",
    )
    if np.isnan(k.value[p]):
        reason = "both_constant_same" if n else "no_common_cases"
        return make(value=None, reason=reason)
    value, se, null = float(k.value[p]), float(k.se[p]), float(k.se_null[p])
    flags = {
        "one_rater_constant": bool(k.constant[p]),
        "few_cases": n < 10,
        "kappa_paradox": weighting == "unweighted"
        and bool(k.observed[p] >= 0.8 and value < 0.4),
    }
    return make(
        value=value,
        se=se,
        ci=(value - Z * se, value + Z * se) if se else None,
        p=float(2 * ndtr(-abs(value) / null)) if null else None,
        reason=None if se else "zero_variance",
        warnings=(*extra, *(code for code, applies in flags.items() if applies)),
        detail=_detail(k, p, n_levels, weighting),
    )


def _detail(
    k: Kappas, p: int, n_levels: int, weighting: Weighting
) -> dict[str, float | int | str | None]:
    observed, expected = float(k.observed[p]), float(k.expected[p])
    detail: dict[str, float | int | str | None] = {
        "observed_agreement": observed,
        "expected_agreement": expected,
        "se_null": float(k.se_null[p]),
    }
    if weighting == "unweighted":
        detail["kappa_max"] = float(k.highest[p])
        detail["pabak"] = (n_levels * observed - 1) / (n_levels - 1)
    return detail


def _mean(k: Kappas, codes: IntArray, times: int, weighting: Weighting) -> Result:
    """Mean over defined pairs; standard error by infinitesimal jackknife over cases.

    What a case adds to the mean is the sum of its influences on all pairs; adding
    them before squaring keeps the dependence between pairs that share a rater.
    """
    defined = np.flatnonzero(~np.isnan(k.value))
    n_cases = codes.shape[1] // times
    make = partial(
        Result,
        n=len(defined),
        n_excluded=len(k.value) - len(defined),
        method=f"mean pairwise kappa, {weighting}, infinitesimal jackknife over cases",
        scope=CASES,
    )
    if len(defined) == 0:
        reason = "single_rater" if len(codes) < 2 else "no_defined_pairs"
        return make(value=None, reason=reason)
    value = float(k.value[defined].mean())
    per_case = _case_influence(k, codes, defined).reshape(times, n_cases).sum(0)
    variance = float((per_case**2).sum())
    se = float(np.sqrt(variance)) if variance > TINY else 0.0
    flags = {"undefined_pairs": len(defined) < len(k.value), "few_cases": n_cases < 10}
    return make(
        value=value,
        se=se,
        ci=(value - Z * se, value + Z * se) if se else None,
        reason="not_tested" if se else "zero_variance",
        warnings=tuple(code for code, applies in flags.items() if applies),
        detail={"n_cases": n_cases},
    )


def _case_influence(k: Kappas, codes: IntArray, defined: IntArray) -> FloatArray:
    """What each of the N items adds to the mean kappa, [N]."""
    first, second = np.triu_indices(len(codes), 1)
    total = np.zeros(codes.shape[1])
    for p in defined:
        a, b = codes[first[p]], codes[second[p]]
        both = (a >= 0) & (b >= 0)
        total[both] += k.influence[p][a[both], b[both]] / k.n[p]
    return total / len(defined)
