"""The results of an unblinded study: the answer first, then what supports it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from ratings import access, audit, results
from ratings.models import AnalysisRun, Job, Study
from ratings.views import SignedInRequest

TYPES = {"svg": "image/svg+xml", "png": "image/png", "csv": "text/csv"}
TIERS = {
    "primary": ("preference_per_rater", "forest_per_rater", "preference_per_arm",
                "forest_per_arm"),
    "sensitivity": ("strata", "transition", "difference_map"),
    "agreement": ("kappa",),
    "conduct": ("order", "time", "blinding", "carry"),
    "scores": ("likert_overall", "likert_per_rater", "violin_overall",
               "histogram_per_rater"),
}  # fmt: skip
NUMBERED = re.compile(r"(\d+)_")  # how draw_all names the figures of a comparison
FEW_ARMS = 3  # as many comparisons have a card and a figure each at the top


@dataclass(frozen=True)
class Picture:
    """A stored figure of one analysis, what its caption says, and the room it needs."""

    run: int
    name: str
    caption: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class Report:
    """One question's analysis, as the page lays it out."""

    run: AnalysisRun
    question: str
    analysis: dict[str, Any]
    over_questions: str
    headline: list[Picture]
    pictures: dict[str, list[Picture]]
    of_arms: dict[str, list[tuple[str, list[Picture]]]]
    paradox: int
    many: bool


@login_required
@require_GET
def show_results(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    context: dict[str, Any] = {"study": study}
    if study.state != Study.State.UNBLINDED:
        context["coordinates"] = coordinates(request, study)
        return render(request, "ratings/results/sealed.html", context, status=423)
    runs = results.find_runs(study)
    if (runs or failed(study)) and request.htmx:
        # A whole page has its own styles and scripts, which a fragment lacks.
        return HttpResponseClientRefresh()
    if runs:
        audit.note_access(
            study=study, actor=request.user, verb="read_results", payload={}
        )
        context["reports"] = [lay_out(study, run) for run in runs]
        context |= describe_withdrawn(runs[0])
        return render(request, "ratings/results/results.html", context)
    job = last_job(study)
    stale = job is None or job.status == Job.Status.DONE
    context["job"] = results.request(study) if stale else job
    return render(request, "ratings/results/waiting.html", context)


def coordinates(request: SignedInRequest, study: Study) -> bool:
    """Whether the pages that lead to the results are this person's too."""
    role = access.find_role(user=request.user, study=study)
    return role in access.ACTS["unblind"]


def describe_withdrawn(run: AnalysisRun) -> dict[str, Any]:
    """The cases and raters that were withdrawn, and the words for them."""
    from ratings.statistics.withdrawn import Withdrawn, tell

    found = [Withdrawn(**one) for one in run.results.get("withdrawn", ())]
    return {"withdrawn": found, "withdrawn_words": tell(found)}


def failed(study: Study) -> bool:
    job = last_job(study)
    return job is not None and job.status == Job.Status.FAILED


def last_job(study: Study) -> Job | None:
    return study.jobs.filter(kind=Job.Kind.ANALYSE).order_by("-created_at").first()


@login_required
@require_POST
def analyse_again(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """A new attempt after a failed one."""
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    if study.state != Study.State.UNBLINDED:
        raise Http404
    job = results.request(study)
    context = {"study": study, "job": job}
    return render(request, "ratings/results/waiting.html", context)


def lay_out(study: Study, run: AnalysisRun) -> Report:
    sizes = run.results.get("sizes", {})  # runs of earlier versions have none
    pictures = [
        Picture(run.pk, name, caption, *sizes.get(name, (None, None)))
        for name, caption in run.results["captions"].items()
    ]
    grouped = {
        tier: [p for p in pictures if any(word in p.name for word in words)]
        for tier, words in TIERS.items()
    }
    many = len(run.results["analysis"]["comparisons"]) > FEW_ARMS
    shown = [p for p in pictures if p.name.endswith("violin_per_rater")]
    if many:
        grouped["scores"] += shown
        shown = [p for p in pictures if p.name == "forest_per_arm"]
        grouped["primary"] = [p for p in grouped["primary"] if p not in shown]
    general = {
        tier: [p for p in found if not (many and NUMBERED.match(p.name))]
        for tier, found in grouped.items()
    }
    texts = {question["key"]: question["text"] for question in study.questions}
    return Report(
        run=run,
        question=texts.get(run.question, run.question),
        analysis=run.results["analysis"],
        over_questions=tell_over_questions(run.results["analysis"]),
        headline=shown or [p for p in pictures if p.name == "violin_overall"],
        pictures=general,
        of_arms=sort_by_arm(run, grouped) if many else {},
        paradox=count_paradoxes(run.results["analysis"]),
        many=many,
    )


def tell_over_questions(analysis: dict[str, Any]) -> str:
    """What of the answer holds once all questions are corrected for."""
    from ratings.statistics.family import tell_corrected

    found = analysis["multiplicity"]
    if found is None:
        return ""
    own = [comparison["p_holm"] for comparison in analysis["comparisons"]]
    return tell_corrected(own, found["p_holm"], n_questions=found["n_questions"])


def sort_by_arm(
    run: AnalysisRun, grouped: dict[str, list[Picture]]
) -> dict[str, list[tuple[str, list[Picture]]]]:
    """A tier's figures of single comparisons, under the two arms' names."""
    names = [
        f"{comparison['arm']} − {comparison['reference']}"
        for comparison in run.results["analysis"]["comparisons"]
    ]
    found: dict[str, list[tuple[str, list[Picture]]]] = {}
    for tier, pictures in grouped.items():
        of_each: list[list[Picture]] = [[] for _ in names]
        for picture in pictures:
            if number := NUMBERED.match(picture.name):
                of_each[int(number[1]) - 1].append(picture)
        found[tier] = [pair for pair in zip(names, of_each, strict=True) if pair[1]]
    return found


def count_paradoxes(analysis: dict[str, Any]) -> int:
    """Pairs of raters, over all arms, whose high agreement hides behind a low kappa."""
    return sum(
        "kappa_paradox" in pair["unweighted"]["warnings"]
        for arm in analysis["arms"]
        for pair in arm["agreement"]["pairs"]
    )


@login_required
@require_GET
def send_figure(
    request: SignedInRequest, study_id: UUID, run_id: int, name: str, kind: str
) -> HttpResponse:
    """One stored figure as SVG, PNG, or the numbers it shows as CSV."""
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    return take_figure(study, run_id, name, kind)


def take_figure(study: Study, run_id: int, name: str, kind: str) -> HttpResponse:
    run = AnalysisRun.objects.filter(study=study, pk=run_id).first()
    if run is None or name not in run.results["captions"] or kind not in TYPES:
        raise Http404
    path = results.locate_figures(run) / f"{name}.{kind}"
    response = HttpResponse(path.read_bytes(), content_type=TYPES[kind])
    if kind != "svg":
        response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response["Cache-Control"] = "private, max-age=3600"
    return response


@login_required
@require_GET
def show_export(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    ready = study.state == Study.State.UNBLINDED
    runs = results.find_runs(study) if ready else []
    return render(
        request,
        "ratings/results/export.html",
        {
            "study": study,
            "ready": bool(runs),
            "sealed": not ready,
            "coordinates": coordinates(request, study),
        },
        status=200 if ready else 423,
    )


@login_required
@require_POST
def send_bundle(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """The whole study as one zip; asking for it is put on record."""
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    if study.state != Study.State.UNBLINDED or not results.find_runs(study):
        raise Http404
    return take_bundle(study, request.user)


def take_bundle(study: Study, actor: User) -> HttpResponse:
    """The zip, after it was noted who takes it."""
    data = results.read_bundle(study)
    audit.note_access(
        study=study, actor=actor, verb="export",
        payload={"sha256": hashlib.sha256(data).hexdigest()},
    )  # fmt: skip
    response = HttpResponse(data, content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="blindfold-export.zip"'
    response["Cache-Control"] = "no-store"
    return response
