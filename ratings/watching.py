"""What the monitor tells of each rater: counts, times, flags, deadline; no score.

Every question is asked of the database once for all raters, as the page asks them
every few seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from ratings import declaring, finishing, reading
from ratings.finishing import Rest
from ratings.models import (
    Enrolment,
    Presentation,
    Problem,
    Reply,
    Score,
    Study,
    ViewLog,
)
from ratings.reading import PRACTICE, Place

Facts = dict[str, Any]
OWN = "session__enrolment"
OF_SHOWN, OF_SCORE = f"presentation__{OWN}", f"item__presentation__{OWN}"


@dataclass(frozen=True)
class Watched:
    """What a study's raters left in the database, by the enrolment's key."""

    places: dict[Any, Place]
    rests: dict[Any, Rest]
    reasons: dict[Any, Counter[str]]
    unlooked: dict[Any, int]
    times: dict[Any, list[int]]
    last_score: dict[Any, datetime]
    last_word: dict[Any, datetime]
    words: dict[Any, Counter[tuple[str, bool]]]


def summarise_progress(study: Study) -> list[Facts]:
    """A row per rater for the monitor: counts and times, never a score."""
    raters = study.enrolments.filter(role=Enrolment.Role.RATER, sessions__isnull=False)
    rows = raters.distinct().select_related("user", "study", "withdrawal")
    watched = watch(study)
    return [summarise_rater(one, watched) for one in rows.order_by("code")]


def watch(study: Study) -> Watched:
    """All sessions of a rater together; practice is counted, its times are not."""
    shown = Presentation.objects.filter(session__enrolment__study=study)
    views = ViewLog.objects.filter(presentation__in=shown.exclude(kind=PRACTICE))
    scores = Score.objects.filter(item__presentation__in=shown)
    wrote = Problem.objects.filter(presentation__in=shown)
    without = scores.filter(value__isnull=True, later__isnull=True)
    unlooked = views.filter(conduct__without_looking=True).values_list(OF_SHOWN)
    replied = Exists(Reply.objects.filter(problem=OuterRef("pk")))
    places = reading.count_places(shown)
    return Watched(
        places=places,
        rests=finishing.list_rests(study, places),
        reasons=count(without.values_list(OF_SCORE, "reason")),
        unlooked=dict(unlooked.annotate(n=Count("presentation", distinct=True))),
        times=collect(views.values_list(OF_SHOWN, "active_ms")),
        last_score=find_last(scores, OF_SCORE),
        last_word=find_last(wrote, OF_SHOWN),
        words=count(
            (rater, (kind, answered))
            for rater, kind, answered in wrote.annotate(answered=replied).values_list(
                OF_SHOWN, "kind", "answered"
            )
        ),
    )


def count(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Counter[Any]]:
    return {key: Counter(values) for key, values in collect(pairs).items()}


def collect(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found


def find_last(rows: QuerySet[Any], rater: str) -> dict[Any, datetime]:
    return dict(rows.values_list(rater).annotate(at=Max("created_at")))


def summarise_rater(enrolment: Enrolment, watched: Watched) -> Facts:
    key = enrolment.pk
    place = watched.places.get(key, reading.NOWHERE)
    rest = watched.rests.get(key)
    times = watched.times.get(key, [])
    reasons = watched.reasons.get(key, Counter())
    last = watched.last_score.get(key)
    signs = (last, watched.last_word.get(key), enrolment.user.last_login)
    return {
        "rater": key,
        "code": enrolment.code,
        "name": enrolment.user.get_full_name(),
        "left": hasattr(enrolment, "withdrawal"),
        **vars(place),
        "finished": place.finished and rest is None,
        "rest": rest,
        "unsigned_sessions": rest.unsigned if rest else 0,
        "open_source_questions": rest.questions if rest else 0,
        "cannot_rate": sum(reasons.values()),
        "reasons": dict(reasons.most_common()),
        "without_looking": watched.unlooked.get(key, 0),
        "active_seconds": sum(times) / 1000,
        "median_seconds": median(times) / 1000 if times else None,
        "last_score": last,
        # the latest of signing in, scoring and writing to the coordinator
        "last_seen": max((at for at in signs if at), default=None),
        **count_words(watched.words.get(key, Counter())),
        **describe_deadline(enrolment, finished=place.finished),
    }


def count_words(words: Counter[tuple[str, bool]]) -> Facts:
    """Problems, questions, and how many of the latter wait for an answer."""
    waiting = words[Problem.Kind.QUESTION, False]
    return {
        "problems": sum(words[Problem.Kind.PROBLEM, known] for known in (True, False)),
        "questions": waiting + words[Problem.Kind.QUESTION, True],
        "unanswered": waiting,
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
