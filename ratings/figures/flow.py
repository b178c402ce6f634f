"""Draws where the images of a test set come from: site, acquisition, contrast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from ratings.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    TWO_COLUMNS,
    VERMILLION,
    Figure,
    make_canvas,
    render,
    shortened,
)

COLUMNS = ("Site", "Acquisition", "Contrast")
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)
BAR, GAP = 0.035, 0.03  # share of the width, and of the height between two bars
Flow = Mapping[tuple[str, str, str], int]


@dataclass(frozen=True)
class Bar:
    """One group of a column: from bottom to top, in images above the bottom."""

    name: str
    count: int
    bottom: float


def flow_diagram(flow: Flow, *, absent: str = "", simulated: bool = False) -> Figure:
    """Bands from site over acquisition to contrast, as wide as there are images.

    `absent` says in the caption which cases are no part of the test set.
    """
    total = sum(flow.values())
    columns = [stack(flow, place, total) for place in range(3)]
    height = max(6.0, 1.1 * max(len(column) for column in columns) + 2)
    canvas = make_canvas(width=TWO_COLUMNS, height=height)
    axes = canvas.subplots()
    axes.set_axis_off()
    axes.set_xlim(-0.34, 1.34)
    axes.set_ylim(-0.02 * total, total * (1 + GAP * most_gaps(columns)) + 0.09 * total)
    colours = {bar.name: COLOURS[i % len(COLOURS)] for i, bar in enumerate(columns[0])}
    for left in (0, 1):
        draw_bands(axes, flow, columns, left, colours)
    for place, column in enumerate(columns):
        draw_column(axes, column, place, total, colours)
    rows = [(*path, count) for path, count in flow.items()]
    return render(
        canvas, name="flow", header=("site", "acquisition", "contrast", "images"),
        rows=rows, simulated=simulated,
        caption=f"The {total} images of the test set by site, acquisition and "
        "contrast; a band is as wide as it has images, in the colour of its site."
        + f" {absent}".rstrip(),
    )  # fmt: skip


def most_gaps(columns: Sequence[Sequence[Bar]]) -> int:
    return max(len(column) for column in columns) - 1


def stack(flow: Flow, place: int, total: int) -> list[Bar]:
    """The bars of one column, the first on top."""
    counts: dict[str, int] = {}
    for path, count in flow.items():
        counts[path[place]] = counts.get(path[place], 0) + count
    bottom, bars = 0.0, []
    for name in reversed(list(counts)):
        bars.append(Bar(name, counts[name], bottom))
        bottom += counts[name] + GAP * total
    return bars[::-1]


def draw_bands(
    axes: Axes,
    flow: Flow,
    columns: Sequence[Sequence[Bar]],
    left: int,
    colours: Mapping[str, str],
) -> None:
    """The bands between a column and the next, parted by site."""
    out = {bar.name: bar.bottom + bar.count for bar in columns[left]}
    into = {bar.name: bar.bottom + bar.count for bar in columns[left + 1]}
    x0, x1 = left / 2 + BAR / 2, (left + 1) / 2 - BAR / 2
    for path, count in flow.items():
        top, end = out[path[left]], into[path[left + 1]]
        out[path[left]] -= count
        into[path[left + 1]] -= count
        middle = (x0 + x1) / 2
        points = [
            (x0, top), (middle, top), (middle, end), (x1, end), (x1, end - count),
            (middle, end - count), (middle, top - count), (x0, top - count), (x0, top),
        ]  # fmt: skip
        codes = [
            Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO,
            Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.CLOSEPOLY,
        ]  # fmt: skip
        band = Path(points, codes)
        axes.add_patch(PathPatch(band, fc=colours[path[0]], alpha=0.35, lw=0))


def draw_column(
    axes: Axes,
    column: Sequence[Bar],
    place: int,
    total: int,
    colours: Mapping[str, str],
) -> None:
    x = place / 2
    side, anchor = ((x - BAR, "right"), (x, "center"), (x + BAR, "left"))[place]
    for bar in column:
        colour = colours[bar.name] if place == 0 else GREY
        corner = (x - BAR / 2, bar.bottom)
        axes.add_patch(Rectangle(corner, BAR, bar.count, fc=colour, lw=0))
        text = f"{shortened(bar.name)} ({bar.count})"
        middle = bar.bottom + bar.count / 2
        box = (
            {"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1}
            if place == 1
            else None
        )
        axes.text(side, middle, text, ha=anchor, va="center", color=INK, bbox=box)
    top = column[0].bottom + column[0].count
    axes.text(x, top + 0.04 * total, COLUMNS[place], ha="center", weight="bold")
