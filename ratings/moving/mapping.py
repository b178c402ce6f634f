"""Which column of a table says what; and the entries that follow from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePath
from typing import Any

from ratings.moving.entries import NOTHING, Entry, MoveRefused, fold
from ratings.moving.grid import Grid
from ratings.statistics.rows import COLUMNS

LAYOUTS = {
    "long": "One row a score: a column names the arm",
    "wide_arms": "One row a case and rater: a column for each arm",
    "wide_raters": "One row a case and arm: a column for each rater",
}
# Columns that describe a score, by what they are usually called.
OPTIONAL = tuple(
    column
    for column in COLUMNS
    if column not in ("rater", "case", "arm", "score", "question")
)
USUAL = {
    "rater": ("rater", "reader", "radiologist", "observer", "annotator", "reviewer"),
    "case": ("case", "image", "subject", "patient", "scan", "item", "id", "caseid"),
    "arm": ("arm", "method", "model", "source", "label", "algorithm", "condition"),
    "score": ("score", "rating", "grade", "likert", "rank", "value", "quality"),
    "rep": ("rep", "repeat", "replicate"),
    "contrast": ("contrast", "sequence", "modality"),
    "site": ("site", "centre", "center", "hospital", "scanner"),
    "position": ("position", "order", "trial"),
    "seconds": ("seconds", "time", "duration", "readingtime"),
    "guess": ("guess",),
    "reason": ("reason",),
    "comment": ("comment", "comments", "remark", "remarks", "note", "notes"),
    "session": ("session", "sitting"),
    "side": ("side",),
    "confidence": ("confidence",),
    "unlooked": ("unlooked",),
    "acquisition": ("acquisition", "orientation", "plane"),
    "conflict": ("conflict",),
}
FILE_NAME = "(file name)"


@dataclass(frozen=True)
class Mapping:
    """The columns of a table by meaning; "" where the table has none.

    `scores` are the columns of scores: in a long table each is a question of its own,
    else each is an arm or a rater, called as its column or as `names` says.
    """

    layout: str
    scores: tuple[str, ...]
    rater: str = ""
    case: str = ""
    arm: str = ""
    optional: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "layout": self.layout, "scores": list(self.scores), "rater": self.rater,
            "case": self.case, "arm": self.arm, "optional": self.optional,
            "names": self.names,
        }  # fmt: skip


def read_mapping(stored: dict[str, Any]) -> Mapping:
    return Mapping(**{**stored, "scores": tuple(stored["scores"])})


def propose(grid: Grid) -> Mapping:
    """The mapping that the names and contents of the columns suggest."""
    found = {meaning: _find(grid, meaning) for meaning in USUAL}
    taken = {column for column in found.values() if column}
    numeric = [c for c in grid.header if c not in taken and _is_scores(grid, c)]
    shared: dict[str, Any] = {
        "case": found["case"],
        "optional": {k: found[k] for k in OPTIONAL if found[k]},
    }
    if found["arm"] and found["rater"]:
        return _propose_long(grid, found, numeric, shared)
    if found["arm"]:
        return Mapping("wide_raters", tuple(numeric), arm=found["arm"], **shared)
    rater = found["rater"] or FILE_NAME
    scores = tuple(numeric) or tuple(filter(None, [found["score"]]))
    return Mapping("wide_arms", scores, rater=rater, **shared)


def _propose_long(
    grid: Grid, found: dict[str, str], numeric: list[str], shared: dict[str, Any]
) -> Mapping:
    optional = dict(shared["optional"])
    scores = [found["score"]] if found["score"] else numeric
    # “contrast” may be the MRI contrast or a criterion: whole numbers are a criterion.
    for meaning in ("contrast", "site"):
        column = optional.get(meaning, "")
        if not found["score"] and column and _is_scores(grid, column):
            scores = [c for c in grid.header if c in (*scores, column)]
            del optional[meaning]
    return Mapping(
        "long", tuple(scores), rater=found["rater"], case=found["case"],
        arm=found["arm"], optional=optional,
    )  # fmt: skip


def check(mapping: Mapping, grid: Grid) -> list[str]:
    """A sentence for each thing that keeps the mapping from being used."""
    faults = []
    if not mapping.case:
        faults.append("Say which column names the case.")
    if mapping.layout != "wide_raters" and not mapping.rater:
        faults.append("Say which column names the rater.")
    if mapping.layout != "wide_arms" and not mapping.arm:
        faults.append("Say which column names the arm.")
    if not mapping.scores:
        faults.append("Mark at least one column that holds scores.")
    used = [mapping.case, mapping.rater, mapping.arm, *mapping.optional.values()]
    used = [c for c in (*used, *mapping.scores) if c and c != FILE_NAME]
    for column in dict.fromkeys(c for c in used if used.count(c) > 1):
        faults.append(f"The column “{column}” can't have two meanings: choose one.")
    long = [c for c in mapping.scores if len(mapping.names.get(c, c)) > 200]
    faults += [
        f"The name “{c[:40]}…” has over 200 characters: shorten it." for c in long
    ]
    gone = [c for c in used if c not in grid.header]
    faults += [f"{grid.name} has no column “{column}”." for column in gone]
    return faults


def list_entries(grids: Sequence[Grid], mapping: Mapping) -> Iterator[Entry]:
    """Every score cell of the tables, in order.

    Raises:
        MoveRefused: a table lacks a column of the mapping.
    """
    for grid in grids:
        faults = check(mapping, grid)
        if faults:
            raise MoveRefused(" ".join(faults))
        yield from _of_grid(grid, mapping)


def _of_grid(grid: Grid, mapping: Mapping) -> Iterator[Entry]:
    at = {column: i for i, column in enumerate(grid.header)}
    optional = {meaning: at[c] for meaning, c in mapping.optional.items() if c}
    case = at[mapping.case]
    rater, arm = at.get(mapping.rater), at.get(mapping.arm)
    by_file = name_rater(grid.name, mapping.names)
    scores = [(at[c], mapping.names.get(c, c)) for c in mapping.scores]
    several = len(scores) > 1
    for number, cells in grid.rows:
        details = {meaning: cells[i] for meaning, i in optional.items()} or NOTHING
        rep = details.get("rep", "")
        who = by_file if rater is None else cells[rater]
        which = "" if arm is None else cells[arm]
        for place, name in scores:
            named: dict[str, Any] = {"rater": who, "arm": which}
            if mapping.layout == "long":
                named["question"] = name if several else ""
            else:
                named["arm" if mapping.layout == "wide_arms" else "rater"] = name
            text = cells[place] or None
            yield Entry(
                file=grid.name, row=number, case=cells[case], score=text, rep=rep,
                details=details, **named,
            )  # fmt: skip


def name_rater(file: str, names: dict[str, str]) -> str:
    """The rater whose scores a whole file holds: as given, else from its name."""
    if names.get(file):
        return names[file]
    stem = PurePath(file).stem
    rest = re.sub(r"^qc[_\- ]?report", "", stem, flags=re.IGNORECASE)
    return re.sub(r"^[_\-. ]+|[_\-. ]+$", "", rest) or stem


def _find(grid: Grid, meaning: str) -> str:
    for wanted in USUAL[meaning]:
        for column in grid.header:
            if fold(column) == wanted:
                return column
    return ""


def _is_scores(grid: Grid, column: str) -> bool:
    """Whether nearly all cells are small whole numbers."""
    cells = list(islice(filter(None, grid.column(column)), 2000))
    whole = sum(bool(re.fullmatch(r"-?\d{1,3}([.,]0+)?", cell)) for cell in cells)
    return bool(cells) and whole >= 0.9 * len(cells)
