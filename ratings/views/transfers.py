"""Takes in files piece by piece, plans a set, and hands what is whole to the judge."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse, JsonResponse, UnreadablePostError
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from ratings import (
    access,
    archives,
    arms,
    importing,
    layouts,
    refused_rows,
    sets,
    transfers,
)
from ratings.archives import ArchiveRefused
from ratings.entries import tidy_arm
from ratings.layouts import Plan
from ratings.makers import name_sources
from ratings.models import Study, Transfer, Upload
from ratings.transfers import TransferRefused
from ratings.views import SignedInRequest
from ratings.views.preview import is_id
from ratings.views.uploads import (
    UploadRefused,
    answer,
    describe,
    name_predictions,
    read_arm,
)

TUS = {"Tus-Resumable": "1.0.0", "Cache-Control": "no-store"}
MOST_PATHS = 20_000


def find_draft(request: SignedInRequest, study_id: UUID) -> Study:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    if study.state != Study.State.DRAFT:
        raise TransferRefused(409, "The study is locked, so its cases are fixed.")
    return study


def find_transfer(study: Study, transfer_id: UUID, user: Any) -> Transfer:
    found = study.transfers.filter(pk=transfer_id, user=user).first()
    if found is None:
        raise Http404
    return found


def refuse(refusal: TransferRefused) -> HttpResponse:
    response = answer(refusal.status, "Not taken in", str(refusal))
    for key, value in TUS.items():
        response[key] = value
    return response


def say(status: int, **headers: object) -> HttpResponse:
    response = HttpResponse(status=status)
    for key, value in (TUS | headers).items():
        response[key.replace("_", "-")] = str(value)
    return response


@login_required
@require_POST
def plan_set(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """What each file of a folder is, from the paths and the small files in it."""
    try:
        study = find_draft(request, study_id)
        arm = read_arm(study, request.POST)
        paths = json.loads(request.POST.get("paths", "[]"))
    except TransferRefused as refusal:
        return refuse(refusal)
    except UploadRefused as refusal:
        return answer(refusal.status, "Not taken in", str(refusal))
    except (ValueError, RecursionError):
        paths = None
    if not isinstance(paths, list) or len(paths) > MOST_PATHS:
        return answer(400, "Not a list of paths", "Choose the folder again.")
    texts, keys = request.FILES.getlist("text"), request.POST.getlist("text-path")
    if len(texts) != len(keys):
        return answer(400, "Not all of the files", "Choose the folder again.")
    # by place, as the files of two folders may have one name
    by_path = dict(zip(keys, texts, strict=True))

    def read(path: str) -> bytes:
        file = by_path.get(path)
        if file is None:
            return b""
        # one sidecar may be of many images
        file.seek(0)
        data: bytes = file.read(sets.SMALL)
        return data

    named = [str(path) for path in paths]
    # a file by itself that is no image is sent, and told why not when it came
    inside = [path for path in named if "/" in path]
    plan = sets.add_others(layouts.plan(named, read), inside)
    plan = replace(plan, entries=name_sources(plan.entries, stated=arm.label))
    refused_rows.keep(study=study, user=request.user, faults=plan.faults)
    return JsonResponse(describe_plan(plan, study=study, read=read))


def describe_plan(plan: Plan, *, study: Study, read: layouts.Read) -> dict[str, Any]:
    return {
        "layout": plan.layout,
        "files": list(sets.write_entries(plan, study=study, read=read)),
        "passed_over": [
            {"path": path, "reason": why} for path, why in plan.passed_over
        ],
        "faults": list(plan.faults),
    }


@login_required
@require_POST
def begin_transfer(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Creation of tus: length and metadata in headers, the address in the answer."""
    try:
        study = find_draft(request, study_id)
        told = read_metadata(request.headers.get("Upload-Metadata", ""))
        size = read_number(request.headers.get("Upload-Length", ""))
        origin = read_json(told.get("origin", "{}"))
        check_label(study, origin)
        made = transfers.begin(
            study=study, user=request.user, size=size, origin=origin,
            name=PurePosixPath(told.get("filename", "").replace("\\", "/")).name,
        )  # fmt: skip
    except TransferRefused as refusal:
        return refuse(refusal)
    place = reverse("transfer", args=[study.pk, made.pk])
    return say(201, Location=place, Upload_Offset=0)


def check_label(study: Study, origin: dict[str, Any]) -> None:
    """A plan's labels are free; one that is not was typed, and is told at once."""
    label = tidy_arm(str(origin.get("arm_label", "")))
    if not label:
        return
    try:
        name_predictions(study, label)
    except UploadRefused as refusal:
        raise TransferRefused(refusal.status, str(refusal)) from refusal


def read_metadata(header: str) -> dict[str, str]:
    """`key base64,key base64`, as tus writes it."""
    told = {}
    for pair in header.split(",") if header else []:
        key, _, value = pair.strip().partition(" ")
        try:
            told[key] = b64decode(value, validate=True).decode()
        except (Base64Error, UnicodeDecodeError) as error:
            raise TransferRefused(400, "The file's metadata can't be read.") from error
    return told


def read_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise TransferRefused(400, "The length or offset is missing or no number.")
    return int(text)


def read_json(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise TransferRefused(400, "The file's metadata can't be read.")
    return told


@login_required
@require_http_methods(["HEAD", "PATCH", "DELETE"])
def move_transfer(
    request: SignedInRequest, study_id: UUID, transfer_id: UUID
) -> HttpResponse:
    """HEAD says how far it is, PATCH goes on from there, DELETE lets go of it."""
    try:
        study = find_draft(request, study_id)
        transfer = find_transfer(study, transfer_id, request.user)
        if request.method == "PATCH":
            return receive_piece(request, transfer)
    except TransferRefused as refusal:
        return refuse(refusal)
    if request.method == "DELETE":
        transfers.discard(transfer)
        return say(204)
    offset = transfers.find_offset(transfer)
    return say(200, Upload_Offset=offset, Upload_Length=transfer.size)


def receive_piece(request: SignedInRequest, transfer: Transfer) -> HttpResponse:
    if request.content_type != "application/offset+octet-stream":
        raise TransferRefused(415, "A piece has type application/offset+octet-stream.")
    offset = read_number(request.headers.get("Upload-Offset", ""))
    try:
        offset = transfers.append(
            transfer, offset=offset, read=request.read, digest=read_checksum(request)
        )
    except UnreadablePostError:
        # the line broke: what came is kept, and nobody is there to read an answer
        raise TransferRefused(400, f"{transfer.name} broke off.") from None
    return say(204, Upload_Offset=offset)


def read_checksum(request: SignedInRequest) -> str:
    kind, _, value = request.headers.get("Upload-Checksum", "").partition(" ")
    if not kind:
        return ""
    try:
        if kind != "sha256":
            raise ValueError
        return b64decode(value, validate=True).hex()
    except ValueError as error:
        raise TransferRefused(400, "A checksum is SHA-256 in base64.") from error


@login_required
@require_POST
def discard_transfers(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Let go of unfinished files of the study, those of a colleague too."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    ids = [UUID(one) for one in request.POST.getlist("transfer") if is_id(one)]
    names = transfers.discard_some(study=study, ids=ids)
    if not names:
        messages.info(request, "Nothing was discarded: it has arrived or is gone.")
    elif len(names) == 1:
        messages.info(request, f"What had arrived of {names[0]} was discarded.")
    else:
        messages.info(request, f"{len(names)} unfinished files were discarded.")
    return redirect("cases", study_id=study.pk)


@login_required
@require_POST
def finish_transfer(
    request: SignedInRequest, study_id: UUID, transfer_id: UUID
) -> HttpResponse:
    """The verdict on a whole file; for a zip, what lies in it."""
    try:
        study = find_draft(request, study_id)
        transfer = find_transfer(study, transfer_id, request.user)
        path = transfers.complete(transfer, sha256=request.POST.get("sha256", ""))
        if archives.is_zip(path):
            return JsonResponse(open_archive(study, request.user, transfer), status=202)
        return describe(take_whole(study, request.user, transfer, path))
    except TransferRefused as refusal:
        return refuse(refusal)
    except ArchiveRefused as refusal:
        return answer(422, "Refused", str(refusal), code="zip")


def take_whole(study: Study, user: User, transfer: Transfer, path: Path) -> Upload:
    """The verdict on what arrived whole; the transfer is over."""
    try:
        origin = sets.read_origin(transfer.origin, study=study)
    except arms.NameTooLong as fault:
        raise TransferRefused(400, str(fault)) from fault
    try:
        return importing.take_in(
            study=study, user=user, name=transfer.name, path=path,
            size=transfer.size, origin=origin,
        )  # fmt: skip
    finally:
        transfers.discard(transfer)


def open_archive(study: Study, user: User, transfer: Transfer) -> dict[str, Any]:
    """What a zip holds; each of its files is then asked for by its number."""
    try:
        plan, read = plan_archive(transfer)
    except ArchiveRefused:
        transfers.discard(transfer)
        raise
    refused_rows.keep(study=study, user=user, faults=plan.faults)
    return describe_plan(plan, study=study, read=read)


def plan_archive(transfer: Transfer) -> tuple[Plan, layouts.Read]:
    path = transfers.complete(transfer, sha256=transfer.sha256)
    paths = archives.list_files(path, name=transfer.name)

    def read(entry: str) -> bytes:
        data = bytearray()
        for piece in archives.read_file(path, entry, name=transfer.name):
            data += piece
            if len(data) > sets.SMALL:
                break
        return bytes(data)

    plan = sets.add_others(layouts.plan(paths, read), paths)
    # what was said of the zip is said of the masks in it
    told = str(transfer.origin.get("arm_label", ""))
    return replace(plan, entries=name_sources(plan.entries, stated=told)), read


@login_required
@require_POST
def take_from_archive(
    request: SignedInRequest, study_id: UUID, transfer_id: UUID
) -> HttpResponse:
    """One file of a zip, by its number in the plan: its verdict."""
    try:
        study = find_draft(request, study_id)
        transfer = find_transfer(study, transfer_id, request.user)
        number = read_number(request.POST.get("number", ""))
        return describe(take_entry(study, request.user, transfer, number))
    except TransferRefused as refusal:
        return refuse(refusal)
    except ArchiveRefused as refusal:
        return answer(422, "Refused", str(refusal), code="zip")


def take_entry(study: Study, user: User, transfer: Transfer, number: int) -> Upload:
    """The verdict on one file of a zip."""
    # while its files are taken in, a zip is in use, and is shown so
    transfers.note_piece(transfer)
    plan, read = plan_archive(transfer)
    if number >= len(plan.entries):
        raise TransferRefused(400, "The zip holds no such file.")
    entry = plan.entries[number]
    return importing.receive(
        study=study, user=user, name=PurePosixPath(entry.path).name,
        chunks=archives.read_file(
            transfers.complete(transfer, sha256=transfer.sha256), entry.path,
            name=transfer.name,
        ),
        origin=sets.make_origin(entry, study=study, read=read),
    )  # fmt: skip
