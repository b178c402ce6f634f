"""Read a CSV file of scores into rows, refusing anything it cannot vouch for."""

from __future__ import annotations

import csv
import io
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ratings.statistics.cells import restore

KEYS = ("rater", "case", "arm")
COLUMNS = (
    *("rater", "case", "arm", "rep", "score", "contrast", "site", "position"),
    *("seconds", "guess", "question", "reason", "comment"),
    *("session", "side", "confidence", "unlooked", "acquisition", "conflict"),
)
WHOLE = ("rep", "position", "session", "confidence", "unlooked", "conflict")
# What people typed is kept to the last space; everything else is trimmed.
VERBATIM = ("reason", "comment")
MAX_LEVELS = 101


class ScoreFileError(ValueError):
    """A score file was refused; the message names file, line, rule and remedy."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score: who rated which mask, and what they said.

    `score` is None when the mask was not rated; `rep` 0 is the main rating and
    1, 2, ... are hidden repeats; `seconds` is active time. `session` numbers the
    rater's sessions and `position` runs through all of them; `side` is the place on
    the screen when several masks were shown at once. `guess` is the source that the
    rater guessed (an arm, or `unsure`), `confidence` how sure they were; `unlooked` is
    1 when the score was given without looking through the slices, 0 when they were
    looked through; `conflict` is 1 when the rater, or somebody of the same site, drew a
    mask of the case, where the protocol has such scores marked.
    """

    rater: str
    case: str
    arm: str
    score: int | None
    rep: int = 0
    contrast: str = ""
    site: str = ""
    position: int | None = None
    seconds: float | None = None
    guess: str = ""
    question: str = ""
    reason: str = ""
    comment: str = ""
    session: int | None = None
    side: str = ""
    confidence: int | None = None
    unlooked: int | None = None
    acquisition: str = ""
    conflict: int | None = None


@dataclass(frozen=True)
class ScoreFile:
    """What a score file held: its rows, and the columns that nothing uses."""

    rows: tuple[ScoreRow, ...]
    unused_columns: tuple[str, ...]


def parse_scale(text: str) -> tuple[int, int]:
    """Read a scale such as ``1-5`` as (lowest, highest)."""
    match = re.fullmatch(r"\s*(-?\d+)\s*[-–:]\s*(-?\d+)\s*", text)
    if match is None:
        raise ValueError(
            f"the scale “{text}” is not two whole numbers such as 1-5; "
            "give the lowest and the highest score with a hyphen between"
        )
    low, high = int(match[1]), int(match[2])
    if not 0 < high - low < MAX_LEVELS:
        raise ValueError(
            f"the scale “{text}” does not rise from its first number to its second "
            f"by 1 to {MAX_LEVELS - 1} steps; give for example 1-5"
        )
    return low, high


def read_rows(
    path: Path,
    *,
    scale: tuple[int, int],
    score_column: str = "score",
    question: str | None = None,
) -> ScoreFile:
    """Read every row of a long score file.

    Args:
        path: CSV in UTF-8 with a header; `rater`, `case`, `arm` and the score
            column are needed, the other columns of `COLUMNS` are optional.
        scale: lowest and highest score allowed, both included.
        score_column: the column that holds the scores. A column named so is
            never read as anything else.
        question: keep the rows of this question only.

    Raises:
        ScoreFileError: the first thing wrong, in one sentence.
    """
    records = _records(path)
    header = _header(path, next(records, (1, []))[1], score_column)
    optional = [c for c in COLUMNS if c in header and c not in (score_column, "score")]
    places = {column: header.index(column) for column in optional}
    places["score"] = header.index(score_column)
    rows: list[ScoreRow] = []
    lines: dict[tuple[str, ...], int] = {}
    for line, cells in records:
        if question is not None and _question(cells, places) not in (None, question):
            continue  # another question has its own scale
        where = f"{path.name}, line {line}"
        row = _row(where, cells, len(header), places, scale, score_column)
        _refuse_duplicate(where, row, line, lines)
        rows.append(row)
    _refuse_empty(path, rows, question)
    _refuse_mixed_questions(path, rows)
    used = {*places, score_column}
    return ScoreFile(tuple(rows), tuple(c for c in header if c not in used))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ScoreFileError(
            f"{path.name}: the file cannot be read ({error.strerror}); "
            "check the path and its permissions."
        ) from error
    if data.startswith(b"PK"):
        raise ScoreFileError(
            f"{path.name}: this is a spreadsheet or zip file, not text; "
            "save the sheet as “CSV UTF-8” and give that file."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ScoreFileError(
            f"{path.name}, line {line}: the text is not UTF-8; "
            "save the file as “CSV UTF-8”."
        ) from error
    if not text.strip():
        raise ScoreFileError(
            f"{path.name}: the file is empty; it needs a header and one row per score."
        )
    return text


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which the record starts, cells); blank records are skipped."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise ScoreFileError(
            f"{path.name}, line {start}: this is not valid CSV ({error}); "
            "check the quotation marks."
        ) from error


def _header(path: Path, cells: list[str], score_column: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    if len(header) == 1 and re.search(r"[;\t]", header[0]):
        raise ScoreFileError(
            f"{path.name}, line 1: the columns are separated by semicolons or tabs; "
            "save the file with commas between the columns."
        )
    if score_column in KEYS:
        raise ScoreFileError(
            f"{path.name}: “{score_column}” says who rated what and cannot be the "
            "score; name the column that holds the scores."
        )
    missing = [name for name in (*KEYS, score_column) if name not in header]
    if missing:
        raise ScoreFileError(
            f"{path.name}, line 1: the column “{missing[0]}” is missing; the header "
            f"needs rater, case, arm and {score_column}, and has {', '.join(header)}."
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ScoreFileError(
            f"{path.name}, line 1: the column “{twice[0]}” is there twice; "
            "remove or rename one of them."
        )
    return header


def _question(cells: list[str], places: dict[str, int]) -> str | None:
    """The question that a record answers; None when the record is too short to say."""
    place = places.get("question")
    if place is None:
        return ""
    return restore(cells[place].strip()) if place < len(cells) else None


def _row(
    where: str,
    cells: list[str],
    width: int,
    places: dict[str, int],
    scale: tuple[int, int],
    score_column: str,
) -> ScoreRow:
    if len(cells) != width:
        raise ScoreFileError(
            f"{where}: the row has {len(cells)} cells and the header {width}; "
            "put text that holds commas in quotation marks."
        )
    found = {
        name: cells[place] if name in VERBATIM else cells[place].strip()
        for name, place in places.items()
    }
    for name in KEYS:
        if not found[name]:
            raise ScoreFileError(
                f"{where}: {name} is empty; every row needs a rater, a case and an arm."
            )
    whole = {name: _whole(where, name, found.pop(name, "")) for name in WHOLE}
    seconds = _number(where, "seconds", found.pop("seconds", ""), whole=False)
    score = _score(where, score_column, found.pop("score"), scale)
    # One string for all rows that say the same: of a million, a quarter of the memory.
    words = {name: sys.intern(restore(text)) for name, text in found.items()}
    return ScoreRow(
        score=score,
        rep=whole["rep"] or 0,
        position=whole["position"],
        seconds=seconds,
        session=whole["session"],
        confidence=whole["confidence"],
        unlooked=whole["unlooked"],
        conflict=whole["conflict"],
        **words,
    )


def _whole(where: str, column: str, text: str) -> int | None:
    number = _number(where, column, text, whole=True)
    return None if number is None else int(number)


def _number(where: str, column: str, text: str, *, whole: bool) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0 or (whole and number % 1):
        kind = "a whole number" if whole else "a number"
        raise ScoreFileError(
            f"{where}: {column} is “{text}”, which is not {kind} of 0 or more; "
            "correct the cell or leave it empty."
        )
    return number


def _score(where: str, column: str, text: str, scale: tuple[int, int]) -> int | None:
    if not text:
        return None
    low, high = scale
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number % 1:
        raise ScoreFileError(
            f"{where}: {column} is “{text}”, which is not a whole number from "
            f"{low} to {high}; correct the score, or leave it empty if not rated."
        )
    if not low <= number <= high:
        raise ScoreFileError(
            f"{where}: {column} is {int(number)}, outside the scale {low} to {high}; "
            "correct the score, or state the scale that the raters used."
        )
    return int(number)


def _refuse_duplicate(
    where: str, row: ScoreRow, line: int, lines: dict[tuple[str, ...], int]
) -> None:
    key = (row.rater, row.case, row.arm, str(row.rep), row.question)
    first = lines.setdefault(key, line)
    if first != line:
        raise ScoreFileError(
            f"{where}: rater {row.rater} already scored case {row.case}, arm "
            f"{row.arm} on line {first}; keep one of the two, or mark a hidden "
            "repeat with rep 1."
        )


def _refuse_empty(path: Path, rows: list[ScoreRow], question: str | None) -> None:
    if not rows:
        what = "no rows" if question is None else f"no rows for question “{question}”"
        raise ScoreFileError(
            f"{path.name}: the file has {what} below its header; "
            "give a file with one row per score."
        )


def _refuse_mixed_questions(path: Path, rows: list[ScoreRow]) -> None:
    questions = sorted({row.question for row in rows})
    if len(questions) > 1:
        raise ScoreFileError(
            f"{path.name}: the file answers several questions "
            f"({', '.join(q or '(empty)' for q in questions)}); name the one to "
            "analyse with --question."
        )
