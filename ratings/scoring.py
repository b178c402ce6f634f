"""The one place that writes a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from ratings import audit, evidence
from ratings.design import STRUCTURED_REASONS, StudyDesign, read_design
from ratings.models import (
    Guess,
    Item,
    Score,
    Signature,
    Study,
    ViewLog,
    Withdrawal,
)
from ratings.reading import open_presentations

REASON_LENGTH = 500
WITHDRAWN = "This case was withdrawn; go on with the next."
TOO_LATE = "It was not stored because its case was withdrawn for all raters."
LEFT = "You no longer rate this study. What you gave before is kept."


class ScoreRefused(Exception):
    """Why an answer was not stored: an HTTP status and a sentence.

    When another window was first, `stored` is what it stored and `sent` what came now,
    so that the rater can choose.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        stored: dict[str, Any] | None = None,
        sent: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.stored = stored
        self.sent = sent


@dataclass(frozen=True)
class Answer:
    question: str
    value: int | None
    reason: str


@dataclass(frozen=True)
class Submission:
    """What the browser sends for one item; the key is made there and never reused.

    `base_revision` is the revision that the rater saw and now changes, 0 for a first
    answer; `change_reason` says why, where the protocol asks for it.
    """

    client_key: UUID
    answers: tuple[Answer, ...]
    comment: str
    active_ms: int
    conduct: dict[str, Any]
    marks: tuple[str, ...] = ()
    base_revision: int = 0
    change_reason: str = ""


def check_answers(study: Study, submission: Submission) -> None:
    questions = [question["key"] for question in study.questions]
    if sorted(answer.question for answer in submission.answers) != sorted(questions):
        raise ScoreRefused(400, f"Answer each question once: {', '.join(questions)}.")
    for answer in submission.answers:
        if (answer.value is None) == (not answer.reason):
            raise ScoreRefused(400, "Give either a score or a reason, not both.")
        if answer.value is not None and answer.value not in study.levels:
            low, high = min(study.levels), max(study.levels)
            raise ScoreRefused(400, f"The scale goes from {low} to {high}.")
    check_words(read_design(study.design), submission)


def check_words(design: StudyDesign, submission: Submission) -> None:
    marks = submission.marks
    if marks and not design.structured_reasons:
        raise ScoreRefused(400, "This study asks for no structured reasons.")
    if len(set(marks)) != len(marks) or not set(marks) <= set(STRUCTURED_REASONS):
        known = ", ".join(STRUCTURED_REASONS)
        raise ScoreRefused(400, f"The structured reasons are {known}, each once.")
    if len(submission.change_reason) > REASON_LENGTH:
        raise ScoreRefused(400, f"A reason has at most {REASON_LENGTH} characters.")
    if submission.change_reason and not submission.base_revision:
        raise ScoreRefused(400, "Only a change of a score has a reason for the change.")


def record(*, item: Item, submission: Submission) -> bool:
    """Store the answers on one item, durably; True if they were there already.

    Raises ScoreRefused with nothing written when the study is closed (409), the item
    is not the current one (409), it was scored from elsewhere (409, with both
    answers), its score is final (409), an answer is off the scale (400) or the key was
    used for another answer (422).
    """
    study = item.presentation.session.enrolment.study
    check_answers(study, submission)
    try:
        with transaction.atomic():
            # Writers of a study queue here, so that closing can't overtake a score.
            study = audit.hold(study.pk)
            if is_replay(item=item, submission=submission):
                return True
            earlier = find_current(item)
            check_moment(study, item, submission, earlier)
            insert(item=item, submission=submission, earlier=earlier)
    except IntegrityError as error:
        # Two studies got the same key at the same moment: only one can keep it.
        if is_replay(item=item, submission=submission):
            return True
        raise ScoreRefused(
            409, "This answer could not be stored; send it again."
        ) from (error)
    return False


def is_replay(*, item: Item, submission: Submission) -> bool:
    stored = list(Score.objects.filter(client_key=submission.client_key))
    if not stored:
        return False
    rest = (submission.comment, list(submission.marks), submission.change_reason)
    revision = submission.base_revision + 1
    same = all(
        score.item_id == item.pk
        and score.revision == revision
        and (score.comment, score.marks, score.change_reason) == rest
        for score in stored
    ) and {(s.question, s.value, s.reason) for s in stored} == {
        (a.question, a.value, a.reason) for a in submission.answers
    }
    if not same:
        raise ScoreRefused(422, "This key was already used for another answer.")
    return True


def find_current(item: Item) -> dict[str, Score]:
    """The item's latest score by question; empty before the first."""
    scores = Score.objects.filter(item=item, later__isnull=True)
    return {score.question: score for score in scores}


def check_moment(
    study: Study, item: Item, submission: Submission, earlier: dict[str, Score]
) -> None:
    if study.state != Study.State.COLLECTING:
        raise ScoreRefused(409, "The study does not accept scores now.")
    rater = item.presentation.session.enrolment_id
    if Withdrawal.objects.filter(enrolment=rater).exists():
        raise ScoreRefused(409, LEFT)
    if Withdrawal.objects.filter(case=item.presentation.case_id).exists():
        raise ScoreRefused(409, TOO_LATE)
    revision = max((score.revision for score in earlier.values()), default=0)
    if submission.base_revision != revision:
        raise ScoreRefused(
            409,
            "This item was scored from another window.",
            stored=describe_stored(earlier) if earlier else None,
            sent=describe_sent(submission),
        )
    if earlier:
        check_revision(study, item, submission)
        return
    current = open_presentations(item.presentation.session).first()
    if current is None or current.pk != item.presentation_id:
        raise ScoreRefused(409, "This item is not the current one; reload the page.")


def check_revision(study: Study, item: Item, submission: Submission) -> None:
    """Whether a given score can still be changed, and is changed as agreed."""
    design = read_design(study.design)
    if not design.revisable:
        raise ScoreRefused(409, "In this study a score is final once it is given.")
    if Signature.objects.filter(session=item.presentation.session_id).exists():
        raise ScoreRefused(409, "You signed this session, so its scores are final.")
    enrolment = item.presentation.session.enrolment_id
    if Guess.objects.filter(item__presentation__session__enrolment=enrolment).exists():
        raise ScoreRefused(409, "Sources were guessed, so the scores are final.")
    if design.change_reason and not submission.change_reason.strip():
        raise ScoreRefused(400, "Say why you change this score.")


def describe_stored(earlier: dict[str, Score]) -> dict[str, Any]:
    any_one = next(iter(earlier.values()))
    return {
        "revision": any_one.revision,
        "answers": {
            key: {"value": score.value, "reason": score.reason}
            for key, score in earlier.items()
        },
        "comment": any_one.comment,
        "marks": any_one.marks,
        "at": evidence.write_time(any_one.created_at),
    }


def describe_sent(submission: Submission) -> dict[str, Any]:
    return {
        "revision": submission.base_revision,
        "answers": {
            a.question: {"value": a.value, "reason": a.reason}
            for a in submission.answers
        },
        "comment": submission.comment,
        "marks": list(submission.marks),
    }


def insert(*, item: Item, submission: Submission, earlier: dict[str, Score]) -> None:
    enrolment = item.presentation.session.enrolment
    versions = enrolment.study.protocol_versions.order_by("-number")
    version = versions.values_list("number", flat=True).first() or 1
    scores = Score.objects.bulk_create(
        Score(
            item=item,
            question=answer.question,
            revision=submission.base_revision + 1,
            supersedes=earlier.get(answer.question),
            value=answer.value,
            reason=answer.reason,
            comment=submission.comment,
            marks=list(submission.marks),
            client_key=submission.client_key,
            active_ms=submission.active_ms,
            by=enrolment.user,
            change_reason=submission.change_reason,
            protocol_version=version,
        )
        for answer in submission.answers
    )
    ViewLog.objects.create(
        presentation=item.presentation,
        item=item,
        active_ms=submission.active_ms,
        conduct=submission.conduct,
    )
    audit.record(
        study=enrolment.study, actor=enrolment.user, verb="score",
        payload={
            "key": str(submission.client_key),
            "rows": evidence.digest_scores(scores, item.token),
        },
    )  # fmt: skip
