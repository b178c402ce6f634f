"""Tokens for scripts: made on a page, shown once, kept as digests, ended at will."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from ratings import audit
from ratings.factors import lacks_factor
from ratings.models import AccessToken

PREFIX = "blindfold_"
VALID_DAYS = 180
NOTE_EVERY = timedelta(hours=1)


def make_token(*, user: User, label: str) -> str:
    """The token itself, which nobody sees again."""
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        made = AccessToken.objects.create(
            user=user, label=label, token_sha256=hash_token(token),
            expires_at=timezone.now() + timedelta(days=VALID_DAYS),
        )  # fmt: skip
        note(made, "make_token")
    return token


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def note(token: AccessToken, verb: str) -> None:
    audit.note_access(
        study=None, actor=token.user, verb=verb, payload={"token": token.pk}
    )


def list_tokens(user: User) -> list[AccessToken]:
    return list(AccessToken.objects.filter(user=user, revoked_at=None))


def revoke_token(*, user: User, token_id: int) -> AccessToken | None:
    """End one of a person's own tokens; None if there is none to be ended."""
    with transaction.atomic():
        own = AccessToken.objects.filter(user=user, pk=token_id, revoked_at=None)
        found = own.select_for_update().first()
        if found:
            own.update(revoked_at=timezone.now())
            note(found, "revoke_token")
    return found


FACTOR = (
    "Whoever coordinates on this site signs in with a second factor. Sign in and set "
    "it up; then this token works again."
)


def find_user(token: str) -> User | None:
    """Whose token it is, while it holds; its use is noted once an hour.

    Raises PermissionDenied where the person could not come in by the pages either.
    """
    now = timezone.now()
    found = AccessToken.objects.select_related("user").filter(
        token_sha256=hash_token(token), revoked_at=None, expires_at__gt=now,
        user__is_active=True,
    ).first()  # fmt: skip
    if found is None:
        return None
    if lacks_factor(found.user):
        raise PermissionDenied(FACTOR)
    if found.used_at is None or found.used_at < now - NOTE_EVERY:
        AccessToken.objects.filter(pk=found.pk).update(used_at=now)
        note(found, "use_token")
    return found.user


class TokenAuthentication(BaseAuthentication):
    """Authorization: Bearer blindfold_…"""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        user = find_user(words[1].decode("latin-1")) if len(words) == 2 else None
        if user is None:
            raise AuthenticationFailed("This token is unknown, has expired or ended.")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the token stands in the published description of the API."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
