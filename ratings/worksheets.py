"""Looks through the markup of a workbook before a reader makes cells of it."""

from __future__ import annotations

import math
import re
from xml.parsers import expat

# of one part; a full table of 5,000 rows and 200 columns has two million
MOST_ELEMENTS = 3_000_000
# of what a reader makes room for before it has seen a single text
MOST_TEXTS = 2**20
LONGEST_NUMBER = 64
PLACE = re.compile(r"([A-Za-z]{1,4})([0-9]{1,10})")
SAVE_AGAIN = "the workbook can't be read. Save it again as .xlsx or .csv."


class WorkbookRefused(Exception):
    """Why a workbook is not read: a sentence with the remedy, less the file's name."""


class Markup:
    """The elements of one part: no document type, and no more than can be meant."""

    def __init__(self) -> None:
        self.count = 0
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self.refuse
        self.parser.StartElementHandler = self.begin
        self.parser.EndElementHandler = self.finish
        self.parser.CharacterDataHandler = self.read_text

    def read(self, data: bytes) -> None:
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError as error:
            raise WorkbookRefused(SAVE_AGAIN) from error

    def refuse(self, *told: object) -> None:
        raise WorkbookRefused(SAVE_AGAIN)

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MOST_ELEMENTS:
            raise WorkbookRefused(
                "the workbook holds more than a table of cases. Keep the table alone."
            )
        self.start(name.rpartition(":")[2], attributes)

    def finish(self, name: str) -> None:
        self.end(name.rpartition(":")[2])

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def read_text(self, text: str) -> None: ...


class Texts(Markup):
    """The texts that cells share: how long the longest is."""

    longest = 0
    length = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        stated = attributes.get("uniqueCount", "")
        if name == "sst" and stated.isdecimal() and int(stated[:20]) > MOST_TEXTS:
            self.refuse()

    def read_text(self, text: str) -> None:
        self.length += len(text)

    def end(self, name: str) -> None:
        if name == "si":
            self.longest, self.length = max(self.longest, self.length), 0


class Sheet(Markup):
    """A sheet: every filled cell lies within the limits, every number is one."""

    def __init__(self, *, rows: int, columns: int) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns
        self.row = self.column = self.texts = 0
        self.place, self.kind, self.value = (0, 0), "", ""
        self.in_cell = self.in_value = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self.row, self.column = self.read_row(attributes), 0
        elif name == "c":
            self.place = self.read_place(attributes)
            self.column, self.in_cell = self.place[1], True
            self.kind = attributes.get("t", "n")
        elif self.in_value:
            self.refuse()
        elif self.in_cell:
            self.check_place()
            self.in_value, self.value = name == "v", ""

    def end(self, name: str) -> None:
        if name == "v":
            self.check_value()
            self.in_value = False
        self.in_cell = self.in_cell and name != "c"

    def read_text(self, text: str) -> None:
        if self.in_value and len(self.value) < LONGEST_NUMBER:
            self.value += text

    def read_row(self, attributes: dict[str, str]) -> int:
        stated = re.fullmatch(r"[A-Za-z]*([0-9]{1,10})", attributes.get("r", ""))
        if "r" in attributes and stated is None:
            self.refuse()
        return int(stated[1]) if stated else self.row + 1

    def read_place(self, attributes: dict[str, str]) -> tuple[int, int]:
        """Row and column; a cell that states neither lies right of the one before."""
        if "r" not in attributes:
            return self.row, self.column + 1
        stated = PLACE.fullmatch(attributes["r"])
        if stated is None:
            raise WorkbookRefused(SAVE_AGAIN)
        return int(stated[2]), read_letters(stated[1])

    def check_place(self) -> None:
        row, column = self.place
        if row <= self.rows and column <= self.columns:
            return
        rule = f"below row {self.rows:,}"
        if column > self.columns:
            rule = f"right of column {write_letters(self.columns)}"
        raise WorkbookRefused(
            f"cell {write_place(row, column)} is filled and lies {rule}, where a table "
            "ends at the latest. Clear what lies outside the table, or split it."
        )

    def check_value(self) -> None:
        self.texts += self.kind == "s"
        if self.kind == "n" and not is_usable(self.value):
            raise WorkbookRefused(
                f"cell {write_place(*self.place)} holds {self.value.strip()[:20]}, "
                "which is no number. Write a number or a text there."
            )


def is_usable(value: str) -> bool:
    """Whether it is no number at all, which makes it a text, or one to reckon with."""
    try:
        return math.isfinite(float(value))
    except ValueError:
        return True


def read_letters(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def write_letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def write_place(row: int, column: int) -> str:
    return f"{write_letters(column)}{row}"
