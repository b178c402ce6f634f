"""Split histograms in the place of violins: bars are counts, nothing is smoothed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ratings.figures.canvas import (
    ARM,
    INK,
    ONE_COLUMN,
    REFERENCE,
    TWO_COLUMNS,
    Figure,
    make_canvas,
    p_label,
    render,
    wrapped,
)
from ratings.figures.violin import (
    GAP,
    HALF,
    PER_ROW,
    frame,
    legend,
    name_raters,
    on_top,
    p_values,
)
from ratings.statistics.comparison import Comparison
from ratings.statistics.table import FloatArray, ScoreTable

THICK = 0.72  # of one step of the scale


def histogram_per_rater(
    *, table: ScoreTable, comparison: Comparison, simulated: bool = False
) -> Figure:
    """Per rater the share of each score, reference to the left and arm to the right."""
    sides = (comparison.reference, comparison.arm)
    scores = [table.of_arm(arm) for arm in sides]
    shares = [count_levels(found, table.levels) for found in scores]
    n_rows = -(-len(table.raters) // PER_ROW)
    per_row = -(-len(table.raters) // n_rows)
    width = TWO_COLUMNS if len(table.raters) > 2 else ONE_COLUMN
    canvas = make_canvas(width=width, height=1.0 + 6.8 * n_rows)
    grid = canvas.subplots(n_rows, 1, squeeze=False)[:, 0]
    names = name_raters(comparison)
    for start, axes in zip(range(0, len(table.raters), per_row), grid, strict=True):
        chosen = range(start, min(start + per_row, len(table.raters)))
        for x, r in enumerate(chosen):
            _rater(axes, x, r, scores, shares, table.levels)
            found = comparison.per_rater[r]
            text = f"p {p_label(found.signed_rank.p)}\nHolm {p_label(found.p_holm)}"
            on_top(axes, x, text, table.levels, lift=0.2)
        frame(axes, [names[r] for r in chosen], table.levels, lift=0.2)
        axes.set_xlabel("Rater")
        axes.set_xlim(-0.6, per_row - 0.4)
    legend(grid[0], {wrapped(sides[0]): REFERENCE, wrapped(sides[1]): ARM})
    return render(
        canvas,
        name="histogram_per_rater",
        caption=(
            f"Scores of {sides[0]} (left) and {sides[1]} (right) by rater. The length "
            "of a bar is the share of the rater's scores, on one scale throughout; "
            "thick dash, mean. Above: exact signed-rank p per rater (zeros ranked, "
            "Pratt) and Holm-corrected over raters; each holds for that rater and "
            f"cases like these. n, pairs ({comparison.difference.both.n} in all)."
        ),
        header=("rater", "arm", "n", "mean", *_columns(table.levels), "p", "p_holm"),
        rows=[
            (
                *(rater, arm, int(shares[side][r].sum()), _mean(scores[side][r])),
                *(int(count) for count in shares[side][r]),
                *p_values(comparison, r),
            )
            for r, rater in enumerate(table.raters)
            for side, arm in enumerate(sides)
        ],
        simulated=simulated,
    )


def count_levels(scores: FloatArray, levels: Sequence[int]) -> FloatArray:
    """Counts [rater, level] of scores [rater, case]."""
    counts: FloatArray = np.stack([(scores == level).sum(1) for level in levels], 1)
    return counts


def _rater(
    axes: Axes,
    x: float,
    r: int,
    scores: Sequence[FloatArray],
    counts: Sequence[FloatArray],
    levels: Sequence[int],
) -> None:
    longest = max(_shares(one).max() for one in counts) or 1.0
    for side, colour in enumerate((REFERENCE, ARM)):
        turn = 2 * side - 1
        lengths = turn * _shares(counts[side])[r] / longest * HALF
        shown = lengths != 0
        axes.barh(
            np.array(levels)[shown],
            lengths[shown],
            left=x + turn * GAP,
            height=THICK,
            color=colour,
            edgecolor=INK,
            lw=0.5,
        )
        mean = _mean(scores[side][r])
        if mean is not None:
            start = x + turn * GAP
            ends = [start, start + turn * 0.2]
            axes.plot(ends, [mean] * 2, color=INK, lw=2.2, zorder=3)


def _shares(counts: FloatArray) -> FloatArray:
    shares: FloatArray = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return shares


def _mean(scores: FloatArray) -> float | None:
    return None if np.isnan(scores).all() else float(np.nanmean(scores))


def _columns(levels: Sequence[int]) -> list[str]:
    return [f"score_{level}" for level in levels]
