"""Calls on files and cases: take in, look at the verdict, import, list, remove."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import committing, importing, pairing, refused_rows, removal, repeats
from ratings.desk.bodies import Body, refuse_unknown
from ratings.desk.calls import (
    DeskCall,
    Refused,
    describe,
    paged,
    send_page,
)
from ratings.desk.shapes import CaseShape, UploadShape
from ratings.models import Study, Upload
from ratings.pairing import Pair
from ratings.views.uploads import UploadRefused, check_file, clear, read_arm

WHICH = OpenApiParameter("which", str, enum=["refused"], description="Else all.")


class UploadBody(Serializer[Any]):
    """One volume; a mask says whose it is: manual, or predictions of an arm."""

    file = serializers.FileField(allow_empty_file=True)
    role = serializers.ChoiceField(("manual", "prediction"), required=False)
    arm = serializers.CharField(
        required=False, allow_blank=True,
        help_text="What made the predictions, in at most 100 characters.",
    )  # fmt: skip


class UploadsCall(DeskCall):
    parser_classes = (MultiPartParser,)

    @describe("Files that wait", answer={200: paged(UploadShape)}, paginated=True)
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        return send_page(
            self, study.uploads.order_by("name", "pk"), UploadShape,
            prepare=lambda page: repeats.note_repeats(study, page),
        )  # fmt: skip

    @describe(
        "Take in one NIfTI file and judge it",
        body={"multipart/form-data": UploadBody}, answer={201: UploadShape},
        refusals=(409, 413, 422, 507),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        posted: Any = request.data
        refuse_unknown(posted, UploadBody().fields)
        sent = posted.get("file")
        try:
            file = check_file(study, sent if hasattr(sent, "chunks") else None)
            arm = read_arm(study, posted)
        except UploadRefused as refusal:
            raise Refused(refusal.status, str(refusal)) from refusal
        upload = importing.receive(
            study=study, user=self.person, name=file.name or "", chunks=file.chunks(),
            origin=importing.Origin(arm=arm.key, arm_label=arm.label),
        )  # fmt: skip
        if upload.kind == Upload.Kind.REFUSED:
            raise Refused(422, upload.verdict["message"])
        repeats.note_repeats(study, [upload])
        return Response(UploadShape(upload).data, status=201)

    @describe(
        "Let go of all files that wait, or of the refused alone", answer={204: None},
        query=[WHICH], refusals=(400,),
    )  # fmt: skip
    def delete(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        which = request.query_params.get("which", "")
        if which not in ("", "refused"):
            raise ValidationError({"which": ["Send “refused”, or leave it out."]})
        clear(study, which)
        return Response(status=204)


class UploadCall(DeskCall):
    @describe("Let go of a file that waits", answer={204: None})
    def delete(self, request: Request, study_id: UUID, upload_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        if not study.uploads.filter(pk=upload_id).exists():
            raise Http404
        importing.discard(study=study, ids={str(upload_id)})
        return Response(status=204)


class PairShape(Body):
    """An uploaded image or a case, and the mask for each arm, by the upload's id."""

    image = serializers.UUIDField(required=False)
    case = serializers.UUIDField(required=False)
    masks = serializers.DictField(child=serializers.UUIDField(), required=False)
    companions = serializers.DictField(child=serializers.UUIDField(), required=False)
    strata = serializers.DictField(
        child=serializers.CharField(), required=False,
        help_text="Site, contrast or the like by name; names and values of at most 40 "
        "characters, and none that looks like a person's.",
    )  # fmt: skip
    subject = serializers.CharField(
        required=False,
        help_text="A pseudonym of at most 80 characters; a name or a date is refused.",
    )


class ImportBody(Body):
    """Without pairs, those that the page would propose by the files' names."""

    pairs = PairShape(many=True, required=False)
    good_only = serializers.BooleanField(required=False, default=False)
    names_confirmed = serializers.BooleanField(
        required=False,
        default=False,
        help_text="That no file name, no subject of the files and no number sent as a "
        "subject says who a person is, although one looks so.",
    )


class OutcomeShape(Serializer[Any]):
    """The cases that were made or got masks, and a sentence for each fault."""

    cases = CaseShape(many=True)
    faults = serializers.ListField(child=serializers.CharField())


class ImportCall(DeskCall):
    @describe(
        "Make cases of the files that wait: all or none, or the good ones only",
        body=ImportBody, answer={201: OutcomeShape}, refusals=(422,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        form = ImportBody(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data.get("pairs")
        pairs = propose(study) if given is None else [read_pair(row) for row in given]
        outcome = committing.commit_pairs(
            study=study, user=self.person, pairs=pairs,
            good_only=form.validated_data["good_only"],
            names_confirmed=form.validated_data["names_confirmed"],
            standing=refused_rows.list_faults(study),
        )  # fmt: skip
        return Response(OutcomeShape(outcome).data, status=201)


def read_pair(row: dict[str, Any]) -> Pair:
    return Pair(
        image=str(row.get("image") or ""),
        case=str(row.get("case") or ""),
        masks={arm: str(mask) for arm, mask in row.get("masks", {}).items()},
        companions={k: str(found) for k, found in row.get("companions", {}).items()},
        strata=row.get("strata"),
        subject=row.get("subject"),
    )


def propose(study: Study) -> list[Pair]:
    found = list(study.uploads.order_by("name", "created_at"))
    pairs = pairing.propose_pairs(
        image_files=[u for u in found if u.kind == Upload.Kind.IMAGE],
        mask_files=[u for u in found if u.kind == Upload.Kind.MASK],
        maps=[u for u in found if pairing.is_map(u)],
        cases=list(study.cases.prefetch_related("masks__arm")),
    )
    return [pair for pair in pairs if pair.image or pair.masks]


class CasesCall(DeskCall):
    @describe("The cases", answer={200: paged(CaseShape)}, paginated=True)
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "view")
        rows = study.cases.prefetch_related("masks__arm", "companions").order_by(
            "label"
        )
        return send_page(self, rows, CaseShape)


class CaseCall(DeskCall):
    @describe(
        "Remove a case from a draft; a locked study keeps all it has",
        answer={204: None}, refusals=(409,),
    )  # fmt: skip
    def delete(self, request: Request, study_id: UUID, case_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        if not study.cases.filter(pk=case_id).exists():
            raise Http404
        removal.remove_cases(study=study, actor=self.person, ids=[case_id])
        return Response(status=204)
