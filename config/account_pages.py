"""A person's own account: where it is signed in, second factor, and its erasure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allauth.core import ratelimit
from allauth.mfa.adapter import get_adapter as get_factors
from allauth.usersessions.adapter import get_adapter as get_devices
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ratings import access, audit, erasing
from ratings.erasing import ErasureRefused
from ratings.factors import must_have
from ratings.forms import DeskForm
from ratings.views import SignedInRequest

BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPad", "iPad"), ("iPhone", "iPhone"), ("Android", "Android"),
    ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True)
class Device:
    """One place where the person is signed in."""

    number: int
    name: str
    ip: str
    since: datetime
    here: bool


def name_browser(agent: str) -> str:
    """Firefox on Linux, for people; most browsers claim to be several others."""
    browser = next((name for sign, name in BROWSERS if sign in agent), "A browser")
    system = next((name for sign, name in SYSTEMS if sign in agent), "")
    return f"{browser} on {system}" if system else browser


def list_devices(request: HttpRequest) -> list[Device]:
    """The newest first; a session from before devices were listed is added."""
    key = request.session.session_key
    if not UserSession.objects.filter(session_key=key).exists():
        UserSession.objects.create_from_request(request)
    found = UserSession.objects.purge_and_list(request.user)
    return [
        Device(one.pk, name_browser(one.user_agent), one.ip, one.created_at,
               one.session_key == key)
        for one in sorted(found, key=lambda one: one.created_at, reverse=True)
    ]  # fmt: skip


class EraseForm(DeskForm):
    """The password again, and the word that says what will happen."""

    word = forms.CharField(
        label="Type ERASE to confirm",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Type ERASE to confirm."},
    )
    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Type your password."},
    )

    def clean_word(self) -> str:
        if self.cleaned_data["word"].strip().upper() != "ERASE":
            raise forms.ValidationError("This is not the word: type ERASE.")
        return "ERASE"


@login_required
@never_cache
@require_GET
def show_account(request: SignedInRequest) -> HttpResponse:
    context = {
        "devices": list_devices(request),
        "protected": get_factors().is_mfa_enabled(request.user),
        "required": must_have(request.user),
    }
    return render(request, "account/account.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def tell_stay(request: HttpRequest) -> JsonResponse:
    """How long the sign-in lasts; asked to by POST, begins that time anew."""
    if not request.user.is_authenticated:
        return JsonResponse({"detail": "You are signed out."}, status=403)
    if request.method == "GET":
        return JsonResponse({"seconds_left": access.count_seconds(request.session)})
    request.session.modified = True
    return JsonResponse({"seconds_left": request.session.get_expiry_age()})


@login_required
@require_POST
def end_device(request: SignedInRequest, number: int) -> HttpResponse:
    """Sign out there: the session ends at once, and what is typed there is refused."""
    device = get_object_or_404(UserSession, pk=number, user=request.user)
    get_devices().end_sessions([device])
    audit.note_access(
        study=None, actor=request.user, verb="end_session", payload={}
    )  # fmt: skip
    messages.success(request, "That device is signed out.")
    return redirect("account")


@login_required
@require_POST
def end_other_devices(request: SignedInRequest) -> HttpResponse:
    here = request.session.session_key
    known = UserSession.objects.filter(user=request.user)
    others = list(known.exclude(session_key=here))
    if not others:
        messages.info(request, "No other device is signed in.")
        return redirect("account")
    get_devices().end_sessions(others)
    audit.note_access(
        study=None, actor=request.user, verb="end_sessions", payload={}
    )  # fmt: skip
    messages.success(request, "All other devices are signed out.")
    return redirect("account")


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def erase_account(request: SignedInRequest) -> HttpResponse:
    """Name, address and access go for good; scores and record stay."""
    form = EraseForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and may_erase(request, form):
        try:
            erasing.erase(user=request.user, actor=request.user)
        except ErasureRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            logout(request)
            messages.success(request, "Your account was erased.")
            return redirect("account_login")
    orphans = erasing.list_orphans(request.user)
    context = {"form": form, "orphans": orphans}
    status = 422 if form.is_bound else 200
    return render(request, "account/erase.html", context, status=status)


def may_erase(request: SignedInRequest, form: EraseForm) -> bool:
    """A few tries a minute, like every place that takes a password."""
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        form.add_error("password", "Too many tries. Wait a minute, then type it again.")
    elif not request.user.check_password(form.cleaned_data["password"]):
        form.add_error("password", "This is not the right password.")
    return form.is_valid()
