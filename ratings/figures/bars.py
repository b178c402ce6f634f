"""Stacked bars: how the scores spread over the scale, and who was preferred."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from ratings.figures.canvas import (
    ARM,
    GREY,
    INK,
    PALE,
    REFERENCE,
    TWO_COLUMNS,
    Figure,
    clean,
    distinct,
    make_canvas,
    render,
    wrapped,
)
from ratings.statistics.comparison import Comparison
from ratings.statistics.description import ArmSummary, Described
from ratings.statistics.paired import Preference
from ratings.statistics.result import interval_text, number, tell_excess
from ratings.statistics.summary import Analysis

ALL = "all raters"
READABLE = 6.0  # percent; narrower segments carry no number


def likert_overall(*, analysis: Analysis, simulated: bool = False) -> Figure:
    """All raters together: one diverging bar per arm."""
    entries = [((ALL, summary.arm), summary.overall) for summary in analysis.arms]
    return _likert(
        entries,
        levels=analysis.levels,
        name="likert_overall",
        what="Scores of all raters by arm",
        simulated=simulated,
    )


def likert_per_rater(
    *, arms: Sequence[ArmSummary], levels: tuple[int, ...], simulated: bool = False
) -> Figure:
    """One diverging bar per rater and arm, the arms of a rater together."""
    entries = [
        ((one.label, arm.arm), one)
        for rater in zip(*(a.per_rater for a in arms), strict=True)
        for arm, one in zip(arms, rater, strict=True)
    ]
    return _likert(
        entries,
        levels=levels,
        name="likert_per_rater",
        what="Scores by rater and arm",
        group=len(arms),
        simulated=simulated,
    )


def preference_per_rater(*, comparison: Comparison, simulated: bool = False) -> Figure:
    """How often each rater scored the arm higher, equal, lower; and all together."""
    rows = [(ALL, comparison.preference)]
    rows += [(rater.rater, rater.preference) for rater in comparison.per_rater]
    names = (f"{comparison.arm} higher", "equal", f"{comparison.reference} higher")
    net = comparison.net_preference
    text = "no interval can be given"
    if net.value is not None and net.ci is not None:
        text = f"{number(net.value)} (95 % CI {interval_text(net.ci)})"
    return _preferences(
        rows,
        names,
        name="preference_per_rater",
        caption=(
            f"Pairs in which {comparison.arm} was scored higher than, equal to or "
            f"lower than {comparison.reference}, by rater. Net preference over all "
            f"raters: {text}, {net.scope}. n = {comparison.preference.n} pairs. "
            + tell_excess(net.ci, low=-1, high=1)
        ).rstrip(),
        simulated=simulated,
    )


def preference_per_arm(*, analysis: Analysis, simulated: bool = False) -> Figure:
    """How often each arm was scored higher, equal, lower than the reference."""
    reference = analysis.reference
    return _preferences(
        [(c.arm, c.preference) for c in analysis.comparisons],
        ("arm higher", "equal", f"{reference} higher"),
        name="preference_per_arm",
        caption=(
            f"Pairs in which each arm was scored higher than, equal to or lower than "
            f"{reference}, over {analysis.heard} raters and "
            f"{len(analysis.cases)} cases; counts of these ratings, no inference."
        ),
        simulated=simulated,
    )


def _likert(
    entries: Sequence[tuple[tuple[str, str], Described]],
    *,
    levels: tuple[int, ...],
    name: str,
    what: str,
    simulated: bool,
    group: int = 1,
) -> Figure:
    canvas, axes, places = _page(len(entries), group)
    shades = _shades(len(levels))
    reach = 25.0
    for y, (_, found) in zip(places, entries, strict=True):
        shares = _percent(found.counts)
        left = -float(shares[: len(levels) // 2].sum())
        left -= shares[len(levels) // 2] / 2 if len(levels) % 2 else 0
        reach = max(reach, -left, left + 100)
        for level, share in enumerate(shares):
            dark = sum(shades[level][:3]) < 1.5
            _segment(axes, y, left, float(share), shades[level], dark=dark)
            left += float(share)
    axes.set_yticks(places, _bar_labels([label for label, _ in entries]))
    axes.axvline(0, color=GREY, lw=0.6, zorder=0)
    ticks = range(-100, 101, 25)
    axes.set_xticks(ticks, [str(abs(t)) for t in ticks])
    axes.set_xlim(-reach - 3, reach + 3)
    middle = _middle(levels)
    axes.set_xlabel(f"Share of scores (%), {middle}")
    _key(axes, [str(level) for level in levels], shades)
    return render(
        canvas,
        name=name,
        caption=(
            f"{what}: share of each score from {levels[0]} (left) to {levels[-1]} "
            f"(right), {middle}, the middle of the scale. Counts of these ratings, no "
            f"inference; "
            f"n = {sum(sum(found.counts) for _, found in entries)} scores."
        ),
        header=("rater", "arm", "n", *(f"score_{level}" for level in levels)),
        rows=[(*label, sum(f.counts), *f.counts) for label, f in entries],
        simulated=simulated,
    )


def _middle(levels: tuple[int, ...]) -> str:
    half = len(levels) // 2
    if len(levels) % 2:
        return f"centred on {levels[half]}"
    return f"centred between {levels[half - 1]} and {levels[half]}"


def _shades(n: int) -> list[tuple[float, ...]]:
    """From orange to purple, none as pale as the page."""
    even = np.linspace(0.08, 0.92, n)[: n // 2]
    low = np.linspace(0.08, min(float(even[-1]), 0.4), n // 2)
    middle = [to_rgba(PALE)] * (n % 2)
    found = [
        tuple(matplotlib.colormaps["PuOr"](places)) for places in (low, 1 - low[::-1])
    ]
    return [*found[0], *middle, *found[1]]


def _bar_labels(labels: Sequence[tuple[str, str]]) -> list[str]:
    raters, arms = ([label[i] for label in labels] for i in (0, 1))
    if set(raters) == {ALL}:
        return distinct(arms)
    short = zip(distinct(raters, width=12), distinct(arms, width=16), strict=True)
    return [f"{rater} · {arm}" for rater, arm in short]


def _preferences(
    entries: Sequence[tuple[str, Preference]],
    names: tuple[str, str, str],
    *,
    name: str,
    caption: str,
    simulated: bool,
) -> Figure:
    canvas, axes, places = _page(len(entries), 1)
    for y, (_, found) in zip(places, entries, strict=True):
        left = 0.0
        shares = _percent((found.better, found.tied, found.worse))
        for share, colour in zip(shares, (ARM, PALE, REFERENCE), strict=True):
            _segment(axes, y, left, float(share), colour, dark=False)
            left += float(share)
    given = [label for label, _ in entries]
    n_all = int(given[0] == ALL)
    labels = [*given[:n_all], *distinct(given[n_all:])]
    counts = [found.n for _, found in entries]
    axes.set_yticks(
        places, [f"{name} ({n})" for name, n in zip(labels, counts, strict=True)]
    )
    axes.axvline(50, color=GREY, lw=0.6, ls=":", zorder=0)
    axes.set_xlim(0, 100)
    axes.set_xlabel("Share of pairs (%); number of pairs in brackets")
    _key(axes, [wrapped(text) for text in names], [ARM, PALE, REFERENCE])
    return render(
        canvas,
        name=name,
        caption=caption,
        header=("row", "n", "arm_higher", "equal", "reference_higher"),
        rows=[(label, p.n, p.better, p.tied, p.worse) for label, p in entries],
        simulated=simulated,
    )


def _page(
    n_bars: int, group: int
) -> tuple[matplotlib.figure.Figure, Axes, list[float]]:
    """A page with room for the bars, top to bottom, a gap between groups."""
    places = [-(i + 0.5 * (i // group)) for i in range(n_bars)]
    tall = 0.55 if n_bars <= 30 else 0.4
    canvas = make_canvas(width=TWO_COLUMNS, height=2.4 + tall * (1 - places[-1]))
    axes = canvas.subplots()
    axes.set_ylim(places[-1] - 0.6, 0.6)
    axes.tick_params(axis="y", length=0)
    clean(axes, keep=("bottom",))
    return canvas, axes, places


def _segment(
    axes: Axes, y: float, left: float, share: float, colour: object, *, dark: bool
) -> None:
    if share <= 0:
        return
    axes.barh(y, share, left=left, height=0.8, color=colour, edgecolor="white", lw=0.4)
    if share >= READABLE:
        text = f"{share:.0f}"
        place = (left + share / 2, y - 0.03)
        shade = "white" if dark else INK
        axes.text(*place, text, ha="center", va="center", fontsize=7, color=shade)


def _key(axes: Axes, labels: Sequence[str], colours: Sequence[object]) -> None:
    n = len(labels)
    columns = -(-n // -(-n // 10))
    # Legends fill column by column; this order makes them read row by row.
    for i in sorted(range(n), key=lambda i: (i % columns, i)):
        axes.barh([np.nan], [0], color=colours[i], label=labels[i])
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=columns,
        handlelength=1,
        columnspacing=1.2,
    )


def _percent(counts: Sequence[int]) -> np.ndarray:
    total = sum(counts)
    return (
        100 * np.array(counts, dtype=float) / total if total else np.zeros(len(counts))
    )
