"""From the reference to the arm: how often each score became each other score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from ratings.figures.canvas import (
    INK,
    ONE_COLUMN,
    TWO_COLUMNS,
    Figure,
    clean,
    distinct,
    make_canvas,
    render,
    shortened,
)
from ratings.statistics.comparison import Comparison
from ratings.statistics.table import FloatArray, ScoreTable

Counts = npt.NDArray[np.int64]
MAP = "Blues"
MOST_RATERS = 12  # with a panel of their own; the table holds them all
LARGE, SMALL = 6.6, 2.5  # cm, of a panel


def transition_matrix(
    *, table: ScoreTable, comparison: Comparison, simulated: bool = False
) -> Figure:
    """Counts of (reference score, arm score) over all raters, and for each rater."""
    pair = (table.of_arm(comparison.reference), table.of_arm(comparison.arm))
    counts = [
        count_transitions(pair[0][r], pair[1][r], table.levels)
        for r in range(len(table.raters))
    ]
    total: Counts = np.sum(counts, axis=0)
    apart = 1 < len(table.raters) <= MOST_RATERS and len(table.levels) <= 11
    canvas, large, small = _grid(len(table.raters) if apart else 0)
    _panel(large, total, table.levels, LARGE)
    large.set_title("All raters" if len(table.raters) > 1 else table.raters[0])
    large.set_xlabel(f"Score of {shortened(comparison.reference, width=30)}")
    large.set_ylabel(f"Score of {shortened(comparison.arm, width=30)}")
    names = distinct(table.raters, width=14)
    for axes, name, found in zip(small, names, counts, strict=False):
        _panel(axes, found, table.levels, SMALL)
        axes.set_title(name)
        axes.set_xticks([])
        axes.set_yticks([])
    n = int(total.sum())
    return render(
        canvas,
        name="transition_matrix",
        caption=(
            f"Pairs by score of {comparison.reference} (across) and of "
            f"{comparison.arm} (up); framed: equal scores, {int(np.trace(total))} of "
            f"{n}; above the frames {comparison.arm} was scored higher. The darkest "
            "cell is the largest count of its panel. Counts of these ratings, no "
            "inference; "
            f"n = {n} pairs."
            + ("" if apart else " Each rater's counts are in the table beside it.")
        ),
        header=("rater", "reference_score", "arm_score", "pairs"),
        rows=[
            (label, one, other, int(found[i, j]))
            for label, found in zip(
                ("all raters", *table.raters), (total, *counts), strict=True
            )
            for i, one in enumerate(table.levels)
            for j, other in enumerate(table.levels)
        ],
        simulated=simulated,
    )


def count_transitions(
    reference: FloatArray, arm: FloatArray, levels: Sequence[int]
) -> Counts:
    """Counts [reference level, arm level] of two aligned rows of scores."""
    there = ~np.isnan(reference) & ~np.isnan(arm)
    counts = np.zeros((len(levels), len(levels)), dtype=np.int64)
    rows, columns = (
        (scores[there] - levels[0]).astype(int) for scores in (reference, arm)
    )
    np.add.at(counts, (rows, columns), 1)
    return counts


def _grid(n_small: int) -> tuple[Canvas, Axes, list[Axes]]:
    if n_small == 0:
        canvas = make_canvas(width=ONE_COLUMN, height=8.2)
        return canvas, canvas.subplots(), []
    columns = 1 if n_small == 2 else 2 if n_small <= 4 else 3 if n_small <= 6 else 4
    rows = -(-n_small // columns)
    height = max(LARGE + 1.4, rows * (SMALL + 0.6) + 0.4)
    canvas = make_canvas(width=TWO_COLUMNS, height=height)
    sides = canvas.subfigures(
        1, 2, squeeze=False, width_ratios=(LARGE + 1, columns * SMALL)
    )
    left, right = sides[0]
    panels = right.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[n_small:]:
        axes.axis("off")
    return canvas, left.subplots(), list(panels)


def _panel(axes: Axes, counts: Counts, levels: Sequence[int], width: float) -> None:
    n = len(levels)
    counts = counts.T  # the arm goes up, the reference across
    shares = counts / max(int(counts.max()), 1)
    axes.imshow(shares, cmap=MAP, vmin=0, vmax=1.15, origin="lower", aspect="auto")
    size = min(8.0, 28 * width / n / 2.4)
    for i, j in zip(*np.nonzero(counts), strict=True):
        if size >= 4.5:
            shade = "white" if shares[i, j] > 0.7 else INK
            text = str(counts[i, j])
            axes.text(j, i, text, ha="center", va="center", size=size, color=shade)
    for i in range(n):
        corner = (i - 0.5, i - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=INK, lw=0.6))
    axes.set_xticks(range(n), [str(level) for level in levels])
    axes.set_yticks(range(n), [str(level) for level in levels])
    axes.tick_params(length=0)
    clean(axes, keep=())
