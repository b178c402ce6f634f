"""The page of the files kept as they were uploaded: the choice, the list, erasure."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from ratings import access, audit, files, originals
from ratings.models import Original, Study
from ratings.originals import OriginalsRefused
from ratings.rater_forms import TypedTitleForm
from ratings.steps import plural
from ratings.views import SignedInRequest


@login_required
@require_GET
def show_originals(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    return render_page(request, study, TypedTitleForm(expected=study.title))


def render_page(
    request: SignedInRequest, study: Study, form: TypedTitleForm, *, status: int = 200
) -> HttpResponse:
    found = list(study.originals.select_related("case", "arm", "study"))
    number, size = originals.count(study)
    context = {
        "study": study,
        "form": form,
        "draft": study.state == Study.State.DRAFT,
        "unblinded": study.state == Study.State.UNBLINDED,
        "rows": [(o, originals.name_part(o), originals.is_sealed(o)) for o in found],
        "number": number,
        "size": size,
    }
    return render(request, "ratings/originals.html", context, status=status)


@login_required
@require_POST
def choose_originals(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    keep = request.POST.get("keep") == "yes"
    try:
        originals.choose(study=study, actor=request.user, keep=keep)
    except OriginalsRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, KEPT if keep else NOT_KEPT)
    return redirect("originals", study_id=study.pk)


KEPT = "From now on every file that is taken in is also kept as it was uploaded."
NOT_KEPT = "From now on no file is kept as it was uploaded."


@login_required
@require_POST
def erase_originals(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    form = TypedTitleForm(request.POST, expected=study.title)
    if not form.is_valid():
        return render_page(request, study, form, status=422)
    number = originals.erase_all(study=study, actor=request.user)
    messages.success(request, f"{plural(number, 'original')} erased.")
    return redirect("originals", study_id=study.pk)


@login_required
@require_GET
def send_original(
    request: SignedInRequest, study_id: UUID, original_id: UUID
) -> HttpResponse | FileResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    found = find_original(study, original_id)
    if originals.is_sealed(found):
        messages.error(request, originals.SEALED)
        form = TypedTitleForm(expected=study.title)
        return render_page(request, study, form, status=423)
    return take_original(found, request.user)


def find_original(study: Study, original_id: UUID) -> Original:
    found = study.originals.filter(pk=original_id).first()
    if found is None or not files.locate(found.path).is_file():
        raise Http404
    return found


def take_original(original: Original, actor: User) -> FileResponse:
    """The file, after it was noted who takes it."""
    audit.note_access(
        study=original.study, actor=actor, verb="read_original",
        payload={"original": str(original.pk)},
    )  # fmt: skip
    return FileResponse(
        files.locate(original.path).open("rb"),
        as_attachment=True,
        filename=originals.name_file(original),
        content_type="application/octet-stream",
        headers={"Cache-Control": "private, no-store"},
    )
