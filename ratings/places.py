"""Reads a person's place in a study as it is now, while nobody else can change it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ratings import audit
from ratings.models import Enrolment, Study

Refuse = Callable[[str], Exception]


def hold_place(enrolment: Enrolment, refuse: Refuse) -> Study:
    """Read the place anew and keep it so until the transaction ends; its study.

    What a page or call read before may be over: raises what `refuse` makes of a
    sentence if the place is gone or is another person's by now.
    """
    study = audit.hold(enrolment.study_id)
    who, person = enrolment.code or "This person", enrolment.user_id
    try:
        enrolment.refresh_from_db()
    except Enrolment.DoesNotExist as gone:
        raise refuse(f"{who} was already removed from this study.") from gone
    if enrolment.user_id != person:
        raise refuse(
            f"The place {who} went to another person a moment ago. Look at the raters "
            "again before you go on."
        )
    enrolment.study = study
    return study


def tell_ended(enrolment: Enrolment) -> str:
    """Why the person can't come in any more, the start of a sentence; else empty."""
    user = enrolment.user
    if user.is_active:
        return ""
    if user.email:
        return f"The account {user.email} is switched off"
    return f"{enrolment.code or 'This person'} was erased"


def find_beginning(enrolment: Enrolment) -> datetime | None:
    """When the place went to the person who has it, if somebody had it before."""
    if not enrolment.code:
        return None
    handed = enrolment.study.audit.filter(verb="replace_rater")
    last = handed.filter(payload__code=enrolment.code).order_by("n").last()
    return datetime.fromisoformat(last.at) if last else None
