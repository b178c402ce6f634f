"""Read a CSV file or the sheet of a workbook as a grid of text."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from ratings.moving.entries import MoveRefused
from ratings.statistics.cells import restore

DELIMITERS = (",", ";", "\t", "|")
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")


@dataclass(frozen=True)
class Grid:
    """A table of text; `rows` hold (row number as a person counts, cells)."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    sheets: tuple[str, ...] = ()
    sheet: str = ""

    def column(self, name: str) -> Iterator[str]:
        """The cells of one column, top to bottom."""
        at = self.header.index(name)
        return (cells[at] for _, cells in self.rows)


def read_grid(name: str, data: bytes, *, sheet: str = "") -> Grid:
    """Read the table in a file.

    Args:
        name: of the file; its ending says whether it is a workbook.
        sheet: of a workbook; without it the first that holds anything.

    Raises:
        MoveRefused: nothing can be read, in a sentence with file and remedy.
    """
    if not data.strip():
        raise MoveRefused(
            f"{name}: the file is empty; choose the file with the scores."
        )
    if name.lower().endswith(WORKBOOKS) or data.startswith(b"PK\x03\x04"):
        return _read_workbook(name, data, sheet)
    return _make_grid(name, _read_text(name, data))


def decode(name: str, data: bytes) -> str:
    """Text of a file in UTF-8, or in UTF-16 where it says so with a mark."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise MoveRefused(
            f"{name}, line {line}: the text is not UTF-8, so letters such as é would "
            "be guessed; save the file as “CSV UTF-8”."
        ) from error


def _read_text(name: str, data: bytes) -> Iterator[tuple[int, list[str]]]:
    text = decode(name, data)
    if "\0" in text:
        raise MoveRefused(
            f"{name}: this is not a text file; save the table as “CSV UTF-8” or .xlsx."
        )
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True
    )
    start = 1
    try:
        for cells in reader:
            # One string for all cells that say the same: a table repeats its names.
            yield start, [sys.intern(restore(cell.strip())) for cell in cells]
            start = reader.line_num + 1
    except csv.Error as error:
        raise MoveRefused(
            f"{name}, line {start}: this is not valid CSV ({error}); check the "
            "quotation marks."
        ) from error


def _delimiter(text: str) -> str:
    """The separator that the first line has most of, outside quotation marks."""
    first = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").split("\n", 1)[0])
    return max(DELIMITERS, key=first.count)


def _read_workbook(name: str, data: bytes, sheet: str) -> Grid:
    # Here and not above: only an import needs it.
    import python_calamine

    try:
        book = python_calamine.load_workbook(io.BytesIO(data))
        filled = [s for s in book.sheet_names if book.get_sheet_by_name(s).height]
        if not filled:
            raise MoveRefused(f"{name}: every sheet is empty; choose another file.")
        chosen = sheet if sheet in filled else filled[0]
        # From the first row on, so that row numbers are those that Excel shows.
        cells = book.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    except MoveRefused:
        raise
    except Exception as error:
        raise MoveRefused(
            f"{name}: this workbook can't be read ({error}); open it, save it as .xlsx "
            "without a password, and choose it again."
        ) from error
    rows = ((n, [_as_text(c) for c in row]) for n, row in enumerate(cells, 1))
    return _make_grid(name, rows, sheets=tuple(filled), sheet=chosen)


def _as_text(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell).strip()


def _make_grid(
    name: str,
    records: Iterator[tuple[int, list[str]]],
    *,
    sheets: tuple[str, ...] = (),
    sheet: str = "",
) -> Grid:
    filled = ((n, cells) for n, cells in records if any(cells))
    first = next(filled, None)
    if first is None:
        raise MoveRefused(
            f"{name}: the table is empty; choose the file with the scores."
        )
    number, header = first
    while header and not header[-1]:
        header.pop()
    _check_header(name, number, header)
    rows = []
    for n, cells in filled:
        extra = cells[len(header) :]
        if any(extra) or len(cells) < len(header):
            if any(extra) or not sheets:
                raise MoveRefused(
                    f"{name}, row {n}: {len(cells)} cells where the header has "
                    f"{len(header)}; put text that holds commas in quotation marks."
                )
            cells = [*cells, *[""] * (len(header) - len(cells))]
        rows.append((n, tuple(cells[: len(header)])))
    if not rows:
        raise MoveRefused(f"{name}: there is a header and no row below it.")
    return Grid(name, tuple(header), tuple(rows), sheets, sheet)


def _check_header(name: str, number: int, header: list[str]) -> None:
    if len(header) < 2:
        raise MoveRefused(
            f"{name}: there is one column only ({header[0]}); scores need at least a "
            "case and a score, separated by commas, semicolons or tabs."
        )
    if "" in header:
        at = header.index("") + 1
        raise MoveRefused(
            f"{name}, row {number}: column {at} has no name; give every column one."
        )
    twice = [column for column, n in Counter(header).items() if n > 1]
    if twice:
        raise MoveRefused(
            f"{name}, row {number}: the column “{twice[0]}” is there twice; rename one."
        )
