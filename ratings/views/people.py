"""The page of a study's people: raters and colleagues, their links, who has joined."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ratings import (
    access,
    coordinators,
    declaring,
    invitations,
    latecomers,
    mailing,
    raters,
)
from ratings.coordinators import CoordinatorRefused
from ratings.declaring import DeclarationRefused
from ratings.invitations import InvitationRefused
from ratings.mailing import MailRefused
from ratings.meanwhile import Stale
from ratings.models import Enrolment, ScoreImport, Study
from ratings.rater_forms import ColleagueForm, DeadlineForm, LateRaterForm, RaterForm
from ratings.views import SignedInRequest
from ratings.views.meanwhile import show_stale

FRESH = "fresh_link"


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def show_raters(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="invite")
    late = study.state in latecomers.OPEN_TO
    form = make_form(study, request.POST or None)
    if request.method == "POST" and form.is_valid():
        add = latecomers.add_late_rater if late else invitations.add_rater
        try:
            enrolment = add(study=study, actor=request.user, **form.cleaned_data)
            note_other_name(request, enrolment, form.cleaned_data["name"])
            return invite(request, enrolment)
        except InvitationRefused as refusal:
            messages.error(request, str(refusal))
    return render_people(request, study, form=form)


def make_form(study: Study, posted: QueryDict | None = None) -> RaterForm:
    """What is asked about a new rater; more of one who comes after the lock."""
    late = study.state in latecomers.OPEN_TO
    return LateRaterForm(posted, study=study) if late else RaterForm(posted)


@login_required
@require_POST
def add_colleague(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """A further coordinator, or a statistician, on record."""
    study = access.find_study(user=request.user, study_id=study_id, act="invite")
    form = ColleagueForm(request.POST)
    if form.is_valid():
        try:
            enrolment = coordinators.add_colleague(
                study=study, actor=request.user, **form.cleaned_data
            )
        except CoordinatorRefused as refusal:
            form.add_error("colleague", str(refusal))
        else:
            note_other_name(request, enrolment, form.cleaned_data["name"])
            return welcome(request, enrolment)
    return render_people(request, study, colleague=form, status=422)


def note_other_name(request: SignedInRequest, enrolment: Enrolment, typed: str) -> None:
    """Say it where an address belongs to somebody of another name than was typed."""
    if remark := invitations.tell_other_name(enrolment.user, typed):
        messages.warning(request, remark)


def welcome(request: SignedInRequest, enrolment: Enrolment) -> HttpResponse:
    """A colleague with an account is in at once; another one gets a link."""
    if not enrolment.user.has_usable_password():
        return invite(request, enrolment)
    name = enrolment.user.get_full_name() or enrolment.user.email
    does = "coordinates" if enrolment.role == "coordinator" else "sees the results of"
    later = "" if enrolment.role == "coordinator" else ", once it is unblinded"
    messages.success(request, f"{name} {does} this study too{later}.")
    return redirect("raters", study_id=enrolment.study_id)


@login_required
@require_http_methods(["GET", "POST"])
def remove_colleague(
    request: SignedInRequest, study_id: UUID, member_id: UUID
) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="invite")
    enrolment = get_object_or_404(
        study.enrolments.select_related("user", "study").exclude(
            role=Enrolment.Role.RATER
        ),
        pk=member_id,
    )
    if request.method != "POST":
        return ask_about_colleague(request, enrolment)
    try:
        coordinators.remove_colleague(enrolment=enrolment, actor=request.user)
    except CoordinatorRefused as refusal:
        messages.error(request, str(refusal))
    if not study.enrolments.filter(user=request.user).exists():
        return redirect("home")
    return redirect("raters", study_id=study_id)


def ask_about_colleague(request: SignedInRequest, enrolment: Enrolment) -> HttpResponse:
    """One's own access ends like a colleague's, but nobody shall do that unawares."""
    if enrolment.user_id == request.user.pk:
        return ask(
            request, enrolment, title="End your own access", verb="End my access",
            sentence="This is you. You lose access to the study at once, and only "
            "another coordinator of it can let you in again. What you did stays on "
            "record.",
        )  # fmt: skip
    role = enrolment.get_role_display().lower()
    return ask(
        request, enrolment, title=f"Remove the {role}", verb=f"Remove the {role}",
        sentence="This person loses access to the study at once, and an unused "
        "link stops working. What the person did stays on record.",
    )  # fmt: skip


@login_required
@require_POST
def change_deadline(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Until when all raters are asked to finish, but for those with an own date."""
    study = access.find_study(user=request.user, study_id=study_id, act="invite")
    form = DeadlineForm(request.POST)
    back = "monitor" if "monitor" in request.POST else "raters"
    if not form.is_valid():
        if back == "monitor":
            messages.error(request, str(form.errors["deadline"][0]))
            return redirect(back, study_id=study_id)
        return render_people(request, study, deadline=form, status=422)
    try:
        day = form.cleaned_data["deadline"]
        declaring.set_deadline(
            study=study, actor=request.user, day=day, seen=form.cleaned_data["seen"]
        )
        said = f"Raters are asked to finish by {day.day} {day:%b %Y}." if day else (
            "The study has no deadline now."
        )  # fmt: skip
        messages.success(request, said)
    except Stale as stale:
        study.refresh_from_db()
        return show_stale(
            request, study, stale, step=back, back=reverse(back, args=[study_id]),
            seen=declaring.spell_day(study.deadline),
        )  # fmt: skip
    except DeclarationRefused as refusal:
        messages.error(request, str(refusal))
    return redirect(back, study_id=study_id)


@login_required
@require_POST
def remind_all(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """A message to every rater who has not finished; each at most twice a day."""
    study = access.find_study(user=request.user, study_id=study_id, act="invite")
    try:
        told = mailing.remind_all(study=study, actor=request.user)
    except MailRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("raters", study_id=study_id)
    if told.reminded:
        messages.success(request, f"Reminders were sent: {len(told.reminded)}.")
    for sentence in told.refused:
        messages.warning(request, sentence)
    if not told.reminded and not told.refused:
        messages.info(request, "Every rater has finished: nobody to remind.")
    return redirect("raters", study_id=study_id)


def render_people(
    request: SignedInRequest, study: Study, *, status: int = 200, **forms: Any
) -> HttpResponse:
    """The whole page; a form that was refused stands in it with its faults."""
    running = study.state in (Study.State.LOCKED, Study.State.COLLECTING)
    context = {
        "study": study,
        "form": make_form(study),
        "colleague": ColleagueForm(),
        "deadline": DeadlineForm.of(study.deadline, holds=study.deadline),
        **forms,
        "colleagues": coordinators.list_colleagues(study),
        "draft": study.state == Study.State.DRAFT,
        "moved": ScoreImport.objects.filter(study=study).exists(),
        "running": running,
        "late": study.state in latecomers.OPEN_TO,
        "over": not running and study.state != Study.State.DRAFT,
        "rows": raters.list_raters(study=study, actor=request.user),
        "fresh": take_fresh_link(request, study),
        "days": invitations.VALID_DAYS,
        "sends_mail": mailing.sends_mail(),
        "reminds": mailing.sends_reminders(),
    }
    return render(request, "ratings/raters.html", context, status=status)


def invite(request: SignedInRequest, enrolment: Enrolment) -> HttpResponse:
    """Make a link, send it, and hand it over as well."""
    try:
        token = invitations.hand_out(enrolment=enrolment, actor=request.user)
    except InvitationRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("raters", study_id=enrolment.study_id)
    sent = True
    try:
        mailing.send_invitation(enrolment, token)
    except MailRefused as refusal:
        sent = False
        messages.warning(request, f"{refusal} Hand over the link below yourself.")
    return hand_over(request, enrolment, token, sent=sent)


def hand_over(
    request: SignedInRequest, enrolment: Enrolment, token: str, *, sent: bool
) -> HttpResponse:
    """Keep a new link for the next page view only, which shows it once."""
    request.session[FRESH] = {
        "enrolment": str(enrolment.pk), "token": token, "sent": sent,
    }  # fmt: skip
    return redirect("raters", study_id=enrolment.study_id)


def take_fresh_link(request: SignedInRequest, study: Study) -> dict[str, Any] | None:
    fresh = request.session.pop(FRESH, None)
    enrolment = fresh and study.enrolments.filter(pk=fresh["enrolment"]).first()
    if not enrolment:
        return None
    return {
        "name": enrolment.user.get_full_name() or enrolment.user.email,
        "email": enrolment.user.email,
        "link": mailing.make_link(fresh["token"]),
        "sent": fresh.get("sent", False) and mailing.sends_mail(),
    }


def ask(
    request: SignedInRequest,
    enrolment: Enrolment,
    *,
    title: str,
    verb: str,
    sentence: str,
    form: Any = None,
    status: int = 200,
) -> HttpResponse:
    """The page that names the consequence before anything happens."""
    context = {"title": title, "verb": verb, "sentence": sentence, "form": form}
    return render(
        request,
        "ratings/rater_confirm.html",
        {"study": enrolment.study, "enrolment": enrolment, **context},
        status=status,
    )
