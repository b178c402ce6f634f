"""The monitor: how far raters are, never what they score; closing and unblinding."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from ratings import (
    access,
    asking,
    coordinators,
    declaring,
    practice,
    protocol,
    reading,
    watching,
    withdrawing,
)
from ratings.models import Study
from ratings.protocol import ProtocolError
from ratings.signed_forms import BreakForm, CloseForm, TypedWithdrawForm, UnblindForm
from ratings.views import SignedInRequest
from ratings.withdrawing import WithdrawalRefused

State = Study.State


@login_required
@require_GET
def show_monitor(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="monitor")
    return render(request, "ratings/monitor.html", describe(study))


@require_GET
def show_progress(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """The part of the monitor that refreshes itself."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    study = access.find_study(user=request.user, study_id=study_id, act="monitor")
    if study.state != State.COLLECTING:
        return HttpResponseClientRefresh()
    context = describe(study)
    # The column of steps is sent along only when it says something else now.
    changed = request.GET.get("done") != str(context["done"])
    return render(
        request, "ratings/monitor_progress.html", context | {"steps_changed": changed}
    )


def describe(study: Study) -> dict[str, Any]:
    rows = watching.summarise_progress(study)
    rating = [row for row in rows if not row["left"]]
    done, total = reading.count_whole(study)
    return {
        "study": study,
        "rows": rows,
        "rating": rating,
        "done": done,
        "total": total,
        "finished": sum(row["finished"] for row in rating),
        "unfinished": [row["rest"] for row in rating if row["rest"]],
        "late": sum(row["late_days"] > 0 for row in rows),
        "missing": protocol.count_missing(study),
        "wanted": protocol.wanted_items(study).count(),
        "collecting": study.state == State.COLLECTING,
        "practice": practice.summarise_practice(study),
        "words": (words := list_words(study)),
        "waiting": sum(row["waits"] for row in words),
        "running": study.state in withdrawing.RUNNING,
        "answerable": study.state != State.UNBLINDED,
        "warning": asking.WARNING,
        "today": declaring.today().isoformat(),
        "withdrawals": withdrawing.list_withdrawals(study),
    }


def list_words(study: Study) -> list[dict[str, Any]]:
    """What raters wrote, each with the item's number as the rater saw it."""
    return [
        {
            "asked": asked,
            "number": reading.number_of(asked.presentation),
            "practice": asked.presentation.kind == reading.PRACTICE,
            "waits": asking.waits(asked),
        }
        for asked in asking.list_waiting_first(study)
    ]


@login_required
@require_http_methods(["GET", "POST"])
def close_study(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """List what is missing, ask why, name the consequence, close on the typed name."""
    study = access.find_study(user=request.user, study_id=study_id, act="monitor")
    if study.state != State.COLLECTING:
        messages.error(request, "Only a study that is open for rating can be closed.")
        return redirect("monitor", study_id=study.pk)
    form = CloseForm(request.POST or None, study=study)
    if request.method == "POST" and form.is_valid():
        try:
            protocol.close(
                study=study, actor=request.user, dispositions=form.dispositions(),
                unfinished=form.unfinished(),
            )  # fmt: skip
        except ProtocolError as error:
            messages.error(request, str(error))
        return redirect("monitor", study_id=study.pk)
    return render(request, "ratings/close.html", {**describe(study), "form": form})


@login_required
@require_http_methods(["GET", "POST"])
def unblind_study(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Open the key for good: reason, the study's name and the password again."""
    study = access.find_study(user=request.user, study_id=study_id, act="unblind")
    if study.state == State.UNBLINDED:
        return redirect("results", study_id=study.pk)
    if study.state != State.CLOSED:
        messages.error(request, "A study can be unblinded once it is closed.")
        return redirect("monitor", study_id=study.pk)
    form = UnblindForm(request.POST or None, study=study, request=request)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            protocol.unblind(
                study=study, actor=request.user, typed_title=data["title"],
                reason=data["reason"], password=data["password"],
            )  # fmt: skip
        except ProtocolError as error:
            messages.error(request, str(error))
            return redirect("monitor", study_id=study.pk)
        return redirect("results", study_id=study.pk)
    return render(request, "ratings/unblind.html", {**describe(study), "form": form})


@login_required
@require_http_methods(["GET", "POST"])
def break_glass(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Open the key of a running study: two coordinators, and every export says so."""
    study = access.find_study(user=request.user, study_id=study_id, act="unblind")
    if study.state != State.COLLECTING:
        messages.error(request, "Only a study that is open for rating can be broken.")
        return redirect("monitor", study_id=study.pk)
    form = BreakForm(request.POST or None, study=study, request=request)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            protocol.break_glass(
                study=study, actor=request.user, typed_title=data["title"],
                reason=data["reason"], password=data["password"],
                witness=data["agreed"],
            )  # fmt: skip
        except ProtocolError as error:
            messages.error(request, str(error))
            return redirect("monitor", study_id=study.pk)
        return redirect("results", study_id=study.pk)
    # a colleague who was erased, or never came in, can't agree
    alone = not coordinators.has_another(study, request.user)
    context = {**describe(study), "form": form, "alone": alone}
    return render(request, "ratings/break_glass.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def withdraw_case(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Take a case out for every rater; no rater is told more than that it is gone."""
    study = access.find_study(user=request.user, study_id=study_id, act="monitor")
    if study.state not in withdrawing.RUNNING:
        messages.error(request, "Only a locked or open study has cases withdrawn.")
        return redirect("monitor", study_id=study.pk)
    form = TypedWithdrawForm(request.POST or None, study=study)
    if request.method == "POST" and form.is_valid():
        case, reason = form.cleaned_data["case"], form.cleaned_data["reason"]
        try:
            row = withdrawing.withdraw_case(
                case=case, actor=request.user, reason=reason
            )
            messages.success(request, f"{row.case} was withdrawn for all raters.")
        except WithdrawalRefused as refusal:
            messages.error(request, str(refusal))
        return redirect("monitor", study_id=study.pk)
    return render(request, "ratings/withdraw.html", {"study": study, "form": form})
