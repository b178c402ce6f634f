"""Was the blind kept: the guesses against the truth, and Bang's index of each arm."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

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
)
from ratings.statistics.blinding_index import Blinding, BlindingIndex
from ratings.statistics.cells import Cell


def blinding_guesses(*, found: Blinding, simulated: bool = False) -> Figure:
    """Shares of the guesses in each arm at the left, Bang's index at the right."""
    arms = (found.reference, found.arm)
    indices = (found.bang_reference, found.bang_arm)
    canvas = make_canvas(width=TWO_COLUMNS, height=4.6)
    left, right = canvas.subplots(1, 2, width_ratios=(1.2, 1))
    _guesses(left, found, arms)
    for y, index in enumerate(indices):
        _index(right, 1 - y, index)
    right.axvline(0, color=GREY, lw=0.8, zorder=0)
    right.set_xlim(-1.05, 1.05)
    right.set_ylim(-0.5, 1.5)
    right.set_yticks([])  # the arms stand at the left of the same rows
    right.set_xlabel("Bang's index (0 chance, 1 all recognised)")
    clean(right, keep=("bottom",))
    counts = np.array(found.table)
    ends: list[tuple[Cell, ...]] = [_ends(index) for index in indices]
    return render(
        canvas,
        name="blinding_guesses",
        caption=(
            f"Guesses of the source, asked after scoring, for masks of {arms[0]} and "
            f"{arms[1]}, and Bang's index of each arm with its 95 % bootstrap interval "
            "over raters and cases (thick) and the interval that takes every guess as "
            "independent (thin). 0 is chance, 1 all recognised, −1 all taken for the "
            f"other; {found.james.clustered.scope}. n = {int(counts.sum())} guesses."
        ),
        header=(
            *("truth", "n", "guessed_reference", "guessed_arm", "unsure", "bang"),
            *("low", "high", "low_analytic", "high_analytic", "reason"),
        ),
        rows=[
            (
                arm,
                int(counts[:, i].sum()),
                *(int(n) for n in counts[:, i]),
                indices[i].analytic.value,
                *ends[i],
                indices[i].clustered.reason or indices[i].analytic.reason,
            )
            for i, arm in enumerate(arms)
        ],
        simulated=simulated,
    )


def _ends(index: BlindingIndex) -> tuple[float | None, ...]:
    nothing = (None, None)
    clustered: tuple[float | None, float | None] = index.clustered.ci or nothing
    analytic: tuple[float | None, float | None] = index.analytic.ci or nothing
    return (*clustered, *analytic)


def _guesses(axes: Axes, found: Blinding, arms: tuple[str, str]) -> None:
    counts = np.array(found.table, dtype=float)
    short = distinct(arms, width=14)
    names = (*(f"guessed {arm}" for arm in short), "unsure")
    for y in (0, 1):
        total = counts[:, y].sum()
        start = 0.0
        for row, colour in ((0, REFERENCE), (2, PALE), (1, ARM)):
            share = 100 * counts[row, y] / total if total else 0.0
            label = names[row] if y == 0 else None
            axes.barh(
                1 - y, share, left=start, height=0.6, color=colour, label=label,
                edgecolor="white", lw=0.4,
            )  # fmt: skip
            if share >= 8:
                place = (start + share / 2, 1 - y)
                axes.text(*place, f"{share:.0f}", ha="center", va="center", fontsize=7)
            start += share
    axes.set_xlim(0, 100)
    axes.set_ylim(-0.5, 1.5)
    axes.set_yticks([1, 0], short)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("Share of guesses (%) by true source")
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, handlelength=1,
        columnspacing=1, fontsize=7,
    )  # fmt: skip
    clean(axes, keep=("bottom",))


def _index(axes: Axes, y: float, index: BlindingIndex) -> None:
    if index.analytic.value is None:
        axes.text(0, y, "no guesses", ha="center", va="center", fontsize=8)
        return
    if index.clustered.ci is not None:
        axes.plot(index.clustered.ci, [y, y], color=INK, lw=1.8)
    if index.analytic.ci is not None:
        axes.plot(index.analytic.ci, [y - 0.14] * 2, color=GREY, lw=0.8)
    axes.plot([index.analytic.value], [y], "o", color=INK, ms=5)
