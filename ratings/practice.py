"""Practice answers beside the coordinator's references, for the monitor.

Practice is no part of the analysis, so its answers may be seen while a study collects.
Items are told by their number in the design: neither case nor arm is named here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratings import blinding, reading
from ratings.design import Reference, read_design
from ratings.models import Item, Study


@dataclass(frozen=True)
class Answers:
    """What one rater gave to one question, in the order of the design's references."""

    code: str
    values: tuple[int | None, ...]
    exact: int
    within_one: int
    compared: int


@dataclass(frozen=True)
class Lesson:
    """One question of the practice: the references and every rater's answers."""

    question: str
    references: tuple[int | None, ...]
    rows: tuple[Answers, ...]


def summarise_practice(study: Study) -> list[Lesson]:
    """A table a question; empty where the study has no practice."""
    references = read_design(study.design).calibration
    if not references:
        return []
    given = read_given(study, references)
    return [
        summarise_question(question, references, given) for question in study.questions
    ]


Given = Mapping[str, Mapping[int, Mapping[str, int | None]]]


def read_given(study: Study, references: Sequence[Reference]) -> Given:
    """Current values by rater, number of the reference and question."""
    items = Item.objects.filter(
        presentation__session__enrolment__study=study,
        presentation__kind=reading.PRACTICE,
        scores__isnull=False,
    ).select_related("presentation__session__enrolment__study", "presentation__case")
    given: dict[str, dict[int, dict[str, int | None]]] = {}
    for item in items.distinct().order_by("presentation__session__enrolment__code"):
        reference = blinding.find_reference(item)
        if reference is not None:
            code = item.presentation.session.enrolment.code
            place = references.index(reference)
            given.setdefault(code, {})[place] = reading.read_values(item)
    return given


def summarise_question(
    question: Mapping[str, Any], references: Sequence[Reference], given: Given
) -> Lesson:
    key = str(question["key"])
    wanted = tuple(reference.values.get(key) for reference in references)
    rows = []
    for code, answers in given.items():
        values = tuple(answers.get(n, {}).get(key) for n in range(len(references)))
        pairs = zip(values, wanted, strict=True)
        gaps = [abs(a - b) for a, b in pairs if a is not None and b is not None]
        rows.append(
            Answers(
                code=code,
                values=values,
                exact=gaps.count(0),
                within_one=sum(gap <= 1 for gap in gaps),
                compared=len(gaps),
            )
        )
    return Lesson(str(question["text"]), wanted, tuple(rows))
