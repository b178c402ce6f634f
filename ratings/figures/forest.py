"""Forest plots: a difference with its interval per row, and the whole below."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from ratings.figures.canvas import (
    BLUE,
    GREY,
    INK,
    TWO_COLUMNS,
    VERMILLION,
    Figure,
    clean,
    distinct,
    make_canvas,
    render,
    wrapped,
)
from ratings.statistics.comparison import Comparison
from ratings.statistics.primary import CROSSED, TESTS
from ratings.statistics.result import Result, number, p_text
from ratings.statistics.summary import Analysis


def forest_per_rater(
    *, comparison: Comparison, margin: float | None, simulated: bool = False
) -> Figure:
    """Each rater's mean difference, and the primary result of the study below."""
    primary = comparison.main
    rows = [(rater.rater, rater.difference) for rater in comparison.per_rater]
    return _forest(
        [*rows, ("All raters", primary)],
        n_whole=1,
        margin=margin,
        label=f"Difference in score, {comparison.arm} − {comparison.reference}",
        name="forest_per_rater",
        caption=(
            f"Mean difference in score, {comparison.arm} − {comparison.reference}, "
            "with 95 % intervals. Each rater: t interval over cases, for that rater. "
            f"All raters: {primary.method}; {primary.scope}. n = {primary.n} pairs."
        ),
        simulated=simulated,
    )


def forest_per_arm(*, analysis: Analysis, simulated: bool = False) -> Figure:
    """Each arm's primary difference from the reference."""
    rows = [(c.arm, c.main) for c in analysis.comparisons]
    return _forest(
        rows,
        n_whole=len(rows),
        margin=analysis.margin,
        label=f"Difference in score, arm − {analysis.reference}",
        name="forest_per_arm",
        caption=(
            f"Mean difference in score of each arm from {analysis.reference}, with 95 "
            f"% intervals of the {_name(analysis)}, not corrected for the number "
            f"of arms; {rows[0][1].scope}. {analysis.heard} raters, "
            f"{len(analysis.cases)} cases."
        ),
        simulated=simulated,
    )


def _name(analysis: Analysis) -> str:
    if analysis.primary == CROSSED:
        return "raters × cases analysis"
    return f"primary analysis ({TESTS[analysis.primary].name})"


def forest_strata(*, comparison: Comparison, simulated: bool = False) -> Figure:
    """The difference in each group of cases, and the primary result below."""
    rows = [
        (f"{grouping.name}: {one.label} ({one.n_cases})", one.mean)
        for grouping in comparison.sensitivity.strata
        for one in grouping.strata
    ]
    tests = "; ".join(
        f"{g.name}, {p_text(g.interaction.p)}"
        for g in comparison.sensitivity.strata
        if g.interaction.p is not None
    )
    primary = comparison.main
    return _forest(
        [*rows, ("All cases", primary)],
        n_whole=1,
        margin=None,
        label=f"Difference in score, {comparison.arm} − {comparison.reference}",
        name="forest_strata",
        caption=(
            f"Mean difference in score, {comparison.arm} − {comparison.reference}, by "
            "group of cases (number of cases in brackets), with 95 % t intervals over "
            "case means from five cases on, for these raters and cases like these. No "
            "group is tested by itself; whether groups differ: "
            f"{tests or 'not testable'} (labels permuted over cases). All cases: "
            f"{primary.scope}. n = {primary.n} pairs."
        ),
        simulated=simulated,
    )


def _forest(
    entries: Sequence[tuple[str, Result]],
    *,
    n_whole: int,
    margin: float | None,
    label: str,
    name: str,
    caption: str,
    simulated: bool,
) -> Figure:
    """Rows top to bottom; the last `n_whole` carry the study and are diamonds."""
    tall = 0.55 if len(entries) <= 30 else 0.4
    canvas = make_canvas(width=TWO_COLUMNS, height=1.8 + tall * len(entries))
    axes = canvas.subplots()
    for i, (_, result) in enumerate(entries):
        _row(axes, -i, result, whole=i >= len(entries) - n_whole)
    axes.axvline(0, color=GREY, lw=0.8, zorder=0)
    if margin is not None:
        axes.axvline(-margin, color=VERMILLION, lw=0.8, ls="--", zorder=0)
        caption += f" Dashed line: margin of {number(-margin)}, set beforehand."
    axes.set_yticks([-i for i in range(len(entries))], _names(entries, n_whole))
    axes.set_ylim(-len(entries) + 0.4, 0.6)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.08)
    _widen(axes)
    clean(axes, keep=("bottom",))
    axes.set_xlabel(wrapped(label, width=70))
    if any(_interval(result) is None for _, result in entries):
        caption += (
            " A mark without a line has no interval, or one wider than is of use; "
            "the table says which."
        )
    return render(
        canvas,
        name=name,
        caption=caption,
        header=("row", "n", "difference", "low", "high", "p", "reason"),
        rows=[
            (row, r.n, r.value, *(r.ci or (None, None)), r.p, r.reason)
            for row, r in entries
        ],
        simulated=simulated,
    )


def _widen(axes: Axes) -> None:
    """Give values that are all alike an axis of a point, not of rounding errors."""
    low, high = axes.get_xlim()
    if high - low < 0.2:
        middle = round((low + high) / 2, 6)
        axes.set_xlim(middle - 0.5, middle + 0.5)
    axes.ticklabel_format(axis="x", style="plain", useOffset=False)


def _row(axes: Axes, y: float, result: Result, *, whole: bool) -> None:
    # The numbers stand in a column of their own, right of the axis.
    place = axes.get_yaxis_transform()
    axes.text(1.02, y, _numbers(result), transform=place, va="center", fontsize=8)
    if result.value is None:
        return
    colour = BLUE if whole else INK
    drawn = _interval(result)
    if drawn is not None:
        axes.plot(drawn, [y, y], color=colour, lw=1.6 if whole else 1.0)
    marker, size = ("D", 5.5) if whole else ("o", 4.0)
    axes.plot([result.value], [y], marker, color=colour, ms=size)


def _interval(result: Result) -> tuple[float, float] | None:
    """None also for an interval that would leave every other a dot on this axis."""
    return None if "hardly_any_freedom" in result.warnings else result.ci


def _numbers(result: Result) -> str:
    if result.value is None:
        return "not defined"
    drawn = _interval(result)
    if drawn is None:
        return f"{number(result.value)} (no interval)"
    low, high = (number(end) for end in drawn)
    return f"{number(result.value)} ({low} to {high})"


def _names(entries: Sequence[tuple[str, Result]], n_whole: int) -> list[str]:
    names = [name for name, _ in entries]
    groups = names[:-n_whole], names[-n_whole:]
    return [name for group in groups for name in distinct(group, width=32)]
