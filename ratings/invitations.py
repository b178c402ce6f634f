"""Single-use links by which a person enters a study and sets a password."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ratings import audit, places
from ratings.models import Enrolment, Invitation, Study, make_token

VALID_DAYS = 14


class InvitationRefused(Exception):
    """A link that can't be used, or a person that can't be added; a sentence."""


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def next_code(study: Study) -> str:
    """A code that no rater has or had: what was said of a removed one stays theirs."""
    taken = set(study.enrolments.values_list("code", flat=True))
    taken |= {e.payload["code"] for e in study.audit.filter(verb="remove_rater")}
    return next(c for n in range(1, 1000) if (c := f"R{n:02d}") not in taken)


def add_rater(*, study: Study, actor: User, name: str, email: str) -> Enrolment:
    """Enrol a person as rater; the same person can rate in several studies."""
    with transaction.atomic():
        held = audit.hold(study.pk)
        if held.state != Study.State.DRAFT:
            raise InvitationRefused(
                "The study is locked, so its raters are fixed. Add raters before "
                "locking."
            )
        enrolment = enrol(study=held, name=name, email=email)
        audit.record(
            study=held, actor=actor, verb="add_rater",
            payload={"code": enrolment.code},
        )  # fmt: skip
    return enrolment


def enrol(*, study: Study, name: str, email: str) -> Enrolment:
    """The place of a rater with the next free code; the caller puts it on record."""
    email = email.strip().lower()
    user = find_or_make_person(name=name, email=email)
    if study.enrolments.filter(user=user).exists():
        raise InvitationRefused(f"{email} is already part of this study.")
    return Enrolment.objects.create(
        study=study, user=user, role=Enrolment.Role.RATER, code=next_code(study)
    )


def find_or_make_person(*, name: str, email: str) -> User:
    """The one account of that address; a new one has no password yet."""
    known = User.objects.filter(email__iexact=email).first()
    if known and not known.is_active:
        raise InvitationRefused(
            f"The account {email} is switched off, so nobody was added. Ask whoever "
            "runs the site to switch it on, or give another address."
        )
    return known or User.objects.create(
        username=email,
        email=email,
        first_name=name.strip()[:150],
        password=make_password(None),
    )


def tell_other_name(user: User, typed: str) -> str:
    """That an address belongs to somebody of another name than was typed, if so."""
    name, typed = " ".join(user.get_full_name().split()), " ".join(typed.split())
    if not typed or typed.lower() == name.lower():
        return ""
    return (
        f"This address has an account already; its name, {name or user.email}, is "
        "used. Check the address if you meant somebody else."
    )


def invite(enrolment: Enrolment, token: str = "") -> str:
    """A new link's token; earlier unused links of the person stop working."""
    token = token or make_token()
    with transaction.atomic():
        revoke(enrolment)
        Invitation.objects.create(
            enrolment=enrolment,
            token_sha256=hash_token(token),
            expires_at=timezone.now() + timedelta(days=VALID_DAYS),
        )
    return token


def hand_out(*, enrolment: Enrolment, actor: User) -> str:
    """A new link's token for the person of that row who can use it, on record."""
    with transaction.atomic():
        places.hold_place(enrolment, InvitationRefused)
        ended = places.tell_ended(enrolment)
        if not ended and hasattr(enrolment, "withdrawal"):
            ended = f"{enrolment.code} was withdrawn from this study"
        if ended:
            raise InvitationRefused(f"{ended}, so no link can be used.")
        token = invite(enrolment)
        audit.note_access(
            study=enrolment.study, actor=actor, verb="invite",
            payload=describe_part(enrolment),
        )  # fmt: skip
    return token


def revoke(enrolment: Enrolment) -> int:
    """End the person's unused links; how many there were."""
    open_links = enrolment.invitations.filter(used_at=None, revoked_at=None)
    return open_links.update(revoked_at=timezone.now())


def revoke_link(*, enrolment: Enrolment, actor: User) -> bool:
    """End the links on record; whether one still worked."""
    with transaction.atomic():
        if not revoke(enrolment):
            return False
        audit.note_access(
            study=enrolment.study, actor=actor, verb="revoke_link",
            payload=describe_part(enrolment),
        )  # fmt: skip
    return True


def describe_part(enrolment: Enrolment) -> dict[str, str]:
    """Whom an entry of the chain of access is about, without name or address."""
    person = audit.name_of(enrolment.user)
    return {"person": person, "role": enrolment.role, "code": enrolment.code}


def find_invitation(token: str) -> Invitation:
    """The usable invitation of that token, else InvitationRefused."""
    invitation = (
        Invitation.objects.select_related("enrolment__user", "enrolment__study")
        .filter(token_sha256=hash_token(token))
        .first()
    )
    if (
        invitation is None
        or invitation.used_at
        or invitation.revoked_at
        or invitation.expires_at < timezone.now()
    ):
        raise InvitationRefused(
            "This link was already used, has expired, was replaced by a newer one, or "
            "is not complete. Sign in if you have set a password; otherwise ask the "
            "coordinator for a new link."
        )
    if not invitation.enrolment.user.is_active:
        raise InvitationRefused(
            "This account was erased or switched off, so its links no longer work."
        )
    return invitation


def accept(*, token: str, password: str | None) -> User:
    """Use the link up; a person without a password gets this one."""
    with transaction.atomic():
        audit.hold(find_invitation(token).enrolment.study_id)
        # the place may have gone to somebody else while this waited
        invitation = find_invitation(token)
        unused = Invitation.objects.filter(pk=invitation.pk, used_at=None)
        claimed = unused.filter(revoked_at=None).update(used_at=timezone.now())
        if not claimed:
            raise InvitationRefused("This link was used or ended a moment ago.")
        enrolment = invitation.enrolment
        user = enrolment.user
        audit.note_access(
            study=enrolment.study, actor=user, verb="join",
            payload=describe_part(enrolment),
        )  # fmt: skip
        if not user.has_usable_password():
            user.set_password(password)
            user.save(update_fields=["password"])
    return user
