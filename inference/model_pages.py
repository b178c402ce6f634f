"""The page of the models: what is registered, and what an operator offers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from inference import progress, shelf, tools
from inference.models import Ensemble
from inference.registering import RegistrationRefused
from inference.tools import Tool, ToolsRefused
from ratings import access
from ratings.views import SignedInRequest


@login_required
@require_http_methods(["GET", "POST"])
def show_models(request: SignedInRequest) -> HttpResponse:
    """For people on the staff alone; to all others there is no such page."""
    check_staff(request)
    if request.method == "POST":
        register(request)
        return redirect("models")
    return render(request, "inference/models.html", describe())


def check_staff(request: HttpRequest) -> None:
    if not access.may_create_study(request.user):
        raise Http404


def register(request: SignedInRequest) -> None:
    entry = request.POST.get("entry", "")
    try:
        shelf.submit(
            entry=entry,
            name=request.POST.get("name", "").strip(),
            label=request.POST.get("label", "").strip()[:200],
        )
    except RegistrationRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"“{entry}” will be checked and registered.")


@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    """The part that refreshes itself while a model is being checked."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    check_staff(request)
    context = describe()
    if not context["live"] or not getattr(request, "htmx", False):
        return HttpResponseClientRefresh()
    return render(request, "inference/models_shelf.html", context)


def describe() -> dict[str, Any]:
    entries = shelf.list_entries()
    found, fault = describe_tools()
    return {
        "entries": entries,
        "live": any(entry.live for entry in entries),
        "worker": progress.hears_worker(),
        "models_dir": settings.MODELS_DIR,
        "ensembles": [
            (ensemble, Path(ensemble.folder).is_dir())
            for ensemble in Ensemble.objects.all()
        ],
        "tools": found,
        "tools_fault": fault,
        "tools_file": settings.TOOLS_FILE,
    }


def describe_tools() -> tuple[list[Tool], str]:
    """The operator's programs, or what is wrong with their list."""
    try:
        return list(tools.list_tools().values()), ""
    except ToolsRefused as refusal:
        return [], str(refusal)
