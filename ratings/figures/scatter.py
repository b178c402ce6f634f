"""Draws experts' mean scores against Dice, and names the cases that stand apart."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from ratings.figures.canvas import (
    ARM,
    GREY,
    INK,
    TWO_COLUMNS,
    Figure,
    make_canvas,
    render,
    shortened,
)
from ratings.statistics.relation import Point, Relation
from ratings.statistics.result import interval_text, number

NAMED = 5
ACROSS = 3
# A name's size as a share of a panel, and its line in points.
WIDE, HIGH, LINE = 0.2, 0.085, 8.5
TOP = 0.97  # no name stands above its panel


def scores_against_dice(
    relations: Sequence[Relation], *, question: str, simulated: bool = False
) -> Figure:
    """One panel for each arm, and below for its difference from the reference."""
    across = min(ACROSS, max(1, len(relations) // 2))
    down = -(-len(relations) // across)
    canvas = make_canvas(width=TWO_COLUMNS, height=6.2 * down)
    panels = canvas.subplots(down, across, squeeze=False).flat
    for axes, relation in zip(panels, relations, strict=False):
        draw_panel(axes, relation)
    for axes in list(panels)[len(relations) :]:
        axes.set_axis_off()
    rows = [
        (one.arm, one.what, p.case, p.metric, p.score, p.gap)
        for one in relations
        for p in one.points
    ]
    return render(
        canvas, name="scores_and_dice", simulated=simulated, rows=rows,
        header=("arm", "scored", "case", "dice", "score", "rank_gap"),
        caption=f"{question} Mean score over raters against Dice, one point a case; "
        "named are the cases whose two ranks lie farthest apart, at least half of all "
        "ranks. ρ is Spearman's correlation with its 95 % case-bootstrap interval.",
    )  # fmt: skip


def draw_panel(axes: Axes, relation: Relation) -> None:
    points = relation.points
    axes.scatter([p.metric for p in points], [p.score for p in points], s=14, color=ARM,
                 edgecolor="white", linewidth=0.4)  # fmt: skip
    name_points(axes, [p for p in relation.disagreements if p.outlying][:NAMED])
    axes.set_xlim(-0.03, 1.03)
    axes.set_xlabel("Dice")
    axes.set_ylabel(relation.what[:1].upper() + relation.what[1:])
    if "−" in relation.what:
        axes.axhline(0, color=GREY, lw=0.6, zorder=0)
    axes.set_title(f"{shortened(relation.arm, width=30)}\n{describe(relation)}",
                   fontsize=7)  # fmt: skip


def name_points(axes: Axes, points: Sequence[Point]) -> None:
    """Names beside points, each moved up or down until it covers no other."""
    low, high = axes.get_ylim()
    taken: list[tuple[float, float]] = []
    for point in points:
        # Left of a point at the right edge, where there is room for its name.
        right = point.metric > 0.7
        x = point.metric - 0.1 if right else point.metric + 0.1
        y = (point.score - low) / (high - low)
        steps = (
            step
            for step in (0, -1, 1, -2, 2, -3, 3, -4, 4)
            if 0 <= y + step * HIGH <= TOP
            and all(abs(x - a) > WIDE or abs(y + step * HIGH - b) >= HIGH
                    for a, b in taken)
        )  # fmt: skip
        step = next(steps, 0)
        taken.append((x, y + step * HIGH))
        axes.annotate(
            point.case, (point.metric, point.score), textcoords="offset points",
            xytext=(-4 if right else 4, 3 + LINE * step), fontsize=7, color=INK,
            ha="right" if right else "left",
        )  # fmt: skip


def describe(relation: Relation) -> str:
    r = relation.correlation
    if r.value is None:
        return f"ρ –, n = {r.n}"
    interval = f" ({interval_text(r.ci)})" if r.ci else ""
    return f"ρ = {number(r.value)}{interval}, n = {r.n}"
