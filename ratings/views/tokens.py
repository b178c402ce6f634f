"""The page of a person's own tokens: make one, see it once, end it."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ratings import access
from ratings.desk import tokens
from ratings.forms import DeskForm
from ratings.signed_forms import check_password, password_field
from ratings.views import SignedInRequest

FRESH = "fresh_token"


class TokenForm(DeskForm):
    """What a token is for, and the password of whoever it stands for."""

    label = forms.CharField(
        label="What it is for",
        max_length=80,
        help_text="Such as the script or its machine.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Say what the token is for."},
    )
    password = password_field("Your password", "A token may do what you may do.")

    def __init__(self, *args: object, request: SignedInRequest, **kwargs: object):
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        given = self.cleaned_data["password"]
        return check_password(self.request, self.request.user, given)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def show_tokens(request: SignedInRequest) -> HttpResponse:
    """A new token is kept for the next view of the page only, which shows it."""
    if not access.works_at_desk(request.user):
        raise Http404
    form = TokenForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        label = form.cleaned_data["label"]
        request.session[FRESH] = tokens.make_token(user=request.user, label=label)
        return redirect("tokens")
    context = {
        "form": form,
        "fresh": request.session.pop(FRESH, ""),
        "tokens": tokens.list_tokens(request.user),
        "days": tokens.VALID_DAYS,
    }
    status = 422 if form.errors else 200
    return render(request, "ratings/tokens.html", context, status=status)


@login_required
@require_POST
def end_token(request: SignedInRequest, token_id: int) -> HttpResponse:
    found = tokens.revoke_token(user=request.user, token_id=token_id)
    if found is None:
        raise Http404
    messages.success(request, f"The token “{found.label}” has ended.")
    return redirect("tokens")
