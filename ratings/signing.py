"""Signatures: the password again, bound to name, time, meaning and a digest."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ratings import audit, evidence, reading
from ratings.models import Session, Signature, Study

Meaning = Signature.Meaning


class SigningRefused(Exception):
    """Why nothing was signed; a sentence."""


def check_password(*, user: User, password: str) -> None:
    if not user.check_password(password):
        raise SigningRefused("This is not your password. Nothing was signed.")


def sign(
    *,
    study: Study,
    user: User,
    password: str,
    meaning: str,
    digest: str,
    session: Session | None = None,
) -> Signature:
    """Check the password, then put the signature down and on record.

    Raises SigningRefused with nothing written when the password is wrong.
    """
    check_password(user=user, password=password)
    name = user.get_full_name() or user.get_username()
    with transaction.atomic():
        signature = Signature.objects.create(
            study=study, session=session, by=user, name=name,
            salt=secrets.token_hex(16), meaning=meaning, digest=digest,
        )  # fmt: skip
        audit.record(
            study=study, actor=user, verb="sign",
            payload=describe(signature),
        )  # fmt: skip
    return signature


def describe(signature: Signature) -> dict[str, Any]:
    """What the record keeps of a signature, so that it can't be moved elsewhere."""
    return {
        "signature": signature.pk,
        "name": seal_name(signature),
        "meaning": str(signature.meaning),
        "digest": signature.digest,
        "at": evidence.write_time(signature.created_at),
        "session": signature.session_id,
    }


def seal_name(signature: Signature) -> str:
    """What the record keeps of a printed name: enough to notice another one.

    Without the salt, which is erased with the name, no name can be tried against it.
    Signatures of version 0.1 have no salt and stand in the record by name.
    """
    if not signature.salt:
        return signature.name
    return hashlib.sha256((signature.salt + signature.name).encode()).hexdigest()


def is_erased(signature: Signature) -> bool:
    return not signature.name and not signature.by.email


def sign_session(*, session: Session, user: User, password: str) -> Signature:
    """The rater's word that a session is complete; its scores are final from here.

    Raises SigningRefused when the study takes no scores, an item has none, the
    session is signed already, or the password is wrong.
    """
    with transaction.atomic():
        study = audit.hold(session.enrolment.study_id)
        if study.state != Study.State.COLLECTING:
            raise SigningRefused("The study does not accept scores now.")
        if hasattr(session.enrolment, "withdrawal"):
            raise SigningRefused("You no longer rate this study.")
        if find_signature(session):
            raise SigningRefused("You have signed this session already.")
        if reading.with_unscored(session.presentations.all()).exists():
            raise SigningRefused("Rate every item before you sign.")
        return sign(
            study=study, user=user, password=password, meaning=Meaning.SESSION,
            digest=evidence.digest_session(session), session=session,
        )  # fmt: skip


def find_signature(session: Session) -> Signature | None:
    return Signature.objects.filter(session=session).first()


def still_holds(signature: Signature) -> bool:
    """Whether a session's signed scores are still those that were signed."""
    if signature.session is None:
        return True
    return evidence.digest_session(signature.session) == signature.digest
