"""Calls on who leads a study besides its raters: list, add, remove, a new link."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import coordinators, invitations, mailing
from ratings.desk.bodies import check_form, read_body, shape_form
from ratings.desk.calls import (
    DeskCall,
    describe,
    paged,
    send_page,
)
from ratings.desk.links import SEND, mail, name_person, read_send
from ratings.models import Enrolment, Study
from ratings.rater_forms import ColleagueForm

ColleagueBody = shape_form("ColleagueBody", ColleagueForm)


class ColleagueShape(Serializer[Any]):
    id = serializers.UUIDField(source="enrolment.pk")
    role = serializers.CharField(source="enrolment.role")
    name = serializers.CharField(source="enrolment.user.get_full_name")
    email = serializers.CharField(source="enrolment.user.email")
    state = serializers.CharField()


class WelcomeShape(Serializer[Any]):
    """A single-use link, told this once; none for somebody who has an account.

    `name` is the person's whom the address belongs to; `remark` says so if it is
    another one than was sent.
    """

    id = serializers.UUIDField()
    role = serializers.CharField()
    name = serializers.CharField()
    remark = serializers.CharField()
    link = serializers.CharField()
    sent = serializers.BooleanField()
    unsent = serializers.CharField()


def welcome(
    enrolment: Enrolment, actor: User, *, send: bool, typed: str = ""
) -> Response:
    link, unsent = "", "This person has an account and signs in."
    if not enrolment.user.has_usable_password():
        token = invitations.hand_out(enrolment=enrolment, actor=actor)
        link, unsent = mailing.make_link(token), mail(enrolment, token, send=send)
    told = {
        "id": enrolment.pk, "role": enrolment.role, "link": link,
        **name_person(enrolment.user, typed),
        "sent": not unsent, "unsent": unsent,
    }  # fmt: skip
    return Response(WelcomeShape(told).data, status=201)


def find_colleague(study: Study, member_id: UUID) -> Enrolment:
    found = study.enrolments.filter(pk=member_id, role__in=coordinators.ROLES)
    enrolment = found.select_related("user", "study").first()
    if enrolment is None:
        raise Http404
    return enrolment


class ColleaguesCall(DeskCall):
    @describe(
        "Coordinators and statisticians", answer={200: paged(ColleagueShape)},
        paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        return send_page(self, coordinators.list_colleagues(study), ColleagueShape)

    @describe(
        "Add a coordinator or statistician; a new person gets a link",
        body=ColleagueBody, answer={201: WelcomeShape}, refusals=(409,), query=SEND,
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        send = read_send(request)
        data = check_form(ColleagueForm(read_body(request.data)))
        made = coordinators.add_colleague(study=study, actor=self.person, **data)
        return welcome(made, self.person, send=send, typed=data["name"])


class ColleagueCall(DeskCall):
    @describe(
        "End a colleague's part in the study", answer={204: None}, refusals=(409,)
    )
    def delete(self, request: Request, study_id: UUID, member_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        coordinators.remove_colleague(
            enrolment=find_colleague(study, member_id), actor=self.person
        )
        return Response(status=204)


class ColleagueLinkCall(DeskCall):
    @describe(
        "A new link for somebody who has no account yet; the former one ends",
        answer={201: WelcomeShape}, refusals=(400, 409), query=SEND,
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, member_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        colleague, send = find_colleague(study, member_id), read_send(request)
        return welcome(colleague, self.person, send=send)

    @describe("End the link that still works, if there is one", answer={204: None})
    def delete(self, request: Request, study_id: UUID, member_id: UUID) -> Response:
        study = self.find_study(study_id, "invite")
        invitations.revoke_link(
            enrolment=find_colleague(study, member_id), actor=self.person
        )
        return Response(status=204)
