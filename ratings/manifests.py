"""Reads the table that names the files of a test set: CSV, TSV or XLSX."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from python_calamine import CalamineError, CalamineWorkbook

FILES = {
    "image": "image", "mask": "manual", "manual": "manual", "cord": "cord",
    "cord_mask": "cord", "levels": "levels", "vertebral_levels": "levels",
    "second": "second", "second_series": "second", "soft": "soft", "soft_map": "soft",
}  # fmt: skip
SUBJECTS = ("subject", "participant", "participant_id", "patient")
MOST_ROWS = 5000


class ManifestRefused(Exception):
    """Why a table can't be used; a sentence with the remedy."""


@dataclass(frozen=True)
class Row:
    """One case; `files` maps role or arm to the path that the table states."""

    number: int
    files: dict[str, str]
    subject: str
    strata: dict[str, str]


def names_manifest(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return bool(re.fullmatch(r"(.*[-_. ])?manifest.*\.(csv|tsv|xlsx)", name))


def read_rows(path: str, data: bytes) -> list[Row]:
    lines = read_xlsx(path, data) if path.endswith(".xlsx") else read_csv(path, data)
    header = [re.sub(r"[\s-]+", "_", cell.strip().lower()) for cell in lines[:1][0]]
    if "image" not in header:
        raise ManifestRefused(
            f"{path}: the first row must name the columns, and one must be “image” "
            "(others: mask, mask_NAME for a further arm, cord, levels, second, soft)."
        )
    if len(lines) > MOST_ROWS:
        raise ManifestRefused(f"{path}: more than {MOST_ROWS} rows. Split the table.")
    titles = [cell.strip() for cell in lines[0]]
    rows = [read_row(n, header, titles, cells) for n, cells in enumerate(lines[1:], 2)]
    return [row for row in rows if row.files]


def read_row(
    number: int, header: list[str], titles: list[str], cells: list[str]
) -> Row:
    found: dict[str, str] = {}
    strata: dict[str, str] = {}
    subject = ""
    for key, title, cell in zip(header, titles, cells, strict=False):
        value = cell.strip()
        if not value or not key:
            continue
        if key in FILES:
            found[FILES[key]] = value
        elif re.match(r"mask[_:]", key):
            name = re.sub(r"^mask[_: -]+", "", title, flags=re.IGNORECASE)
            found["manual" if name.lower() == "manual" else name] = value
        elif key in SUBJECTS:
            subject = value[:80]
        else:
            strata[key[:40]] = value[:40]
    return Row(number, found, subject, strata)


def read_csv(path: str, data: bytes) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestRefused(f"{path}: save the table as UTF-8.") from error
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=mark))
    except csv.Error as error:
        raise ManifestRefused(f"{path}: not a readable table ({error}).") from error
    return require(path, lines)


def read_xlsx(path: str, data: bytes) -> list[list[str]]:
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        lines = sheet.to_python()
    except (CalamineError, ValueError, OSError) as error:
        raise ManifestRefused(
            f"{path}: the workbook can't be read. Save it again as .xlsx or .csv."
        ) from error
    return require(path, [[show(cell) for cell in line] for line in lines])


def show(cell: object) -> str:
    if isinstance(cell, float) and cell == int(cell):
        return str(int(cell))
    return str(cell)


def require(path: str, lines: list[list[str]]) -> list[list[str]]:
    if not lines:
        raise ManifestRefused(f"{path}: the table is empty.")
    return lines
