"""How the rating went: scores by position, what a first look does, time per item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from scipy.special import stdtrit

from ratings.figures.canvas import (
    ARM,
    GREY,
    INK,
    PALE,
    REFERENCE,
    TWO_COLUMNS,
    Figure,
    distinct,
    make_canvas,
    render,
    wrapped,
)
from ratings.figures.violin import turn
from ratings.statistics.rows import ScoreRow
from ratings.statistics.table import FloatArray, ScoreTable

BINS = 8
MOST_LABELS = 50
HASTY, IDLE = 3.0, 600.0  # seconds


@dataclass(frozen=True)
class Bin:
    """A stretch of positions: mean over raters, and its t interval over raters."""

    low: int
    high: int
    n: int
    mean: float
    ci: tuple[float, float] | None


def has_order(table: ScoreTable) -> bool:
    """Whether any main score carries its position."""
    return any(_counts(row) and row.position is not None for row in table.rows)


def has_time(table: ScoreTable) -> bool:
    """Whether any main score carries its seconds."""
    return any(_counts(row) and (row.seconds or 0) > 0 for row in table.rows)


def order_effects(*, table: ScoreTable, simulated: bool = False) -> Figure:
    """Scores along each rater's order, each rater's own mean taken off."""
    bins = bin_by_position(table)
    canvas = make_canvas(width=TWO_COLUMNS, height=6.8)
    axes = canvas.subplots()
    x = [(one.low + one.high) / 2 for one in bins]
    for places, values in _centred(table).values():
        line = _rater_line(places, values, bins)
        axes.plot(x, line, color=PALE, lw=0.8, zorder=1)
    for at, one in zip(x, bins, strict=True):
        if one.ci is not None:
            axes.plot([at, at], one.ci, color=INK, lw=1.2)
    axes.plot(x, [one.mean for one in bins], "o-", color=INK, lw=1.2, ms=4)
    axes.axhline(0, color=GREY, lw=0.6, zorder=0)
    axes.set_xlabel("Position in the rater's order")
    axes.set_ylabel("Score − rater's mean (points)")
    n = sum(one.n for one in bins)
    return render(
        canvas,
        name="order_effects",
        caption=(
            "Scores by position in the rater's own order, all arms together, after "
            "taking off each rater's mean. Grey: each rater; black: mean over raters "
            "with its 95 % t interval over raters, for raters like these. A level "
            f"line shows no fatigue or drift. n = {n} scores with a position."
        ),
        header=("from_position", "to_position", "n", "mean", "low", "high"),
        rows=[(b.low, b.high, b.n, b.mean, *(b.ci or (None, None))) for b in bins],
        simulated=simulated,
    )


def bin_by_position(table: ScoreTable) -> list[Bin]:
    """Means of rater-centred scores in stretches of positions of equal length."""
    centred = _centred(table).values()
    first = min(int(places.min()) for places, _ in centred)
    last = max(int(places.max()) for places, _ in centred)
    edges = np.unique(np.linspace(first, last + 1, BINS + 1).round().astype(int))
    found = []
    for low, high in pairwise(edges):
        per_rater = [
            values[(low <= places) & (places < high)] for places, values in centred
        ]
        means = np.array([one.mean() for one in per_rater if len(one)])
        n = sum(len(one) for one in per_rater)
        if len(means):
            mean, ci = float(means.mean()), _interval(means)
            found.append(Bin(int(low), int(high) - 1, n, mean, ci))
    return found


def time_per_item(*, table: ScoreTable, simulated: bool = False) -> Figure:
    """Active seconds per item of each rater, arm by arm, on a logarithmic axis."""
    arms = table.arms if len(table.arms) <= 2 else ("all arms",)
    seconds = _seconds(table.rows, by_arm=len(table.arms) <= 2)
    groups = [
        (rater, arm, np.array(seconds.get((rater, arm), [])))
        for rater in table.raters
        for arm in arms
    ]
    canvas = make_canvas(width=TWO_COLUMNS, height=7.2)
    axes = canvas.subplots()
    colours = (REFERENCE, ARM) if len(arms) == 2 else (PALE,)
    for i, (_, _, found) in enumerate(groups):
        r, a = divmod(i, len(arms))
        place = r + (a - (len(arms) - 1) / 2) * 0.36
        _box(axes, place, found, colours[a])
    axes.set_yscale("log")
    _seconds_axis(axes, np.concatenate([found for *_, found in groups]))
    _name_raters(axes, table.raters)
    axes.set_ylabel("Active time per item")
    if len(arms) == 2:
        for arm, colour in zip(arms, colours, strict=True):
            axes.bar([np.nan], [1], color=colour, label=wrapped(arm))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    times = np.concatenate([found for *_, found in groups])
    return render(
        canvas,
        name="time_per_item",
        caption=(
            "Active time per item by rater"
            + (" and arm" if len(arms) > 1 else "")
            + ": line, median; box, quartiles; whiskers, 5th and 95th percentile. "
            f"{int((times < HASTY).sum())} items took less than {HASTY:.0f} s and "
            f"{int((times > IDLE).sum())} more than {IDLE / 60:.0f} min. These "
            f"ratings, no inference; n = {len(times)} items with a time."
        ),
        header=("rater", "arm", "n", "p05", "q25", "median", "q75", "p95"),
        rows=[(rater, arm, len(s), *_quantiles(s)) for rater, arm, s in groups],
        simulated=simulated,
    )


def _counts(row: ScoreRow) -> bool:
    return row.rep == 0 and row.score is not None


def _name_raters(axes: Axes, raters: Sequence[str]) -> None:
    names = distinct(raters, width=14)
    shown = range(0, len(names), -(-len(names) // MOST_LABELS))
    axes.set_xticks(shown, [names[r] for r in shown])
    axes.set_xlim(-0.7, len(names) - 0.3)
    axes.set_xlabel("Rater")
    room = 80 / len(shown)  # letters beside each other
    if max(map(len, names)) > room:
        turn(axes, 45 if len(shown) <= 20 else 90)


def _centred(table: ScoreTable) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Positions, and scores less the rater's mean, of each rater's main scores."""
    found: dict[str, list[tuple[int, int]]] = {}
    for row in table.rows:
        if row.rep == 0 and row.score is not None and row.position is not None:
            found.setdefault(row.rater, []).append((row.position, row.score))
    both = {rater: np.array(one, dtype=float).T for rater, one in found.items()}
    return {
        rater: (places, scores - scores.mean())
        for rater, (places, scores) in both.items()
    }


def _rater_line(
    places: FloatArray, values: FloatArray, bins: Sequence[Bin]
) -> list[float]:
    line = []
    for one in bins:
        inside = values[(one.low <= places) & (places <= one.high)]
        line.append(float(inside.mean()) if len(inside) else np.nan)
    return line


def _interval(means: FloatArray) -> tuple[float, float] | None:
    if len(means) < 2 or np.ptp(means) == 0:
        return None
    half = float(stdtrit(len(means) - 1, 0.975) * means.std(ddof=1) / len(means) ** 0.5)
    return float(means.mean()) - half, float(means.mean()) + half


def _seconds(
    rows: Sequence[ScoreRow], *, by_arm: bool
) -> dict[tuple[str, str], list[float]]:
    """The times by rater and arm, or by rater and “all arms”."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if _counts(row) and row.seconds:
            arm = row.arm if by_arm else "all arms"
            found.setdefault((row.rater, arm), []).append(row.seconds)
    return found


def _box(axes: Axes, x: float, seconds: FloatArray, colour: str) -> None:
    if len(seconds) == 0:
        return
    low, q25, median, q75, high = np.quantile(seconds, (0.05, 0.25, 0.5, 0.75, 0.95))
    axes.plot([x, x], [low, high], color=INK, lw=0.6, zorder=1)
    axes.bar(x, q75 - q25, bottom=q25, width=0.32, color=colour, edgecolor=INK, lw=0.5)
    axes.plot([x - 0.16, x + 0.16], [median] * 2, color=INK, lw=1.6)


def _seconds_axis(axes: Axes, seconds: FloatArray) -> None:
    marks = np.array([1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600])
    low, high = np.quantile(seconds, (0.02, 0.98))
    axes.set_ylim(low * 0.7, high * 1.4)
    shown = [int(m) for m in marks if low * 0.7 <= m <= high * 1.4]
    words = [f"{m} s" if m < 60 else f"{m // 60} min" for m in shown]
    axes.set_yticks(shown, words)
    axes.minorticks_off()


def _quantiles(seconds: FloatArray) -> tuple[float | None, ...]:
    if len(seconds) == 0:
        return (None,) * 5
    return tuple(float(q) for q in np.quantile(seconds, (0.05, 0.25, 0.5, 0.75, 0.95)))
