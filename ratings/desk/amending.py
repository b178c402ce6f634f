"""Calls on a locked protocol: read it with its amendments, amend its words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import amending
from ratings.desk.bodies import check_form, read_body, shape_form
from ratings.desk.calls import (
    DeskCall,
    describe,
)
from ratings.models import Study
from ratings.signed_forms import AmendForm
from ratings.views.locking import write_protocol

VERSION = OpenApiParameter("version", int, description="Its number; else the last.")
AmendBody = shape_form("AmendBody", AmendForm, optional=True)


class ChangeShape(Serializer[Any]):
    part = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class AmendmentShape(Serializer[Any]):
    number = serializers.IntegerField(source="version.number")
    sha256 = serializers.CharField(source="version.sha256")
    reason = serializers.CharField(source="version.reason")
    at = serializers.DateTimeField(source="version.created_at")
    changes = ChangeShape(many=True)


class ProtocolShape(Serializer[Any]):
    """The number of the version in force, its parts that can be amended, and how."""

    number = serializers.IntegerField()
    parts = serializers.DictField(child=serializers.CharField())
    amendments = AmendmentShape(many=True)


def show(study: Study, status: int = 200) -> Response:
    last = amending.find_last(study)
    told = {
        "number": last.number,
        "parts": amending.read_parts(last.document, study),
        "amendments": amending.list_amendments(study),
    }
    return Response(ProtocolShape(told).data, status=status)


class AmendmentsCall(DeskCall):
    @describe(
        "The words of the protocol that is in force, and what was amended",
        answer={200: ProtocolShape}, refusals=(409,),
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        return show(self.find_study(study_id, "lock"))

    @describe(
        "Amend the parts that you send; `after` is the number of the version you read",
        body=AmendBody, answer={201: ProtocolShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "lock")
        last = amending.find_last(study)
        body = amending.read_parts(last.document, study) | read_body(request.data)
        data = check_form(AmendForm(body, study=study, request=request._request))
        amending.amend(
            study=study, actor=self.person, password=data["password"],
            reason=data["reason"], after=data["after"],
            texts={part: data[part] for part in amending.PARTS},
        )  # fmt: skip
        study.refresh_from_db()
        return show(study, 201)


class ProtocolCall(DeskCall):
    @describe(
        "A version of the locked protocol, in the spelling that its hash was taken of",
        answer={200: OpenApiTypes.OBJECT}, query=[VERSION],
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> HttpResponse:
        study = self.find_study(study_id, "lock")
        return write_protocol(study, request.query_params.get("version", ""))
