"""Calls on how a design begins and how large a study should be."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import designing, starting, steps
from ratings.designing import Wishes
from ratings.desk.calls import (
    Body,
    DeskCall,
    check_form,
    describe,
    paged,
    read,
    read_body,
    refuse_unknown,
    send_page,
    shape_form,
)
from ratings.desk.shapes import StudyDetail
from ratings.desk.studies import describe_study
from ratings.power_forms import PowerForm
from ratings.statistics.power import simulate
from ratings.views.locking import describe_burden
from ratings.views.power import SEED, fill_in, name_test

PowerBody = shape_form("PowerBody", PowerForm, optional=True)


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


class PowerShape(Serializer[Any]):
    """Shares of simulated studies, with the error of each, and what was simulated."""

    difference = serializers.FloatField()
    difference_se = serializers.FloatField()
    not_worse = serializers.FloatField(allow_null=True)
    not_worse_se = serializers.FloatField(allow_null=True)
    points = serializers.FloatField(help_text="the difference on the scale itself")
    studies = serializers.IntegerField()
    plan = serializers.JSONField()
    remark = serializers.CharField(allow_blank=True)
    burden = serializers.CharField(
        allow_blank=True, help_text="of the study as it stands"
    )


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


class PowerCall(DeskCall):
    @describe(
        "How likely a study of this size shows a difference; what is left out is as "
        "the study stands",
        body=PowerBody, answer={200: PowerShape},
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        wished = read_body(request.data)
        refuse_unknown(wished, PowerForm.base_fields)
        form = PowerForm(fill_in(study) | wished)
        check_form(form)
        plan = form.plan(levels=study.levels)
        told = {
            **vars(simulate(plan, seed=SEED)),
            "plan": vars(plan),
            "remark": name_test(study).get("remark", ""),
            "burden": describe_burden(study, steps.count_facts(study)),
        }
        return Response(PowerShape(told).data)
