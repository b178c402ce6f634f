"""The power of a planned study: a form, the answer, and the curve beside it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ratings import access, piloting, training
from ratings.design import read_design
from ratings.models import Enrolment, Study
from ratings.power_forms import PowerForm
from ratings.statistics.power import PowerPlan, curve, simulate
from ratings.statistics.power_notes import tell_several, tell_untested
from ratings.statistics.primary import CROSSED, REMARKS, TESTS
from ratings.views import SignedInRequest

SEED = 20250101


def fill_in(study: Study) -> dict[str, str]:
    """The study as it stands; what it lacks has the size of the published one."""
    raters = study.enrolments.filter(role=Enrolment.Role.RATER).count()
    cases, usual = training.count_rated(study), PowerPlan()
    values = {
        "raters": max(raters, 2) if raters else usual.raters,
        "cases": max(cases, 3) if cases else usual.cases,
        "effect": usual.effect,
        "margin": study.design.get("margin") or "",
        "sd_case": usual.sd_case,
        "sd_rater": usual.sd_rater,
        "sd_residual": usual.sd_residual,
        "sd_all_cases": usual.sd_all_cases,
        "sd_all_raters": usual.sd_all_raters,
        "missing": 0,
        "comparisons": count_comparisons(study),
    }
    return {name: str(value) for name, value in values.items()}


def count_comparisons(study: Study) -> int:
    """How many primary tests the results correct together, over arms and questions."""
    others = study.rated_arms().exclude(key=study.reference_arm).count()
    return max(others, 1) * max(len(study.questions), 1)


def read_values(request: SignedInRequest, study: Study) -> dict[str, Any]:
    """What the form holds; an address without comparisons means the study's own."""
    sent = request.GET.dict()
    usual = {"comparisons": str(count_comparisons(study))}
    return usual | sent if sent else fill_in(study)


def name_test(study: Study) -> dict[str, str]:
    """The study's primary test, where it is not the one that is simulated."""
    key = read_design(study.design).primary
    if key == CROSSED:
        return {}
    return {"other": TESTS[key].name, "remark": REMARKS[key]}


@login_required
@require_GET
def show_power(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    pilots = piloting.list_pilots(user=request.user, study=study)
    values = read_values(request, study)
    take = values.pop("take", None) is not None
    context: dict[str, Any] = {"study": study, "pilots": pilots, **name_test(study)}
    context["unnamed"] = take and not values.get("pilot")
    if values.get("pilot") in dict(pilots):
        source = piloting.read_pilot(
            user=request.user, study=study, key=values["pilot"]
        )
        context |= {"source": source, "taken": take}
        values |= source.fill_in(lowest=study.levels[0]) if take else {}
    form = PowerForm(values, pilots=pilots)
    context["form"] = form
    if form.is_valid():
        plan = form.plan(levels=study.levels)
        found = simulate(plan, seed=SEED)
        context |= {
            "plan": plan,
            "found": found,
            "several": tell_several(plan, found),
            "untested": tell_untested(found),
        }
        context["query"] = urlencode({k: v for k, v in values.items() if k != "pilot"})
    status = 200 if form.is_valid() else 422
    return render(request, "ratings/power.html", context, status=status)


@login_required
@require_GET
def send_curve(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """The curve as SVG, for the same values as the page."""
    from ratings.figures.power import power_curve

    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    form = PowerForm(read_values(request, study))
    if not form.is_valid():
        raise Http404
    plan = form.plan(levels=study.levels)
    figure = power_curve(
        lines=curve(plan, seed=SEED),
        raters=plan.raters,
        cases=plan.cases,
        comparisons=plan.comparisons,
        chosen=simulate(plan, seed=SEED),
    )
    return HttpResponse(figure.svg, content_type="image/svg+xml")
