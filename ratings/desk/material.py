"""Calls that look at what a draft is made of: its arms, and a slice of a file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ratings import arms, pictures
from ratings.desk.calls import DeskCall, describe, paged, send_page
from ratings.desk.corrections import find_case
from ratings.desk.shapes import ArmShape
from ratings.models import Study, Upload
from ratings.views.cases import draw_case
from ratings.views.uploads import send_picture


class ArmWithWaiting(ArmShape):
    """An arm by its name; `waiting` are its uploaded masks that are not imported."""

    waiting = serializers.IntegerField()


class ArmsCall(DeskCall):
    @describe(
        "The arms by name, those of masks that wait for import too",
        answer={200: paged(ArmWithWaiting)}, paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        return send_page(
            self, list_arms(self.find_study(study_id, "edit")), ArmWithWaiting
        )


def list_arms(study: Study) -> list[dict[str, Any]]:
    told = study.uploads.filter(kind=Upload.Kind.MASK).values_list("facts", flat=True)
    keys = [facts.get("arm", arms.MANUAL) for facts in told]
    rows = [
        {"key": a.key, "label": a.label, "kind": a.kind, "masks": a.masks.count()}
        for a in study.rated_arms()
    ]
    known = {row["key"] for row in rows}
    named = {arms.MANUAL: "Manual"} | arms.list_waiting(study)
    rows += [
        {"key": key, "label": named[key], "kind": "waiting", "masks": 0}
        for key in sorted(set(keys) - known)
    ]
    return [{**row, "waiting": keys.count(row["key"])} for row in rows]


class CasePictureCall(DeskCall):
    @describe(
        "A slice of a case with the masks of all arms, for the desk alone",
        answer={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, study_id: UUID, case_id: UUID) -> HttpResponse:
        study = self.find_study(study_id, "edit")
        return draw_case(study, find_case(study, case_id))


class UploadPictureCall(DeskCall):
    @describe(
        "A slice of a file that waits",
        answer={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, study_id: UUID, upload_id: UUID) -> HttpResponse:
        study = self.find_study(study_id, "edit")
        upload = study.uploads.filter(pk=upload_id).first()
        if upload is None or upload.kind == Upload.Kind.REFUSED:
            raise Http404
        return send_picture(pictures.show_upload(upload))
