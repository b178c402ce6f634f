"""A table for a paper, and its three spellings: cells for HTML, CSV and LaTeX."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ratings.statistics.cells import Cell, as_csv
from ratings.statistics.result import VAST, number

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#",
    "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "±": r"$\pm$", "−": r"$-$", "≥": r"$\geq$", "×": r"$\times$", "†": r"\dag{}",
    "–": "--", "α": r"$\alpha$", "ρ": r"$\rho$",
    **{raised: f"$^{power}$" for power, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
}  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """Mean and sample SD (n − 1) of some values, and marks of significance behind."""

    mean: float | None
    sd: float | None
    n: int
    marks: str = ""
    digits: int = 2

    def __str__(self) -> str:
        if self.mean is None:
            return "–"
        text = number(self.mean, digits=self.digits)
        if self.sd is not None:
            text += f" ± {number(self.sd, digits=self.digits)}"
        return text + (f" {self.marks}" if self.marks else "")


SheetCell = str | int | float | Spread | None


@dataclass(frozen=True)
class Sheet:
    """A titled table; a column of spreads is two columns, mean and SD, in CSV.

    `text` counts the leading columns that hold words, not numbers.
    """

    key: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[SheetCell, ...], ...]
    notes: tuple[str, ...] = ()
    text: int = 1


def spread(values: Iterable[float | None], *, digits: int = 2) -> Spread:
    """Mean ± SD of the values that there are."""
    known = [value for value in values if value is not None]
    if not known:
        return Spread(None, None, 0, digits=digits)
    sd = statistics.stdev(known) if len(known) > 1 else None
    return Spread(statistics.fmean(known), sd, len(known), digits=digits)


def show(cell: SheetCell) -> str:
    """A cell as people read it."""
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return show_number(cell)
    return str(cell)


def show_number(x: float) -> str:
    if 0 < abs(x) < 0.001:
        return "<0.001" if x > 0 else ">−0.001"
    if 100 <= abs(x) < VAST:
        return f"{x:,.0f}".replace("-", "−")
    return number(x, digits=3 if abs(x) < 10 else 1)


def sheet_csv(sheet: Sheet) -> str:
    """Numbers in full, each in a column of its own; marks in a column behind."""
    wide = [
        index
        for index in range(len(sheet.header))
        if any(isinstance(row[index], Spread) for row in sheet.rows)
    ]
    header: list[str] = []
    for index, name in enumerate(sheet.header):
        header += (
            [f"{name} mean", f"{name} SD", f"{name} marks"] if index in wide else [name]
        )
    return as_csv(header, (widen(row, wide) for row in sheet.rows))


def widen(row: Sequence[SheetCell], wide: Sequence[int]) -> list[Cell]:
    cells: list[Cell] = []
    for index, cell in enumerate(row):
        if isinstance(cell, Spread):
            cells += [cell.mean, cell.sd, cell.marks]
        elif index in wide:
            cells += [cell, None, None]
        else:
            cells.append(cell)
    return cells


def escape_latex(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(LATEX.get(letter, letter) for letter in text)


def sheet_latex(sheet: Sheet) -> str:
    """A table environment that needs the package booktabs and nothing else."""
    columns = "l" * sheet.text + "r" * (len(sheet.header) - sheet.text)
    lines = [
        r"\begin{table}", r"\centering",
        rf"\caption{{{escape_latex(sheet.title)}}}",
        rf"\label{{tab:{sheet.key}}}",
        rf"\begin{{tabular}}{{{columns}}}", r"\toprule",
        latex_row(sheet.header), r"\midrule",
        *(latex_row([show(cell) for cell in row]) for row in sheet.rows),
        r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip
    if sheet.notes:
        lines += [r"\par\smallskip\footnotesize " + escape_latex(" ".join(sheet.notes))]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def latex_row(cells: Iterable[str]) -> str:
    return " & ".join(map(escape_latex, cells)) + r" \\"
