"""What the monitor tells of each rater: counts, times, flags, deadline; no score."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Max, Q, QuerySet

from ratings import declaring, reading
from ratings.models import Enrolment, Presentation, Problem, Score, Study, ViewLog
from ratings.reading import PRACTICE

Facts = dict[str, Any]


def summarise_progress(study: Study) -> list[Facts]:
    """A row per rater for the monitor: counts and times, never a score."""
    raters = study.enrolments.filter(role=Enrolment.Role.RATER, sessions__isnull=False)
    rows = raters.distinct().select_related("user", "study", "withdrawal")
    return [summarise_rater(enrolment) for enrolment in rows.order_by("code")]


def summarise_rater(enrolment: Enrolment) -> Facts:
    """All sessions of a rater together; practice is counted, its times are not."""
    return {
        "rater": enrolment.pk,
        "code": enrolment.code,
        "name": enrolment.user.get_full_name(),
        "left": hasattr(enrolment, "withdrawal"),
        **(place := count_places(enrolment)),
        **describe_answers(enrolment),
        **describe_times(enrolment),
        **count_words(enrolment),
        **describe_deadline(enrolment, finished=place["finished"]),
    }


def count_places(enrolment: Enrolment) -> Facts:
    places = [reading.count_place(session) for session in enrolment.sessions.all()]
    keys = ("done", "total", "practice_done", "practice_total")
    counts = {key: sum(getattr(place, key) for place in places) for key in keys}
    return {**counts, "finished": all(place.finished for place in places)}


def describe_answers(enrolment: Enrolment) -> Facts:
    """Which items were given no score and why, and which were not looked through."""
    own = Q(item__presentation__session__enrolment=enrolment)
    without = Score.objects.filter(own, value__isnull=True, later__isnull=True)
    reasons = Counter(without.values_list("reason", flat=True))
    unlooked = ViewLog.objects.filter(
        presentation__in=shown_to(enrolment), conduct__without_looking=True
    )
    return {
        "cannot_rate": sum(reasons.values()),
        "reasons": dict(reasons.most_common()),
        "without_looking": unlooked.values("presentation").distinct().count(),
    }


def shown_to(enrolment: Enrolment) -> QuerySet[Presentation]:
    """What was on the rater's screen, without practice."""
    own = Presentation.objects.filter(session__enrolment=enrolment)
    return own.exclude(kind=PRACTICE)


def describe_times(enrolment: Enrolment) -> Facts:
    views = ViewLog.objects.filter(presentation__in=shown_to(enrolment))
    times = list(views.values_list("active_ms", flat=True))
    own = Q(item__presentation__session__enrolment=enrolment)
    last = Score.objects.filter(own).aggregate(at=Max("created_at"))["at"]
    return {
        "active_seconds": sum(times) / 1000,
        "median_seconds": median(times) / 1000 if times else None,
        "last_score": last,
        "last_seen": find_last_sign(enrolment, last),
    }


def find_last_sign(enrolment: Enrolment, last: datetime | None) -> datetime | None:
    """The latest of signing in, scoring and writing to the coordinator."""
    wrote = Problem.objects.filter(presentation__session__enrolment=enrolment)
    said = wrote.aggregate(at=Max("created_at"))["at"]
    signs = [at for at in (last, said, enrolment.user.last_login) if at]
    return max(signs, default=None)


def count_words(enrolment: Enrolment) -> Facts:
    """Problems, questions, and how many of the latter wait for an answer."""
    wrote = Problem.objects.filter(presentation__session__enrolment=enrolment)
    kinds = Counter(wrote.values_list("kind", flat=True))
    asked = wrote.filter(kind=Problem.Kind.QUESTION)
    return {
        "problems": kinds[Problem.Kind.PROBLEM],
        "questions": kinds[Problem.Kind.QUESTION],
        "unanswered": asked.filter(replies__isnull=True).count(),
    }


def describe_deadline(enrolment: Enrolment, *, finished: bool) -> Facts:
    """Until when, and by how many days that is over for who has not finished."""
    deadline = declaring.find_deadline(enrolment)
    over = (declaring.today() - deadline).days if deadline else 0
    open_ = not finished and not hasattr(enrolment, "withdrawal")
    return {
        "deadline": deadline,
        "own_deadline": enrolment.deadline is not None,
        "late_days": max(0, over) if open_ else 0,
    }
