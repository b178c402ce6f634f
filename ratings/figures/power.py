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

Line = tuple[int, list[tuple[int, float, float]]]


def power_curve(
    *, lines: Sequence[Line], raters: int, cases: int, chosen: float
) -> Figure:
    """Power against the number of cases, one line for each number of raters."""
    canvas = make_canvas(width=ONE_COLUMN, height=7.0)
    axes = canvas.subplots()
    looks = (("s", ":"), ("o", "-"), ("^", "--"))
    for (n, line), colour, (mark, dash) in zip(
        lines, (VERMILLION, BLUE, GREEN), looks, strict=False
    ):
        x, power = [c for c, *_ in line], [p for _, p, _ in line]
        axes.errorbar(
            x, power, [1.96 * e for *_, e in line], color=colour, lw=1.2, ms=3.5,
            marker=mark, ls=dash, elinewidth=0.8, label=f"{n} raters",
        )  # fmt: skip
    axes.plot([cases], [chosen], "D", ms=7, mfc="none", mec="black", zorder=4)
    axes.axhline(0.8, color=GREY, lw=0.6, ls=":", zorder=0)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0", "20", "40", "60", "80", "100"])
    axes.set_xlim(left=0)
    axes.set_xlabel("Cases")
    axes.set_ylabel("Power (%)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    return render(
        canvas,
        name="power_curve",
        caption=(
            f"Power of the raters × cases test at 5 %. Diamond: {raters} raters and "
            f"{cases} cases. Bars: 95 % Monte-Carlo intervals. Dotted: 80 %."
        ),
        header=("raters", "cases", "power", "monte_carlo_se"),
        rows=[(n, *point) for n, line in lines for point in line],
        simulated=False,
    )
