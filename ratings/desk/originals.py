"""Calls on files kept as they were uploaded: the choice, the list, erasure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import originals
from ratings.desk.bodies import Body, check_form, read_body, shape_form
from ratings.desk.calls import (
    DeskCall,
    Refused,
    describe,
    paged,
    send_page,
)
from ratings.rater_forms import TypedTitleForm
from ratings.views.originals import find_original, take_original


class OriginalShape(Serializer[Any]):
    """A file as it was uploaded, by its case and what it is of it; never its name."""

    id = serializers.UUIDField()
    case = serializers.SerializerMethodField()
    kind = serializers.CharField()
    arm = serializers.SerializerMethodField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    created_at = serializers.DateTimeField()

    def get_case(self, original: Any) -> str:
        """The label of its case; empty while it waits for import."""
        return original.case.label if original.case else ""

    def get_arm(self, original: Any) -> str:
        """Of a mask the key of its arm, else empty."""
        return original.arm.key if original.arm else ""


class ChoiceOfOriginals(Body):
    """Whether files are kept as they were uploaded, from now on."""

    keep = serializers.BooleanField()


class OriginalsCall(DeskCall):
    @describe(
        "Files that are kept as they were uploaded",
        answer={200: paged(OriginalShape)}, paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        rows = study.originals.select_related("case", "arm")
        return send_page(self, rows, OriginalShape)

    @describe(
        "Whether a draft keeps files as they are uploaded; by default it does not",
        body=ChoiceOfOriginals, answer={200: ChoiceOfOriginals}, refusals=(409,),
    )  # fmt: skip
    def put(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        form = ChoiceOfOriginals(data=request.data)
        form.is_valid(raise_exception=True)
        keep = form.validated_data["keep"]
        originals.choose(study=study, actor=self.person, keep=keep)
        return Response(form.data)


class OriginalCall(DeskCall):
    @describe(
        "One file as it was uploaded; of a mask only once the study is unblinded",
        answer={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        refusals=(423,),
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID, original_id: UUID) -> FileResponse:
        found = find_original(self.find_study(study_id, "edit"), original_id)
        if originals.is_sealed(found):
            raise Refused(423, originals.SEALED)
        return take_original(found, self.person)


class EraseCall(DeskCall):
    @describe(
        "Erase all files that are kept as they were uploaded, in any state",
        body=shape_form("EraseBody", TypedTitleForm), answer={204: None},
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        form = TypedTitleForm(read_body(request.data), expected=study.title)
        check_form(form)
        originals.erase_all(study=study, actor=self.person)
        return Response(status=204)
