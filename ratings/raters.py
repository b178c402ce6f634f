"""Tells who rates a study and how each can enter; removes raters, resets passwords."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ratings import (
    access,
    audit,
    declaring,
    finishing,
    invitations,
    places,
    reading,
)
from ratings.invitations import InvitationRefused
from ratings.models import Enrolment, Invitation, Problem, Score, Study

Role = Enrolment.Role


@dataclass(frozen=True)
class RaterRow:
    """One rater as the coordinator sees them: `state` is joined, invited or bad."""

    enrolment: Enrolment
    name: str
    email: str
    state: str
    word: str
    since: datetime | None
    resettable: bool
    deadline: date | None = None

    @property
    def joined(self) -> bool:
        return self.state == "joined"


def list_raters(*, study: Study, actor: User) -> list[RaterRow]:
    found = study.enrolments.filter(role=Role.RATER).select_related(
        "user", "study", "withdrawal"
    )
    return [describe(enrolment, actor) for enrolment in found.order_by("code")]


def describe(enrolment: Enrolment, actor: User) -> RaterRow:
    user = enrolment.user
    state, word, since = judge(enrolment)
    return RaterRow(
        enrolment=enrolment,
        name=user.get_full_name(),
        email=user.email,
        state=state,
        word=word,
        since=since,
        resettable=state == "joined" and may_reset(enrolment=enrolment, actor=actor),
        deadline=declaring.find_deadline(enrolment),
    )


def judge(enrolment: Enrolment) -> tuple[str, str, datetime | None]:
    """Whether a person has come in, with the moment that says more about it."""
    withdrawal = getattr(enrolment, "withdrawal", None)
    if withdrawal:
        return "left", "Withdrawn", withdrawal.created_at
    if not enrolment.user.email:
        return "left", "Account erased", None
    links = list_links(enrolment).order_by("-id")
    last = links.first()
    if enrolment.user.has_usable_password():
        used = links.exclude(used_at=None).first()
        return (
            ("joined", "Joined", used.used_at)
            if used
            else ("joined", "Has an account already", None)
        )
    if last is None:
        return "bad", "No link yet", None
    if last.revoked_at:
        return "bad", "Link revoked", last.revoked_at
    if last.used_at or last.expires_at < timezone.now():
        return "bad", "Link expired", last.expires_at
    return "invited", "Invited, link valid until", last.expires_at


def list_links(enrolment: Enrolment) -> QuerySet[Invitation]:
    """Those of the person who has the place now, not of one who had it before."""
    since = places.find_beginning(enrolment)
    links = enrolment.invitations.all()
    return links.filter(created_at__gte=since) if since else links


def list_unfinished(study: Study) -> list[Enrolment]:
    """Raters who have not joined, or have a mask, a sign-off or a question left."""
    found = study.enrolments.filter(role=Role.RATER, withdrawal=None)
    people = found.exclude(user__email="").select_related("user", "study")
    rests = finishing.list_rests(study)
    return [
        one
        for one in people.order_by("code")
        if one.pk in rests or not has_rated_all(one)
    ]


def has_rated_all(enrolment: Enrolment) -> bool:
    sessions = list(enrolment.sessions.all())
    return bool(sessions) and all(reading.count_place(s).finished for s in sessions)


def remove(*, enrolment: Enrolment, actor: User) -> None:
    """Take a rater out of a draft; someone who never came in is forgotten."""
    with transaction.atomic():
        study = places.hold_place(enrolment, InvitationRefused)
        if study.state != Study.State.DRAFT:
            raise InvitationRefused(
                "The study is locked, so its raters are fixed and none can be removed."
            )
        audit.record(
            study=study, actor=actor, verb="remove_rater",
            payload={"code": enrolment.code},
        )  # fmt: skip
        user = enrolment.user
        enrolment.delete()
        if not user.has_usable_password() and not user.enrolments.exists():
            user.delete()


def replace(
    *, enrolment: Enrolment, actor: User, name: str, email: str, reason: str
) -> Enrolment:
    """Give the place of a rater who gave no score and wrote nothing to another person.

    Code and drawn order stay; an own deadline ends. Whoever had scores, or reported or
    asked something, is withdrawn instead, keeping them.
    """
    email = email.strip().lower()
    with transaction.atomic():
        study = places.hold_place(enrolment, InvitationRefused)
        check_replaceable(study, enrolment)
        ended = enrolment.deadline
        user = invitations.find_or_make_person(name=name, email=email)
        if study.enrolments.filter(user=user).exists():
            raise InvitationRefused(f"{email} is already part of this study.")
        invitations.revoke(enrolment)
        enrolment.user = user
        enrolment.years, enrolment.declared_at = None, None
        enrolment.specialty = enrolment.institution = enrolment.conflict = ""
        enrolment.deadline, enrolment.reminded_at = None, None
        enrolment.save()
        audit.record(
            study=study, actor=actor, verb="replace_rater",
            payload={
                "code": enrolment.code, "person": audit.name_of(user),
                "reason": reason.strip(),
                **({"deadline_ended": ended.isoformat()} if ended else {}),
            },
        )  # fmt: skip
    return enrolment


def check_replaceable(study: Study, enrolment: Enrolment) -> None:
    if study.state in (Study.State.CLOSED, Study.State.UNBLINDED):
        raise InvitationRefused("The study is closed, so nobody is replaced any more.")
    if hasattr(enrolment, "withdrawal"):
        raise InvitationRefused(f"{enrolment.code} was withdrawn from this study.")
    if has_scores(enrolment):
        raise InvitationRefused(
            f"{enrolment.code} has given scores, which stay under that name. Withdraw "
            "the rater instead; a further rater gets an own code and order."
        )
    if has_words(enrolment):
        raise InvitationRefused(
            f"{enrolment.code} has reported a problem or asked a question, and whoever "
            "takes the place would read it. Withdraw the rater instead, then invite "
            "another one, who gets an own code and order."
        )


def has_scores(enrolment: Enrolment) -> bool:
    given = Score.objects.filter(item__presentation__session__enrolment=enrolment)
    return given.exists()


def has_words(enrolment: Enrolment) -> bool:
    """Whether the rater reported or asked something, which only that person reads."""
    own = Problem.objects.filter(presentation__session__enrolment=enrolment)
    return own.exists()


def is_fresh(enrolment: Enrolment) -> bool:
    """Whether nothing of the rater is kept under the code, so that it can pass on."""
    return not has_scores(enrolment) and not has_words(enrolment)


def may_reset(*, enrolment: Enrolment, actor: User) -> bool:
    """Whether nobody but this actor answers for the person.

    Otherwise one coordinator could take over a colleague's account, or that of a
    rater in a study of someone else.
    """
    user = enrolment.user
    if user.is_staff or user.is_superuser:
        return False
    own = actor.enrolments.filter(role__in=access.ACTS["invite"]).values("study")
    foreign = user.enrolments.exclude(role=Role.RATER, study__in=own)
    return not foreign.exists()


def reset(*, enrolment: Enrolment, actor: User) -> str:
    """Void a forgotten password, end its sessions; the token of a new link."""
    with transaction.atomic():
        places.hold_place(enrolment, InvitationRefused)
        if ended := places.tell_ended(enrolment):
            raise InvitationRefused(f"{ended}, so there is no password to reset.")
        if not may_reset(enrolment=enrolment, actor=actor):
            raise InvitationRefused(
                "This person also has a part in studies of other coordinators, so only "
                "the operator can reset the password: manage.py changepassword E-MAIL."
            )
        user = enrolment.user
        user.set_unusable_password()
        user.save(update_fields=["password"])
        audit.record(
            study=enrolment.study, actor=actor, verb="reset_password",
            payload={"code": enrolment.code},
        )  # fmt: skip
        return invitations.invite(enrolment)
