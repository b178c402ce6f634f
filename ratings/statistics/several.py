"""More than two arms: Friedman's test on case means, and every pair with Holm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import numpy as np
from scipy.special import chdtrc

from ratings.statistics.crossed import CASES, crossed_mean
from ratings.statistics.paired import holm, midranks
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray, ScoreTable


@dataclass(frozen=True)
class ArmPair:
    """Mean difference of two arms, arm − other, raters × cases; p corrected by Holm."""

    arm: str
    other: str
    difference: Result
    p_holm: float | None


@dataclass(frozen=True)
class SeveralArms:
    """All arms together.

    `mean_ranks` follow `arms` (1 = scored lowest); `friedman` has χ², p, and
    Kendall's W as effect; `pairs` are all two-arm differences, Holm over all of them.
    """

    arms: tuple[str, ...]
    mean_ranks: tuple[float, ...] | None
    friedman: Result
    pairs: tuple[ArmPair, ...]


def several_arms(table: ScoreTable) -> SeveralArms | None:
    """Compare all arms of a table with each other; None with two arms or fewer."""
    if len(table.arms) < 3:
        return None
    # Raters without any score say nothing; else NaN where any rater lacks a score.
    scoring = table.scores[~np.isnan(table.scores).all((1, 2))]
    ranks, test = friedman(scoring.mean(axis=0), n_excluded_cells=len(scoring))
    pairs = [
        ArmPair(
            arm=arm,
            other=other,
            difference=crossed_mean(
                table.difference(arm=arm, reference=other),
                what=f"mean difference, {arm} − {other}",
            ).both,
            p_holm=None,
        )
        for other, arm in combinations(table.arms, 2)
    ]
    adjusted = holm([pair.difference.p for pair in pairs])
    return SeveralArms(
        arms=table.arms,
        mean_ranks=ranks,
        friedman=test,
        pairs=tuple(
            replace(pair, p_holm=p) for pair, p in zip(pairs, adjusted, strict=True)
        ),
    )


def friedman(
    blocks: FloatArray, *, n_excluded_cells: int = 1
) -> tuple[tuple[float, ...] | None, Result]:
    """(mean ranks, Friedman's test with the correction for ties) of blocks [n, k].

    Blocks with any NaN are left out. χ² on k − 1 degrees of freedom; the value is
    Kendall's W = χ²/(n(k − 1)). Friedman 1937.

    Args:
        n_excluded_cells: scores that one mean of a block stands for.
    """
    kept = blocks[~np.isnan(blocks).any(1)].round(9)
    n, k = kept.shape
    make = partial(
        Result,
        n=n * k * n_excluded_cells,
        n_excluded=(len(blocks) - n) * k * n_excluded_cells,
        method="Friedman's test on case means over raters, corrected for ties",
        scope=CASES,
        what="concordance of the arms' ranking over cases (Kendall's W)",
    )
    if k < 3:
        return None, make(value=None, reason="two_arms_only")
    if n < 2:
        return None, make(value=None, reason="no_complete_blocks")
    ranks = np.stack([midranks(row) for row in kept])
    means = ranks.mean(0)
    spread = ((ranks - (k + 1) / 2) ** 2).sum() / (n * (k - 1))
    listed = tuple(float(x) for x in means)
    if spread <= 0:
        return listed, make(value=None, reason="all_differences_zero")
    chi2 = float(n * ((means - (k + 1) / 2) ** 2).sum() / spread)
    result = make(
        value=chi2 / (n * (k - 1)),
        p=float(chdtrc(k - 1, chi2)),
        reason="p_only",
        detail={"chi2": chi2, "df": float(k - 1), "n_blocks": n},
    )
    return listed, result
