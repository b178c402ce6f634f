"""Reads the table that names the files of a test set: CSV, TSV or XLSX."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from ratings import suspicions, workbooks
from ratings.worksheets import WorkbookRefused

FILES = {
    "image": "image", "mask": "manual", "manual": "manual", "label": "manual",
    "lesion": "manual", "lesion_mask": "manual", "manual_mask": "manual",
    "segmentation": "manual", "ground_truth": "manual", "cord": "cord",
    "cord_mask": "cord", "levels": "levels", "vertebral_levels": "levels",
    "second": "second", "second_series": "second", "soft": "soft", "soft_map": "soft",
}  # fmt: skip
SUBJECTS = ("subject", "subject_id", "participant", "participant_id", "patient")
MOST_ROWS, MOST_COLUMNS = 5000, 200
LIMITS = workbooks.Limits(rows=MOST_ROWS, columns=MOST_COLUMNS)
# what a column is for, and the role, arm or stratum that it gives
Meant = tuple[str, str]
NOTHING: Meant = ("", "")
DROP: Meant = ("drop", "")
LONGEST = {"file": 4096, "subject": 80, "stratum": 40}
LONGEST_JUDGED = 200
VOLUME = re.compile(r"\.nii(\.gz)?\s*$", re.IGNORECASE)
END = re.compile(r"[_\s-]+(path|file|filename|file_name)$", re.IGNORECASE)


MORE_CELLS = (
    "there are more cells than the first row has columns. Put what holds the mark "
    "between the cells in quotes."
)


class ManifestRefused(Exception):
    """Why a table can't be used; a sentence with the remedy."""


@dataclass(frozen=True)
class Row:
    """One case; `files` maps role or arm to the path that the table states."""

    number: int
    files: dict[str, str]
    subject: str
    strata: dict[str, str]
    # the titles of cells that look personal, which are not kept
    personal: tuple[str, ...] = ()
    # whether it has more cells than there are columns
    overlong: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of a table, the titles of its columns of files, and what is not kept."""

    rows: tuple[Row, ...]
    titles: dict[str, str]
    notes: tuple[str, ...]


def names_manifest(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return bool(re.fullmatch(r"(.*[-_. ])?manifest.*\.(csv|tsv|xlsx)", name))


def read_table(path: str, data: bytes) -> Table:
    lines = read_lines(path, data)
    titles = [" ".join(cell.split()) for cell in lines[0]]
    meant = [read_title(title) for title in titles]
    refuse_unclear(path, titles, meant, len(lines))
    rows = [
        read_row(number, titles, meant, cells)
        for number, cells in enumerate(lines[1:], 2)
    ]
    notes = [
        describe_column(t) for t, m in zip(titles, meant, strict=True) if m is DROP
    ]
    refuse_hidden_files(path, titles, meant, lines[1:])
    kept = tuple(row for row in rows if row.files or list_faults(row))
    columns = zip(titles, meant, strict=True)
    named = {key: title for title, (kind, key) in columns if kind == "file"}
    return Table(kept, named, tuple(notes))


def list_faults(row: Row) -> list[str]:
    """What is wrong in a row by itself, whatever files there are."""
    more = [MORE_CELLS] if row.overlong else []
    return [*more, *map(describe_value, row.personal)]


def read_title(title: str) -> Meant:
    """What a column holds: a file of a role or arm, the subject, or a stratum."""
    key = re.sub(r"[\s-]+", "_", title.lower())
    if not key:
        return NOTHING
    # “image_path”, “mask file”
    title, key = END.sub("", title), END.sub("", key)
    if key in FILES:
        return "file", FILES[key]
    if re.match(r"mask[_:]", key):
        name = re.sub(r"^mask[_: -]+", "", title, flags=re.IGNORECASE)
        return "file", "manual" if name.lower() in ("", "manual") else name
    if key in SUBJECTS:
        return "subject", "subject"
    if suspicions.titles_person(title):
        return DROP
    return "stratum", key[:40]


def refuse_unclear(
    path: str, titles: list[str], meant: list[Meant], length: int
) -> None:
    if ("file", "image") not in meant:
        raise ManifestRefused(
            f"{path}: the first row must name the columns, and one must be “image” "
            "(others: mask, mask_NAME for a further arm, cord, levels, second, soft)."
        )
    if length > MOST_ROWS:
        raise ManifestRefused(f"{path}: more than {MOST_ROWS} rows. Split the table.")
    for what in meant:
        alike = [t for t, m in zip(titles, meant, strict=True) if m == what]
        if len(alike) > 1 and what not in (NOTHING, DROP):
            raise ManifestRefused(
                f"{path}: the columns {' and '.join(f'“{t}”' for t in alike)} mean the "
                "same. Keep one of them, or name a further arm mask_NAME."
            )


def refuse_hidden_files(
    path: str, titles: list[str], meant: list[Meant], lines: list[list[str]]
) -> None:
    """A column of files whose title says nothing of masks would be a stratum."""
    for place, (title, (kind, _)) in enumerate(zip(titles, meant, strict=True)):
        cells = (line[place] for line in lines if place < len(line))
        if kind == "stratum" and any(VOLUME.search(cell) for cell in cells):
            raise ManifestRefused(
                f"{path}: the column “{title[:40]}” names files. Call it mask if they "
                "are the manual masks, mask_NAME for a further arm, or cord, levels, "
                "second or soft."
            )


def read_row(
    number: int, titles: list[str], meant: list[Meant], cells: list[str]
) -> Row:
    """The row; cells that look personal are left out."""
    found: dict[str, dict[str, str]] = {"file": {}, "subject": {}, "stratum": {}}
    wrong = []
    for place, ((kind, key), cell) in enumerate(zip(meant, cells, strict=False)):
        value = cell.strip()
        if not value or kind not in found:
            continue
        # much less is kept, and patterns take their time over a cell of 128 KiB
        if kind != "file" and states_person(kind, key, value[:LONGEST_JUDGED]):
            wrong.append(titles[place])
            continue
        found[kind][key] = value[: LONGEST[kind]]
    subject = found["subject"].get("subject", "")
    more = any(cell.strip() for cell in cells[len(titles) :])
    return Row(number, found["file"], subject, found["stratum"], tuple(wrong), more)


def states_person(kind: str, key: str, value: str) -> bool:
    """A subject that is a number is doubted later, where somebody can confirm it."""
    if kind == "subject" and suspicions.is_numbered_alone(value):
        return False
    return suspicions.states_person(value, column=key)


def describe_column(title: str) -> str:
    return (
        f"The column “{title[:40]}” looks personal and is not kept. If it holds a "
        "pseudonym, call it “subject”."
    )


def describe_value(title: str) -> str:
    return (
        f"{title[:40]} looks like a date, a name, an address or a number of a person. "
        "Write a pseudonym such as sub-001, or a code."
    )


def read_lines(path: str, data: bytes) -> list[list[str]]:
    if path.lower().endswith(".xlsx"):
        return read_xlsx(path, data)
    return read_csv(path, data)


def read_csv(path: str, data: bytes) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestRefused(f"{path}: save the table as UTF-8.") from error
    first = text.partition("\n")[0].strip("\r")
    stated = re.fullmatch(r"\"?sep=(.)\"?", first, re.IGNORECASE)
    if stated:
        # the line by which Excel tells itself what stands between the cells
        text = text.partition("\n")[2]
    mark = stated[1] if stated else max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=mark))
    except csv.Error as error:
        raise ManifestRefused(f"{path}: not a readable table ({error}).") from error
    return require(path, lines)


def read_xlsx(path: str, data: bytes) -> list[list[str]]:
    try:
        lines = workbooks.read_first_sheet(data, limits=LIMITS)
    except WorkbookRefused as refusal:
        raise ManifestRefused(f"{path}: {refusal}") from refusal
    return require(path, lines)


def require(path: str, lines: list[list[str]]) -> list[list[str]]:
    if not lines:
        raise ManifestRefused(f"{path}: the table is empty.")
    if len(lines[0]) > MOST_COLUMNS:
        raise ManifestRefused(
            f"{path}: more than {MOST_COLUMNS} columns. Keep those that name files, "
            "the subject and what the cases are to be told apart by."
        )
    return lines
