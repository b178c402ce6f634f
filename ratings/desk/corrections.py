"""Calls that change what was imported: strata, further maps of a case, whole arms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import companions, removal, strata
from ratings.desk.bodies import Body, read, refuse_unknown
from ratings.desk.calls import (
    DeskCall,
    Refused,
    describe,
    paged,
    send_page,
)
from ratings.models import Case, Companion, Study
from ratings.views.uploads import UploadRefused, check_file


class StratumBody(Body):
    """Cases by their ids, and what they all are; empty takes the value away."""

    cases = serializers.ListField(child=serializers.UUIDField(), max_length=10_000)
    stratum = serializers.CharField(
        help_text="contrast, site, acquisition, field_strength, set, or another that "
        "the cases have."
    )
    value = serializers.CharField(allow_blank=True, max_length=40)
    seen = serializers.IntegerField(
        required=False, help_text="As read: what was said since is not replaced unseen."
    )


class StrataShape(Serializer[Any]):
    """What can be said of cases, and the number that goes with a change."""

    names = serializers.ListField(child=serializers.CharField())
    seen = serializers.IntegerField()


class ChangedShape(Serializer[Any]):
    changed = serializers.IntegerField()


class StratumCall(DeskCall):
    @describe("What can be said of cases", answer={200: StrataShape})
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        told = {"names": strata.list_names(study), "seen": strata.find_seen(study)}
        return Response(told)

    @describe(
        "Say of cases of a draft what contrast, site or the like they are of",
        body=StratumBody, answer={200: ChangedShape}, refusals=(409, 422),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        body = read(StratumBody, request)
        changed = strata.change_stratum(
            study=study, actor=self.person, ids=body["cases"], name=body["stratum"],
            value=body["value"], seen=body.get("seen"),
        )  # fmt: skip
        return Response({"changed": len(changed)})


class CompanionShape(Serializer[Any]):
    """A further map of a case: second series, cord mask, levels or soft map."""

    kind = serializers.CharField()
    source_name = serializers.CharField()
    sha256 = serializers.CharField()


class CompanionBody(Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)
    kind = serializers.ChoiceField(Companion.Kind.choices)


def find_case(study: Study, case_id: UUID) -> Case:
    case = study.cases.filter(pk=case_id).first()
    if case is None:
        raise Http404
    return case


class CompanionsCall(DeskCall):
    parser_classes = (MultiPartParser,)

    @describe(
        "The further maps of a case", answer={200: paged(CompanionShape)},
        paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID, case_id: UUID) -> Response:
        case = find_case(self.find_study(study_id, "edit"), case_id)
        return send_page(self, case.companions.order_by("kind"), CompanionShape)

    @describe(
        "Give a draft's case a map, in place of one of that kind",
        body={"multipart/form-data": CompanionBody}, answer={201: CompanionShape},
        refusals=(409, 413, 422, 507),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, case_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        case = find_case(study, case_id)
        posted: Any = request.data
        refuse_unknown(posted, CompanionBody().fields)
        kind, sent = str(posted.get("kind", "")), posted.get("file")
        if kind not in Companion.Kind.values:
            raise Refused(422, f"kind: one of {', '.join(Companion.Kind.values)}.")
        try:
            file = check_file(study, sent if hasattr(sent, "chunks") else None)
        except UploadRefused as refusal:
            raise Refused(refusal.status, str(refusal)) from refusal
        made = companions.replace_companion(
            study=study, user=self.person, case_id=case.pk, kind=kind,
            name=file.name or "", chunks=file.chunks(),
        )  # fmt: skip
        return Response(CompanionShape(made).data, status=201)


class CompanionCall(DeskCall):
    @describe(
        "Take a map away from a draft's case", answer={204: None}, refusals=(422,)
    )
    def delete(
        self, request: Request, study_id: UUID, case_id: UUID, kind: str
    ) -> Response:
        study = self.find_study(study_id, "edit")
        case = find_case(study, case_id)
        if not case.companions.filter(kind=kind).exists():
            raise Http404
        companions.remove_companion(
            study=study, user=self.person, case_id=case.pk, kind=kind
        )
        return Response(status=204)


class ArmCall(DeskCall):
    @describe(
        "Remove an arm from a draft with all its masks; the cases stay",
        answer={204: None}, refusals=(409,),
    )  # fmt: skip
    def delete(self, request: Request, study_id: UUID, key: str) -> Response:
        study = self.find_study(study_id, "edit")
        if not study.arms.filter(key=key).exists():
            raise Http404
        removal.remove_arm(study=study, actor=self.person, key=key)
        return Response(status=204)
