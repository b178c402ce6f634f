"""The page of the design: words, questions, scale, presentation, reference."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from ratings import access, designing, previewing, starting, steps
from ratings.design import read_design, tell
from ratings.design_forms import MOST_POINTS, DesignForm, fill_in, name_questions
from ratings.designing import DesignRefused, DesignStale, Wishes
from ratings.models import Study
from ratings.views import SignedInRequest
from ratings.views.locking import describe_burden

NAMES = {
    "anchors": "Words of the scale",
    "questions": "Questions",
    "calibration": "Practice masks",
}


@login_required
@require_http_methods(["GET", "POST"])
def edit_design(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    if study.state != Study.State.DRAFT:
        if request.method == "POST":
            messages.error(request, "The study is locked, so its design is fixed.")
            return redirect("design", study_id=study.pk)
        return show_fixed(request, study)
    form = DesignForm(request.POST or None, study=study, initial=fill_in(study))
    stale = None
    if request.method == "POST" and form.is_valid():
        stale = save(request, study, form)
        if stale is None:
            return redirect("design", study_id=study.pk)
        form = renew(request.POST, study)
    facts = steps.count_facts(study)
    context = {
        "study": study,
        "obstacles": [text for step, text in facts.obstacles if step == "design"],
        "form": form,
        "sections": form.list_sections(),
        "points": count_points(form, study),
        "stale": stale,
        "differences": name_differences(stale, form) if stale else [],
        "templates": starting.TEMPLATES,
        "others": starting.list_studies(user=request.user, study=study),
        "arms": study.rated_arms(),
        "burden": describe_burden(study, facts),
    }
    status = 409 if stale else 422 if form.errors else 200
    return render(request, "ratings/design.html", context, status=status)


@login_required
@require_POST
def start_design(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Fill the design from a template or another study; what was there goes."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    kind, _, key = request.POST.get("start", "").partition(":")
    typed = request.POST.get("revision", "")
    if kind == "template" and key in starting.TEMPLATES:
        wishes = starting.start_from_template(study=study, key=key)
    elif kind == "study":
        wishes = starting.start_from_study(study=study, user=request.user, key=key)
    else:
        messages.error(request, "Choose a template or a study to start from.")
        return redirect("design", study_id=study.pk)
    try:
        designing.change_design(
            study=study, actor=request.user, wishes=wishes,
            revision=int(typed) if typed.isdigit() and len(typed) < 10 else None,
        )  # fmt: skip
    except DesignRefused as refusal:
        messages.error(request, f"{refusal} Look at it first, then choose again.")
    else:
        said = "The design was filled in. Look through it; everything can be changed."
        messages.success(request, said)
    return redirect("design", study_id=study.pk)


@login_required
@require_POST
def preview_design(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Rate a short copy of the draft as its rater would; nothing of it is kept."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    try:
        session = previewing.make_preview(study=study, user=request.user)
    except previewing.PreviewRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("design", study_id=study.pk)
    return redirect("rate", key=session.key)


def renew(posted: QueryDict, study: Study) -> DesignForm:
    """What was typed, to be saved over what the other one stored if wanted so."""
    study.refresh_from_db()
    typed = {**posted.dict(), "revision": str(study.design_revision)}
    again = DesignForm(typed, study=study, initial=fill_in(study))
    again.is_valid()
    return again


def name_differences(
    stale: DesignStale, form: DesignForm
) -> list[tuple[str, str, str]]:
    """(what, stored, typed), by the words that stand beside the fields."""
    names = NAMES | {
        name: str(field.label) for name, field in form.fields.items() if field.label
    }
    return [(names.get(d.name, d.name), d.stored, d.wished) for d in stale.differences]


def show_fixed(request: SignedInRequest, study: Study) -> HttpResponse:
    reference = study.arms.filter(key=study.reference_arm).first()
    context = {
        "study": study,
        "reference": reference or study.reference_arm,
        "told": tell(read_design((study.protocol or {}).get("design", study.design))),
    }
    return render(request, "ratings/design_fixed.html", context)


def count_points(form: DesignForm, study: Study) -> int:
    """How many anchors to show; what was posted counts even if it is wrong."""
    posted = str(form["points"].value())
    usable = posted.isdigit() and 2 <= int(posted) <= MOST_POINTS
    return int(posted) if usable else len(study.scale)


def collect_wishes(study: Study, form: DesignForm) -> Wishes:
    """What a valid form says of the design."""
    data = form.cleaned_data
    texts = [data["question"], *data["further"]]
    return Wishes(
        title=data["title"],
        contact=data["contact"],
        instructions=data["instructions"],
        questions=tuple(zip(name_questions(len(texts), study), texts, strict=True)),
        anchors=tuple(data[f"anchor_{n}"] for n in range(1, data["points"] + 1)),
        reference_arm=data["reference_arm"],
        design=form.build_design(read_design(study.design)),
    )


def save(
    request: SignedInRequest, study: Study, form: DesignForm
) -> DesignStale | None:
    wishes = collect_wishes(study, form)
    revision = form.cleaned_data["revision"]
    try:
        changed = designing.change_design(
            study=study, actor=request.user, wishes=wishes, revision=revision
        )
    except DesignStale as stale:
        return stale
    except DesignRefused as refusal:
        messages.error(request, str(refusal))
        return None
    said = "The design was saved." if changed else "Nothing differed, nothing changed."
    messages.success(request, said)
    return None
