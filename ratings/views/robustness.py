"""The desk's page on how robust the arms' masks are, and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from ratings import access, audit, measuring, sweeping
from ratings.models import Arm, MaskComparison, Study
from ratings.robustness import SWEEPS, VOXELS, draw, list_curves
from ratings.statistics.sweeps import (
    Curve,
    make_coarser,
    make_cuts,
    make_levels,
    make_reliability,
)
from ratings.views import SignedInRequest
from ratings.views.comparison import (
    TYPES,
    Choice,
    find_open,
    read_choice,
    show_sealed,
)


@dataclass(frozen=True)
class Section:
    """One swept quantity: its figure's name, its title and what serves best."""

    name: str
    title: str
    curves: list[Curve]


@login_required
@require_GET
def show_robustness(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    if not measuring.may_show(study):
        return show_sealed(request, study)
    choice = read_choice(request, study)
    context: dict[str, Any] = {"study": study, "choice": choice}
    if choice is not None:
        kept = measuring.list_current(study, choice.reference)
        context |= lay_out(study, choice, kept)
        audit.note_access(
            study=study, actor=request.user, verb="read_comparison", payload={}
        )
    return render(request, "ratings/comparison/robustness.html", context)


def lay_out(study: Study, choice: Choice, kept: list[MaskComparison]) -> dict[str, Any]:
    sections = [
        Section(f"sweep_{swept}", title, list_curves(study, kept, swept))
        for swept, title in SWEEPS.items()
    ]
    return {
        "measured": len(kept),
        "missing": len(measuring.list_missing(study, choice.reference)),
        "sections": [section for section in sections if section.curves],
        "levels": make_levels(sweeping.list_parts(kept, "levels")),
        "cuts": make_cuts(sweeping.list_parts(kept, "cord")),
        "reliability": make_reliability(sweeping.list_parts(kept, "calibration")),
        "voxels": VOXELS if kept else {},
        "coarser": make_coarser(sweeping.list_coarser(kept)),
        "coarser_missing": sum(
            "resolutions" not in one.results for one in models(kept)
        ),
        "coarser_job": measuring.find_coarser_job(study),
    }


def models(kept: list[MaskComparison]) -> list[MaskComparison]:
    """Those whose masks an ensemble made here, and can make again."""
    return [one for one in kept if one.arm.kind == Arm.Kind.MODEL]


@login_required
@require_POST
def predict_coarser(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Ask the worker to predict every ensemble's cases again from coarser images."""
    study = find_open(request, study_id)
    choice = read_choice(request, study)
    if choice is None:
        raise Http404
    measuring.request_coarser(study, choice.reference)
    return redirect(reverse("robustness", args=[study.pk]) + f"?{choice.query}")


@login_required
@require_GET
def send_figure(
    request: SignedInRequest, study_id: UUID, name: str, kind: str
) -> HttpResponse:
    """One figure of the page as SVG or PNG, or the numbers it shows as CSV."""
    return take_figure(request, find_open(request, study_id), name, kind)


def take_figure(
    request: SignedInRequest, study: Study, name: str, kind: str
) -> HttpResponse:
    choice = read_choice(request, study)
    kept = measuring.list_current(study, choice.reference) if choice else []
    figure = draw(study, kept, name) if kept and kind in ("svg", "png", "csv") else None
    if figure is None:
        raise Http404
    response = HttpResponse(figure.files()[kind], content_type=TYPES[kind])
    if kind != "svg":
        response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response
