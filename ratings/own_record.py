"""What is recorded about one rater, as a table for that rater alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ratings.models import Enrolment, Problem, Score, Study, ViewLog
from ratings.reading import PRACTICE
from ratings.statistics.cells import Cell, as_csv

COLUMNS = (
    "what", "session", "position", "slot", "practice", "question", "value", "reason",
    "marks", "comment", "revision", "change_reason", "active_seconds", "conduct", "at",
)  # fmt: skip


def may_read(enrolment: Enrolment) -> bool:
    """Only after unblinding, so that nobody's own figures sway the study."""
    return enrolment.study.state == Study.State.UNBLINDED


def write_csv(enrolment: Enrolment) -> str:
    """Answers, how each item was looked at, and reported problems; a row each."""
    rows = ([row.get(name) for name in COLUMNS] for row in list_rows(enrolment))
    return as_csv(COLUMNS, rows)


def list_rows(enrolment: Enrolment) -> Iterator[dict[str, Cell]]:
    yield from list_answers(enrolment)
    views = ViewLog.objects.filter(presentation__session__enrolment=enrolment)
    for view in views.select_related("presentation__session").order_by("id"):
        yield {
            "what": "view",
            "session": view.presentation.session.number,
            "position": view.presentation.position,
            "practice": view.presentation.kind == PRACTICE,
            "active_seconds": view.active_ms / 1000,
            "conduct": json.dumps(view.conduct, sort_keys=True),
            "at": view.created_at.isoformat(timespec="milliseconds"),
        }
    problems = Problem.objects.filter(presentation__session__enrolment=enrolment)
    for problem in problems.select_related("presentation__session").order_by("id"):
        yield {
            "what": "problem",
            "session": problem.presentation.session.number,
            "position": problem.presentation.position,
            "comment": problem.text,
            "at": problem.created_at.isoformat(timespec="milliseconds"),
        }


def list_answers(enrolment: Enrolment) -> Iterator[dict[str, Cell]]:
    scores = Score.objects.filter(item__presentation__session__enrolment=enrolment)
    for score in scores.select_related("item__presentation__session").order_by("id"):
        shown = score.item.presentation
        yield {
            "what": "answer",
            "session": shown.session.number,
            "position": shown.position,
            "slot": score.item.slot,
            "practice": shown.kind == PRACTICE,
            "question": score.question,
            "value": score.value,
            "reason": score.reason,
            "marks": " ".join(score.marks),
            "comment": score.comment,
            "revision": score.revision,
            "change_reason": score.change_reason,
            "active_seconds": score.active_ms / 1000,
            "at": score.created_at.isoformat(timespec="milliseconds"),
        }
