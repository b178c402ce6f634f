"""The page of the predictions: ask for them, watch them, repeat or withdraw them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)
from django_htmx.http import HttpResponseClientRefresh

from inference import batches, progress
from inference.batches import BatchRefused
from inference.forms import PredictionForm
from inference.models import Ensemble, Prediction
from inference.sources import find_source, list_sources
from inference.tools import ToolsRefused, list_tools
from ratings import access, jobs
from ratings.arms import MADE_HERE
from ratings.models import Arm, Job, Study
from ratings.views import SignedInRequest


@login_required
@require_http_methods(["GET", "POST"])
def show_predictions(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    form = PredictionForm(request.POST or None)
    first = next(iter(form.sources.values()), None)
    form.initial["label"] = first.label[:40] if first else ""
    if request.method == "POST" and form.is_valid():
        try:
            return ask(request, study, form)
        except BatchRefused as refusal:
            form.add_error("label", str(refusal))
    return render(request, "inference/predictions.html", describe(study, form))


def ask(request: SignedInRequest, study: Study, form: PredictionForm) -> HttpResponse:
    batch = batches.submit(
        study=study,
        actor=request.user,
        source=form.read_source(),
        label=form.cleaned_data["label"],
        settings=form.read_settings(),
    )
    messages.success(request, describe_batch(batch))
    return redirect("predictions", study_id=study.pk)


def describe_batch(batch: batches.Batch) -> str:
    if not batch.queued:
        arm = batch.arm.label
        return f"Every case to be rated has a mask of “{arm}”, or is waiting for one."
    noun = "prediction" if batch.queued == 1 else "predictions"
    return f"{batch.queued} {noun} of “{batch.arm.label}” asked for."


def describe(study: Study, form: PredictionForm | None = None) -> dict[str, Any]:
    overviews = progress.survey(study)
    return {
        "study": study,
        "form": form,
        "draft": study.state == Study.State.DRAFT,
        "cases": study.chosen_cases().count(),
        "left_out": study.cases.exclude(left_out="").count(),
        "ensembles": Ensemble.objects.all(),
        "sources": len(list_sources()),
        "tools_fault": find_tools_fault(),
        "overviews": overviews,
        "live": any(overview.live for overview in overviews),
        "left": sum(overview.live for overview in overviews),
        "worker": progress.hears_worker(),
    }


def find_tools_fault() -> str:
    """What is wrong with the operator's list of programs, if anything."""
    try:
        list_tools()
    except ToolsRefused as refusal:
        return str(refusal)
    return ""


@require_GET
def show_progress(request: HttpRequest, study_id: UUID) -> HttpResponse:
    """The part of the page that refreshes itself."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    return answer(request, study)


@login_required
@require_GET
def show_log(request: SignedInRequest, study_id: UUID, job_id: UUID) -> HttpResponse:
    """What was printed while a prediction was made, for whoever has to help."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    job = get_object_or_404(Job, pk=job_id, study=study, kind=Job.Kind.PREDICT)
    case = study.cases.filter(pk=job.payload.get("case")).first()
    context = {"study": study, "job": job, "log": read_log(job)}
    return render(
        request, "inference/log.html", {**context, "case": case or "a removed case"}
    )


def read_log(job: Job) -> str:
    made = Prediction.objects.filter(job=job).select_related("result").first()
    return job.log or (made.result.log if made and made.result else "")


@login_required
@require_POST
def change_job(
    request: SignedInRequest, study_id: UUID, job_id: UUID, act: str
) -> HttpResponse:
    """Retry or cancel one prediction."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    job = get_object_or_404(Job, pk=job_id, study=study, kind=Job.Kind.PREDICT)
    try:
        if act == "cancel":
            jobs.cancel(job_id=job.pk)
        else:
            batches.retry(study=study, job=job)
    except BatchRefused as refusal:
        return reload(request, study, str(refusal))
    return answer(request, study)


@login_required
@require_POST
def change_arm(
    request: SignedInRequest, study_id: UUID, arm_id: int, act: str
) -> HttpResponse:
    """Complete, retry or cancel all predictions of one arm."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    arm = find_arm(study, arm_id)
    try:
        if act == "cancel":
            batches.cancel_all(arm)
        elif act == "retry":
            batches.retry_failed(arm)
        else:
            complete(study, arm, request.user)
    except BatchRefused as refusal:
        return reload(request, study, str(refusal))
    return answer(request, study)


def complete(study: Study, arm: Arm, actor: User) -> batches.Batch:
    """Ask for the cases that were added since, by the arm's own engine."""
    source = find_source(arm.source)
    if source is None:
        raise Http404
    return batches.submit(
        study=study,
        actor=actor,
        source=source,
        label=arm.label,
        settings=arm.source["settings"],
    )


def find_arm(study: Study, arm_id: int) -> Arm:
    return get_object_or_404(Arm, pk=arm_id, study=study, kind__in=MADE_HERE)


def answer(request: HttpRequest, study: Study) -> HttpResponse:
    """The refreshed part while anything is under way, else the whole page anew."""
    context = describe(study)
    if is_scripted(request) and context["live"]:
        # The column of steps is sent along only when it says something else now.
        changed = request.GET.get("left") != str(context["left"])
        return render(
            request, "inference/progress.html", context | {"steps_changed": changed}
        )
    return reload(request, study)


def reload(request: HttpRequest, study: Study, error: str = "") -> HttpResponse:
    if error:
        messages.error(request, error)
    if is_scripted(request):
        return HttpResponseClientRefresh()
    return redirect("predictions", study_id=study.pk)


def is_scripted(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page, not the browser for a page."""
    return bool(getattr(request, "htmx", False))


@login_required
@require_http_methods(["GET", "POST"])
def withdraw(request: SignedInRequest, study_id: UUID, arm_id: int) -> HttpResponse:
    """Say what removing an arm's predictions means, and do it when confirmed."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    arm = find_arm(study, arm_id)
    if request.method == "POST":
        try:
            count = batches.withdraw(arm=arm, actor=request.user)
        except BatchRefused as refusal:
            messages.error(request, str(refusal))
        else:
            noun = "prediction" if count == 1 else "predictions"
            messages.success(request, f"{count} {noun} of “{arm.label}” removed.")
        return redirect("predictions", study_id=study.pk)
    return render(
        request,
        "inference/withdraw.html",
        {"study": study, "arm": arm, "masks": arm.masks.count()},
    )
