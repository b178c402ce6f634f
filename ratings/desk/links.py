"""Single-use links as calls hand them over, once, and by mail where that is asked."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import invitations, mailing
from ratings.mailing import MailRefused
from ratings.models import Enrolment

SEND = [
    OpenApiParameter(
        "send", bool, description="true: send the link by mail too, as the page does."
    )
]


class LinkShape(Serializer[Any]):
    """A single-use link: it is told this once. `unsent`: why no mail went out.

    `name` is the person's whom the address belongs to; `remark` says so if it is
    another one than was sent.
    """

    rater = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    remark = serializers.CharField()
    link = serializers.URLField()
    sent = serializers.BooleanField()
    unsent = serializers.CharField()


def read_send(request: Request) -> bool:
    """Whether the call asks for mail; read before anything is made."""
    said = request.query_params.get("send", "false").lower()
    if said not in ("true", "false"):
        raise ValidationError({"send": ["Write true or false."]})
    return said == "true"


def send_link(
    enrolment: Enrolment, actor: User, *, send: bool, typed: str = ""
) -> Response:
    """A new link in the answer, and by mail if that was asked for."""
    token = invitations.hand_out(enrolment=enrolment, actor=actor)
    unsent = mail(enrolment, token, send=send)
    return show_link(enrolment, token, unsent=unsent, typed=typed)


NOT_ASKED = "It was not asked for."


def show_link(
    enrolment: Enrolment, token: str, *, unsent: str = NOT_ASKED, typed: str = ""
) -> Response:
    told = {
        "rater": enrolment.pk, "code": enrolment.code,
        **name_person(enrolment.user, typed),
        "link": mailing.make_link(token), "sent": not unsent, "unsent": unsent,
    }  # fmt: skip
    return Response(LinkShape(told).data, status=201)


def name_person(user: User, typed: str) -> dict[str, str]:
    """Whose the address is, so that nobody else is invited in silence."""
    remark = invitations.tell_other_name(user, typed)
    return {"name": user.get_full_name(), "remark": remark}


def mail(enrolment: Enrolment, token: str, *, send: bool) -> str:
    """Send the link if that was asked for; else why it was not sent."""
    if not send:
        return NOT_ASKED
    if not mailing.sends_reminders():
        return "This site sends no mail."
    try:
        mailing.send_invitation(enrolment, token)
    except MailRefused as refusal:
        return str(refusal)
    return ""
