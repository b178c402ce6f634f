"""Calls on raters: list, add, also after the lock, erase the person."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from ratings import erasing, invitations, latecomers, raters
from ratings.desk.bodies import check_form, read_body, shape_form
from ratings.desk.calls import (
    DeskCall,
    describe,
    paged,
    send_page,
)
from ratings.desk.links import SEND, LinkShape, read_send, send_link
from ratings.desk.shapes import RaterShape
from ratings.models import Enrolment, Study
from ratings.rater_forms import EraseRaterForm, LateRaterForm, RaterForm

RaterBody = shape_form("RaterBody", RaterForm)
LateRaterBody = shape_form("LateRaterBody", LateRaterForm)
EraseRaterBody = shape_form("EraseRaterBody", EraseRaterForm)


def find_rater(study: Study, rater_id: UUID) -> Enrolment:
    found = study.enrolments.filter(pk=rater_id, role=Enrolment.Role.RATER).first()
    if found is None:
        raise Http404
    return found


class RatersCall(DeskCall):
    @describe("The raters", answer={200: paged(RaterShape)}, paginated=True)
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        rows = raters.list_raters(study=study, actor=self.person)
        return send_page(self, rows, RaterShape)

    @describe(
        "Add a rater to a draft; the answer has the link to hand over",
        body=RaterBody, answer={201: LinkShape}, refusals=(409,), query=SEND,
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        send = read_send(request)
        data = check_form(RaterForm(read_body(request.data)))
        made = invitations.add_rater(study=study, actor=self.person, **data)
        return send_link(made, self.person, send=send, typed=data["name"])


class LateRatersCall(DeskCall):
    @describe(
        "Add a rater after the lock, with a reason and an order of their own",
        body=LateRaterBody, answer={201: LinkShape}, refusals=(409,), query=SEND,
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        send = read_send(request)
        data = check_form(LateRaterForm(read_body(request.data), study=study))
        made = latecomers.add_late_rater(study=study, actor=self.person, **data)
        return send_link(made, self.person, send=send, typed=data["name"])


class ErasureCall(DeskCall):
    @describe(
        "Erase the person behind a rater for good; scores and record stay",
        body=EraseRaterBody, answer={204: None}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, rater_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        enrolment = find_rater(study, rater_id)
        check_form(EraseRaterForm(read_body(request.data), wanted=enrolment.code))
        erasing.erase_rater(enrolment=enrolment, actor=self.person)
        return Response(status=204)
