"""The power curve: how cases and raters each add to what a study can show."""

from __future__ import annotations

from collections.abc import Sequence

from ratings.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    ONE_COLUMN,
    VERMILLION,
    Figure,
    make_canvas,
    render,
)
from ratings.statistics.power import Power

Line = tuple[int, list[tuple[int, Power]]]


def power_curve(
    *, lines: Sequence[Line], raters: int, cases: int, comparisons: int, chosen: Power
) -> Figure:
    """Power against the number of cases, one line for each number of raters.

    Of several comparisons it is the least under Holm, as the results decide by it.
    """
    canvas = make_canvas(width=ONE_COLUMN, height=7.0)
    axes = canvas.subplots()
    rows = [(n, c, one.least, one.least_se) for n, line in lines for c, one in line]
    looks = (("s", ":"), ("o", "-"), ("^", "--"))
    for (n, _), colour, (mark, dash) in zip(
        lines, (VERMILLION, BLUE, GREEN), looks, strict=False
    ):
        shown = [(c, p, 1.96 * (e or 0)) for r, c, p, e in rows
                 if r == n and p is not None]  # fmt: skip
        axes.errorbar(
            [c for c, *_ in shown], [p for _, p, _ in shown], [e for *_, e in shown],
            color=colour, lw=1.2, ms=3.5, marker=mark, ls=dash, elinewidth=0.8,
            label=f"{n} raters",
        )  # fmt: skip
    if chosen.least is not None:
        axes.plot([cases], [chosen.least], "D", ms=7, mfc="none", mec="black", zorder=4)
    axes.axhline(0.8, color=GREY, lw=0.6, ls=":", zorder=0)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0", "20", "40", "60", "80", "100"])
    axes.set_xlim(0, 1.04 * max(c for _, c, *_ in rows))
    axes.set_xlabel("Cases")
    several = comparisons > 1
    axes.set_ylabel("Power under Holm, at least (%)" if several else "Power (%)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    level = f"0.05/{comparisons}, the least under Holm" if several else "5 %"
    return render(
        canvas,
        name="power_curve",
        caption=(
            f"Power of the raters × cases test at {level}. Diamond: {raters} raters "
            f"and {cases} cases. Bars: 95 % Monte-Carlo intervals. Dotted: 80 %."
        ),
        header=("raters", "cases", "power", "monte_carlo_se"),
        rows=rows,
        simulated=False,
    )
