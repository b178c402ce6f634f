"""Violins of the scores, drawn only where scores were given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ratings.figures.canvas import (
    ARM,
    INK,
    ONE_COLUMN,
    REFERENCE,
    TWO_COLUMNS,
    Figure,
    distinct,
    make_canvas,
    p_label,
    render,
    wrapped,
)
from ratings.statistics.cells import Cell
from ratings.statistics.comparison import Comparison
from ratings.statistics.primary import CROSSED, TESTS
from ratings.statistics.summary import Analysis
from ratings.statistics.table import FloatArray, ScoreTable

BANDWIDTH = 0.4  # of one step of the scale
HALF = 0.42  # half-width of the widest violin, in x units
BAR = 0.12  # half-height of the bar that stands for a single score
GAP = 0.015  # between the halves of a split violin
PER_ROW = 10
HEADER = ("rater", "arm", "n", "mean", "q25", "median", "q75")
EXPLAINED = (
    "Gaussian kernel of bandwidth 0.4 points, cut at the lowest and highest score "
    "given; where all scores are the same, a bar; dashed line, median; dotted lines, "
    "quartiles; thick dash, mean."
)


def violin_per_rater(
    *, table: ScoreTable, comparison: Comparison, simulated: bool = False
) -> Figure:
    """Split violins of reference (left) and arm (right) for each rater, p on top."""
    sides = (comparison.reference, comparison.arm)
    scores = [table.of_arm(arm) for arm in sides]
    n_rows = -(-len(table.raters) // PER_ROW)
    per_row = -(-len(table.raters) // n_rows)
    width = TWO_COLUMNS if len(table.raters) > 2 else ONE_COLUMN
    canvas = make_canvas(width=width, height=1.0 + 6.8 * n_rows)
    grid = canvas.subplots(n_rows, 1, squeeze=False)[:, 0]
    names = name_raters(comparison)
    for start, axes in zip(range(0, len(table.raters), per_row), grid, strict=True):
        chosen = range(start, min(start + per_row, len(table.raters)))
        _raters(axes, chosen, scores, comparison, table.levels)
        frame(axes, [names[r] for r in chosen], table.levels)
        axes.set_xlim(-0.6, per_row - 0.4)
    legend(grid[0], {wrapped(sides[0]): REFERENCE, wrapped(sides[1]): ARM})
    rows = [
        (rater, arm, *summarise(scores[side][r]), *p_values(comparison, r))
        for r, rater in enumerate(table.raters)
        for side, arm in enumerate(sides)
    ]
    return render(
        canvas,
        name="violin_per_rater",
        caption=(
            f"Scores of {sides[0]} and {sides[1]} by rater. {EXPLAINED} Above: exact "
            "signed-rank p per rater (zeros ranked, Pratt) and Holm-corrected over "
            "raters; each holds for that rater and cases like these. n, pairs "
            f"({comparison.difference.both.n} in all)."
        ),
        header=(*HEADER, "p_signed_rank", "p_holm"),
        rows=rows,
        simulated=simulated,
    )


def _raters(
    axes: Axes,
    chosen: range,
    scores: Sequence[FloatArray],
    comparison: Comparison,
    levels: Sequence[int],
) -> None:
    """One row of raters; all rows share the scale of densities."""
    tallest = max(_densest(row) for both in scores for row in both)
    for x, r in enumerate(chosen):
        for side, colour in enumerate((REFERENCE, ARM)):
            _shape(
                axes,
                scores[side][r],
                x=x,
                sides=(2 * side - 1,),
                colour=colour,
                tallest=tallest,
            )
        found = comparison.per_rater[r]
        text = f"p {p_label(found.signed_rank.p)}\nHolm {p_label(found.p_holm)}"
        on_top(axes, x, text, levels)
    axes.set_xlabel("Rater")


def name_raters(comparison: Comparison) -> list[str]:
    """What stands below each rater's shapes."""
    found = comparison.per_rater
    names = distinct([one.rater for one in found], width=11)
    counts = [one.preference.n for one in found]
    return [f"{name}\nn = {n}" for name, n in zip(names, counts, strict=True)]


def violin_overall(
    *, table: ScoreTable, analysis: Analysis, simulated: bool = False
) -> Figure:
    """One whole violin per arm over all raters, the primary p on top."""
    arms = [summary.arm for summary in analysis.arms]
    scores = [table.of_arm(arm).ravel() for arm in arms]
    width = ONE_COLUMN if len(arms) <= 3 else TWO_COLUMNS
    canvas = make_canvas(width=width, height=7.5)
    axes = canvas.subplots()
    tallest = max(_densest(values) for values in scores)
    shown = {c.arm: c.p_holm for c in analysis.comparisons}
    gap = "\n" if len(arms) > 8 else " "
    for x, (arm, values) in enumerate(zip(arms, scores, strict=True)):
        colour = REFERENCE if arm == analysis.reference else ARM
        _shape(axes, values, x=x, sides=(-1, 1), colour=colour, tallest=tallest)
        if arm in shown:
            on_top(axes, x, f"p{gap}{p_label(shown[arm])}", table.levels)
    long = 14 if len(arms) > 12 else 28
    labels = [wrapped(arm, width=14) for arm in distinct(arms, width=long)]
    frame(axes, labels, table.levels)
    corrected = ", Holm-corrected over the arms" if len(arms) > 2 else ""
    name = TESTS[analysis.primary].name
    p_text = f" Above: p of the {name} against {analysis.reference}"
    scope = analysis.arms[0].overall.mean.scope
    if shown and analysis.primary != CROSSED:
        scope = analysis.comparisons[0].main.scope
    return render(
        canvas,
        name="violin_overall",
        caption=(
            f"Scores of all raters by arm. {EXPLAINED}"
            + (f"{p_text}{corrected}, {scope}." if shown else "")
            + f" n = {sum(int((~np.isnan(v)).sum()) for v in scores)} scores."
        ),
        header=(*HEADER, "p_holm"),
        rows=[
            ("all", arm, *summarise(values), shown.get(arm))
            for arm, values in zip(arms, scores, strict=True)
        ],
        simulated=simulated,
    )


def density(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(grid, density) of scores [n] between their lowest and highest value.

    Scores are NaN-free and not all the same.
    """
    grid = np.linspace(scores.min(), scores.max(), 200)
    values, counts = np.unique(scores, return_counts=True)
    apart = (grid[:, None] - values[None, :]) / BANDWIDTH
    kernel = np.exp(-0.5 * apart**2) / (BANDWIDTH * np.sqrt(2 * np.pi))
    return grid, kernel @ counts / len(scores)


def _densest(scores: FloatArray) -> float:
    kept = scores[~np.isnan(scores)]
    if len(kept) == 0 or kept.min() == kept.max():
        return 0.0
    return float(density(kept)[1].max())


def _shape(
    axes: Axes,
    scores: FloatArray,
    *,
    x: float,
    sides: tuple[int, ...],
    colour: str,
    tallest: float,
) -> None:
    """A violin or half of one; a bar where all scores are the same.

    `sides` is (−1, 1) for a whole violin, (−1,) for the left half, (1,) for the right.
    """
    kept = scores[~np.isnan(scores)]
    if len(kept) == 0:
        return
    single = kept.min() == kept.max()
    if single:
        grid = np.array([kept[0] - BAR, kept[0] + BAR])
        widths = np.array([HALF, HALF])
    else:
        grid, heights = density(kept)
        widths = heights / tallest * HALF
    left, right = (_edge(x, side, sides) for side in (-1, 1))
    ends = left[0] - left[1] * widths, right[0] + right[1] * widths
    axes.fill_betweenx(grid, *ends, facecolor=colour, edgecolor=INK, lw=0.5)
    for value, style in zip(_quartiles(kept), (":", "--", ":"), strict=True):
        if not single:
            at = [float(np.interp(value, grid, end)) for end in ends]
            axes.plot(at, [value] * 2, style, color=INK, lw=0.8)
    dash = [left[0] - 0.16 * left[1], right[0] + 0.16 * right[1]]
    axes.plot(dash, [kept.mean()] * 2, color=INK, lw=2.2, zorder=3)


def _edge(x: float, side: int, sides: tuple[int, ...]) -> tuple[float, int]:
    """(inner end, 1 if the shape extends to this side) of one side of a violin."""
    if len(sides) == 2:
        return x, 1
    return x + GAP * sides[0], int(side in sides)


def _quartiles(scores: FloatArray) -> FloatArray:
    quartiles: FloatArray = np.quantile(scores, [0.25, 0.5, 0.75])
    return quartiles


def on_top(
    axes: Axes, x: float, text: str, levels: Sequence[int], *, lift: float = 0.0
) -> None:
    """Write above the shape at x; `lift` is what it reaches beyond the scale."""
    top = levels[-1] + 0.25 + lift + 0.02 * (len(levels) - 5)
    axes.text(x, top, text, ha="center", va="bottom", fontsize=7)


def frame(
    axes: Axes, labels: Sequence[str], levels: Sequence[int], *, lift: float = 0.0
) -> None:
    """The scale at the left, a label below each shape, room above for the p-values."""
    span = levels[-1] - levels[0]
    axes.set_ylim(levels[0] - 0.3 - lift, levels[-1] + 0.25 + lift + 0.24 * span)
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.set_yticks(levels if len(levels) <= 11 else levels[:: -(-len(levels) // 10)])
    axes.spines["left"].set_bounds(levels[0], levels[-1])
    axes.set_ylabel("Score")
    axes.set_xticks(range(len(labels)), labels)
    if len(labels) > 12:
        turn(axes, 45)


def turn(axes: Axes, angle: float) -> None:
    """Turn the labels below the axis, each with its end at its tick."""
    for label in axes.get_xticklabels():
        label.set(rotation=angle, ha="right", va="center", rotation_mode="anchor")


def legend(axes: Axes, colours: dict[str, str]) -> None:
    handles: list[Patch | Line2D] = [
        Patch(facecolor=colour, edgecolor=INK, lw=0.5, label=label)
        for label, colour in colours.items()
    ]
    handles.append(Line2D([], [], color=INK, lw=2.2, label="mean"))
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)


def summarise(scores: FloatArray) -> tuple[Cell, ...]:
    kept = scores[~np.isnan(scores)]
    if len(kept) == 0:
        return (0, None, None, None, None)
    return (len(kept), float(kept.mean()), *(float(q) for q in _quartiles(kept)))


def p_values(comparison: Comparison, r: int) -> tuple[Cell, ...]:
    found = comparison.per_rater[r]
    return found.signed_rank.p, found.p_holm
