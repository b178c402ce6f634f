"""Takes in files one at a time, shows their pictures, and lets go of them again."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_POST

from ratings import access, arms, importing, pictures, repeats, storage
from ratings.entries import tidy_arm
from ratings.models import Study, Upload
from ratings.steps import plural
from ratings.views import SignedInRequest

Received: TypeAlias = "UploadedFile[Any]"


class UploadRefused(Exception):
    """Why a file was not taken in at all: an HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@login_required
@require_POST
def receive_upload(request: SignedInRequest, study_id: UUID) -> JsonResponse:
    """One file in, its verdict out; 422 with a sentence if it can't be used."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    try:
        file = check_file(study, request.FILES.get("file"))
        arm = read_arm(study, request.POST)
    except UploadRefused as refusal:
        return answer(refusal.status, "Not taken in", str(refusal))
    upload = importing.receive(
        study=study, user=request.user, name=file.name or "", chunks=file.chunks(),
        origin=importing.Origin(arm=arm.key, arm_label=arm.label),
    )  # fmt: skip
    return describe(upload)


def check_file(study: Study, file: Received | None) -> Received:
    if study.state != Study.State.DRAFT:
        raise UploadRefused(409, "The study is locked, so its cases are fixed.")
    if file is None:
        raise UploadRefused(400, "No file arrived. Choose a .nii or .nii.gz file.")
    size = file.size or 0
    if size > settings.UPLOAD_LIMIT_BYTES:
        raise UploadRefused(
            413,
            f"{file.name}: {filesizeformat(size)} are more than the limit of "
            f"{filesizeformat(settings.UPLOAD_LIMIT_BYTES)} a file. Crop the volume.",
        )
    if not storage.has_room(2 * size):
        raise UploadRefused(
            507,
            f"{file.name}: the site's disk is nearly full, and what is left is kept "
            "for scores, or it can't be written. Ask whoever runs this site to make "
            "room.",
        )
    return file


def read_arm(study: Study, posted: Any) -> arms.Name:
    """The arm that uploaded masks belong to."""
    if posted.get("role", arms.MANUAL) == arms.MANUAL:
        return arms.Name(arms.MANUAL)
    return name_predictions(study, tidy_arm(posted.get("arm", "")))


def name_predictions(study: Study, label: str) -> arms.Name:
    """The arm of that label, which somebody typed and can type otherwise."""
    if not any(letter.isalnum() for letter in label):
        raise UploadRefused(400, "Say what made these predictions, e.g. “SCT 6.5”.")
    try:
        name = arms.name_uploaded(study, label)
    except (arms.NameTaken, arms.NameTooLong) as fault:
        raise UploadRefused(400, str(fault)) from fault
    if name.key == arms.MANUAL:
        raise UploadRefused(
            400, f"“{label}” names the manual masks. Choose another name."
        )
    return name


def answer(status: int, title: str, detail: str, **more: object) -> JsonResponse:
    body = {"title": title, "detail": detail, "status": status, **more}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def describe(upload: Upload) -> JsonResponse:
    repeats.note_repeats(upload.study, [upload])
    row = render_to_string("ratings/upload_row.html", {"upload": upload})
    verdict = {
        "id": str(upload.id),
        "kind": upload.kind,
        "facts": upload.facts,
        **upload.verdict,
        "row": row,
    }
    if upload.kind == Upload.Kind.REFUSED:
        return answer(422, "Refused", upload.verdict["message"], **verdict)
    return JsonResponse(verdict, status=201)


def find_upload(request: SignedInRequest, study_id: UUID, upload_id: UUID) -> Upload:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    upload = study.uploads.filter(id=upload_id).first()
    if upload is None:
        raise Http404
    return upload


def send_picture(png: bytes) -> HttpResponse:
    """For the coordinator's own browser only; masks of a case never change."""
    response = HttpResponse(png, content_type="image/png")
    response["Cache-Control"] = "private, max-age=3600"
    return response


@login_required
@require_GET
def show_picture(
    request: SignedInRequest, study_id: UUID, upload_id: UUID
) -> HttpResponse:
    upload = find_upload(request, study_id, upload_id)
    if upload.kind == Upload.Kind.REFUSED:
        raise Http404
    return send_picture(pictures.show_upload(upload))


@login_required
@require_POST
def remove_upload(
    request: SignedInRequest, study_id: UUID, upload_id: UUID
) -> HttpResponse:
    upload = find_upload(request, study_id, upload_id)
    importing.discard(study=upload.study, ids={str(upload.id)})
    messages.info(request, f"{upload.name} was removed from the list.")
    return redirect("cases", study_id=study_id)


@login_required
@require_POST
def clear_uploads(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    count = clear(study, request.POST.get("which", ""))
    messages.info(request, f"{plural(count, 'file')} removed from the list.")
    return redirect("cases", study_id=study_id)


def clear(study: Study, which: str) -> int:
    found = study.uploads.all()
    if which == "refused":
        found = found.filter(kind=Upload.Kind.REFUSED)
    ids = {str(upload.id) for upload in found}
    importing.discard(study=study, ids=ids)
    return len(ids)
