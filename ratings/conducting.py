"""How each rater worked, item by item, as a table that is blind: no score, no arm.

Neither does it name the case: whoever knows which mask of a case is empty or odd could
read from the conduct which mask was shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ratings import asking
from ratings.models import Presentation, Problem, Score, Study, ViewLog
from ratings.reading import PRACTICE
from ratings.statistics.cells import Cell, as_csv

# What the room tells of how an item was looked at; whatever else was sent stays out.
LOOKED = ("slices", "windows", "mask_toggles", "zoom", "screen", "without_looking")
COLUMNS = (
    "rater", "session", "position", "practice", "withdrawn", "first_answer",
    "last_answer", "revisions", "active_seconds", *LOOKED, "cannot_rate", "problems",
    "questions", "answers",
)  # fmt: skip
Grouped = dict[int, list[Any]]


def write_csv(study: Study) -> str:
    """A row for each item of each rater, rated or not, in the order it was shown."""
    rows = ([row.get(name) for name in COLUMNS] for row in list_rows(study))
    return as_csv(COLUMNS, rows)


def list_rows(study: Study) -> Iterator[dict[str, Cell]]:
    own = {"session__enrolment__study": study}
    shown = Presentation.objects.filter(**own).select_related(
        "session__enrolment", "case__withdrawal"
    )
    of_item = Score.objects.filter(item__presentation__session__enrolment__study=study)
    scores = group(of_item.select_related("item").order_by("pk"), "item")
    logs = ViewLog.objects.filter(presentation__session__enrolment__study=study)
    views = group(logs.order_by("pk"), "")
    words = group(reversed(asking.of_study(study)), "")
    ordered = shown.order_by("session__enrolment__code", "session__number", "position")
    for one in ordered:
        yield {
            **describe_place(one),
            **describe_answers(scores[one.pk]),
            **describe_looks(views[one.pk]),
            **describe_words(words[one.pk]),
        }


def group(rows: Iterable[Any], through: str) -> Grouped:
    """Rows by the key of their presentation."""
    found: Grouped = defaultdict(list)
    for row in rows:
        found[(getattr(row, through) if through else row).presentation_id].append(row)
    return found


def describe_place(shown: Presentation) -> dict[str, Cell]:
    return {
        "rater": shown.session.enrolment.code,
        "session": shown.session.number,
        "position": shown.position,
        "practice": int(shown.kind == PRACTICE),
        "withdrawn": int(hasattr(shown.case, "withdrawal")),
    }


def describe_answers(scores: list[Score]) -> dict[str, Cell]:
    """When it was answered, how often changed, and why there is no score; no value."""
    if not scores:
        return {}
    latest = {(s.item_id, s.question): s for s in scores}
    reasons = sorted({s.reason for s in latest.values() if s.reason})
    return {
        "first_answer": write_time(scores[0].created_at),
        "last_answer": write_time(scores[-1].created_at),
        "revisions": max(s.revision for s in scores),
        "cannot_rate": "; ".join(reasons),
    }


def describe_looks(views: list[ViewLog]) -> dict[str, Cell]:
    """The time of all looks together, and of the last one how the item was seen."""
    if not views:
        return {}
    last = {name: read_cell(views[-1].conduct.get(name)) for name in LOOKED}
    flagged = any(view.conduct.get("without_looking") is True for view in views)
    active = sum(view.active_ms for view in views) / 1000
    return {**last, "active_seconds": active, "without_looking": int(flagged)}


def read_cell(value: Any) -> Cell:
    """A browser can send anything as conduct."""
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int | float | str) else None


def describe_words(words: list[Problem]) -> dict[str, Cell]:
    """What the rater wrote, and what came back; several parted by a bar."""

    def join(texts: Iterable[str]) -> str:
        return " | ".join(" ".join(text.split()) for text in texts)

    kinds = {"problems": Problem.Kind.PROBLEM, "questions": Problem.Kind.QUESTION}
    said: dict[str, Cell] = {
        name: join(one.text for one in words if one.kind == kind)
        for name, kind in kinds.items()
    }
    given = (reply.text for one in words for reply in asking.answers_to(one))
    return {**said, "answers": join(given)}


def write_time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
