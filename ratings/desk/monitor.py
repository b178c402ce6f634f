"""Calls on a running study: how far raters are, what they ask, until when, conduct."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from ratings import asking, declaring, watching
from ratings.desk.calls import (
    DeskCall,
    Refused,
    check_form,
    describe,
    paged,
    read_body,
    send_page,
    shape_form,
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
