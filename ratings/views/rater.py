"""One rater: link, reminder, deadline, qualification, leaving, being replaced."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ratings import (
    access,
    declaring,
    erasing,
    invitations,
    mailing,
    raters,
    withdrawing,
)
from ratings.declaring import DeclarationRefused
from ratings.erasing import ErasureRefused
from ratings.invitations import InvitationRefused
from ratings.mailing import MailRefused
from ratings.meanwhile import Stale
from ratings.models import Enrolment, Study
from ratings.rater_forms import (
    DeadlineForm,
    DeclarationForm,
    DeclaredForm,
    EraseRaterForm,
    LeaveForm,
    ReplaceForm,
    show_declared,
)
from ratings.views import SignedInRequest
from ratings.views.meanwhile import show_stale
from ratings.views.people import ask, hand_over, invite, note_other_name
from ratings.withdrawing import WithdrawalRefused


def find_rater(request: SignedInRequest, study_id: UUID, rater_id: UUID) -> Enrolment:
    study = access.find_study(user=request.user, study_id=study_id, act="invite")
    return get_object_or_404(
        Enrolment.objects.select_related("user", "study", "withdrawal"),
        pk=rater_id, study=study, role=Enrolment.Role.RATER,
    )  # fmt: skip


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def show_rater(
    request: SignedInRequest, study_id: UUID, rater_id: UUID
) -> HttpResponse:
    """What is known of one rater; the qualification can be corrected here."""
    enrolment = find_rater(request, study_id, rater_id)
    form = DeclaredForm(request.POST or None, initial=show_declared(enrolment))
    if request.method == "POST" and form.is_valid():
        return save_declaration(
            request, enrolment, form, study=enrolment.study, back=request.path
        )
    state = enrolment.study.state
    context = {
        "study": enrolment.study,
        "row": raters.describe(enrolment, request.user),
        "enrolment": enrolment,
        "form": form,
        "deadline": DeadlineForm.of(
            enrolment.deadline, holds=declaring.find_deadline(enrolment)
        ),
        "draft": state == Study.State.DRAFT,
        "running": state in withdrawing.RUNNING,
        "unblinded": state == Study.State.UNBLINDED,
        "fresh": raters.is_fresh(enrolment),
        "reminds": mailing.sends_reminders(),
        "left": getattr(enrolment, "withdrawal", None),
    }
    return render(request, "ratings/rater.html", context)


def save_declaration(
    request: SignedInRequest, enrolment: Enrolment, form: DeclarationForm, *,
    study: Study | None, back: str, done: str = "",
) -> HttpResponse:  # fmt: skip
    """Store it, or show what somebody else stored; `study` only for a coordinator."""
    try:
        declaring.declare(
            enrolment=enrolment, actor=request.user,
            declaration=form.read_declaration(), seen=form.cleaned_data["seen"],
        )  # fmt: skip
        messages.success(request, "Saved.")
    except Stale as stale:
        return show_stale(
            request, study, stale, step="raters", back=back,
            seen=declaring.digest_declaration(enrolment),
        )  # fmt: skip
    except DeclarationRefused as refusal:
        messages.error(request, str(refusal))
    return redirect(done or back)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def declare(request: SignedInRequest, rater_id: UUID) -> HttpResponse:
    """A rater's own page: qualification, and dealings with the cases."""
    own = request.user.enrolments.select_related("study", "user")
    enrolment = get_object_or_404(own, pk=rater_id, role__in=access.ACTS["rate"])
    study = enrolment.study
    if study.state == Study.State.UNBLINDED:
        raise Http404
    form = DeclarationForm(request.POST or None, initial=show_declared(enrolment))
    if request.method == "POST" and form.is_valid():
        return save_declaration(
            request, enrolment, form, study=None, back=request.path, done="home"
        )
    # No study in the context: the column of steps is not for raters.
    context = {"title": study.title, "form": form}
    return render(request, "ratings/declaration.html", context)


@login_required
@require_POST
def make_link(request: SignedInRequest, study_id: UUID, rater_id: UUID) -> HttpResponse:
    """A new link for someone who has not joined; the former one stops working."""
    study = access.find_study(user=request.user, study_id=study_id, act="invite")
    people = study.enrolments.select_related("user", "study")
    return invite(request, get_object_or_404(people, pk=rater_id))


@login_required
@require_POST
def revoke_link(
    request: SignedInRequest, study_id: UUID, rater_id: UUID
) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="invite")
    people = study.enrolments.select_related("user", "study")
    enrolment = get_object_or_404(people, pk=rater_id)
    name = enrolment.user.get_full_name() or enrolment.user.email
    if invitations.revoke_link(enrolment=enrolment, actor=request.user):
        messages.success(request, f"The link of {name} no longer works.")
    else:
        messages.info(request, f"{name} had no link that still worked.")
    # a colleague has no page of their own
    if enrolment.role == Enrolment.Role.RATER:
        return redirect("rater", study_id=study_id, rater_id=rater_id)
    return redirect("raters", study_id=study_id)


@login_required
@require_POST
def remind(request: SignedInRequest, study_id: UUID, rater_id: UUID) -> HttpResponse:
    enrolment = find_rater(request, study_id, rater_id)
    try:
        mailing.remind(enrolment=enrolment, actor=request.user)
        messages.success(request, f"A reminder went to {enrolment.user.email}.")
    except MailRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("rater", study_id=study_id, rater_id=rater_id)


@login_required
@require_POST
def change_deadline(
    request: SignedInRequest, study_id: UUID, rater_id: UUID
) -> HttpResponse:
    """An own date for one rater; without one the study's holds."""
    enrolment = find_rater(request, study_id, rater_id)
    form = DeadlineForm(request.POST)
    back = redirect("rater", study_id=study_id, rater_id=rater_id)
    if "monitor" in request.POST:
        back = redirect("monitor", study_id=study_id)
    if not form.is_valid():
        messages.error(request, str(form.errors["deadline"][0]))
        return back
    try:
        declaring.set_deadline(
            study=enrolment.study, actor=request.user, enrolment=enrolment,
            day=form.cleaned_data["deadline"], seen=form.cleaned_data["seen"],
        )  # fmt: skip
        messages.success(request, tell_deadline(enrolment))
    except Stale as stale:
        enrolment = find_rater(request, study_id, rater_id)
        return show_stale(
            request, enrolment.study, stale, back=back.url,
            step="monitor" if "monitor" in request.POST else "raters",
            seen=declaring.spell_day(declaring.find_deadline(enrolment)),
        )  # fmt: skip
    except DeclarationRefused as refusal:
        messages.error(request, str(refusal))
    return back


def tell_deadline(enrolment: Enrolment) -> str:
    day = declaring.find_deadline(enrolment)
    if day is None:
        return f"{enrolment.code} has no deadline now."
    return f"{enrolment.code} is asked to finish by {day.day} {day:%b %Y}."


@login_required
@require_http_methods(["GET", "POST"])
def reset_password(
    request: SignedInRequest, study_id: UUID, rater_id: UUID
) -> HttpResponse:
    enrolment = find_rater(request, study_id, rater_id)
    if request.method != "POST":
        return ask(
            request,
            enrolment,
            title="Reset the password",
            verb="Reset and make a link",
            sentence=(
                "The present password stops working and all devices of this person "
                "are signed out. You get a new single-use link to hand over. Scores "
                "are kept."
            ),
        )
    try:
        token = raters.reset(enrolment=enrolment, actor=request.user)
        return hand_over(request, enrolment, token, sent=False)
    except InvitationRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("raters", study_id=study_id)


@login_required
@require_http_methods(["GET", "POST"])
def remove_rater(
    request: SignedInRequest, study_id: UUID, rater_id: UUID
) -> HttpResponse:
    enrolment = find_rater(request, study_id, rater_id)
    if request.method != "POST":
        return ask(
            request,
            enrolment,
            title="Remove the rater",
            verb="Remove the rater",
            sentence=(
                "The person's link stops working and the study no longer appears on "
                "their page. You can add the person again until the study is locked."
            ),
        )
    try:
        raters.remove(enrolment=enrolment, actor=request.user)
        messages.success(request, f"{enrolment.code} was removed.")
    except InvitationRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("raters", study_id=study_id)


@login_required
@require_http_methods(["GET", "POST"])
def withdraw_rater(
    request: SignedInRequest, study_id: UUID, rater_id: UUID
) -> HttpResponse:
    """End a rater's part; all that was given is kept."""
    enrolment = find_rater(request, study_id, rater_id)
    form = LeaveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            withdrawing.withdraw_rater(
                enrolment=enrolment, actor=request.user, **form.cleaned_data
            )
            messages.success(request, f"{enrolment.code} was withdrawn.")
        except WithdrawalRefused as refusal:
            messages.error(request, str(refusal))
        return redirect("rater", study_id=study_id, rater_id=rater_id)
    return ask(
        request, enrolment, title="Withdraw the rater", verb="Withdraw the rater",
        sentence="The rater can give and change no more scores, and can't come back "
        "under this code. All scores given so far are kept and count in the results; "
        "those that are missing are explained by the reason below.",
        form=form, status=422 if form.is_bound else 200,
    )  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def replace_rater(
    request: SignedInRequest, study_id: UUID, rater_id: UUID
) -> HttpResponse:
    """Give the place of somebody without scores to another person."""
    enrolment = find_rater(request, study_id, rater_id)
    form = ReplaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            raters.replace(enrolment=enrolment, actor=request.user, **form.cleaned_data)
            note_other_name(request, enrolment, form.cleaned_data["name"])
            return invite(request, enrolment)
        except InvitationRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("rater", study_id=study_id, rater_id=rater_id)
    return ask(
        request, enrolment, title="Replace the rater", verb="Replace the rater",
        sentence="Another person takes over the code and the drawn order. The present "
        "person loses access at once, and an own deadline ends. Only somebody who has "
        "given no score, reported no problem and asked no question can be replaced.",
        form=form, status=422 if form.is_bound else 200,
    )  # fmt: skip


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def erase_rater(
    request: SignedInRequest, study_id: UUID, rater_id: UUID
) -> HttpResponse:
    """Name, address and access of a rater go for good; scores and record stay."""
    enrolment = find_rater(request, study_id, rater_id)
    form = EraseRaterForm(request.POST or None, wanted=enrolment.code)
    try:
        if refusal := erasing.tell_refusal(enrolment.user, request.user):
            raise ErasureRefused(refusal)
        if request.method == "POST" and form.is_valid():
            erasing.erase_rater(enrolment=enrolment, actor=request.user)
            messages.success(request, f"The person behind {enrolment.code} was erased.")
            return redirect("raters", study_id=study_id)
    except ErasureRefused as refused:
        messages.error(request, str(refused))
        return redirect("rater", study_id=study_id, rater_id=rater_id)
    return ask(
        request, enrolment, title="Erase the person", verb="Erase the person",
        sentence="This can't be undone. Name, e-mail address, password, institution "
        "and what the person declared are erased on the whole site, and every device "
        "is signed out. A study that the person still rates goes on without them. "
        "Scores, comments, code, years and specialty stay, and the record still "
        "verifies.",
        form=form, status=422 if form.is_bound else 200,
    )  # fmt: skip
