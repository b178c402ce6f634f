"""How likely a study of a given size shows a difference: simulated, with its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ratings.statistics.crossed_many import Decisions, decide
from ratings.statistics.table import FloatArray

LEVEL = 0.05
STUDIES = 2000
BUDGET = 2_000_000  # latent scores drawn for one estimate
MIDDLE, CASE_SD, RATER_SD = 3.3, 0.9, 0.4  # of the latent scores, in points


@dataclass(frozen=True, kw_only=True)
class PowerPlan:
    """A planned study; effect and standard deviations in points of the latent scale.

    `sd_case` and `sd_rater` are how much an arm's quality differs from case to case,
    and how much raters differ in their liking for an arm; `sd_residual` is the rest of
    one score. `missing` is the share of scores that will be lacking. `middle` (None:
    the usual place on a scale of `levels`), `sd_all_cases` and `sd_all_raters` place
    all arms of a case alike, which matters near the ends of the scale only.
    `comparisons` is how many tests the results correct together (Holm).
    """

    raters: int = 8
    cases: int = 40
    effect: float = 0.4
    sd_case: float = 0.7
    sd_rater: float = 0.3
    sd_residual: float = 0.8
    missing: float = 0.0
    margin: float | None = None
    levels: int = 5
    middle: float | None = None
    sd_all_cases: float = CASE_SD
    sd_all_raters: float = RATER_SD
    comparisons: int = 1


@dataclass(frozen=True, kw_only=True)
class Power:
    """Shares of the simulated studies, with the Monte-Carlo standard error of each.

    `difference` is of one comparison alone, and `corrected` the least that the same
    comparison has among several under Holm, who rejects all that Bonferroni does;
    None for a single one. All shares are None if no study had a test, and `points`
    if none had a pair. `few` studies had too few cases for a test, and in `flat`
    nothing varied; these show nothing.
    """

    difference: float | None
    difference_se: float | None
    corrected: float | None
    corrected_se: float | None
    not_worse: float | None
    not_worse_se: float | None
    points: float | None
    studies: int
    few: int
    flat: int

    @property
    def untested(self) -> int:
        return self.few + self.flat

    @property
    def least(self) -> float | None:
        """The power that the results will have at least: under Holm among several."""
        return self.difference if self.corrected is None else self.corrected

    @property
    def least_se(self) -> float | None:
        return self.difference_se if self.corrected is None else self.corrected_se


def simulate(plan: PowerPlan, *, seed: int, budget: int = BUDGET) -> Power:
    """Power of the raters × cases test at 5 %, and of non-inferiority, by simulation.

    Each study draws latent scores, cuts them to the scale, and is analysed like real
    data: two-way variance, Satterthwaite degrees of freedom, 95 % t interval, and no
    test where real data would have none.

    Raises:
        ValueError: fewer than two raters or three cases, or no comparison.
    """
    if plan.raters < 2 or plan.cases < 3:
        raise ValueError("at least two raters and three cases are needed")
    if plan.comparisons < 1:
        raise ValueError("at least one comparison is needed")
    cells = 2 * plan.raters * plan.cases
    studies = int(np.clip(budget // cells, 200, STUDIES))
    rng = np.random.default_rng(seed)
    chunk = max(1, 2_000_000 // cells)
    found = [
        decide(_draw(plan, rng, min(chunk, studies - start)))
        for start in range(0, studies, chunk)
    ]
    return _count(plan, found)


def _count(plan: PowerPlan, found: Sequence[Decisions]) -> Power:
    mean, p, low = (
        np.concatenate([getattr(part, name) for part in found])
        for name in ("mean", "p", "low")
    )
    few, flat = (
        sum(int(getattr(part, name).sum()) for part in found)
        for name in ("few", "flat")
    )
    tested, several = few + flat < len(p), plan.comparisons > 1
    shown = {
        "difference": p < LEVEL if tested else None,
        "corrected": p < LEVEL / plan.comparisons if tested and several else None,
        "not_worse": None if plan.margin is None or not tested else low > -plan.margin,
    }
    shares = {
        name: None if these is None else float(these.mean())
        for name, these in shown.items()
    }
    errors = {f"{name}_se": _error(share, len(p)) for name, share in shares.items()}
    paired = mean[~np.isnan(mean)]
    points = float(paired.mean()) if len(paired) else None
    return Power(**shares, **errors, points=points, studies=len(p), few=few, flat=flat)


def curve(plan: PowerPlan, *, seed: int) -> list[tuple[int, list[tuple[int, Power]]]]:
    """(raters, [(cases, power)]) for half, as many and twice the raters."""
    raters = sorted({max(2, plan.raters // 2), plan.raters, 2 * plan.raters})
    steps = (0.25, 0.5, 1, 2, 3)
    cases = sorted({max(3, round(plan.cases * step)) for step in steps})
    budget = BUDGET // 4
    lines = []
    for r in raters:
        line: list[tuple[int, Power]] = []
        for c in cases:
            if line and 1.0 == line[-1][1].difference == line[-1][1].least:
                # Where every study found it, every one with more cases would.
                line.append((c, line[-1][1]))
                continue
            one = replace(plan, raters=r, cases=c)
            line.append((c, simulate(one, seed=seed, budget=budget)))
        lines.append((r, line))
    return lines


def _error(share: float | None, n: int) -> float | None:
    return None if share is None else float(np.sqrt(share * (1 - share) / n))


def _draw(plan: PowerPlan, rng: np.random.Generator, n: int) -> FloatArray:
    """Paired differences [study, rater, case] of scores on the scale; NaN missing."""
    shape = (n, plan.raters, plan.cases)

    def draw(*axes: int) -> npt.NDArray[np.float32]:
        return rng.standard_normal(axes, dtype=np.float32)

    middle = MIDDLE * plan.levels / 5 if plan.middle is None else plan.middle
    common = middle + plan.sd_all_cases * draw(n, 1, plan.cases)
    common = common + plan.sd_all_raters * draw(n, plan.raters, 1)
    scores = []
    for shift in (-plan.effect / 2, plan.effect / 2):
        latent = common + shift + plan.sd_case * draw(n, 1, plan.cases)
        latent += plan.sd_rater * draw(n, plan.raters, 1)
        latent += plan.sd_residual * draw(*shape)
        scores.append(np.clip(np.rint(latent), 1, plan.levels))
    d: FloatArray = (scores[1] - scores[0]).astype(np.float64)
    if plan.missing > 0:
        lost = rng.random(shape, dtype=np.float32) < 1 - (1 - plan.missing) ** 2
        d[lost] = np.nan
    return d
