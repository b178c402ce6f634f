"""The page behind a single-use link, and the page of the rating room."""

from __future__ import annotations

from typing import cast

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods

from ratings import access, audit, declaring, invitations, own_record, reading
from ratings.invitations import InvitationRefused
from ratings.meanwhile import Stale
from ratings.models import Enrolment, Invitation, Study
from ratings.rater_forms import JoinForm, RaterJoinForm, show_declared
from ratings.views import SignedInRequest


@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """GET only shows the invitation, so that a preview of the link can't use it up."""
    try:
        invitation = invitations.find_invitation(token)
        if invitation.enrolment.user.has_usable_password():
            return enter(request, invitation, token)
        return set_password(request, invitation, token)
    except InvitationRefused as refusal:
        context = {"reason": str(refusal)}
        return render(request, "ratings/join_refused.html", context, status=404)


def set_password(
    request: HttpRequest, invitation: Invitation, token: str
) -> HttpResponse:
    """Somebody new: the password typed here is the account's."""
    enrolment = invitation.enrolment
    kind = RaterJoinForm if enrolment.role == Enrolment.Role.RATER else JoinForm
    form = kind(
        request.POST or None, user=enrolment.user, initial=show_declared(enrolment)
    )
    if request.method != "POST" or not form.is_valid():
        return show_invitation(request, invitation, form=form)
    try:
        with transaction.atomic():
            invitations.accept(token=token, password=form.cleaned_data["password"])
            if isinstance(form, RaterJoinForm):
                declare(enrolment, form)
    except Stale as stale:
        cast(RaterJoinForm, form).refuse_stale(stale, enrolment)
        return show_invitation(request, invitation, form=form)
    enrolment.user.refresh_from_db()
    # The way of the sign-in page, with its second factor where there is one.
    response: HttpResponse = perform_login(
        request, enrolment.user, redirect_url=lead_in(request, enrolment).url
    )
    return response


def declare(enrolment: Enrolment, form: RaterJoinForm) -> None:
    """Write down what differs from what stands there, such as of an earlier joining."""
    study = audit.hold(enrolment.study_id)
    declaration = form.read_declaration()
    held = declaration == declaring.read_declaration(enrolment)
    if held or study.state == Study.State.UNBLINDED:
        return
    declaring.declare(
        enrolment=enrolment, actor=enrolment.user, declaration=declaration,
        seen=form.cleaned_data["seen"],
    )  # fmt: skip


def enter(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Somebody with a password: a link alone must not open an existing account."""
    if request.method == "POST" and request.user == invitation.enrolment.user:
        invitations.accept(token=token, password=None)
        return lead_in(request, invitation.enrolment)
    return show_invitation(request, invitation, form=None)


def show_invitation(
    request: HttpRequest, invitation: Invitation, *, form: JoinForm | None
) -> HttpResponse:
    person: User = invitation.enrolment.user
    present = request.user if request.user.is_authenticated else None
    context = {
        "invitation": invitation,
        "title": invitation.enrolment.study.title,
        "contact": invitation.enrolment.study.contact,
        "person": person,
        "form": form,
        "other": present if present and present != person else None,
        "sign_in": f"{reverse('account_login')}?next={request.path}",
    }
    return render(request, "ratings/join.html", context)


def lead_in(request: HttpRequest, enrolment: Enrolment) -> HttpResponseRedirect:
    """To the rating room when it is open, else to the page of one's studies."""
    if enrolment.role != Enrolment.Role.RATER:
        messages.success(request, f"You have joined “{enrolment.study.title}”.")
        return HttpResponseRedirect(reverse("home"))
    session = reading.find_open_session(enrolment)
    if session and enrolment.study.state == Study.State.COLLECTING:
        return HttpResponseRedirect(reverse("rate", args=[session.key]))
    over = enrolment.study.state in (Study.State.CLOSED, Study.State.UNBLINDED)
    when = (
        "Its rating is over."
        if over
        else "It is not open for rating yet; the coordinator will tell you when it is."
    )
    messages.success(
        request,
        f"You have joined “{enrolment.study.title}”. {when} From now on you enter by "
        "signing in.",
    )
    return HttpResponseRedirect(reverse("home"))


@login_required
@ensure_csrf_cookie
@never_cache
@require_GET
def show_room(request: SignedInRequest, key: str) -> HttpResponse:
    session = access.find_session(user=request.user, key=key)
    draft = session.enrolment.study.preview_of_id
    return render(
        request,
        "ratings/rate.html",
        {
            "key": session.key,
            # a coordinator who tries a draft goes back to it; raters go home
            "home_url": reverse("design", args=[draft]) if draft else reverse("home"),
            "preview": draft is not None,
            "sign_in_url": f"{reverse('account_login')}?next={request.path}",
        },
    )


@login_required
@never_cache
@require_GET
def send_own_record(request: SignedInRequest, key: str) -> HttpResponse:
    """All that is recorded about the rater, for the rater, once the study is over."""
    enrolment = access.find_session(user=request.user, key=key).enrolment
    if not own_record.may_read(enrolment):
        raise Http404
    response = HttpResponse(own_record.write_csv(enrolment), content_type="text/csv")
    response["Content-Disposition"] = 'attachment; filename="my-record.csv"'
    return response


@login_required
@ensure_csrf_cookie
@never_cache
@require_GET
def show_sources(request: SignedInRequest, key: str) -> HttpResponse:
    """Where a rater says, when all scores are final, what may have drawn the masks."""
    session = access.find_session(user=request.user, key=key)
    context = {"key": session.key, "room_url": reverse("rate", args=[session.key])}
    return render(request, "ratings/sources.html", context)
