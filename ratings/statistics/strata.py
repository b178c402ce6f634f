"""The result by contrast, site and acquisition, and whether it differs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from ratings.statistics.crossed import CASES
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray, ScoreTable, natural

MIN_CASES = 5
PERMUTATIONS = 9999
CHUNK = 500
UNLABELLED = "not given"


@dataclass(frozen=True)
class Stratum:
    """One group of cases: its mean, and its p corrected (Benjamini, Hochberg)."""

    label: str
    n_cases: int
    mean: Result
    p_bh: float | None


@dataclass(frozen=True)
class Strata:
    """The groups of one grouping, and the test that they do not differ.

    Each group's interval is a t interval over its case means; a group is never
    called significant by itself, the interaction test is what counts.
    """

    name: str
    strata: tuple[Stratum, ...]
    interaction: Result


def by_stratum(
    table: ScoreTable, values: FloatArray, *, what: str, tested: bool, seed: int
) -> tuple[Strata, ...]:
    """Means of values [R, C] by each grouping of the cases that has any label.

    Args:
        values: paired differences, or the scores of one arm.
        tested: whether a mean of zero is a hypothesis worth a p-value.
    """
    return tuple(
        _grouping(name, labels, values, what, tested, seed)
        for name, labels in table.strata.items()
        if any(labels)
    )


def _grouping(
    name: str,
    labels: tuple[str, ...],
    values: FloatArray,
    what: str,
    tested: bool,
    seed: int,
) -> Strata:
    named = [label or UNLABELLED for label in labels]
    order = sorted(set(named), key=lambda x: (x == UNLABELLED, natural(x)))
    places = np.array([order.index(label) for label in named])
    with np.errstate(invalid="ignore"):
        there = ~np.isnan(values)
        means = np.nansum(values, axis=0) / there.sum(0)
    found = [
        _stratum(label, means[places == s], int(there[:, places == s].sum()),
                 values[:, places == s].size, what, tested)
        for s, label in enumerate(order)
    ]  # fmt: skip
    adjusted = benjamini_hochberg([one.mean.p for one in found])
    pairs = zip(found, adjusted, strict=True)
    return Strata(
        name=name,
        strata=tuple(replace(one, p_bh=p) for one, p in pairs),
        interaction=interaction(means, places, name=name, seed=seed),
    )


def _stratum(
    label: str, means: FloatArray, n: int, size: int, what: str, tested: bool
) -> Stratum:
    means = means[~np.isnan(means)]
    make = partial(
        Result,
        n=n,
        n_excluded=size - n,
        method=f"{what}, t interval over case means",
        what=f"{what}, {label}",
        scope=CASES,
    )
    return Stratum(label, len(means), _over_cases(make, means, tested), None)


def _over_cases(make: partial[Result], means: FloatArray, tested: bool) -> Result:
    n = len(means)
    if n == 0:
        return make(value=None, reason="no_pairs")
    value = float(means.mean())
    if n == 1:
        return make(value=value, reason="single_case")
    if n < MIN_CASES:
        return make(value=value, reason="small_stratum")
    se = float(means.std(ddof=1) / np.sqrt(n))
    if se < 1e-12:
        return make(value=value, se=0.0, reason="zero_variance")
    half = float(stdtrit(n - 1, 0.975)) * se
    return make(
        value=value,
        se=se,
        ci=(value - half, value + half),
        p=float(2 * stdtr(n - 1, -abs(value) / se)) if tested else None,
        reason=None if tested else "not_tested",
        detail={"df": float(n - 1)},
    )


def benjamini_hochberg(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """False-discovery-rate adjusted p; None stays None and leaves the family."""
    # Here and not above: a web process that only shows tables pays nothing for it.
    from statsmodels.stats.multitest import multipletests

    known = [i for i, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    if known:
        family = [p_values[i] for i in known]
        for i, p in zip(known, multipletests(family, method="fdr_bh")[1], strict=True):
            adjusted[i] = float(p)
    return tuple(adjusted)


def interaction(
    means: FloatArray, places: npt.NDArray[np.int64], *, name: str, seed: int
) -> Result:
    """Do the groups differ? Their labels are permuted over the cases [C].

    The value is the share of the variance of the case means that lies between groups
    (η²); p = (b + 1)/(B + 1) from 9999 seeded permutations.
    """
    kept = ~np.isnan(means)
    means, places = means[kept], places[kept]
    groups = np.unique(places)
    make = partial(
        Result,
        n=len(means),
        n_excluded=int((~kept).sum()),
        method=f"permutation test of {name} over cases, {PERMUTATIONS} permutations",
        what=f"share of the variation between cases that {name} explains",
        scope=CASES,
    )
    if len(groups) < 2:
        return make(value=None, reason="one_stratum")
    centred = means - means.mean()
    total = float((centred**2).sum())
    if total < 1e-12:
        return make(value=None, reason="zero_variance")
    hot = (places[:, None] == groups).astype(float)
    sizes = hot.sum(0)
    observed = float(((centred @ hot) ** 2 / sizes).sum())
    # The same pool whatever the cases are called and whichever arm is the reference.
    pool = max(np.sort(centred), np.sort(-centred), key=tuple)
    rng, beyond = np.random.default_rng(seed), 0
    hot = hot[np.argsort(places, kind="stable")]
    left = PERMUTATIONS
    while left:
        size = min(CHUNK, left)
        shuffled = rng.permuted(np.tile(pool, (size, 1)), axis=1)
        between = ((shuffled @ hot) ** 2 / sizes).sum(1)
        beyond += int((between >= observed * (1 - 1e-9) - 1e-12).sum())
        left -= size
    return make(
        value=observed / total,
        p=(beyond + 1) / (PERMUTATIONS + 1),
        reason="p_only",
        detail={"n_groups": len(groups), "permutations": PERMUTATIONS, "seed": seed},
    )
