"""Draws how agreement depends on threshold, lesion size, level, voxels, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from ratings.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    ONE_COLUMN,
    ORANGE,
    PURPLE,
    TWO_COLUMNS,
    VERMILLION,
    Figure,
    make_canvas,
    render,
    shortened,
)
from ratings.statistics.sweeps import Curve, LevelRow, Reliability

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE)
METRICS = {"dice": "Dice", "f1": "Lesion-wise F1"}
AXES = {
    "soft": "Threshold on the mean probability",
    "votes": "Threshold on the share of folds",
    "sizes": "Smallest predicted lesion kept (mm³)",
}
Point = tuple[str, str, float, float]


def sweep_curves(curves: Sequence[Curve], *, simulated: bool = False) -> Figure:
    """Dice and F1 over swept values, with bands, and a dot where the mean is best."""
    swept = curves[0].swept
    canvas = make_canvas(width=TWO_COLUMNS, height=7.0)
    panels = canvas.subplots(1, 2, sharey=True)
    arms = list(dict.fromkeys(curve.arm for curve in curves))
    colours = dict(zip(arms, cycle(COLOURS), strict=False))
    for axes, metric in zip(panels, METRICS, strict=True):
        for curve in (c for c in curves if c.metric == metric):
            colour, band = colours[curve.arm], curve.band
            axes.fill_between(
                curve.values, band.low, band.high, color=colour, alpha=0.18, lw=0
            )
            name = shortened(curve.arm, width=34)
            axes.plot(curve.values, band.mean, color=colour, lw=1.3, label=name)
            axes.plot([curve.best_value], [curve.best_mean], "o", ms=4, color=colour)
        axes.set_ylim(0, 1)
        axes.set_xlabel(AXES[swept])
        axes.set_ylabel(METRICS[metric])
    name_arms(canvas, panels[0], across=3)
    cases = max(curve.cases for curve in curves)
    return render(
        canvas,
        name=f"sweep_{swept}",
        caption=(
            f"Mean over up to {cases} cases with a 95 % bootstrap band (whole cases "
            "resampled); the dot marks the greatest mean, which is optimistic on the "
            "cases that it was chosen on. For cases like these."
        ),
        header=("arm", "metric", "value", "mean", "low", "high"),
        rows=[
            (c.arm, c.metric, value, *told)
            for c in curves
            for value, *told in zip(
                c.values, c.band.mean, c.band.low, c.band.high, strict=True
            )
        ],
        simulated=simulated,
    )


def name_arms(canvas: Canvas, axes: Axes, *, across: int = 1) -> None:
    """The arms' names above the panels, where they cover nothing."""
    marks, names = axes.get_legend_handles_labels()
    canvas.legend(marks, names, loc="outside upper center", ncols=across)


def choose_ticks(values: Sequence[float], apart: float = 0.14) -> list[float]:
    """Round values that occur, far enough from each other on a logarithmic axis."""
    found = sorted({float(f"{value:.2g}") for value in values})
    span = math.log(found[-1] / found[0]) or 1.0
    ticks = found[:1]
    for value in found[1:]:
        if math.log(value / ticks[-1]) >= apart * span:
            ticks.append(value)
    return ticks


def reliability_diagram(
    found: Sequence[Reliability], *, simulated: bool = False
) -> Figure:
    """Share of lesion voxels against the value of the soft map, bin by bin."""
    canvas = make_canvas(width=ONE_COLUMN, height=8.0)
    axes = canvas.subplots()
    axes.plot([0, 1], [0, 1], color=GREY, lw=0.6, ls=":", zorder=0)
    rows: list[tuple[str, float, float, int]] = []
    for one, colour in zip(found, cycle(COLOURS), strict=False):
        told = one.found
        bins = zip(told.predicted, told.lesion, told.counts, strict=True)
        points = [(p / n, k / n, n) for p, k, n in bins if n]
        error = "–" if one.error is None else f"{one.error:.3f}"
        # Voxels at 0 are here only because they were missed: no point of the line.
        drawn = [point for point in points if point[0] > 0]
        axes.plot(
            [p for p, *_ in drawn], [k for _, k, _ in drawn], "o-", ms=3.5, lw=1.2,
            color=colour, label=f"{shortened(one.arm, width=28)}, ECE {error}",
        )  # fmt: skip
        rows += [(one.arm, *point) for point in points]
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    axes.set_xlabel("Mean value of the soft map")
    axes.set_ylabel("Share of voxels that are lesion")
    name_arms(canvas, axes)
    voxels = sum(sum(one.found.counts) for one in found)
    return render(
        canvas,
        name="reliability",
        caption=(
            f"Reliability of the soft maps in ten bins, {voxels} voxels that the map "
            "or the reference marks; ECE: expected calibration error over these voxels."
        ),
        header=("arm", "mean_value", "share_lesion", "voxels"),
        rows=rows,
        simulated=simulated,
    )


def level_bars(rows: Sequence[LevelRow], *, simulated: bool = False) -> Figure:
    """Prevalence and lesion volume at each level, and each arm's Dice there."""
    levels = sorted({row.level for row in rows})
    arms = list(dict.fromkeys(row.arm for row in rows))
    first = {row.level: row for row in reversed(rows)}
    canvas = make_canvas(width=TWO_COLUMNS, height=7.0)
    share, volume, dice = canvas.subplots(1, 3)
    share.bar(
        levels,
        [100 * first[n].with_lesion / first[n].cases for n in levels],
        color=GREY,
    )
    share.set_ylabel("Cases with a lesion (%)")
    volume.bar(levels, [first[n].reference_mm3 for n in levels], color=GREY)
    volume.set_ylabel("Mean lesion volume (mm³)")
    for arm, colour in zip(arms, cycle(COLOURS), strict=False):
        own = [row for row in rows if row.arm == arm]
        dice.plot(
            [r.level for r in own], [r.dice for r in own], "o-", ms=3.5, lw=1.2,
            color=colour, label=shortened(arm, width=34),
        )  # fmt: skip
    dice.set_ylim(0, 1)
    dice.set_ylabel("Mean Dice")
    name_arms(canvas, dice, across=3)
    for axes in (share, volume, dice):
        axes.set_xlabel("Level")
        axes.set_xticks(levels)
    return render(
        canvas,
        name="levels",
        caption=(
            "By level of the uploaded map: cases with a reference lesion there, their "
            "mean lesion volume, and Dice within the level. Cases with the level only."
        ),
        header=(
            "arm", "level", "cases", "with_lesion", "reference_mm3", "prediction_mm3",
            "lesions", "found", "dice",
        ),
        rows=[
            (r.arm, r.level, r.cases, r.with_lesion, r.reference_mm3, r.prediction_mm3,
             r.lesions, r.found, r.dice)
            for r in rows
        ],
        simulated=simulated,
    )  # fmt: skip


def by_voxels(
    points: Sequence[Point], *, name: str, label: str, simulated: bool = False
) -> Figure:
    """Dice of each case against its slice thickness or voxel volume."""
    canvas = make_canvas(width=ONE_COLUMN, height=7.0)
    axes = canvas.subplots()
    arms = list(dict.fromkeys(arm for arm, *_ in points))
    for arm, colour in zip(arms, cycle(COLOURS), strict=False):
        own = [point for point in points if point[0] == arm]
        axes.plot(
            [p[2] for p in own], [p[3] for p in own], "o", ms=3.5, alpha=0.6,
            color=colour, mec="none", label=shortened(arm, width=34),
        )  # fmt: skip
    axes.set_xscale("log")
    # Written out: labels here are text, and a logarithmic axis would use formulas.
    ticks = choose_ticks([p[2] for p in points])
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, 1)
    axes.set_xlabel(label)
    axes.set_ylabel("Dice")
    name_arms(canvas, axes)
    return render(
        canvas,
        name=name,
        caption=f"Dice of each case against its {label.lower()}; {len(points)} masks.",
        header=("arm", "case", name, "dice"),
        rows=list(points),
        simulated=simulated,
    )
