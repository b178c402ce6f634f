"""How long the whole analysis takes, beside loops over scikit-learn and resamples."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from itertools import combinations

import numpy as np
from sklearn.metrics import cohen_kappa_score
from threadpoolctl import threadpool_limits

from bench.rows import Row
from ratings.statistics.agreement import agreement
from ratings.statistics.rows import ScoreRow
from ratings.statistics.summary import analyse
from ratings.statistics.table import FloatArray, ScoreTable, make_table

LEVELS = (1, 2, 3, 4, 5)
WEIGHTS = (None, "linear", "quadratic")
PEER_PAIRS, PEER_RESAMPLES = 30, 300


def run() -> list[Row]:
    small, large = simulate(8, 40), simulate(50, 2000)
    with threadpool_limits(limits=1, user_api="blas"):
        return [
            report(small, goal=3.0),
            report(large, goal=20.0),
            memory(),
            kappas(large),
        ]


def simulate(raters: int, cases: int) -> ScoreTable:
    """A complete study of two arms with rater and case effects."""
    rng = np.random.default_rng(7)
    latent = rng.normal(0, 0.8, (raters, cases, 2)) + rng.normal(0, 0.4, (raters, 1, 1))
    latent += rng.normal(0, 1, (1, cases, 1)) + np.array([0, 0.3])
    scores = 1 + np.searchsorted([-1.5, -0.5, 0.5, 1.5], latent)
    rows = [
        ScoreRow(f"R{r}", f"C{c}", arm, int(scores[r, c, a]))
        for r in range(raters)
        for c in range(cases)
        for a, arm in enumerate(("manual", "pred"))
    ]
    return make_table(rows, levels=LEVELS)


def report(table: ScoreTable, *, goal: float) -> Row:
    size = f"{len(table.raters)}×{len(table.cases)}"
    seconds = clock(lambda: analyse(table, reference="manual", seed=1))
    peer = naive_kappas(table) * 5 + naive_bootstrap(table)
    return Row(
        what=f"whole report, {size}, 10 000 resamples",
        value=seconds,
        unit="s",
        goal=goal,
        how="analyse() once, one thread; the peer from a part, scaled up",
        peer="scikit-learn kappas of five kinds and one bootstrap in loops",
        peer_value=peer,
    )


def memory() -> Row:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Row(
        what="memory at most after the 50×2000 report",
        value=peak,
        unit="MB",
        goal=1000.0,
        how="highest resident size of the bench process, everything before included",
    )


def kappas(table: ScoreTable) -> Row:
    scores = table.of_arm("pred")

    def ours() -> object:
        return agreement(scores, kind="pred", raters=table.raters, levels=LEVELS)

    pairs = len(table.raters) * (len(table.raters) - 1) // 2
    return Row(
        what=f"kappas with SE, three weights, {pairs} pairs × {len(table.cases)} cases",
        value=min(clock(ours) for _ in range(3)),
        unit="s",
        goal=0.5,
        how="best of 3, one thread; the peer gives no standard error",
        peer="sklearn cohen_kappa_score in a loop (a part, scaled up)",
        peer_value=naive_kappas(table),
    )


def naive_kappas(table: ScoreTable) -> float:
    """Seconds for all pairs and weights in a loop, from the first pairs."""
    scores = table.of_arm("pred").astype(int)
    pairs = list(combinations(range(len(scores)), 2))
    part = pairs[:PEER_PAIRS]

    def loop() -> None:
        for i, j in part:
            for name in WEIGHTS:
                cohen_kappa_score(scores[i], scores[j], weights=name, labels=LEVELS)

    return clock(loop) * len(pairs) / len(part)


def naive_bootstrap(table: ScoreTable) -> float:
    """Seconds for 10 000 resamples of the mean difference in a loop."""
    d: FloatArray = table.difference(arm="pred", reference="manual")
    rng = np.random.default_rng(1)

    def loop() -> None:
        for _ in range(PEER_RESAMPLES):
            d[:, rng.integers(0, d.shape[1], d.shape[1])].mean()

    return clock(loop) * 10_000 / PEER_RESAMPLES


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
