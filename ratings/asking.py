"""What raters write to the coordinators, and the answers that the rater alone reads."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Prefetch, QuerySet

from ratings import audit, giveaways
from ratings.blanks import shows_nothing
from ratings.models import Enrolment, Item, Problem, Reply, Study

WARNING = (
    "The rater reads this at once. Say nothing about where masks come from, how many "
    "sources there are, or how others score."
)


class AskingRefused(Exception):
    """Why nothing was sent; a sentence."""


def ask(*, item: Item, kind: str, text: str) -> Problem:
    """A rater's words about what is on the screen."""
    return Problem.objects.create(presentation=item.presentation, kind=kind, text=text)


def reply(*, asked: Problem, actor: User, text: str) -> Reply:
    """Answer a rater for good; the record has a digest, so no word can be exchanged."""
    text = text.strip()
    if shows_nothing(text):
        raise AskingRefused("Write an answer first.")
    enrolment = asked.presentation.session.enrolment
    with transaction.atomic():
        study = audit.hold(enrolment.study_id)
        if study.state == Study.State.UNBLINDED:
            raise AskingRefused("The study is unblinded, so its raters are not asked.")
        if word := giveaways.find_source(study, text):
            raise AskingRefused(
                f"“{word}” is the name of a source in this study, and a rater may take "
                "it for one even where you mean something else. Say it in other words."
            )
        answer = Reply.objects.create(problem=asked, text=text, by=actor)
        audit.record(
            study=study, actor=actor, verb="reply",
            payload={
                "code": enrolment.code, "reply": answer.pk, "sha256": audit.digest(text)
            },
        )  # fmt: skip
    return answer


def of_study(study: Study) -> QuerySet[Problem]:
    """All that raters wrote; nothing in it says which mask was shown."""
    found = Problem.objects.filter(presentation__session__enrolment__study=study)
    return with_answers(found).order_by("-created_at", "-pk")


def list_waiting_first(study: Study) -> list[Problem]:
    """Questions without an answer first, each group newest first."""
    return sorted(of_study(study), key=lambda asked: not waits(asked))


def waits(asked: Problem) -> bool:
    return asked.kind == Problem.Kind.QUESTION and not asked.replies.all()


def answers_to(asked: Problem) -> list[Reply]:
    """In the order they were given."""
    return list(asked.replies.all())


def list_own(enrolment: Enrolment) -> list[Problem]:
    """One rater's words, newest first."""
    own = Problem.objects.filter(presentation__session__enrolment=enrolment)
    return list(with_answers(own).order_by("-created_at", "-pk"))


def count_answers(enrolment: Enrolment) -> int:
    """How many answers a rater has, so that the room can say that one came."""
    own = Reply.objects.filter(problem__presentation__session__enrolment=enrolment)
    return own.count()


def with_answers(found: QuerySet[Problem]) -> QuerySet[Problem]:
    answers = Prefetch("replies", Reply.objects.select_related("by"))
    related = found.select_related(
        "presentation__case", "presentation__session__enrolment__user"
    )
    return related.prefetch_related(answers)
