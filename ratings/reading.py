"""Where each rater stands: what is done, what is next, how long it may take."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from ratings.design import read_design
from ratings.models import (
    Enrolment,
    Item,
    Presentation,
    Score,
    Session,
    Study,
    ViewLog,
)

TYPICAL = 20
PRACTICE = Presentation.Kind.CALIBRATION


@dataclass(frozen=True)
class Place:
    """How far a session is; practice is counted apart."""

    done: int
    total: int
    practice_done: int
    practice_total: int

    @property
    def finished(self) -> bool:
        return self.done == self.total and self.practice_done == self.practice_total


NOWHERE = Place(0, 0, 0, 0)


def open_presentations(session: Session) -> QuerySet[Presentation]:
    """What is still to be rated, in order; nothing before the sessions before it."""
    return with_unscored(session.presentations.all()).exclude(
        Exists(with_unscored(earlier_presentations()))
    )


def with_unscored(presentations: QuerySet[Presentation]) -> QuerySet[Presentation]:
    """Those with an item that has no score yet, in order; none of a withdrawn case."""
    left = Exists(unscored_of(OuterRef("pk")))
    return presentations.filter(left, case__withdrawal=None).order_by("position")


def unscored_of(presentation: OuterRef) -> QuerySet[Item]:
    scores = Score.objects.filter(item=OuterRef("pk"))
    return Item.objects.filter(presentation=presentation).exclude(Exists(scores))


def earlier_presentations() -> QuerySet[Presentation]:
    """Of the same rater, in a session before that of the outer presentation."""
    return Presentation.objects.filter(
        session__enrolment=OuterRef("session__enrolment"),
        session__number__lt=OuterRef("session__number"),
    )


def count_place(session: Session) -> Place:
    """In one query, as every answer to a score says it."""
    found = count_places(session.presentations.all())
    return found.get(session.enrolment_id, NOWHERE)


def count_places(presentations: QuerySet[Presentation]) -> dict[Any, Place]:
    """The place among these of every rater, by the enrolment's key; in one query."""
    left = Exists(unscored_of(OuterRef("pk")))
    every = presentations.filter(case__withdrawal=None).annotate(left=left)
    rows = every.values_list("session__enrolment", "kind", "left")
    counts = Counter((rater, kind == PRACTICE, left) for rater, kind, left in rows)
    return {
        rater: Place(
            done=counts[rater, False, False],
            total=counts[rater, False, False] + counts[rater, False, True],
            practice_done=counts[rater, True, False],
            practice_total=counts[rater, True, False] + counts[rater, True, True],
        )
        for rater in {rater for rater, *_ in counts}
    }


def count_whole(study: Study) -> tuple[int, int]:
    """What all raters rated and what they are to rate, practice counted apart.

    Of who left nothing more is to come, so their rest is no part of the whole.
    """
    shown = Presentation.objects.filter(
        session__enrolment__study=study, case__withdrawal=None
    ).exclude(kind=PRACTICE)
    left = shown.filter(Exists(unscored_of(OuterRef("pk"))))
    done = shown.count() - left.count()
    return done, done + left.filter(session__enrolment__withdrawal=None).count()


def count_done(session: Session) -> tuple[int, int]:
    """Presentations finished, and all of them, without practice."""
    place = count_place(session)
    return place.done, place.total


def number_of(presentation: Presentation) -> int:
    """Its place among its session's presentations, practice counted apart."""
    practice = Q(kind=PRACTICE)
    alike = practice if presentation.kind == PRACTICE else ~practice
    before = Q(position__lte=presentation.position)
    return presentation.session.presentations.filter(alike & before).count()


def read_values(item: Item) -> dict[str, int | None]:
    """The rater's own current value by question; None where it could not be rated."""
    current = item.scores.filter(later__isnull=True)
    return dict(current.values_list("question", "value"))


def find_given(session: Session) -> QuerySet[Presentation]:
    """What was rated, practice left out, in order."""
    unscored = with_unscored(session.presentations.all()).values("pk")
    shown = session.presentations.filter(case__withdrawal=None).exclude(kind=PRACTICE)
    return shown.exclude(pk__in=unscored).order_by("position")


def may_revise(session: Session) -> bool:
    study = session.enrolment.study
    return (
        study.state == Study.State.COLLECTING
        and not hasattr(session.enrolment, "withdrawal")
        and read_design(study.design).revisable
        and not hasattr(session, "signature")
    )


def find_open_session(enrolment: Enrolment) -> Session | None:
    """The first session that is not finished, else the last one."""
    sessions = list(enrolment.sessions.order_by("number"))
    unfinished = [s for s in sessions if not count_place(s).finished]
    return next(iter(unfinished), sessions[-1] if sessions else None)


def estimate_seconds_left(session: Session, place: Place) -> int | None:
    """From the median active time of the last items; unknown before the third."""
    recent = ViewLog.objects.filter(
        presentation__session__enrolment=session.enrolment_id, active_ms__gt=0
    ).exclude(presentation__kind=PRACTICE)
    times = recent.order_by("-id").values_list("active_ms", flat=True)[:TYPICAL]
    if len(times) < 3:
        return None
    shown = session.presentations.exclude(kind=PRACTICE)
    items = Item.objects.filter(presentation__in=shown).count()
    per_presentation = items / place.total if place.total else 1
    left = (place.total - place.done) * per_presentation
    return round(median(times) / 1000 * left)


def find_item(*, user_id: int, token: str) -> Item | None:
    """An item of that rater; another rater's token is as unknown as a made-up one."""
    return (
        Item.objects.select_related(
            "presentation__session__enrolment__study",
            "presentation__session__enrolment__user",
            "presentation__session__enrolment__withdrawal",
            "presentation__case",
        )
        .filter(token=token, presentation__session__enrolment__user_id=user_id)
        .first()
    )


def may_fetch(item: Item) -> bool:
    """Only what was rated, what is current, and the one after it can be seen."""
    session = item.presentation.session
    if session.enrolment.study.state != Study.State.COLLECTING:
        return False
    if hasattr(session.enrolment, "withdrawal"):
        return False
    waiting = open_presentations(session).values_list("position", flat=True)
    if item.presentation.position in waiting[:2]:
        return True
    unscored = with_unscored(session.presentations.all())
    return not unscored.filter(pk=item.presentation_id).exists()
