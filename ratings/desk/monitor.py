"""Calls on a running study: how far raters are, what they ask, until when, conduct."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import asking, declaring, practice, watching, withdrawing
from ratings.desk.bodies import check_form, read_body, shape_form
from ratings.desk.calls import (
    DeskCall,
    Refused,
    describe,
    paged,
    send_page,
)
from ratings.desk.shapes import ProgressShape, QuestionShape
from ratings.models import Enrolment, Study
from ratings.rater_forms import AnswerForm, DeadlineForm
from ratings.views.answering import take_conduct


class RatersDeadlineForm(DeadlineForm):
    """The page's form, and whose deadline it is."""

    code = forms.CharField(
        label="Code of the rater with a day of its own; without it the day of all",
        max_length=8,
        required=False,
    )


AnswerBody = shape_form("AnswerBody", AnswerForm)
DeadlineBody = shape_form("DeadlineBody", RatersDeadlineForm)


class WithdrawnShape(Serializer[Any]):
    """A case by its label or a rater by code, and why it was taken out."""

    case = serializers.SerializerMethodField()
    rater = serializers.SerializerMethodField()
    reason = serializers.CharField()
    at = serializers.DateTimeField(source="created_at")

    def get_case(self, row: Any) -> str:
        return row.case.label if row.case else ""

    def get_rater(self, row: Any) -> str:
        return row.enrolment.code if row.enrolment else ""


class PracticeRow(Serializer[Any]):
    code = serializers.CharField()
    values = serializers.ListField(child=serializers.IntegerField(allow_null=True))
    exact = serializers.IntegerField()
    within_one = serializers.IntegerField()
    compared = serializers.IntegerField()


class PracticeShape(Serializer[Any]):
    """Answers to practice items beside the right ones, by the items' numbers."""

    question = serializers.CharField()
    references = serializers.ListField(child=serializers.IntegerField(allow_null=True))
    rows = PracticeRow(many=True)


class ProgressCall(DeskCall):
    @describe(
        "How far each rater is, without scores", answer={200: paged(ProgressShape)},
        paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "monitor")
        return send_page(self, watching.summarise_progress(study), ProgressShape)


class QuestionsCall(DeskCall):
    @describe(
        "What raters asked and reported, newest first, with the answers",
        answer={200: paged(QuestionShape)}, paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "monitor")
        return send_page(self, asking.of_study(study), QuestionShape)


class AnswersCall(DeskCall):
    @describe(
        "Answer a rater; refused where it names a source",
        body=AnswerBody, answer={201: QuestionShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, question_id: int) -> Response:
        study = self.find_study(study_id, "monitor")
        asked = asking.of_study(study).filter(pk=question_id).first()
        if asked is None:
            raise Http404
        data = check_form(AnswerForm(read_body(request.data)))
        asking.reply(asked=asked, actor=self.person, **data)
        again = asking.of_study(study).get(pk=question_id)
        return Response(QuestionShape(again).data, status=201)


class DeadlineCall(DeskCall):
    @describe(
        "Until when all raters, or one, are asked to finish; without a day there is "
        "no such deadline",
        body=DeadlineBody, answer={204: None}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        data = check_form(RatersDeadlineForm(read_body(request.data)))
        rater = None
        if data["code"]:
            raters = study.enrolments.filter(role=Enrolment.Role.RATER)
            rater = raters.filter(code=data["code"]).first()
            if rater is None:
                raise Http404
        declaring.set_deadline(
            study=study, actor=self.person, day=data["deadline"], enrolment=rater,
            seen=data["seen"],
        )  # fmt: skip
        return Response(status=204)


class ConductCall(DeskCall):
    @describe(
        "How each rater worked, item by item, as CSV: no score, arm or case",
        answer={(200, "text/csv"): OpenApiTypes.STR}, refusals=(409,),
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> HttpResponse:
        study = self.find_study(study_id, "monitor")
        if study.state == Study.State.DRAFT:
            raise Refused(409, "The study is a draft, so nobody has rated in it yet.")
        return take_conduct(study, self.person)


class WithdrawalsCall(DeskCall):
    @describe(
        "Cases and raters that were withdrawn, newest first",
        answer={200: paged(WithdrawnShape)}, paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "monitor")
        return send_page(self, withdrawing.list_withdrawals(study), WithdrawnShape)


class PracticeCall(DeskCall):
    @describe(
        "Practice answers beside the references, a table a question",
        answer={200: paged(PracticeShape)}, paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "monitor")
        return send_page(self, practice.summarise_practice(study), PracticeShape)
