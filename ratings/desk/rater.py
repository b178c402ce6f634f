"""Calls on one rater: what is known, reminder, link, leaving, being replaced."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import declaring, invitations, mailing, raters, withdrawing
from ratings.desk.bodies import check_form, read_body, shape_form
from ratings.desk.calls import (
    DeskCall,
    describe,
)
from ratings.desk.links import SEND, LinkShape, read_send, send_link, show_link
from ratings.desk.people import find_rater
from ratings.desk.shapes import RaterShape
from ratings.models import Enrolment
from ratings.rater_forms import DeclaredForm, LeaveForm, ReplaceForm

DeclarationBody = shape_form("DeclarationBody", DeclaredForm)
LeaveBody = shape_form("LeaveBody", LeaveForm)
ReplaceBody = shape_form("ReplaceBody", ReplaceForm)


class RaterDetail(RaterShape):
    """One rater, what was declared, and why the rater left, if so."""

    years = serializers.IntegerField(source="enrolment.years", allow_null=True)
    specialty = serializers.CharField(source="enrolment.specialty")
    institution = serializers.CharField(source="enrolment.institution")
    conflict = serializers.CharField(source="enrolment.conflict")
    deadline = serializers.DateField(allow_null=True)
    left_because = serializers.SerializerMethodField()
    seen = serializers.SerializerMethodField()

    def get_seen(self, row: Any) -> str:
        """Stands for what was declared; send it back with what replaces it."""
        return declaring.digest_declaration(row.enrolment)

    def get_left_because(self, row: Any) -> str:
        left = getattr(row.enrolment, "withdrawal", None)
        return left.reason if left else ""


class RemindedShape(Serializer[Any]):
    """Who was written to, and a sentence for each who was not."""

    reminded = serializers.ListField(child=serializers.CharField())
    refused = serializers.ListField(child=serializers.CharField())


class OneRaterCall(DeskCall):
    def find(self, study_id: UUID, rater_id: UUID) -> Enrolment:
        return find_rater(self.find_study(study_id, "invite"), rater_id)

    def show(self, enrolment: Enrolment) -> Response:
        again = Enrolment.objects.select_related("user", "study", "withdrawal").get(
            pk=enrolment.pk
        )
        return Response(RaterDetail(raters.describe(again, self.person)).data)


class RaterCall(OneRaterCall):
    @describe("One rater", answer={200: RaterDetail})
    def get(self, request: Request, study_id: UUID, rater_id: UUID) -> Response:
        return self.show(self.find(study_id, rater_id))

    @describe("Remove a rater from a draft", answer={204: None}, refusals=(409,))
    def delete(self, request: Request, study_id: UUID, rater_id: UUID) -> Response:
        raters.remove(enrolment=self.find(study_id, rater_id), actor=self.person)
        return Response(status=204)


class DeclarationCall(OneRaterCall):
    @describe(
        "What qualifies a rater, and what could sway one; in place of what stood there",
        body=DeclarationBody, answer={200: RaterDetail}, refusals=(409,),
    )  # fmt: skip
    def put(self, request: Request, study_id: UUID, rater_id: UUID) -> Response:
        enrolment = self.find(study_id, rater_id)
        form = DeclaredForm(read_body(request.data))
        seen = check_form(form)["seen"]
        declaring.declare(
            enrolment=enrolment, actor=self.person, seen=seen,
            declaration=form.read_declaration(),
        )  # fmt: skip
        return self.show(enrolment)


class InvitationCall(OneRaterCall):
    @describe(
        "A new link; the former one ends", answer={201: LinkShape},
        refusals=(400, 409), query=SEND,
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, rater_id: UUID) -> Response:
        enrolment, send = self.find(study_id, rater_id), read_send(request)
        return send_link(enrolment, self.person, send=send)

    @describe("End a link that was not used", answer={204: None})
    def delete(self, request: Request, study_id: UUID, rater_id: UUID) -> Response:
        invitations.revoke_link(
            enrolment=self.find(study_id, rater_id), actor=self.person
        )
        return Response(status=204)


class PasswordCall(OneRaterCall):
    @describe(
        "Void a rater's password and sign all devices out; a new link",
        answer={201: LinkShape}, refusals=(409,),
    )  # fmt: skip
    def delete(self, request: Request, study_id: UUID, rater_id: UUID) -> Response:
        enrolment = self.find(study_id, rater_id)
        token = raters.reset(enrolment=enrolment, actor=self.person)
        return show_link(enrolment, token)


class ReminderCall(OneRaterCall):
    @describe(
        "Remind a rater by mail, at most twice a day, until the study is closed",
        answer={204: None}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, rater_id: UUID) -> Response:
        mailing.remind(enrolment=self.find(study_id, rater_id), actor=self.person)
        return Response(status=204)


class RemindersCall(DeskCall):
    @describe(
        "Remind every rater who has not finished, until the study is closed",
        answer={200: RemindedShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        told = mailing.remind_all(study=study, actor=self.person)
        return Response(RemindedShape(told).data)


class LeavingCall(OneRaterCall):
    @describe(
        "End a rater's part in a running study; what was given stays and counts",
        body=LeaveBody, answer={200: RaterDetail}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, rater_id: UUID) -> Response:
        enrolment = self.find(study_id, rater_id)
        data = check_form(LeaveForm(read_body(request.data)))
        withdrawing.withdraw_rater(enrolment=enrolment, actor=self.person, **data)
        return self.show(enrolment)


class ReplacementCall(OneRaterCall):
    @describe(
        "Give the place of a rater who gave no score to another person",
        body=ReplaceBody, answer={201: LinkShape}, refusals=(409,), query=SEND,
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, rater_id: UUID) -> Response:
        enrolment = self.find(study_id, rater_id)
        send = read_send(request)
        data = check_form(ReplaceForm(read_body(request.data)))
        made = raters.replace(enrolment=enrolment, actor=self.person, **data)
        return send_link(made, self.person, send=send, typed=data["name"])
