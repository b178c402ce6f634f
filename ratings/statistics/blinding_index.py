"""Was the blind kept? Bang's and James' indices from guesses of the source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ratings.statistics.agreement import Z
from ratings.statistics.bootstrap import MIN_CASES, RESAMPLES, summarise
from ratings.statistics.crossed import BOTH, ONE_RATER
from ratings.statistics.resampling import weights
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

INDEPENDENT = "as if every guess were independent"


@dataclass(frozen=True)
class BlindingIndex:
    """An index with its analytic interval and with one that keeps the clusters."""

    analytic: Result
    clustered: Result


@dataclass(frozen=True)
class Blinding:
    """Guesses against the truth.

    `table` [3][2]: rows are guesses (reference, arm, unsure), columns the truth
    (reference, arm). Bang: 0 is chance, 1 all unblinded, −1 all the wrong way round;
    James: 1 is blinded, 0.5 random, 0 unblinded.
    """

    arm: str
    reference: str
    table: tuple[tuple[int, int], ...]
    bang_reference: BlindingIndex
    bang_arm: BlindingIndex
    james: BlindingIndex
    per_rater: tuple[tuple[str, Result, Result], ...]


def blinding(
    guesses: FloatArray,
    *,
    arm: str,
    reference: str,
    raters: tuple[str, ...],
    seed: int,
) -> Blinding:
    """All indices from guesses [R, C, 2 truths]: 0 reference, 1 arm, 2 unsure, or NaN.

    The clustered interval resamples raters and cases together, because guesses of one
    rater, or on one case, are not independent.
    """
    cells = np.stack([guesses == g for g in range(3)], axis=-2)  # [R, C, 3, 2]
    table = cells.sum((0, 1)).astype(float)
    draws = _resampled(cells, seed)
    guessed = np.asarray(~np.isnan(guesses).all(2))
    sizes = int(guessed.any(1).sum()), int(guessed.any(0).sum())
    each = []
    for truth, label in enumerate((reference, arm)):
        analytic = bang(table, truth=truth, label=label)
        values = _bang_values(draws, truth)
        each.append(_index(analytic, values, seed, sizes))
    james_analytic = james(table)
    counted = table.astype(int)
    return Blinding(
        arm=arm,
        reference=reference,
        table=tuple((int(row[0]), int(row[1])) for row in counted),
        bang_reference=each[0],
        bang_arm=each[1],
        james=_index(james_analytic, _james_values(draws), seed, sizes),
        per_rater=tuple(
            (
                rater,
                bang(cells[r].sum(0).astype(float), truth=0, label=reference),
                bang(cells[r].sum(0).astype(float), truth=1, label=arm),
            )
            for r, rater in enumerate(raters)
        ),
    )


def bang(table: FloatArray, *, truth: int, label: str) -> Result:
    """Bang's index of one arm: (right − wrong)/n of guesses [3, 2]; “unsure” counts 0.

    SE √{[p(1−p) + q(1−q) + 2pq]/n}. Bang, Ni, Davis 2004.
    """
    right, wrong = table[truth, truth], table[1 - truth, truth]
    n = float(table[:, truth].sum())
    make = partial(
        Result,
        n=int(n),
        method="Bang's blinding index",
        what=f"Bang's blinding index, {label}",
        scope=INDEPENDENT,
    )
    if n == 0:
        return make(value=None, reason="no_guesses")
    p, q = right / n, wrong / n
    se = float(np.sqrt(max(p * (1 - p) + q * (1 - q) + 2 * p * q, 0.0) / n))
    value = float(p - q)
    detail: dict[str, float | int | str | None] = {
        "right": int(right),
        "wrong": int(wrong),
        "unsure": int(n - right - wrong),
    }
    if se < 1e-12:
        return make(value=value, se=0.0, reason="degenerate", detail=detail)
    return make(
        value=value,
        se=se,
        ci=(value - Z * se, value + Z * se),
        reason="not_tested",
        warnings=("dependent_guesses",),
        detail=detail,
    )


def james(table: FloatArray) -> Result:
    """James' index of guesses [3, 2]: [1 + P_unsure + (1 − P_unsure) K]/2.

    K = (P_o − P_e)/P_e with weights 0 for right and ½ for wrong; SE by the delta method
    over the six cells. James and others 1996.
    """
    n = float(table.sum())
    make = partial(
        Result,
        n=int(n),
        method="James' blinding index",
        what="James' blinding index",
        scope=INDEPENDENT,
    )
    if n == 0:
        return make(value=None, reason="no_guesses")
    value = float(_james_values(table[None])[0])
    if np.isnan(value):
        return make(value=None, reason="degenerate")
    shares = table.ravel() / n
    step = 1e-30j
    moved = shares + step * np.eye(6)
    slopes = np.imag(_james_values(moved.reshape(6, 3, 2))) / 1e-30
    variance = float(shares @ slopes**2 - (shares @ slopes) ** 2) / n
    se = float(np.sqrt(max(variance, 0.0)))
    if not np.isfinite(se) or se < 1e-9:
        return make(value=value, se=0.0, reason="degenerate")
    return make(
        value=value,
        se=se,
        ci=(value - Z * se, value + Z * se),
        reason="not_tested",
        warnings=("dependent_guesses",),
    )


def _bang_values(tables: FloatArray, truth: int) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        values: FloatArray = (
            tables[:, truth, truth] - tables[:, 1 - truth, truth]
        ) / tables[:, :, truth].sum(1)
    return values


def _james_values(tables: FloatArray) -> FloatArray:
    """James' index of tables [B, 3, 2], counts or shares; 1 when all are unsure."""
    with np.errstate(invalid="ignore"):  # a resample without any guess is undefined
        shares = tables / tables.sum((1, 2))[:, None, None]
    unsure = shares[:, 2].sum(1)
    sure = 1 - unsure
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = (shares[:, 0, 1] + shares[:, 1, 0]) / 2 / sure
        known = shares[:, :2].sum(1)
        guess = shares[:, :2].sum(2)
        chance = (guess[:, 0] * known[:, 1] + guess[:, 1] * known[:, 0]) / 2 / sure**2
        value = (1 + unsure + sure * (observed - chance) / chance) / 2
    return np.where(np.real(sure) < 1e-12, 1.0, value)


def _resampled(cells: FloatArray, seed: int) -> FloatArray:
    """Tables [B, 3, 2] with raters and cases drawn independently."""
    n_raters, n_cases = cells.shape[:2]
    flat = cells.reshape(n_raters, n_cases, 6).transpose(1, 0, 2).reshape(n_cases, -1)
    flat = flat.astype(float)
    by_rater = weights(n_raters, resamples=RESAMPLES, seed=seed)
    by_case = weights(n_cases, resamples=RESAMPLES, seed=seed + 1)
    found = []
    for w_rater, w_case in zip(by_rater, by_case, strict=True):
        per_rater = (w_case @ flat).reshape(len(w_case), n_raters, 6)
        found.append(np.einsum("br,brk->bk", w_rater, per_rater))
    return np.concatenate(found).reshape(-1, 3, 2)


def _index(
    analytic: Result, draws: FloatArray, seed: int, sizes: tuple[int, int]
) -> BlindingIndex:
    """The index with both intervals; `sizes` are the raters and cases with guesses."""
    n_raters, n_cases = sizes
    alone = n_raters < 2
    make = partial(
        Result,
        n=analytic.n,
        method=f"{analytic.method}, bootstrap over "
        + ("cases" if alone else "raters and cases"),
        what=analytic.what,
        scope=ONE_RATER if alone else BOTH,
    )
    if analytic.value is None:
        gap = make(value=None, reason=analytic.reason)
        return BlindingIndex(analytic, gap)
    if analytic.reason == "degenerate":
        return BlindingIndex(
            analytic, make(value=analytic.value, se=0.0, reason="degenerate")
        )
    if n_cases < MIN_CASES:
        few = make(value=analytic.value, reason="too_few_cases_for_bootstrap")
        return BlindingIndex(analytic, few)
    return BlindingIndex(analytic, summarise(make, analytic.value, draws, seed=seed))
