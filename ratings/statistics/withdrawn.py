"""What was withdrawn after the lock and how many scores it had, in words and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ratings.statistics.cells import as_csv
from ratings.statistics.rows import ScoreRow
from ratings.statistics.table import ScoreTable, natural

CASE, RATER = "case", "rater"
SCORES = "withdrawn_scores.csv"
COLUMNS = (
    *("what", "name", "withdrawn_at", "by", "reason", "scores_asked_for"),
    *("scores_given", "repeats_given", "scores_in_results"),
)


@dataclass(frozen=True)
class Withdrawn:
    """A case or a rater that was withdrawn, and the scores of all questions there.

    A case's scores enter no result; a rater's do, but for those of withdrawn cases.
    `asked` and `given` leave hidden repeats to `repeats`.
    """

    what: str
    name: str
    asked: int
    given: int
    repeats: int
    in_results: int
    reason: str = ""
    at: str = ""
    by: str = ""


def count_case(tables: Sequence[ScoreTable], case: str) -> Withdrawn:
    rows = [row for t in tables for row in t.withdrawn if row.case == case]
    return Withdrawn(CASE, case, *_count(rows), in_results=0)


def count_rater(tables: Sequence[ScoreTable], rater: str) -> Withdrawn:
    kept = [row for t in tables for row in t.rows if row.rater == rater]
    apart = [row for t in tables for row in t.withdrawn if row.rater == rater]
    asked, given, repeats = _count([*kept, *apart])
    return Withdrawn(RATER, rater, asked, given, repeats, in_results=_count(kept)[1])


def _count(rows: Iterable[ScoreRow]) -> tuple[int, int, int]:
    """(asked for, given, repeats given)."""
    rows = list(rows)
    main = [row.score is not None for row in rows if row.rep == 0]
    repeats = sum(1 for row in rows if row.rep and row.score is not None)
    return len(main), sum(main), repeats


def list_cases(tables: Sequence[ScoreTable]) -> list[Withdrawn]:
    """The withdrawn cases that the tables themselves know, without their reasons."""
    labels = {row.case for table in tables for row in table.withdrawn}
    return [count_case(tables, label) for label in sorted(labels, key=natural)]


def tell(found: Sequence[Withdrawn]) -> str:
    """A sentence on the cases and one on the raters; empty where there are none."""
    cases = [_tell(one) for one in found if one.what == CASE]
    raters = [_tell(one) for one in found if one.what == RATER]
    parts = []
    if cases:
        parts.append(
            "Withdrawn after the lock, so that no score there enters any result: "
            f"{_noun(cases, CASE)} {'; '.join(cases)}."
        )
    if raters:
        parts.append(
            "Withdrawn after the lock, with the scores given before kept in the "
            f"results: {_noun(raters, RATER)} {'; '.join(raters)}."
        )
    return " ".join(parts)


def _noun(named: Sequence[str], noun: str) -> str:
    return noun if len(named) == 1 else f"{noun}s"


def _tell(one: Withdrawn) -> str:
    counts = f"{one.given} of {one.asked} scores given" if one.asked else "not scored"
    repeated = f" and {one.repeats} repeated" if one.repeats else ""
    why = f"; {one.reason}" if one.reason else ""
    return f"{one.name} ({counts}{repeated}{why})"


def withdrawn_csv(found: Iterable[Withdrawn]) -> str:
    return as_csv(
        COLUMNS,
        (
            (
                *(one.what, one.name, one.at, one.by, one.reason, one.asked),
                *(one.given, one.repeats, one.in_results),
            )
            for one in found
        ),
    )
