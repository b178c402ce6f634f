"""Asks how well the look of masks tells two arms apart, by features nobody hid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ratings.statistics.bootstrap import summarise
from ratings.statistics.mask_features import FEATURES
from ratings.statistics.paired import midranks
from ratings.statistics.result import Result
from ratings.statistics.table import FloatArray

FOLDS, RESAMPLES, MIN_CASES = 5, 2_000, 10
PENALTY = 1.0
SCOPE = "for cases like these"


def leaves_out_half(found: Result) -> bool:
    """Whether chance is ruled out: by the interval, or by every resample alike."""
    if found.reason == "constant_resamples":
        return found.value != 0.5
    return found.ci is not None and not found.ci[0] <= 0.5 <= found.ci[1]


@dataclass(frozen=True)
class Clue:
    """One feature by itself: the chance that it is greater in the arm (an AUC)."""

    feature: str
    label: str
    auc: Result

    @property
    def telling(self) -> bool:
        """Whether its interval leaves out a half."""
        return leaves_out_half(self.auc)


@dataclass(frozen=True)
class Separability:
    """How well one arm is told from the reference.

    Attributes:
        auc: cross-validated: the chance that a mask of the arm looks more like the
            arm than a mask of the reference does.
        pairs: the share of cases in which the two masks, seen together, are told
            apart rightly; ties count half.
        clues: each feature by itself, the most telling first.
    """

    arm: str
    reference: str
    n: int
    auc: Result
    pairs: Result
    clues: tuple[Clue, ...]

    @property
    def sentence(self) -> str:
        if self.pairs.value is None:
            return (
                f"Whether {self.arm} and {self.reference} can be told apart by their "
                f"look is not known: {self.pairs.reason_text}."
            )
        share = f"{100 * self.pairs.value:.0f} % of cases"
        if self.pairs.value < 0.5 or not leaves_out_half(self.pairs):
            return (
                "By the features tested here it is not shown that anybody could tell "
                f"{self.arm} from {self.reference}: {share}, 50 % by chance."
            )
        told = [clue.label for clue in self.clues if clue.telling][:3]
        clues = f", above all by {', '.join(told)}" if told else ""
        return (
            f"Seeing both masks of a case, an attentive reader could tell {self.arm} "
            f"from {self.reference} in {share}{clues}."
        )


def separate(
    *,
    arm: str,
    reference: str,
    features: Sequence[tuple[Mapping[str, float], Mapping[str, float]]],
    seed: int,
) -> Separability:
    """Cross-validated AUC between two arms from one pair of features a case.

    Ridge logistic regression on standardised features in five folds; both masks of a
    case lie in the same fold, and whatever is fitted, the scaling too, is fitted
    without it. Intervals resample whole cases and keep the fitted scores.
    """
    names = [
        n for n in FEATURES if all(n in side for pair in features for side in pair)
    ]
    x = np.array([[[side[n] for n in names] for side in pair] for pair in features])
    judge = partial(area, seed=seed)
    if len(features) < MIN_CASES:
        none = Result(
            value=None, n=len(features), method="cross-validated AUC", scope=SCOPE,
            reason="too_few_cases_for_bootstrap",
        )  # fmt: skip
        return Separability(arm, reference, len(features), none, none, ())
    scores = score_out_of_fold(x, seed=seed)
    clues = [
        Clue(name, FEATURES[name], judge(x[:, :, i], method="AUC of one feature"))
        for i, name in enumerate(names)
    ]
    clues.sort(key=lambda clue: -abs((clue.auc.value or 0.5) - 0.5))
    return Separability(
        arm=arm, reference=reference, n=len(features),
        auc=judge(scores, method="cross-validated AUC, ridge logistic regression"),
        pairs=share_of_pairs(scores, seed=seed), clues=tuple(clues),
    )  # fmt: skip


def score_out_of_fold(x: FloatArray, *, seed: int) -> FloatArray:
    """Scores [case, 2] (arm, reference) of features [case, 2, feature]."""
    rng = np.random.default_rng(seed)
    fold = rng.permutation(len(x)) % min(FOLDS, len(x))
    scores = np.zeros(x.shape[:2])
    for k in np.unique(fold):
        train = x[fold != k].reshape(-1, x.shape[2])
        mean, sd = train.mean(axis=0), train.std(axis=0)
        sd[sd == 0] = 1.0
        truth = np.tile([1.0, 0.0], int((fold != k).sum()))
        weights = fit_logistic((train - mean) / sd, truth)
        scores[fold == k] = (x[fold == k] - mean) / sd @ weights
    return scores


def fit_logistic(
    x: FloatArray, y: FloatArray, *, penalty: float = PENALTY
) -> FloatArray:
    """Weights of ridge logistic regression, without the intercept, which is free.

    Minimises the sum of log losses + penalty · |w|² / 2.
    """
    # Here and not above: a web process that only shows tables pays nothing for it.
    from scipy.optimize import minimize

    def loss(b: FloatArray) -> tuple[float, FloatArray]:
        margin = x @ b[1:] + b[0]
        value = np.logaddexp(0, margin).sum() - y @ margin + penalty * b[1:] @ b[1:] / 2
        off = 0.5 * (1 + np.tanh(margin / 2)) - y
        slope = np.concatenate([[off.sum()], x.T @ off + penalty * b[1:]])
        return float(value), slope

    start = np.zeros(x.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", tol=1e-10)
    weights: FloatArray = found.x[1:]
    return weights


def auc_of(scores: FloatArray) -> float:
    """P(arm > reference) + ½ P(equal), over all pairs of masks; scores [case, 2]."""
    n = len(scores)
    ranks = midranks(scores.T.reshape(-1))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / n**2)


def area(scores: FloatArray, *, seed: int, method: str) -> Result:
    """An AUC with the percentile interval of a bootstrap of whole cases."""
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(scores), (RESAMPLES, len(scores)))
    draws = np.array([auc_of(scores[pick]) for pick in picks])
    make = partial(Result, n=len(scores), method=method, scope=SCOPE)
    return summarise(make, auc_of(scores), draws, seed=seed)


def share_of_pairs(scores: FloatArray, *, seed: int) -> Result:
    """How often the arm's mask of a case scores higher than the reference's."""
    d = scores[:, 0] - scores[:, 1]
    won = (d > 0) + 0.5 * (d == 0)
    rng = np.random.default_rng(seed)
    draws = won[rng.integers(0, len(won), (RESAMPLES, len(won)))].mean(axis=1)
    make = partial(
        Result, n=len(won), method="share of pairs told apart, cross-validated",
        scope=SCOPE,
    )  # fmt: skip
    return summarise(make, float(won.mean()), draws, seed=seed)
