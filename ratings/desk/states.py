"""Calls that move a study on: lock, open, withdraw a case, close, unblind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

from django import forms
from django.db import transaction
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ratings import audit, checklist, finishing, frozen, protocol, withdrawing
from ratings.desk.bodies import Body, check_form, read_body, shape_form
from ratings.desk.calls import (
    DeskCall,
    describe,
)
from ratings.desk.shapes import StudyDetail
from ratings.desk.studies import describe_study
from ratings.models import Enrolment, Study
from ratings.protocol import ProtocolError
from ratings.signed_forms import (
    BreakForm,
    CloseForm,
    LockForm,
    UnblindForm,
    WithdrawForm,
)


class StatedLockForm(LockForm):
    """The page's form, and the statement about faces, which the page asks before."""

    faces = forms.ChoiceField(
        label="What is true of all images; needed unless it was stated before. "
        + "; ".join(f"{key}: {words}" for key, words in frozen.FACES.items()),
        choices=list(frozen.FACES.items()),
        required=False,
    )
    seen = forms.CharField(
        label="The checklist's `seen`: a study that changed since is not locked",
        required=False,
    )


LockBody = shape_form("LockBody", StatedLockForm)
UnblindBody = shape_form("UnblindBody", UnblindForm)
BreakBody = shape_form("BreakBody", BreakForm)
WithdrawBody = shape_form("WithdrawBody", WithdrawForm)


# What the fields of the page begin with, by the names that the call has for them
FIELDS = {"dispositions": "why_", "unfinished": "unfinished_"}


class CloseBody(Body):
    """The study's name, a sentence for each rater with gaps, and who has not finished.

    `unfinished` are the codes of raters who rated everything, but have sessions not
    signed off or source questions open, as the progress says; after closing they can
    do neither, and each of them has to be named.
    """

    title = serializers.CharField()
    dispositions = serializers.DictField(child=serializers.CharField(), required=False)
    unfinished = serializers.ListField(child=serializers.CharField(), required=False)


class LockCall(DeskCall):
    @describe(
        "Lock a draft: audits the blind, freezes the protocol, draws the orders",
        body=LockBody, answer={200: StudyDetail}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "lock")
        body = read_body(request.data)
        data = check_form(StatedLockForm(body, study=study, request=request._request))
        with transaction.atomic():
            seen = data["seen"]
            if data["faces"]:
                seen = self.state_faces(study, data["faces"], seen)
            protocol.lock(
                study=study, actor=self.person, password=data["password"], seen=seen
            )
            if data["open_now"]:
                protocol.open_study(study=study, actor=self.person)
        return Response(describe_study(study))

    def state_faces(self, study: Study, answer: str, seen: str) -> str:
        """What was seen, as it is called once the statement is a part of it."""
        audit.hold(study.pk)
        study.refresh_from_db()
        if seen not in ("", protocol.tell_revision(study)):
            raise ProtocolError(protocol.CHANGED)
        checklist.state_faces(study=study, actor=self.person, answer=answer)
        study.refresh_from_db()
        return protocol.tell_revision(study) if seen else ""


class OpenCall(DeskCall):
    @describe(
        "Open a locked study for rating", answer={200: StudyDetail}, refusals=(409,)
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "lock")
        protocol.open_study(study=study, actor=self.person)
        return Response(describe_study(study))


class WithdrawCall(DeskCall):
    @describe(
        "Withdraw a case from a running study, with a reason; scores stay",
        body=WithdrawBody, answer={200: StudyDetail}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "monitor")
        data = check_form(WithdrawForm(read_body(request.data), study=study))
        withdrawing.withdraw_case(actor=self.person, **data)
        return Response(describe_study(study))


def make_close_form(
    study: Study,
    *,
    title: str,
    dispositions: Mapping[str, str] = MappingProxyType({}),
    unfinished: Collection[str] = (),
) -> CloseForm:
    """The page's form; a sentence for whoever lacks no score would explain nothing."""
    typed: dict[str, Any] = {f"why_{code}": text for code, text in dispositions.items()}
    # who is named and has finished meanwhile needs no confirmation any more
    there = set(unfinished).intersection(finishing.list_codes(study))
    typed |= {f"unfinished_{code}": True for code in there}
    page = CloseForm({**typed, "title": title}, study=study)
    codes = [gap.rater for gap in page.gaps]
    who = ", ".join(codes) or "nobody"
    lacking = f"No rater of this code lacks scores. Who does: {who}."
    if strange := sorted(set(dispositions) - set(codes)):
        raise ValidationError({"dispositions": {code: [lacking] for code in strange}})
    check_codes(study, unfinished)
    return page


def check_codes(study: Study, unfinished: Collection[str]) -> None:
    known = study.enrolments.filter(role=Enrolment.Role.RATER)
    strange = set(unfinished) - set(known.values_list("code", flat=True))
    if strange:
        told = {code: ["The study has no such rater."] for code in sorted(strange)}
        raise ValidationError({"unfinished": told})


def check_close(page: CloseForm) -> None:
    """What is wrong, under the names that the call has and not those of the page."""
    try:
        check_form(page)
    except ValidationError as error:
        told = dict(cast("dict[str, Any]", error.detail))
        for name, start in FIELDS.items():
            found = {k: told.pop(k) for k in list(told) if k.startswith(start)}
            if found:
                told[name] = {k.removeprefix(start): v for k, v in found.items()}
        raise ValidationError(told) from error


class CloseCall(DeskCall):
    @describe(
        "End collecting for good", body=CloseBody, answer={200: StudyDetail},
        refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "monitor")
        form = CloseBody(data=request.data)
        form.is_valid(raise_exception=True)
        page = make_close_form(study, **form.validated_data)
        check_close(page)
        protocol.close(
            study=study, actor=self.person, dispositions=page.dispositions(),
            unfinished=page.unfinished(),
        )  # fmt: skip
        return Response(describe_study(study))


class UnblindCall(DeskCall):
    @describe(
        "Open the key of a closed study, for good", body=UnblindBody,
        answer={200: StudyDetail}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "unblind")
        body = read_body(request.data)
        data = check_form(UnblindForm(body, study=study, request=request._request))
        protocol.unblind(
            study=study, actor=self.person, typed_title=data["title"],
            reason=data["reason"], password=data["password"],
        )  # fmt: skip
        return Response(describe_study(study))


class BreakCall(DeskCall):
    @describe(
        "Open the key of a running study: two coordinators, each with a password",
        body=BreakBody, answer={200: StudyDetail}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "unblind")
        body = read_body(request.data)
        data = check_form(BreakForm(body, study=study, request=request._request))
        protocol.break_glass(
            study=study, actor=self.person, typed_title=data["title"],
            reason=data["reason"], password=data["password"], witness=data["agreed"],
        )  # fmt: skip
        return Response(describe_study(study))
