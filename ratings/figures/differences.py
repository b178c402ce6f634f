"""The map of all differences: raters down, cases across, sorted by case mean."""

from __future__ import annotations

import warnings

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm

from ratings.figures.canvas import (
    GREY,
    INK,
    TWO_COLUMNS,
    Figure,
    clean,
    distinct,
    make_canvas,
    render,
    shortened,
)
from ratings.figures.heatmap import EMPTY, HATCH
from ratings.statistics.comparison import Comparison
from ratings.statistics.table import FloatArray, ScoreTable

MAP = "PuOr_r"  # orange where the arm was scored higher, as in every figure
MOST_LABELS = 45
MOST_BARS = 400


def difference_map(
    *, table: ScoreTable, comparison: Comparison, simulated: bool = False
) -> Figure:
    """Each rater's difference on each case; below it the mean of each case."""
    d = table.difference(arm=comparison.arm, reference=comparison.reference)
    means = mean_per_case(d)
    order = np.argsort(np.where(np.isnan(means), np.inf, means), kind="stable")
    n_raters = len(table.raters)
    tall = float(np.clip(n_raters * 0.5, 1.2, 14))
    canvas = make_canvas(width=TWO_COLUMNS, height=tall + 5.2)
    upper, lower = canvas.subplots(
        2, 1, sharex=True, height_ratios=(tall, 2.2), squeeze=True
    )
    limit = max(2, int(np.nanmax(np.abs(d)))) if (~np.isnan(d)).any() else 2
    _map(upper, d[:, order], limit)
    _label_raters(upper, table.raters)
    _bars(lower, means[order], limit)
    _label_cases(lower, [table.cases[c] for c in order])
    pair = (comparison.arm, comparison.reference)
    _scale(upper, limit, " − ".join(shortened(arm, width=34) for arm in pair))
    missing = int(np.isnan(d).sum())
    return render(
        canvas,
        name="difference_map",
        caption=(
            f"Difference in score, {comparison.arm} − {comparison.reference}, of each "
            "rater (row) on each case (column), cases sorted by their mean difference, "
            "which the bars below show. Cases far from the others at either end "
            "deserve a look. These ratings, no inference; "
            f"n = {d.size - missing} pairs."
            + (f" Hatched: {missing} without both scores." if missing else "")
        ),
        header=("case", "rater", "difference", "case_mean"),
        rows=[
            (table.cases[c], rater, _cell(d[r, c]), _cell(means[c]))
            for c in order
            for r, rater in enumerate(table.raters)
        ],
        simulated=simulated,
    )


def mean_per_case(differences: FloatArray) -> FloatArray:
    """Mean over raters [case] of differences [rater, case]; NaN where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        means: FloatArray = np.nanmean(differences, axis=0)
    return means


def _map(axes: Axes, d: FloatArray, limit: int) -> None:
    axes.set_facecolor(EMPTY)
    axes.patch.set(hatch=HATCH, edgecolor=GREY, lw=0)
    axes.imshow(d, cmap=MAP, norm=_norm(limit), aspect="auto", interpolation="nearest")
    if d.shape[1] <= 80:
        axes.set_xticks(np.arange(0.5, d.shape[1] - 0.5), minor=True)
        axes.set_yticks(np.arange(0.5, d.shape[0] - 0.5), minor=True)
        axes.grid(which="minor", color="white", lw=0.4)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set(visible=True, lw=0.4)


def _norm(limit: int) -> BoundaryNorm:
    return BoundaryNorm(np.arange(-limit - 0.5, limit + 1), 256)


def _scale(axes: Axes, limit: int, label: str) -> None:
    step = max(1, -(-limit // 4))
    ticks = [t for t in range(-limit, limit + 1) if t % step == 0]
    bar = axes.figure.colorbar(
        ScalarMappable(_norm(limit), MAP),
        ax=axes,
        location="top",
        aspect=40,
        shrink=0.5,
        pad=0.03,
        ticks=ticks,
    )
    bar.ax.set_xticklabels([f"{t:+d}".replace("-", "−") if t else "0" for t in ticks])
    bar.set_label(label)
    bar.outline.set_linewidth(0.4)
    bar.ax.tick_params(length=0)


def _bars(axes: Axes, means: FloatArray, limit: int) -> None:
    x = np.arange(len(means))
    up, down = np.where(means > 0, means, 0), np.where(means < 0, means, 0)
    colours = BAR_UP, BAR_DOWN
    for heights, colour in zip((up, down), colours, strict=True):
        if len(means) <= MOST_BARS:
            axes.bar(x, np.nan_to_num(heights), width=0.9, color=colour)
        else:
            # One outline: thousands of bars take seconds and a gap of theirs none sees.
            edges = np.arange(len(means) + 1) - 0.5
            axes.stairs(np.nan_to_num(heights), edges, fill=True, color=colour)
    axes.axhline(0, color=INK, lw=0.6)
    reach = float(np.nanmax(np.abs(means))) if (~np.isnan(means)).any() else 1.0
    axes.set_ylim(-1.08 * (reach or limit), 1.08 * (reach or limit))
    axes.set_ylabel("Mean of\nthe case")
    clean(axes, keep=("left",))


BAR_UP, BAR_DOWN = "#B35806", "#542788"


def _label_raters(axes: Axes, raters: tuple[str, ...]) -> None:
    step = -(-len(raters) // MOST_LABELS)
    shown = range(0, len(raters), step)
    names = distinct(raters, width=16)
    axes.set_yticks(shown, [names[r] for r in shown])


def _label_cases(axes: Axes, cases: list[str]) -> None:
    axes.tick_params(axis="x", which="both", length=0)
    if len(cases) > MOST_LABELS:
        axes.set_xticks([])
        axes.set_xlabel(f"{len(cases)} cases, sorted; their order is in the table")
        return
    labels = distinct(cases, width=12)
    axes.set_xticks(range(len(cases)), labels, rotation=90, fontsize=7)
    axes.set_xlabel("Case, sorted by mean difference")


def _cell(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
