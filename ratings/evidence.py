"""What of each row goes into the record, so that `verify` can name a row that differs.

The record holds digests, never values: it can be printed before unblinding.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User

from ratings import audit
from ratings.audit import digest
from ratings.models import Item, Score, Session, Study


def write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def describe_score(score: Score, token: str) -> list[Any]:
    """Every column that must never change, in a fixed order."""
    return [
        token, score.question, score.revision, score.value, score.reason,
        score.comment, score.marks, str(score.client_key), score.active_ms,
        score.by_id, score.change_reason, score.protocol_version,
        write_time(score.created_at),
    ]  # fmt: skip


def digest_scores(scores: Iterable[Score], token: str) -> dict[str, str]:
    """The digest of each row of one submission, by question."""
    return {s.question: digest(describe_score(s, token)) for s in scores}


def digest_items(session: Session) -> dict[str, str]:
    """The digest of each drawn item of a session, by position and slot."""
    rows = Item.objects.filter(presentation__session=session).values_list(
        "presentation__position", "slot", "token", "mask_id", "presentation__case_id",
        "presentation__kind", "presentation__repeat",
    )  # fmt: skip
    return {
        f"{row[0]}/{row[1]}": digest([str(cell) for cell in row])
        for row in rows.order_by("presentation__position", "slot")
    }


def digest_session(session: Session) -> str:
    """What a rater signs: every current score of the session, in the shown order."""
    scores = Score.objects.filter(
        item__presentation__session=session, later__isnull=True
    ).select_related("item")
    ordered = scores.order_by("item__presentation__position", "item__slot", "question")
    return digest([describe_score(score, score.item.token) for score in ordered])


def record_draws(*, study: Study, actor: User, sessions: Iterable[Session]) -> None:
    """Put the drawn items of new sessions on record, item by item."""
    for session in sessions:
        audit.record(
            study=study, actor=actor, verb="drawn",
            payload={
                "rater": session.enrolment.code, "session": session.number,
                "items": digest_items(session),
            },
        )  # fmt: skip
