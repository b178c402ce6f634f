"""A cumulative-link mixed model with raters, cases and both of their arm effects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.special import chdtrc, expit, ndtr
from threadpoolctl import threadpool_limits

from ratings.statistics.agreement import Z
from ratings.statistics.crossed import BOTH, ONE_RATER
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

GROUPS = ("rater", "case", "rater_arm", "case_arm")
LARGEST = 600  # random effects: beyond, the dense Hessian takes too long
STEPS = 200
MODE_STEPS = 60
SEPARATED, WIDEST = 12.0, 3.0  # log odds: nobody could use more
TINY = 1e-12
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Data:
    """Scores as categories 0..K−1, their arm (0 or 1) and their random effects.

    `places` [N, G] index the random effects of each score; effects of one group are
    numbered together and `group` [q] names each effect's group.
    """

    y: IntArray
    arm: FloatArray
    places: IntArray
    group: IntArray
    n_levels: int
    groups: tuple[str, ...]


class Likelihood:
    """Laplace approximation of the marginal log-likelihood, with its gradient.

    Parameters: K − 1 thresholds (the first, then logarithms of the gaps), β, and the
    standard deviations of the groups (their sign is free). It keeps the last mode as
    the start of the next search.
    """

    def __init__(self, data: Data, *, with_arm: bool) -> None:
        self.data = data
        self.with_arm = with_arm
        self.n_thresholds = data.n_levels - 1
        self.mode = np.zeros(len(data.group))

    def split(self, theta: FloatArray) -> tuple[FloatArray, float, FloatArray]:
        """(thresholds, β, standard deviations) of a parameter vector."""
        k = self.n_thresholds
        gaps = np.exp(theta[1:k])
        thresholds = theta[0] + np.concatenate([[0.0], np.cumsum(gaps)])
        beta = float(theta[k]) if self.with_arm else 0.0
        return thresholds, beta, theta[k + int(self.with_arm) :]

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """(−log-likelihood, its gradient)."""
        thresholds, beta, sds = self.split(theta)
        data = self.data
        bounds = np.concatenate([[-np.inf], thresholds, [np.inf]])
        upper, lower = bounds[data.y + 1], bounds[data.y]
        fixed = beta * data.arm
        b, cells, factor = self._find_mode(upper, lower, fixed, sds)
        self.mode = b
        log_det = 2 * float(np.log(np.diag(factor[0])).sum())
        value = float(np.log(cells.chance).sum() - b @ b / 2 - log_det / 2)
        return -value, -self._gradient(theta, sds, b, cells, factor)

    def _find_mode(
        self, upper: FloatArray, lower: FloatArray, fixed: FloatArray, sds: FloatArray
    ) -> tuple[FloatArray, Cells, Any]:
        """The most likely standardised effects: Newton's method with halved steps."""
        b = self.mode.copy()
        cells = Cells(upper, lower, fixed + self._effects(b, sds))
        best = self._penalised(cells, b)
        for _ in range(MODE_STEPS):
            factor = cho_factor(self._hessian(cells.weight, sds), lower=True)
            slope = self._project(cells.slope, sds) - b
            step = cho_solve(factor, slope)
            if np.abs(slope).max(initial=0.0) < 1e-9:
                break
            size = 1.0
            while size > 1e-6:
                tried = b + size * step
                found = Cells(upper, lower, fixed + self._effects(tried, sds))
                value = self._penalised(found, tried)
                if value >= best - 1e-12:
                    break
                size /= 2
            gained = value - best
            b, cells, best = tried, found, value
            if gained < 1e-13 * (1 + abs(best)) and size == 1.0:
                factor = cho_factor(self._hessian(cells.weight, sds), lower=True)
                break
        return b, cells, factor

    def _gradient(
        self,
        theta: FloatArray,
        sds: FloatArray,
        b: FloatArray,
        cells: Cells,
        factor: Any,
    ) -> FloatArray:
        data = self.data
        inverse = cho_solve(factor, np.eye(len(b)))
        places = data.places
        block = inverse[places[:, :, None], places[:, None, :]]
        spread = block @ sds  # [N, G]: what each group adds to H⁻¹a of its score
        leverage = spread @ sds
        pull = cho_solve(factor, self._project(leverage * cells.turn, sds))
        back = self._effects(pull, sds)  # [N]
        # Explicit part, change of the weights, and shift of the mode, per score.
        by_eta = cells.slope - leverage * cells.turn / 2 + cells.weight * back / 2
        parts = []
        by_upper = (
            cells.high / cells.chance
            - leverage * cells.high_turn / 2
            - back * cells.high / 2
        )
        by_lower = (
            -cells.low / cells.chance
            - leverage * cells.low_turn / 2
            - back * cells.low / 2
        )
        k = self.n_thresholds
        by_threshold = np.bincount(data.y, by_upper, k + 1)[:k]
        by_threshold += np.bincount(data.y, by_lower, k + 1)[1:]
        tails = np.cumsum(by_threshold[::-1])[::-1]
        parts.append([tails[0], *(tails[1:] * np.exp(theta[1:k]))])
        if self.with_arm:
            parts.append([float(by_eta @ data.arm)])
        for g in range(len(sds)):
            at = places[:, g]
            own = float(by_eta @ b[at])
            own -= float(cells.weight @ spread[:, g])
            own -= float((cells.slope * pull[at]).sum()) / 2
            parts.append([own])
        return np.concatenate(parts)

    def _effects(self, b: FloatArray, sds: FloatArray) -> FloatArray:
        effects: FloatArray = b[self.data.places] @ sds
        return effects

    def _project(self, per_score: FloatArray, sds: FloatArray) -> FloatArray:
        values = (per_score[:, None] * sds).ravel()
        sums = np.bincount(self.data.places.ravel(), values, len(self.data.group))
        return sums.astype(float)

    def _hessian(self, weight: FloatArray, sds: FloatArray) -> FloatArray:
        q = len(self.data.group)
        places = self.data.places
        flat = (places[:, :, None] * q + places[:, None, :]).ravel()
        values = (weight[:, None, None] * np.outer(sds, sds)).ravel()
        square: FloatArray = (
            np.bincount(flat, values, q * q).astype(float).reshape(q, q)
        )
        square[np.diag_indices(q)] += 1.0
        return square

    @staticmethod
    def _penalised(cells: Cells, b: FloatArray) -> float:
        return float(np.log(cells.chance).sum() - b @ b / 2)


class Cells:
    """Chance of each score given its linear predictor, with derivatives.

    `slope` = dℓ/dη, `weight` = −d²ℓ/dη², `turn` = d weight/dη; `high` and `low` are
    the logistic densities at the two bounds, `high_turn` and `low_turn` their slopes.
    """

    def __init__(self, upper: FloatArray, lower: FloatArray, eta: FloatArray) -> None:
        a, b = upper - eta, lower - eta
        above, below = expit(a), expit(b)
        # The difference of the smaller tails loses no digits.
        chance = np.where(b > 0, expit(-b) - expit(-a), above - below)
        self.chance = np.maximum(chance, 1e-300)
        self.high, self.low = above * expit(-a), below * expit(-b)
        self.slope = above + below - 1
        self.weight = self.high + self.low
        self.high_turn = self.high * (1 - 2 * above)
        self.low_turn = self.low * (1 - 2 * below)
        self.turn = -(self.high_turn + self.low_turn)


def cumulative_link(reference: FloatArray, arm: FloatArray) -> Result:
    """Odds ratio of a higher score in the arm, from scores [R, C] of two arms.

    logit P(y ≤ k) = α_k − β·arm − u_rater − v_case − w_rater,arm − x_case,arm, all four
    normal and independent, fitted by maximum likelihood with Laplace's approximation
    (as R's ordinal::clmm). The value is exp(β); `detail` has β, its standard error, z,
    the standard deviations, the log-likelihood and the likelihood-ratio test of β = 0.
    Scores in which nothing varies, or an arm that lies wholly in an end category, do
    not determine β: `not_identified`. More than 600 random effects: `too_large`.
    """
    scores = np.stack([reference, arm], axis=-1)
    n = int((~np.isnan(scores)).sum())
    make = partial(
        Result,
        n=n,
        n_excluded=int(scores.size - n),
        method="cumulative-link mixed model, Laplace, with rater × arm and case × arm",
        scope=BOTH,
        what="odds ratio of a higher score",
    )
    data = _prepare(scores)
    if data is None or _separated(data):
        return make(value=None, reason="not_identified")
    alone = "rater" not in data.groups
    if alone:
        named = "cumulative-link mixed model, Laplace, with case × arm"
        make = partial(make, method=named, scope=ONE_RATER)
    if len(data.group) > LARGEST:
        return make(value=None, reason="too_large")
    # One thread: these matrices are small, and the sums the same on every machine.
    with np.errstate(all="ignore"), threadpool_limits(limits=1, user_api="blas"):
        fitted = _fit(data)
    if isinstance(fitted, str):
        return make(value=None, reason=fitted)
    beta, se = fitted["beta"], fitted["se"]
    few = len(np.flatnonzero(~np.isnan(reference).all(1))) < 10
    edge = any(fitted[f"sd_{g}"] < 1e-2 for g in data.groups)
    flags = {
        "single_rater_no_generalisation": alone,
        "few_raters_wald": few and not alone,
        "boundary": edge,
    }
    return make(
        value=float(np.exp(beta)),
        ci=(float(np.exp(beta - Z * se)), float(np.exp(beta + Z * se))),
        p=float(2 * ndtr(-abs(beta / se))),
        warnings=tuple(code for code, applies in flags.items() if applies),
        detail={**fitted, "z": beta / se, "n_random": len(data.group)},
    )


def _prepare(scores: FloatArray) -> Data | None:
    """Model data of scores [R, C, 2]; None when there is nothing to fit."""
    r, c, a = np.nonzero(~np.isnan(scores))
    values, y = np.unique(scores[r, c, a], return_inverse=True)
    if len(values) < 2 or len(np.unique(a)) < 2:
        return None
    n_raters, n_cases, _ = scores.shape
    labels = (r, c, r * 2 + a, n_cases + c * 2 + a)
    kept = {
        name: np.unique(label, return_inverse=True)[1]
        for name, label in zip(GROUPS, labels, strict=True)
    }
    if n_raters == 1 or kept["rater"].max() == 0:
        kept.pop("rater"), kept.pop("rater_arm")
    if kept["case"].max() == 0:
        return None
    sizes = [int(label.max()) + 1 for label in kept.values()]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    return Data(
        y=y.astype(np.int64),
        arm=a.astype(float),
        places=np.stack(list(kept.values()), axis=1) + starts,
        group=np.repeat(np.arange(len(sizes)), sizes),
        n_levels=len(values),
        groups=tuple(kept),
    )


def _separated(data: Data) -> bool:
    """Whether the scores of one arm all lie at an end of those of the other."""
    first, second = data.y[data.arm == 0], data.y[data.arm == 1]
    return bool(first.max() <= second.min() or second.max() <= first.min())


def _start(data: Data, *, with_arm: bool) -> FloatArray:
    shares = np.cumsum(np.bincount(data.y, minlength=data.n_levels)) / len(data.y)
    thresholds = 1.3 * np.log(shares[:-1] / (1 - shares[:-1]))
    gaps = np.log(np.maximum(np.diff(thresholds), 1e-3))
    head = [thresholds[0], *gaps, *([0.0] if with_arm else [])]
    return np.array([*head, *([0.6] * len(data.groups))])


def _climb(
    data: Data, *, with_arm: bool, start: FloatArray
) -> tuple[Likelihood, FloatArray, float, bool]:
    """(likelihood, parameters, log-likelihood there, whether it converged)."""
    # Here and not above: a web process that only shows tables pays nothing for it.
    from scipy.optimize import minimize

    likelihood = Likelihood(data, with_arm=with_arm)
    climb: Any = minimize
    options = {"maxiter": STEPS, "gtol": 1e-4}
    found = climb(likelihood, start, jac=True, method="BFGS", options=options)
    flat = float(np.abs(found.jac).max()) < 1e-2
    return likelihood, found.x, -float(found.fun), bool(np.isfinite(found.fun) and flat)


def _fit(data: Data) -> dict[str, float] | str:
    """Estimates by name, or the reason why there are none."""
    full, theta, value, done = _climb(
        data, with_arm=True, start=_start(data, with_arm=True)
    )
    if not done:
        return "not_converged"
    k = full.n_thresholds
    curvature = _curvature(full, theta)
    try:
        covariance = np.linalg.inv(curvature)
    except np.linalg.LinAlgError:
        return "not_converged"
    beta, variance = float(theta[k]), float(covariance[k, k])
    if not variance > 0 or abs(beta) > SEPARATED or variance > WIDEST**2:
        return "not_identified"
    bare = np.delete(theta, k)
    _, _, null, done = _climb(data, with_arm=False, start=bare)
    gain = max(0.0, 2 * (value - null))
    found = {"beta": beta, "se": float(np.sqrt(variance)), "log_likelihood": value}
    if done:
        found |= {"lr_chi2": gain, "lr_p": float(chdtrc(1, gain))}
    sds = np.abs(full.split(theta)[2])
    named = zip(data.groups, sds, strict=True)
    return found | {f"sd_{name}": float(sd) for name, sd in named}


def _curvature(likelihood: Likelihood, theta: FloatArray) -> FloatArray:
    """Second derivatives of the −log-likelihood by differences of its gradient."""
    step = 1e-4
    rows = []
    for i in range(len(theta)):
        move = np.zeros(len(theta))
        move[i] = step
        up, down = likelihood(theta + move)[1], likelihood(theta - move)[1]
        rows.append((up - down) / (2 * step))
    square = np.stack(rows)
    return (square + square.T) / 2
