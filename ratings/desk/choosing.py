"""Calls on the choice of cases: see it, draw, leave out and take in by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import outdated, sampling, selecting
from ratings.choosing_forms import DrawForm
from ratings.desk.bodies import Body, check_form, read
from ratings.desk.calls import (
    DeskCall,
    describe,
)
from ratings.models import Study


class LeftOutShape(Serializer[Any]):
    """A case that is not rated, and why."""

    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]
    reason = serializers.CharField(source="left_out")


class ChoiceShape(Serializer[Any]):
    """What is rated and what is not; `text` is the rule in words for the paper."""

    revision = serializers.IntegerField()
    draws = serializers.IntegerField()
    seed = serializers.CharField()
    text = serializers.CharField()
    chosen = serializers.ListField(child=serializers.CharField())
    left_out = LeftOutShape(many=True)


class DrawBody(Body):
    """The fields of the page: a redraw needs a reason, `revision` is the one read."""

    mode = serializers.ChoiceField(list(sampling.MODES))
    size = serializers.IntegerField(required=False)
    minimum = serializers.IntegerField(required=False)
    by = serializers.ListField(child=serializers.CharField(), required=False)
    targets = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=10_000), required=False
    )
    exclude = serializers.ListField(
        child=serializers.ChoiceField(list(sampling.EXCLUSIONS)), required=False
    )
    smallest = serializers.FloatField(required=False)
    largest = serializers.FloatField(required=False)
    reason = serializers.CharField(required=False, allow_blank=True)
    revision = serializers.IntegerField()


class TakeInBody(Body):
    """The cases' ids, and the revision of the choice that was read."""

    cases = serializers.ListField(child=serializers.UUIDField(), max_length=10_000)
    revision = serializers.IntegerField()


class LeaveOutBody(TakeInBody):
    """The same with a reason, which stands in the protocol."""

    reason = serializers.CharField()


def show(study: Study, status: int = 200) -> Response:
    told = {
        "revision": study.cases_revision,
        "draws": study.selection.get("number", 0),
        "seed": study.selection.get("seed", ""),
        "text": outdated.write_text(study),
        "chosen": sorted(case.label for case in study.chosen_cases()),
        "left_out": study.cases.exclude(left_out="").order_by("label"),
    }
    return Response(ChoiceShape(told).data, status=status)


class ChoiceCall(DeskCall):
    @describe(
        "Which cases are rated, and why not the others", answer={200: ChoiceShape}
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        return show(self.find_study(study_id, "edit"))


class DrawCall(DeskCall):
    @describe(
        "Draw the cases by a rule; the seed and the rule go on record",
        body=DrawBody, answer={201: ChoiceShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        body = read(DrawBody, request)
        targets = body.pop("targets", {})
        strata = selecting.list_strata(selecting.read_candidates(study))
        form = DrawForm(
            body, strata=strata, reference=study.reference_arm, targets=targets
        )
        data = check_form(form)
        selecting.draw_cases(
            study=study, actor=self.person, rule=form.rule(),
            revision=data["revision"], reason=data["reason"],
        )  # fmt: skip
        return show(study, 201)


class LeaveOutCall(DeskCall):
    @describe(
        "Leave cases out by hand, with a reason",
        body=LeaveOutBody, answer={200: ChoiceShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        body = read(LeaveOutBody, request)
        selecting.leave_out(
            study=study, actor=self.person, ids=body["cases"],
            reason=body["reason"], revision=body["revision"],
        )  # fmt: skip
        return show(study)


class TakeInCall(DeskCall):
    @describe(
        "Take cases in again, whatever had left them out",
        body=TakeInBody, answer={200: ChoiceShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        body = read(TakeInBody, request)
        selecting.take_in(
            study=study, actor=self.person, ids=body["cases"],
            revision=body["revision"],
        )  # fmt: skip
        return show(study)
