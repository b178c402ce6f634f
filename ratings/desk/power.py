"""Calls on how large a study should be: its power, and studies to learn from."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import piloting, steps
from ratings.desk.bodies import check_form, read_body, shape_form
from ratings.desk.calls import (
    DeskCall,
    Refused,
    describe,
)
from ratings.models import Study
from ratings.power_forms import PowerForm
from ratings.statistics.power import PowerPlan, curve, simulate
from ratings.statistics.power_notes import list_notes
from ratings.views.locking import describe_burden
from ratings.views.power import SEED, fill_in, name_test

PowerBody = shape_form(
    "PowerBody",
    PowerForm,
    optional=True,
    comparisons=serializers.IntegerField(
        required=False,
        help_text="How many primary tests the results correct together: arms besides "
        "the reference, times questions.",
    ),
    pilot=serializers.CharField(
        required=False,
        help_text="One of `pilots`: its spreads stand for those that are not sent.",
    ),
    curve=serializers.BooleanField(
        required=False, help_text="Also the power of other numbers; takes seconds."
    ),
)


class PilotShape(Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()


class UsualShape(Serializer[Any]):
    """What is taken for fields that are not sent, and the studies to learn from."""

    usual = serializers.JSONField()
    pilots = PilotShape(many=True)


class PointShape(Serializer[Any]):
    raters = serializers.IntegerField()
    cases = serializers.IntegerField()
    power = serializers.FloatField(
        allow_null=True, help_text="of one comparison alone; null without any test"
    )
    error = serializers.FloatField(allow_null=True)
    corrected = serializers.FloatField(
        allow_null=True, help_text="under Holm at least; null for one comparison"
    )
    corrected_error = serializers.FloatField(allow_null=True)


class PowerShape(Serializer[Any]):
    """Shares of simulated studies, with the error of each, and what was simulated.

    All shares are null where no simulated study had a test; `notes` says why.
    """

    difference = serializers.FloatField(
        allow_null=True, help_text="one comparison alone, uncorrected"
    )
    difference_se = serializers.FloatField(allow_null=True)
    corrected = serializers.FloatField(
        allow_null=True,
        help_text="the same among `comparisons` under Holm, at least; null for one",
    )
    corrected_se = serializers.FloatField(allow_null=True)
    not_worse = serializers.FloatField(
        allow_null=True, help_text="uncorrected, as in the results; null with no margin"
    )
    not_worse_se = serializers.FloatField(allow_null=True)
    points = serializers.FloatField(
        allow_null=True,
        help_text="the difference on the scale itself; null if no study had a pair",
    )
    studies = serializers.IntegerField()
    untested = serializers.IntegerField(
        help_text="of `studies`, those without a test; they show nothing"
    )
    notes = serializers.ListField(child=serializers.CharField())
    plan = serializers.JSONField()
    remark = serializers.CharField(allow_blank=True)
    burden = serializers.CharField(
        allow_blank=True, help_text="of the study as it stands"
    )
    curve = PointShape(many=True)


class PowerCall(DeskCall):
    @describe(
        "What is taken for fields that are not sent, and studies to learn from",
        answer={200: UsualShape},
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        pilots = piloting.list_pilots(user=self.person, study=study)
        told = {
            "usual": fill_in(study),
            "pilots": [{"key": key, "name": name} for key, name in pilots],
        }
        return Response(UsualShape(told).data)

    @describe(
        "How likely a study of this size shows a difference; what is left out is as "
        "the study stands",
        body=PowerBody, answer={200: PowerShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        wished = read_body(request.data)
        wants_curve = wished.pop("curve", False)
        if not isinstance(wants_curve, bool):
            raise ValidationError({"curve": ["Send true or false."]})
        pilots = piloting.list_pilots(user=self.person, study=study)
        usual = fill_in(study)
        if wished.get("pilot") in dict(pilots):
            usual |= self.learn(study, str(wished["pilot"]))
        form = PowerForm(usual | wished, pilots=pilots)
        check_form(form)
        plan = form.plan(levels=study.levels)
        found = simulate(plan, seed=SEED)
        told = {
            **vars(found),
            "untested": found.untested,
            "notes": list_notes(plan, found),
            "plan": vars(plan),
            "remark": name_test(study).get("remark", ""),
            "burden": describe_burden(study, steps.count_facts(study)),
            "curve": list_points(plan) if wants_curve else [],
        }
        return Response(PowerShape(told).data)

    def learn(self, study: Study, pilot: str) -> dict[str, str]:
        """The spreads of a finished study; asking for them is on record."""
        source = piloting.read_pilot(user=self.person, study=study, key=pilot)
        found = source.fill_in(lowest=study.levels[0])
        if not found:
            raise Refused(409, f"{source.title} gives no values: {source.refusal}")
        return found


def list_points(plan: PowerPlan) -> list[dict[str, Any]]:
    return [
        {
            "raters": raters,
            "cases": cases,
            "power": found.difference,
            "error": found.difference_se,
            "corrected": found.corrected,
            "corrected_error": found.corrected_se,
        }
        for raters, line in curve(plan, seed=SEED)
        for cases, found in line
    ]
