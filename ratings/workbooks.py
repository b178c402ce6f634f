"""Reads the first sheet of a workbook, once all of it has been looked through."""

from __future__ import annotations

import io
import lzma
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from python_calamine import CalamineWorkbook

from ratings.archives import UNREADABLE
from ratings.worksheets import (
    SAVE_AGAIN,
    Markup,
    Sheet,
    Texts,
    WorkbookRefused,
    write_place,
)

# of all parts that are read together; a table of 5,000 rows has five MiB
MOST_PLAIN = 2**25
# characters, were every cell with a text to hold the longest one
MOST_TEXT = 2**26
ROOT, BOOK = "_rels/.rels", "xl/workbook.xml"
LINKS = "xl/_rels/workbook.xml.rels"
TEXTS, STYLES = "xl/sharedStrings.xml", "xl/styles.xml"
FIXED = (ROOT, BOOK, LINKS, TEXTS, STYLES)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Limits:
    """The last row and column in which a cell may be filled."""

    rows: int
    columns: int


def read_first_sheet(data: bytes, *, limits: Limits) -> list[list[str]]:
    """Its cells as text, or WorkbookRefused with a sentence."""
    parts = unpack(data)
    look_through(parts, limits)
    lines, (top, left) = read_cells(pack(parts))
    return [
        [show(cell, write_place(row, n)) for n, cell in enumerate(line, left + 1)]
        for row, line in enumerate(lines, top + 1)
    ]


def read_cells(book: bytes) -> tuple[Sequence[Sequence[object]], tuple[int, int]]:
    """The filled part of the first sheet, and the row and column before it."""
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0)
        return sheet.to_python(), sheet.start or (0, 0)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # where the reader panics, as it does of some dates, that is no Exception
        raise WorkbookRefused(SAVE_AGAIN) from error


def show(cell: object, place: str) -> str:
    if not isinstance(cell, float):
        return str(cell)
    if not math.isfinite(cell):
        raise WorkbookRefused(
            f"cell {place} holds {cell}, which is no number. Write a number or a text "
            "there."
        )
    return str(int(cell)) if cell == int(cell) else str(cell)


def look_through(parts: dict[str, bytes], limits: Limits) -> None:
    texts, sheet = Texts(), Sheet(rows=limits.rows, columns=limits.columns)
    for name, part in parts.items():
        fixed = texts if name == TEXTS else Markup()
        (fixed if name in FIXED else sheet).read(part)
    if sheet.texts * texts.longest > MOST_TEXT:
        raise WorkbookRefused(
            f"{sheet.texts:,} cells hold texts, of which the longest has "
            f"{texts.longest:,} characters. Shorten the long ones, or save it as .csv."
        )


def pack(parts: dict[str, bytes]) -> bytes:
    """A workbook of these parts alone: what was not looked through is not read."""
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return book.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The parts that a reader of the first sheet asks for, by the names it uses."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = Parts(archive)
            parts = {name: part for name in FIXED if (part := found.read(name))}
            path = find_first(parts.get(BOOK, b""), parts.get(LINKS, b""))
            if path.lower() in map(str.lower, FIXED):
                # it would be looked through as what it is not
                raise WorkbookRefused(SAVE_AGAIN)
            return parts | {path: found.read(path)}
    except (KeyError, lzma.LZMAError, *UNREADABLE) as error:
        raise WorkbookRefused(SAVE_AGAIN) from error


class Parts:
    """The parts of a workbook by name, which together may not be too long."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive, self._left = archive, MOST_PLAIN
        self._infos = {
            info.filename.replace("\\", "/").lower(): info
            for info in archive.infolist()
        }

    def read(self, name: str) -> bytes:
        """The part, or nothing where there is none."""
        info = self._infos.get(name.lower())
        if info is None:
            return b""
        if info.compress_type not in METHODS:
            raise WorkbookRefused(SAVE_AGAIN)
        with self._archive.open(info) as stream:
            part = stream.read(self._left + 1)
        self._left -= len(part)
        if self._left < 0:
            raise WorkbookRefused(
                f"it unpacks to more than {MOST_PLAIN // 2**20} MiB, which no table of "
                "cases needs. Keep the table alone, or save it as .csv."
            )
        return part


class Named(Markup):
    """The first element of that name of each key, by what it says of another."""

    def __init__(self, element: str, key: str, value: str) -> None:
        super().__init__()
        self.element, self.key, self.value = element, key, value
        self.found: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self.element:
            told = {k.rpartition(":")[2]: v for k, v in attributes.items()}
            self.found.setdefault(told.get(self.key, ""), told.get(self.value, ""))


def find_first(book: bytes, links: bytes) -> str:
    """Where the part of the first sheet lies."""
    sheets = Named("sheet", "id", "name")
    targets = Named("Relationship", "Id", "Target")
    sheets.read(book)
    targets.read(links)
    target = targets.found[next(iter(sheets.found), "")]
    return target[1:] if target.startswith("/") else f"xl/{target}"
