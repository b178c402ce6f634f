"""Tells who must sign in with a second factor on this site, and has none."""

from __future__ import annotations

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User

from ratings.models import Enrolment


def must_have(user: User) -> bool:
    """Whether the site requires a second factor of that person."""
    if not settings.REQUIRE_SECOND_FACTOR:
        return False
    coordinates = user.enrolments.filter(role=Enrolment.Role.COORDINATOR)
    return user.is_staff or user.is_superuser or coordinates.exists()


def lacks_factor(user: User) -> bool:
    if not must_have(user):
        return False
    return not get_adapter().is_mfa_enabled(user, [Authenticator.Type.TOTP])
