"""How people get an account: by invitation only, never by signing up."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.views import PasswordResetView
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse

from ratings import audit
from ratings.mailing import sends_mail


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closes signing up, and says what is wrong in the words of this site."""

    error_messages: ClassVar[dict[str, str]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "E-mail and password do not belong together. "
        "Check both, or see below what to do about a forgotten password.",
        "too_many_login_attempts": "Too many attempts. Wait some minutes, then try "
        "again.",
    }

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        audit.note_access(study=None, actor=user, verb="sign_in", payload={})

    def logout(self, request: HttpRequest) -> None:
        if request.user.is_authenticated:
            audit.note_access(
                study=None, actor=request.user, verb="sign_out", payload={}
            )
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        super().authentication_failed(request, **credentials)
        # Without what was typed: a slip may have put a password into the address.
        audit.note_access(study=None, actor=None, verb="sign_in_failed", payload={})

    def _get_login_attempts_cache_key(
        self, request: HttpRequest, **credentials: Any
    ) -> str:
        """Counted by account and network address: nobody locks another person out."""
        key: str = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{self.get_client_ip(request)}"

    def send_notification_mail(
        self, template_prefix: str, user: User, *args: Any, **kwargs: Any
    ) -> None:
        """Changes of password and second factor go into the chain of access."""
        verb = template_prefix.rpartition("/")[2]
        audit.note_access(study=None, actor=user, verb=verb, payload={})
        super().send_notification_mail(template_prefix, user, *args, **kwargs)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def refuse_address_page(request: HttpRequest) -> HttpResponse:
    """Nobody takes another address alone: coordinators let people in by it.

    Whoever named a colleague's address here would be let in in the colleague's place.
    """
    raise Http404


def keep_small_letters(*, instance: User, raw: bool = False, **_: Any) -> None:
    """Who signs in is looked up in small letters, however the account was made."""
    if raw:
        return
    name = instance.username.lower()
    if name != instance.username:
        instance.username = name
        if User.objects.filter(username=name).exclude(pk=instance.pk).exists():
            raise ValidationError(f"{name} is the name of another account.")
    instance.email = instance.email.lower()


class ForgottenPasswordView(PasswordResetView):  # type: ignore[misc]
    """Offers a message with a link only where the site can send one."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"sends_mail": sends_mail()}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not sends_mail():
            raise Http404
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response
