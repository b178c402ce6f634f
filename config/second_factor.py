"""Asks coordinators for a second factor where the site requires it; seals secrets."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any, ClassVar

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.adapter import get_adapter as get_factors
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from ratings.factors import lacks_factor, must_have

# Signing in and out, one's account, and the rating room, where nobody coordinates.
OPEN = (
    "/accounts/", "/account/", "/join/", "/rate/", "/api/rate/", "/api/items/",
    "/healthz", "/readyz", "/static/",
)  # fmt: skip
SEALED = "sealed:"
CODE_HOLDS_SECONDS = 90
SENTENCE = (
    "Whoever coordinates on this site signs in with a second factor. Set it up now; "
    "it takes a minute."
)


class SealedFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps secrets of second factors unreadable in the database and its backups."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": "Whoever coordinates on this site signs in with "
        "a second factor, so it stays on. For a new phone, let whoever runs the site "
        "take it off, then set it up again.",
        "cannot_generate_recovery_codes": "Turn on the second factor first; recovery "
        "codes stand in for it.",
        "incorrect_code": "This code does not fit, or was used already. Wait for the "
        "next six digits in the app, then give those.",
    }

    def encrypt(self, text: str) -> str:
        return SEALED + make_box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What an earlier version stored in the clear still opens."""
        if not encrypted_text.startswith(SEALED):
            return encrypted_text
        box = encrypted_text.removeprefix(SEALED)
        return make_box().decrypt(box.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        if authenticator.type == Authenticator.Type.RECOVERY_CODES:
            return True
        return not must_have(authenticator.user)


class ActivateForm(ActivateTOTPForm):  # type: ignore[misc]
    """Takes the code that sets a factor up, which then signs nobody in."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        return use_up(self.user, code)


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """Takes no code twice, on signing in."""

    def clean_code(self) -> str:
        return use_up_of_app(self, super().clean_code())


class CodeAgainForm(ReauthenticateForm):  # type: ignore[misc]
    """Takes no code twice, before what protects the account is changed."""

    def clean_code(self) -> str:
        return use_up_of_app(self, super().clean_code())


def use_up_of_app(form: Any, code: str) -> str:
    """Recovery codes are used up by themselves."""
    if form.authenticator.type != Authenticator.Type.TOTP:
        return code
    return use_up(form.user, code)


def use_up(user: User, code: str) -> str:
    """Refuse a code of the app that was used; allauth forgets it while it still holds.

    A clock may be half a minute off to either side, so a code holds for three halves.
    """
    key = f"code-used:{user.pk}:{re.sub(r'[^0-9]', '', code)}"
    if not cache.add(key, True, timeout=CODE_HOLDS_SECONDS):
        raise get_factors().validation_error("incorrect_code")
    return code


def make_box() -> Fernet:
    digest = hashlib.sha256(b"second factor" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def require_second_factor(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Leads a coordinator without a second factor to setting one up."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(OPEN) or not request.user.is_authenticated:
            return get_response(request)
        if not lacks_factor(request.user):
            return get_response(request)
        return lead_to_setup(request)

    return answer


def lead_to_setup(request: Any) -> HttpResponse:
    url = reverse("mfa_activate_totp")
    if request.path.startswith("/api/"):
        told = {"title": "Not allowed", "detail": SENTENCE, "status": 403}
        kind = "application/problem+json"
        return JsonResponse(told, status=403, content_type=kind)
    if request.htmx:
        return HttpResponseClientRedirect(url)
    messages.info(request, SENTENCE)
    return redirect(url)
