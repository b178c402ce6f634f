"""Calls on how a design begins and how it looks to a rater."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import designing, previewing, starting
from ratings.designing import Wishes
from ratings.desk.bodies import (
    Body,
    read,
)
from ratings.desk.calls import (
    DeskCall,
    describe,
    paged,
    send_page,
)
from ratings.desk.shapes import StudyDetail
from ratings.desk.studies import describe_study


class TemplateShape(Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    about = serializers.CharField()


class StartBody(Body):
    """One of the two: a template by its key, or a study of yours by its id."""

    template = serializers.ChoiceField(list(starting.TEMPLATES), required=False)
    study = serializers.UUIDField(required=False)
    revision = serializers.IntegerField(help_text="design_revision, as it was read")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("template" in attrs) == ("study" in attrs):
            raise ValidationError("Send either a template or a study.")
        return attrs


class PreviewShape(Serializer[Any]):
    """Where you rate a short copy of the draft yourself, signed in."""

    link = serializers.URLField()


class TemplatesCall(DeskCall):
    @describe(
        "Designs to begin with", answer={200: paged(TemplateShape)}, paginated=True
    )
    def get(self, request: Request) -> Response:
        rows = [
            {"key": key, "label": one.label, "about": one.about}
            for key, one in starting.TEMPLATES.items()
        ]
        return send_page(self, rows, TemplateShape)


class StartCall(DeskCall):
    @describe(
        "Fill the design of a draft from a template or another study of yours",
        body=StartBody, answer={200: StudyDetail}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        body = read(StartBody, request)
        wishes: Wishes
        if "template" in body:
            wishes = starting.start_from_template(study=study, key=body["template"])
        else:
            wishes = starting.start_from_study(
                study=study, user=self.person, key=str(body["study"])
            )
        designing.change_design(
            study=study, actor=self.person, wishes=wishes, revision=body["revision"]
        )
        study.refresh_from_db()
        return Response(describe_study(study))


class PreviewCall(DeskCall):
    @describe(
        "A link to rate a short copy of the draft as its rater would; nothing is kept",
        answer={201: PreviewShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        session = previewing.make_preview(study=study, user=self.person)
        link = settings.SITE_URL + reverse("rate", args=[session.key])
        return Response(PreviewShape({"link": link}).data, status=201)
