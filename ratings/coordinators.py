"""Who leads a study besides its raters: coordinators, and statisticians for later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from ratings import audit, invitations, places, raters
from ratings.models import Enrolment, Study

Role = Enrolment.Role
ROLES = (Role.COORDINATOR, Role.STATISTICIAN)


class CoordinatorRefused(Exception):
    """Why a person was not added or not removed; a sentence."""


@dataclass(frozen=True)
class ColleagueRow:
    """One colleague, and whether the person has come in."""

    enrolment: Enrolment
    state: str
    word: str
    since: datetime | None


def list_colleagues(study: Study) -> list[ColleagueRow]:
    """Coordinators, then statisticians, in the order in which they came."""
    found = study.enrolments.filter(role__in=ROLES).select_related("user")
    rows = found.order_by("role", "created_at")
    return [ColleagueRow(one, *raters.judge(one)) for one in rows]


def add_colleague(
    *, study: Study, actor: User, colleague: str, name: str, role: str
) -> Enrolment:
    """Let somebody coordinate this study too, or see its results once unblinded.

    Whoever has an account is in at once; for another address an account without a
    password is made, which a link opens. Raises CoordinatorRefused, with nothing
    written, for people who have a part in the study: a rater must stay blind.
    """
    email = colleague.strip().lower()
    with transaction.atomic():
        held = audit.hold(study.pk)
        if held.enrolments.filter(user__email__iexact=email).exists():
            raise CoordinatorRefused(f"{email} is already part of this study.")
        known = User.objects.filter(email__iexact=email).first()
        if known and not known.is_active:
            raise CoordinatorRefused(f"The account {email} is switched off.")
        if not known and not name.strip():
            raise CoordinatorRefused(
                f"Nobody on this site has the address {email}. Give the name as well, "
                "and the person gets a link."
            )
        user = known or invitations.find_or_make_person(name=name, email=email)
        enrolment = Enrolment.objects.create(study=held, user=user, role=role)
        audit.record(
            study=held, actor=actor, verb=f"add_{role}",
            payload={role: audit.name_of(user)},
        )  # fmt: skip
    return enrolment


def remove_colleague(*, enrolment: Enrolment, actor: User) -> None:
    """End a colleague's part in the study; never that of its last coordinator."""
    with transaction.atomic():
        held = places.hold_place(enrolment, CoordinatorRefused)
        if enrolment.role == Role.COORDINATOR and not (
            has_another(held, enrolment.user)
        ):
            raise CoordinatorRefused(
                "The study would have no coordinator who has joined. Add another one "
                "first."
            )
        audit.record(
            study=held, actor=actor, verb=f"remove_{enrolment.role}",
            payload={enrolment.role: audit.name_of(enrolment.user)},
        )  # fmt: skip
        user = enrolment.user
        enrolment.delete()
        if not user.has_usable_password() and not user.enrolments.exists():
            user.delete()


def has_another(study: Study, user: User) -> bool:
    """Whether somebody else who can sign in coordinates the study."""
    others = study.enrolments.filter(role=Role.COORDINATOR, user__is_active=True)
    found = others.exclude(user=user).select_related("user")
    return any(one.user.has_usable_password() for one in found)
