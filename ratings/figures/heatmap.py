"""Heat-maps of kappa between every two raters."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Patch, Rectangle

from ratings.figures.canvas import (
    GREY,
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
from ratings.statistics.agreement import Agreement, Weighting
from ratings.statistics.sentences import number

MAP = "RdBu"
SHORT = 18  # letters of a title that leave room for the mean beside them
SCALE = 2.0  # cm beside the panels, for the colour scale
EMPTY, HATCH = "#eeeeee", "/////"
TITLES = {
    "all": "both arms",
    "difference": "difference",
    "sign": "sign of difference",
}


def kappa_heatmap(
    *,
    agreements: tuple[Agreement, ...],
    raters: tuple[str, ...],
    weighting: Weighting,
    simulated: bool = False,
) -> Figure:
    """Lower triangles of pairwise kappa, one panel per kind; undefined is hatched.

    Needs at least two raters.
    """
    columns = min(len(agreements), 3 if len(raters) <= 5 else 2)
    n_rows = -(-len(agreements) // columns)
    width = ONE_COLUMN if columns == 1 else TWO_COLUMNS
    panel = (width - SCALE) / columns
    canvas = make_canvas(width=width, height=(panel + 0.6) * n_rows)
    grid = canvas.subplots(n_rows, columns, squeeze=False).ravel()
    cell = (panel - 1.2) / (len(raters) - 1)
    for axes, found in zip(grid, agreements, strict=False):
        _panel(axes, found, raters, weighting, cell)
    for axes in grid[len(agreements) :]:
        axes.axis("off")
    colours = ScalarMappable(Normalize(-1, 1), MAP)
    bar = canvas.colorbar(colours, ax=list(grid), shrink=0.6, aspect=25, pad=0.02)
    bar.set_label(f"Cohen's kappa, {weighting}")
    bar.outline.set_linewidth(0.4)
    if any(p.by(weighting).value is None for found in agreements for p in found.pairs):
        key = Patch(facecolor=EMPTY, edgecolor=GREY, hatch=HATCH, label="undefined")
        canvas.legend(handles=[key], loc="outside lower center")
    return render(
        canvas,
        name=f"kappa_{weighting}",
        caption=_caption(agreements, weighting),
        header=("kind", "rater_a", "rater_b", "n", "kappa", "low", "high", "reason"),
        rows=[
            (
                *(found.kind, pair.rater_a, pair.rater_b),
                *(pair.by(weighting).n, pair.by(weighting).value),
                *(pair.by(weighting).ci or (None, None)),
                pair.by(weighting).reason,
            )
            for found in agreements
            for pair in found.pairs
        ],
        simulated=simulated,
    )


def _panel(
    axes: Axes,
    found: Agreement,
    raters: tuple[str, ...],
    weighting: Weighting,
    cell: float,
) -> None:
    """One triangle: rater j below, rater i to the right, i before j."""
    n = len(raters)
    values = np.full((n - 1, n - 1), np.nan)
    at = {rater: i for i, rater in enumerate(raters)}
    size = min(7.5, 9 * cell)
    for pair in found.pairs:
        column, row = at[pair.rater_a], at[pair.rater_b] - 1
        kappa = pair.by(weighting).value
        if kappa is None:
            _hatch(axes, column, row)
            continue
        values[row, column] = kappa
        if size >= 4.5:
            text = number(kappa)
            shade = "white" if abs(kappa) > 0.65 else INK
            place = {"ha": "center", "va": "center"}
            axes.text(column, row, text, {**place, "size": size, "color": shade})
    # Not square: constrained layout reserves no room around a fixed aspect.
    axes.imshow(values, cmap=MAP, vmin=-1, vmax=1, aspect="auto")
    step = max(1, round(0.3 / cell))
    shown = range(0, n - 1, step)
    turn = 90 if n > 9 or max(map(len, raters)) > 4 else 0
    names = distinct(raters, width=9)
    axes.set_xticks(shown, [names[i] for i in shown], rotation=turn)
    axes.set_yticks(shown, [names[i + 1] for i in shown])
    axes.tick_params(length=0)
    clean(axes, keep=())
    mean = found.mean.by(weighting).value
    text = "no mean" if mean is None else f"mean {number(mean)}"
    name = shortened(TITLES.get(found.kind, found.kind))
    axes.set_title(name + (",\n" if len(name) > SHORT else ", ") + text)


def _hatch(axes: Axes, column: int, row: int) -> None:
    axes.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5),
            *(1, 1),
            facecolor=EMPTY,
            edgecolor=GREY,
            hatch=HATCH,
            lw=0,
        )
    )


def _caption(agreements: tuple[Agreement, ...], weighting: Weighting) -> str:
    undefined = sum(
        pair.by(weighting).value is None for found in agreements for pair in found.pairs
    )
    kinds = ", ".join(TITLES.get(found.kind, found.kind) for found in agreements)
    text = (
        f"Cohen's kappa ({weighting}) between every two raters on: {kinds}. Weights "
        "come from all scores that the protocol allows. Intervals of each pair are in "
        "the figure's CSV; they hold for these raters and cases like these."
    )
    if undefined:
        text += (
            f" Hatched: undefined ({undefined} cells), because both raters gave one "
            "and the same score or have no case in common."
        )
    return text
