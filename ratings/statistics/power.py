"""How likely a study of a given size shows a difference: simulated, with its error."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from ratings.statistics.table import FloatArray

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


@dataclass(frozen=True)
class Power:
    """Shares of the simulated studies, with the Monte-Carlo standard error of each."""

    difference: float
    difference_se: float
    not_worse: float | None
    not_worse_se: float | None
    points: float
    studies: int


def simulate(plan: PowerPlan, *, seed: int, budget: int = BUDGET) -> Power:
    """Power of the raters × cases test at 5 %, and of non-inferiority, by simulation.

    Each study draws latent scores, cuts them to the scale, and is analysed like real
    data: two-way variance, Satterthwaite degrees of freedom, 95 % t interval.

    Raises:
        ValueError: fewer than two raters or three cases.
    """
    if plan.raters < 2 or plan.cases < 3:
        raise ValueError("at least two raters and three cases are needed")
    cells = 2 * plan.raters * plan.cases
    studies = int(np.clip(budget // cells, 200, STUDIES))
    rng = np.random.default_rng(seed)
    chunk = max(1, 2_000_000 // cells)
    found = [
        _analyse(_draw(plan, rng, min(chunk, studies - start)))
        for start in range(0, studies, chunk)
    ]
    mean, se, df = (np.concatenate(parts) for parts in zip(*found, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(df, -np.abs(mean) / se)
        low = mean - stdtrit(df, 0.975) * se
    share = float((p < 0.05).mean())
    safe = None if plan.margin is None else float((low > -plan.margin).mean())
    return Power(
        difference=share,
        difference_se=_error(share, studies),
        not_worse=safe,
        not_worse_se=None if safe is None else _error(safe, studies),
        points=float(mean.mean()),
        studies=studies,
    )


def curve(
    plan: PowerPlan, *, seed: int
) -> list[tuple[int, list[tuple[int, float, float]]]]:
    """(raters, [(cases, power, its error)]) for half, as many and twice the raters."""
    raters = sorted({max(2, plan.raters // 2), plan.raters, 2 * plan.raters})
    steps = (0.25, 0.5, 1, 2, 3)
    cases = sorted({max(3, round(plan.cases * step)) for step in steps})
    budget = BUDGET // 4
    lines = []
    for r in raters:
        line: list[tuple[int, float, float]] = []
        for c in cases:
            if line and line[-1][1] == 1.0:
                # Where every study found it, every one with more cases would.
                line.append((c, 1.0, 0.0))
                continue
            found = simulate(replace(plan, raters=r, cases=c), seed=seed, budget=budget)
            line.append((c, found.difference, found.difference_se))
        lines.append((r, line))
    return lines


def _error(share: float, n: int) -> float:
    return float(np.sqrt(share * (1 - share) / n))


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


def _analyse(d: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(mean, standard error, degrees of freedom) [study] as `crossed` gives them."""
    there = ~np.isnan(d)
    n = there.sum((1, 2)).astype(float)
    raters, cases = d.shape[1:]
    mean = np.where(there, d, 0).sum((1, 2)) / n
    left = np.where(there, d - mean[:, None, None], 0)
    rows, columns = left.sum(2), left.sum(1)
    rater = (rows**2).sum(1) * raters / (raters - 1) / n**2
    case = (columns**2).sum(1) * cases / (cases - 1) / n**2
    squares = (left**2).sum((1, 2))
    within = squares - (rows**2).sum(1) / cases - (columns**2).sum(1) / raters
    error = within / ((raters - 1) * (cases - 1))
    cell = np.where(n == raters * cases, error / n, squares / n**2)
    both = rater + case - cell
    spread = (
        rater**2 / (raters - 1)
        + case**2 / (cases - 1)
        + cell**2 / ((raters - 1) * (cases - 1))
    )
    usable = both > 1e-12 * np.maximum(rater, case)
    larger = np.maximum(rater, case)
    its_df = np.where(rater >= case, raters - 1.0, cases - 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(usable, both**2 / spread, its_df)
    return mean, np.sqrt(np.where(usable, both, larger)), df
