"""The pages that move a finished study here: files, columns, oddities, the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from ratings import access, files
from ratings.models import Job, ScoreImport, Study
from ratings.moving import reading
from ratings.moving import study as moving
from ratings.moving.entries import MoveRefused
from ratings.moving.findings import KINDS
from ratings.moving.mapping import FILE_NAME, LAYOUTS, OPTIONAL, Mapping
from ratings.moving.study import Plan
from ratings.statistics.rows import parse_scale
from ratings.views import SignedInRequest

LONGEST_TITLE = 200
DONE = "The scores were moved. The analysis has begun."


@dataclass(frozen=True)
class Listed:
    """One kind of finding on the page, with what can be done and what is chosen."""

    kind: str
    title: str
    rule: str
    count: int
    options: tuple[tuple[str, str], ...]
    chosen: str
    first: list[dict[str, Any]]

    @property
    def more(self) -> int:
        return self.count - len(self.first)


@login_required
@require_http_methods(["GET", "POST"])
def start_move(request: SignedInRequest) -> HttpResponse:
    """Take in the files of a finished study."""
    if not access.may_create_study(request.user):
        raise Http404
    fault = ""
    title = " ".join(request.POST.get("title", "").split())
    if request.method == "POST":
        try:
            found = take_in(request, title)
        except MoveRefused as refusal:
            fault = str(refusal)
        else:
            return redirect("move", move_id=found.pk)
    waiting = ScoreImport.objects.filter(created_by=request.user, study=None)
    context = {
        "fault": fault,
        "typed": title,
        "waiting": waiting.order_by("-created_at"),
    }
    status = 422 if fault else 200
    return render(request, "ratings/moves/new.html", context, status=status)


def take_in(request: SignedInRequest, title: str) -> ScoreImport:
    """Keep the files and read them; what can't be read leaves nothing behind."""
    uploads = list_uploads(request, title)
    found = moving.receive(user=request.user, title=title, uploads=uploads)
    try:
        reading.begin(found, act=reading.CHECK)
    except MoveRefused:
        reading.discard(found)
        raise
    return found


def list_uploads(
    request: HttpRequest, title: str
) -> list[tuple[str, UploadedFile[bytes]]]:
    if not title:
        raise MoveRefused("Give the study a name.")
    if len(title) > LONGEST_TITLE:
        raise MoveRefused(
            f"The name of the study has {len(title)} characters, and at most "
            f"{LONGEST_TITLE} are kept. Shorten it."
        )
    uploads = request.FILES.getlist("files")
    if not uploads:
        raise MoveRefused("No file arrived. Choose the files that hold the scores.")
    size = sum(upload.size or 0 for upload in uploads)
    limit = settings.UPLOAD_LIMIT_BYTES
    if size > limit:
        raise MoveRefused(
            f"The files have {filesizeformat(size)}, more than the limit of "
            f"{filesizeformat(limit)}."
        )
    return [(upload.name or "file", upload) for upload in uploads]


def find_move(request: SignedInRequest, move_id: UUID) -> ScoreImport:
    """The person's own import that is still under way."""
    found = ScoreImport.objects.filter(pk=move_id, created_by=request.user).first()
    if found is None or not access.may_create_study(request.user):
        raise Http404
    return found


@login_required
@require_http_methods(["GET", "POST"])
def show_move(request: SignedInRequest, move_id: UUID) -> HttpResponse:
    """The columns and the oddities of an import; posting checks, or imports."""
    found = find_move(request, move_id)
    if found.study:
        return leave(request, found.study)
    job = reading.last_job(found)
    again = request.POST.get("act") == "again"
    if job and job.status != Job.Status.DONE and not (again and is_over(job)):
        if request.htmx and is_over(job):
            return HttpResponseClientRefresh()
        return render(
            request, "ratings/moves/waiting.html", {"move": found, "job": job}
        )
    if request.htmx:
        # A whole page has its own styles and scripts, which a fragment lacks.
        return HttpResponseClientRefresh()
    if request.method == "POST" or not found.reading:
        return act_on(request, found)
    return show_reading(request, found, found.reading["faults"])


def is_over(job: Job) -> bool:
    return job.status not in (Job.Status.QUEUED, Job.Status.RUNNING)


def leave(request: SignedInRequest, study: Study) -> HttpResponse:
    """From an import that is done to its study; whoever waited goes to the results."""
    if not request.htmx:
        return redirect("moved", study_id=study.pk)
    messages.success(request, DONE)
    return HttpResponseClientRedirect(reverse("results", args=[study.pk]))


def act_on(request: SignedInRequest, found: ScoreImport) -> HttpResponse:
    """Read the files by what was posted, and import them if asked to."""
    act = request.POST.get("act", "")
    if found.reading and act != "again":
        plan, faults = read_plan(request.POST, found)
        if faults:
            found.mapping, found.choices = plan.to_json(), plan.choices
            return show_reading(request, found, faults)
        moving.keep_plan(
            found, plan, reading=found.reading, report_path=found.report_path
        )
        found.refresh_from_db()
    try:
        job = reading.begin(found, act=act if act == reading.IMPORT else reading.CHECK)
    except MoveRefused as refusal:
        return show_reading(request, found, [str(refusal)])
    found.refresh_from_db()
    if found.study:
        messages.success(request, DONE)
        return redirect("results", study_id=found.study.pk)
    if job:
        return redirect("move", move_id=found.pk)
    return show_reading(request, found, found.reading["faults"])


def show_reading(
    request: SignedInRequest, found: ScoreImport, faults: list[str]
) -> HttpResponse:
    context = lay_out(found) | {"faults": faults}
    status = 422 if faults and request.method == "POST" else 200
    return render(request, "ratings/moves/move.html", context, status=status)


def read_plan(posted: QueryDict, found: ScoreImport) -> tuple[Plan, list[str]]:
    """The plan that a person sent, and a sentence for each scale that is none."""
    before, grid = moving.read_plan(found), found.reading["grid"]
    scales, faults = dict(before.scales) if before else {}, []
    for question in scales:
        try:
            scales[question] = parse_scale(posted.get(f"scale:{question}", "1-5"))
        except ValueError as error:
            faults.append(f"{question or 'Scale'}: {error}.")
    names = {
        key.removeprefix("name:"): " ".join(value.split())
        for key, value in posted.items()
        if key.startswith("name:") and isinstance(value, str) and value.strip()
    }
    choices = {kind: posted.get(f"choice:{kind}", "") for kind in KINDS}
    choices = {kind: choice for kind, choice in choices.items() if choice}
    sheet = posted.get("sheet", before.sheet if before else "")
    if grid and sheet != grid["sheet"]:
        return Plan(None, {}, {}, "", choices, sheet), []
    plan = Plan(
        mapping=read_columns(posted, names) if grid else None,
        names=names,
        scales=scales,
        reference=posted.get("reference", ""),
        choices=choices,
        sheet=sheet,
    )
    return plan, faults


def read_columns(posted: QueryDict, names: dict[str, str]) -> Mapping:
    layout = posted.get("layout", "long")
    optional = {name: posted.get(f"column:{name}", "") for name in OPTIONAL}
    return Mapping(
        layout=layout if layout in LAYOUTS else "long",
        scores=tuple(dict.fromkeys(posted.getlist("scores"))),
        rater="" if layout == "wide_raters" else posted.get("column:rater", ""),
        case=posted.get("column:case", ""),
        arm="" if layout == "wide_arms" else posted.get("column:arm", ""),
        optional={name: column for name, column in optional.items() if column},
        names=names,
    )


def lay_out(found: ScoreImport) -> dict[str, Any]:
    shown, plan = found.reading, moving.read_plan(found)
    if plan is None or not shown:
        raise Http404
    return {
        "move": found,
        "plan": plan,
        "shown": shown,
        "grid": shown["grid"],
        "layouts": LAYOUTS,
        "optional": [(n, plan.mapping.optional.get(n, "")) for n in OPTIONAL]
        if plan.mapping
        else [],
        "file_name": FILE_NAME,
        "files_by_rater": [(f, plan.names.get(f, "")) for f in shown["reports"]],
        "arms_by_key": [(a, plan.names.get(a, "")) for a in shown["key_arms"]],
        "scales": [(q, f"{low}-{high}") for q, (low, high) in plan.scales.items()],
        "listed": [list_kind(one) for one in shown.get("findings", [])],
    }


def list_kind(told: dict[str, Any]) -> Listed:
    one = KINDS[told["kind"]]
    return Listed(title=one.title, rule=one.rule, options=one.options, **told)


@login_required
@require_GET
def send_report(request: SignedInRequest, move_id: UUID) -> HttpResponse:
    """Every finding with file and row, as CSV."""
    found = find_move(request, move_id)
    if not found.report_path:
        raise Http404
    data = files.locate(found.report_path).read_bytes()
    response = HttpResponse(data, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="import-report.csv"'
    return response


@login_required
@require_POST
def discard_move(request: SignedInRequest, move_id: UUID) -> HttpResponse:
    found = find_move(request, move_id)
    if found.study is None:
        reading.discard(found)
        messages.info(request, "The files were deleted; nothing was imported.")
    return redirect("home")


@login_required
@require_GET
def show_moved(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Where the scores of a moved study came from, and what was decided."""
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    found = ScoreImport.objects.filter(study=study).first()
    if found is None:
        raise Http404
    return render(request, "ratings/moves/moved.html", describe(study, found))


def describe(study: Study, found: ScoreImport) -> dict[str, Any]:
    return {
        "study": study,
        "move": found,
        "report": found.report,
        "findings": found.report["findings"].values(),
        "scales": [(q["text"], *q["scale"]) for q in study.questions],
    }
