"""Bootstrap of means and shares over cases, over raters, and over both at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from ratings.statistics.bootstrap import MIN_CASES, RESAMPLES, summarise
from ratings.statistics.crossed import BOTH, CASES, RATERS
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

MIN_RATERS = 6
CHUNK = 1000
SCOPES = {"cases": CASES, "raters": RATERS, "both": BOTH}


def weights(n: int, *, resamples: int, seed: int) -> Iterator[FloatArray]:
    """How often each of n units is drawn, [up to 1000, n] at a time."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        drawn = rng.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n)
        yield counts.reshape(size, n).astype(float)


def resampled_sums(parts: FloatArray, *, resamples: int, seed: int) -> FloatArray:
    """Sums [B, M] of per-unit parts [n, M] over units drawn with replacement.

    The units are put in an order that depends on their parts alone, so that names
    and row order change nothing.
    """
    ordered = parts[np.lexsort(parts.T[::-1])]
    drawn = weights(len(parts), resamples=resamples, seed=seed)
    return np.concatenate([w @ ordered for w in drawn])


def over_cases(
    differences: FloatArray, *, seed: int, resamples: int = RESAMPLES
) -> tuple[Result, Result]:
    """(mean difference, net preference) of differences [R, C], cases resampled.

    Percentile intervals; raters are taken as they are. Efron 1979.
    """
    turn = _turn(differences)
    parts = _parts(turn * differences, axis=0)
    draws = resampled_sums(parts, resamples=resamples, seed=seed)
    return _both(differences, draws, turn, "cases", seed, parts.shape[0])


def over_raters(
    differences: FloatArray, *, seed: int, resamples: int = RESAMPLES
) -> tuple[Result, Result]:
    """The same with raters resampled and cases as they are; from six raters on."""
    turn = _turn(differences)
    parts = _parts(turn * differences, axis=1)
    if len(parts) < MIN_RATERS:
        draws = np.zeros((0, 3))
    else:
        draws = resampled_sums(parts, resamples=resamples, seed=seed)
    return _both(differences, draws, turn, "raters", seed, parts.shape[0])


def over_both(
    differences: FloatArray, *, seed: int, resamples: int = RESAMPLES
) -> tuple[Result, Result]:
    """The same with raters and cases resampled independently (Owen 2007)."""
    turn = _turn(differences)
    d = turn * _sorted(differences, turn)
    there = (~np.isnan(d)).astype(float)
    layers = (np.nan_to_num(d), np.sign(np.nan_to_num(d)), there)
    draws = []
    by_rater = weights(d.shape[0], resamples=resamples, seed=seed)
    by_case = weights(d.shape[1], resamples=resamples, seed=seed + 1)
    for w_rater, w_case in zip(by_rater, by_case, strict=True):
        sums = [((w_rater @ layer) * w_case).sum(1) for layer in layers]
        draws.append(np.stack(sums, axis=1))
    found = np.concatenate(draws) if d.size else np.zeros((0, 3))
    if d.shape[0] < 2:
        found = np.zeros((0, 3))
    return _both(differences, found, turn, "both", seed, d.shape[1])


def _turn(differences: FloatArray) -> float:
    # Facing the positive side first makes a swap of the arms mirror the interval.
    return 1.0 if np.nansum(differences) >= 0 else -1.0


def _parts(d: FloatArray, *, axis: int) -> FloatArray:
    """Sum, signs and count of each unit that has any pair, [n, 3]."""
    there = ~np.isnan(d)
    filled = np.nan_to_num(d)
    stacked = [filled.sum(axis), np.sign(filled).sum(axis), there.sum(axis)]
    parts: FloatArray = np.stack(stacked, axis=1).astype(float)
    return parts[parts[:, 2] > 0]


def _sorted(d: FloatArray, turn: float) -> FloatArray:
    """Raters and cases with any pair, in an order that names don't change."""
    there = ~np.isnan(d)
    kept = d[there.any(1)][:, there.any(0)]
    for axis in (1, 0):
        keys = [
            np.nansum((turn * kept) ** power, axis=axis).round(9) for power in (3, 2, 1)
        ]
        order = np.lexsort([*keys, (~np.isnan(kept)).sum(axis)])
        kept = kept[order] if axis == 1 else kept[:, order]
    return kept


def _both(
    differences: FloatArray,
    draws: FloatArray,
    turn: float,
    over: str,
    seed: int,
    units: int,
) -> tuple[Result, Result]:
    there = differences[~np.isnan(differences)]
    make = partial(
        Result,
        n=len(there),
        n_excluded=int(differences.size - len(there)),
        scope=SCOPES[over],
    )
    name = "raters and cases" if over == "both" else over
    found = []
    for column, what in ((0, "mean difference"), (1, "net preference")):
        one = partial(make, what=what, method=f"{what}, bootstrap over {name}")
        if len(there) == 0:
            found.append(one(value=None, reason="no_pairs"))
            continue
        value = float((there if column == 0 else np.sign(there)).mean())
        if len(draws) == 0:
            found.append(one(value=value, reason="too_few_raters"))
        elif over != "raters" and units < MIN_CASES:
            found.append(one(value=value, reason="too_few_cases_for_bootstrap"))
        else:
            with np.errstate(invalid="ignore"):
                values = turn * draws[:, column] / draws[:, 2]
            found.append(summarise(one, value, values, seed=seed))
    return found[0], found[1]
