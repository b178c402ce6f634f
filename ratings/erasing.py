"""Erases a person from the site: identity and access go, scores and record stay."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session as WebSession
from django.db import transaction
from django.utils import timezone

from ratings import audit, coordinators, withdrawing
from ratings.models import AccessToken, Enrolment, Invitation, Signature, Study

Role = Enrolment.Role
State = Study.State
REASON = "The account was erased."
WHO_ELSE = (
    "The person can do it under “Your account”, or the operator of the site; here you "
    "can withdraw the rater."
)


class ErasureRefused(Exception):
    """Why an account stays; a sentence."""


def list_orphans(user: User) -> list[Study]:
    """Studies under way that nobody else could lead to their end."""
    led = user.enrolments.filter(role=Role.COORDINATOR).select_related("study")
    running = [e.study for e in led.exclude(study__state=State.UNBLINDED)]
    return [study for study in running if not coordinators.has_another(study, user)]


def erase_rater(*, enrolment: Enrolment, actor: User) -> None:
    """Erase a rater on request, if no part of the person is beyond the coordinator.

    Raises ErasureRefused, with nothing changed.
    """
    with transaction.atomic():
        audit.hold(enrolment.study_id)
        user = User.objects.select_for_update().get(pk=enrolment.user_id)
        if refusal := tell_refusal(user, actor):
            raise ErasureRefused(refusal)
        erase(user=user, actor=actor)


def tell_refusal(user: User, actor: User) -> str:
    """Why a coordinator can't erase this person; empty if nothing hinders it."""
    own = actor.enrolments.filter(role=Role.COORDINATOR).values("study")
    foreign = user.enrolments.exclude(study__in=own).exists()
    if user.username == shell_name(user):
        return "This account was erased already."
    if user.is_staff or user.is_superuser:
        return (
            "This account can also make studies of its own, so it is not yours to "
            f"erase. {WHO_ELSE}"
        )
    if foreign:
        return (
            "This person also takes part in a study that you do not coordinate, and "
            f"would lose that part as well. {WHO_ELSE}"
        )
    return ""


def erase(*, user: User, actor: User | None) -> None:
    """Take name, address, passwords, devices and printed names away, for good.

    Codes, qualifications, scores and every entry of the record stay, so that all of it
    still verifies. Raises ErasureRefused, with nothing changed, while a study under
    way would lose its only coordinator.
    """
    orphans = list_orphans(user)
    if orphans:
        named = ", ".join(f"“{study.title}”" for study in orphans)
        raise ErasureRefused(
            f"Nobody else coordinates {named}. Add another coordinator there first, or "
            "finish the study."
        )
    with transaction.atomic():
        for enrolment in user.enrolments.select_related("study"):
            leave(enrolment, actor or user)
        audit.note_access(
            study=None, actor=actor, verb="erase_account",
            payload={"person": audit.name_of(user)},
        )  # fmt: skip
        forget_access(user)
        forget_identity(user)


def leave(enrolment: Enrolment, actor: User) -> None:
    """End the person's part in one study as far as it has not ended."""
    study = enrolment.study
    audit.record(
        study=study, actor=actor, verb="erase_account",
        payload={"person": audit.name_of(enrolment.user), "code": enrolment.code},
    )  # fmt: skip
    if study.state == State.DRAFT:
        enrolment.delete()
        return
    rates = enrolment.role == Role.RATER and study.state in withdrawing.RUNNING
    if rates and not withdrawing.has_left(enrolment):
        withdrawing.withdraw_rater(enrolment=enrolment, actor=actor, reason=REASON)
    Enrolment.objects.filter(pk=enrolment.pk).update(institution="", conflict="")
    unused = Invitation.objects.filter(enrolment=enrolment, used_at=None)
    unused.filter(revoked_at=None).update(revoked_at=timezone.now())


def forget_access(user: User) -> None:
    """Second factors, tokens, known devices and every session, here and elsewhere."""
    for model in (Authenticator, EmailAddress):
        model.objects.filter(user=user).delete()
    end_tokens(user)
    end_sign_ins(user)


def end_tokens(user: User) -> None:
    """Scripts come in no more, and what their tokens were called is forgotten."""
    own = AccessToken.objects.filter(user=user)
    own.filter(revoked_at=None).update(revoked_at=timezone.now())
    own.update(label="")


def end_links(user: User) -> None:
    """Links not used yet, of every study, stop working."""
    unused = Invitation.objects.filter(enrolment__user=user, used_at=None)
    unused.filter(revoked_at=None).update(revoked_at=timezone.now())


def end_sign_ins(user: User) -> None:
    """Whoever is signed in as that person, on any device, is so no longer."""
    UserSession.objects.filter(user=user).delete()
    for session in WebSession.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()


def shell_name(user: User) -> str:
    return f"erased-{user.pk}"


def forget_identity(user: User) -> None:
    """The account stays as an empty shell, because scores and record point to it."""
    user.username = shell_name(user)
    user.email = user.first_name = user.last_name = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.set_unusable_password()
    user.save()
    Signature.objects.filter(by=user).update(name="", salt="")
