"""Write CSV that is safe to open in a spreadsheet, and read its text back unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Cell = str | int | float | None

# What `_written` must look at more closely; most cells need no more than this look.
SPECIAL = re.compile(r"""^'*[=+\-@\t\r]|[,"\r\n]""")
# A spreadsheet runs a cell that starts with one of these as a formula.
STARTERS = ("=", "+", "-", "@", "\t", "\r")


def neutralise(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would execute.

    Text that already starts with apostrophes and then a formula gets one more,
    so that `restore` always gives back exactly what went in.
    """
    return "'" + text if text.lstrip("'").startswith(STARTERS) else text


def restore(text: str) -> str:
    """Undo `neutralise`."""
    if text.startswith("'") and text.lstrip("'").startswith(STARTERS):
        return text[1:]
    return text


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """CSV text with LF line ends; None is empty, text cannot run in a spreadsheet."""
    return "".join(",".join(map(_written, row)) + "\n" for row in (header, *rows))


def _written(cell: Cell) -> str:
    # Not csv.writer: before Python 3.13 it leaves a lone carriage return unquoted.
    if not isinstance(cell, str):
        return "" if cell is None else str(cell)
    if not SPECIAL.search(cell):
        return cell
    text = neutralise(cell)
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
