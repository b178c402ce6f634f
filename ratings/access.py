"""Who may do what: one table of roles and acts, asked by every page and call."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session as SignIn
from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone

from ratings.models import Enrolment, Session, Study

Role = Enrolment.Role
ACTS: dict[str, frozenset[str]] = {
    "view": frozenset({Role.COORDINATOR, Role.STATISTICIAN}),
    "edit": frozenset({Role.COORDINATOR}),
    "invite": frozenset({Role.COORDINATOR}),
    "lock": frozenset({Role.COORDINATOR}),
    "monitor": frozenset({Role.COORDINATOR}),
    "unblind": frozenset({Role.COORDINATOR}),
    "results": frozenset({Role.COORDINATOR, Role.STATISTICIAN}),
    "rate": frozenset({Role.RATER}),
}


def find_study(*, user: User | AnonymousUser, study_id: UUID | str, act: str) -> Study:
    """The study if the user may do `act` in it; else 404, as if it did not exist."""
    if user.pk is None:
        raise Http404
    try:
        enrolment = Enrolment.objects.select_related("study").get(
            study_id=study_id, user_id=user.pk, role__in=ACTS[act]
        )
    except (Enrolment.DoesNotExist, ValidationError) as error:
        raise Http404 from error
    return enrolment.study


def find_role(*, user: User | AnonymousUser, study: Study) -> str:
    """What somebody who may see a page of the study is in it."""
    mine = Enrolment.objects.filter(study=study, user_id=user.pk or 0)
    return mine.values_list("role", flat=True).first() or Role.COORDINATOR


def find_session(*, user: User | AnonymousUser, key: str) -> Session:
    """A rater's own session; another's is as unknown as none."""
    if user.pk is None:
        raise Http404
    try:
        known = Session.objects.select_related(
            "enrolment__study", "enrolment__withdrawal"
        )
        return known.get(
            key=key, enrolment__user_id=user.pk, enrolment__role__in=ACTS["rate"]
        )
    except Session.DoesNotExist as error:
        raise Http404 from error


def count_seconds(signed_in: SessionBase) -> int:
    """Until this sign-in ends by itself, as the database has it."""
    row = SignIn.objects.filter(session_key=signed_in.session_key).first()
    left = row.expire_date - timezone.now() if row else timedelta()
    return max(0, int(left.total_seconds()))


def may_create_study(user: User | AnonymousUser) -> bool:
    """People on the staff coordinate; raters are invited into studies."""
    return bool(user.is_authenticated and user.is_staff)


def works_at_desk(user: User | AnonymousUser) -> bool:
    """Whether somebody has to do with a study other than by rating it."""
    if not user.is_authenticated:
        return False
    desk = Enrolment.objects.filter(user_id=user.pk, role__in=ACTS["view"])
    return may_create_study(user) or desk.exists()
