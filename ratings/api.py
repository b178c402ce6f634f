"""What a rater's browser can ask for: the session, the next item, bytes, a save."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from allauth.core import ratelimit
from django.http import Http404, HttpResponse
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from ratings import (
    access,
    asking,
    blinding,
    guessing,
    reading,
    scoring,
    showing,
    signing,
    withdrawing,
)
from ratings.blinding import Rotten, Unreadable
from ratings.design import read_design
from ratings.guessing import GuessRefused
from ratings.models import Item, Study
from ratings.scoring import ScoreRefused
from ratings.serializers import (
    GuessSerializer,
    ProblemSerializer,
    SignatureSerializer,
    SubmissionSerializer,
    build_submission,
)
from ratings.signing import SigningRefused

log = logging.getLogger(__name__)
UNREADABLE = (
    "The site cannot reach its files just now; nothing is lost. Try again soon."
)
TOO_MANY = "Too many tries. Wait a minute, then type the password again."
TITLES = {400: "Not valid", 401: "Signed out", 403: "Not allowed", 404: "Not found"}


def answer_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal as problem details: title, detail, status."""
    response = exception_handler(error, context)
    if response is None:
        return None
    detail = response.data
    if isinstance(error, ValidationError):
        detail = flatten(error.detail)
    elif isinstance(detail, dict):
        detail = str(detail.get("detail", ""))
    code = response.status_code
    response.data = {
        "title": TITLES.get(code, "Refused"),
        "detail": detail,
        "status": code,
        **(error.facts if isinstance(error, Conflict) else {}),
    }
    response.content_type = "application/problem+json"
    return response


def flatten(detail: Any, field: str = "") -> str:
    if isinstance(detail, dict):
        return " ".join(flatten(v, str(k)) for k, v in detail.items())
    if isinstance(detail, list):
        return " ".join(flatten(v, field) for v in detail)
    return f"{field}: {detail}" if field else str(detail)


class Conflict(APIException):
    """A refusal for good; with both answers where another window was first."""

    def __init__(self, refusal: ScoreRefused) -> None:
        super().__init__(refusal.message)
        self.status_code = refusal.status
        both = {"stored": refusal.stored, "sent": refusal.sent}
        self.facts = both if refusal.stored else {}


def get_item(request: Request, token: str) -> Item:
    item = reading.find_item(user_id=request.user.pk or 0, token=token)
    if item is None:
        raise Http404
    return item


class SessionView(APIView):
    """The rater's session: words, scale and how far it is."""

    def get(self, request: Request, key: str) -> Response:
        session = access.find_session(user=request.user, key=key)
        return Response(showing.describe_session(session))


class NextView(APIView):
    """The presentation to rate now, and the one after it to be loaded ahead."""

    def get(self, request: Request, key: str) -> Response:
        session = access.find_session(user=request.user, key=key)
        study = session.enrolment.study
        if study.state != Study.State.COLLECTING:
            raise Conflict(ScoreRefused(409, "The study does not accept scores now."))
        if hasattr(session.enrolment, "withdrawal"):
            raise Conflict(ScoreRefused(409, scoring.LEFT))
        waiting = reading.open_presentations(session)
        shown = waiting.select_related("case", "session").prefetch_related("items")
        current, ahead = [*shown[:2], None, None][:2]
        return Response(
            {
                **showing.describe_place(session),
                "answers": asking.count_answers(session.enrolment),
                "current": showing.describe(current, study),
                "ahead": showing.describe(ahead, study),
            }
        )


class StayView(APIView):
    """How long the rater stays signed in; asked to, begins that time anew."""

    def get(self, request: Request, key: str) -> Response:
        access.find_session(user=request.user, key=key)
        return Response({"seconds_left": access.count_seconds(request.session)})

    def post(self, request: Request, key: str) -> Response:
        access.find_session(user=request.user, key=key)
        request.session.modified = True
        return Response({"seconds_left": request.session.get_expiry_age()})


class ReviewView(APIView):
    """The rater's own answers by number, while the protocol lets them be changed."""

    def get(self, request: Request, key: str) -> Response:
        session = access.find_session(user=request.user, key=key)
        if not reading.may_revise(session):
            raise Conflict(ScoreRefused(409, "The scores of this session are final."))
        return Response({"given": showing.describe_given(session)})


class SignView(APIView):
    """The rater's word that a session is complete, with the password again."""

    def post(self, request: Request, key: str) -> Response:
        session = access.find_session(user=request.user, key=key)
        form = SignatureSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if not ratelimit.consume(request, action="reauthenticate", user=request.user):
            raise Conflict(ScoreRefused(409, TOO_MANY))
        try:
            signing.sign_session(
                session=session,
                user=session.enrolment.user,
                password=form.validated_data["password"],
            )
        except SigningRefused as refusal:
            raise Conflict(ScoreRefused(409, str(refusal))) from refusal
        return Response({"signed": True})


def send_bytes(data: bytes) -> HttpResponse:
    """Opaque bytes with a fixed set of headers, the same for every item."""
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Content-Length"] = str(len(data))
    response["Cache-Control"] = "no-store"
    return response


def send_part(
    request: Request, token: str, read: Callable[[Item], bytes]
) -> HttpResponse:
    """The bytes of an item that may be seen now; a changed file withdraws its case."""
    item = get_item(request, token)
    if not reading.may_fetch(item):
        raise Http404
    try:
        return send_bytes(read(item))
    except Unreadable as fault:
        log.exception("The stored files could not be read.")
        raise Conflict(ScoreRefused(503, UNREADABLE)) from fault
    except Rotten as fault:
        withdrawing.withdraw_rotten(item.presentation.case)
        raise Conflict(ScoreRefused(409, scoring.WITHDRAWN)) from fault


class ImageView(APIView):
    def get(self, request: Request, token: str) -> HttpResponse:
        return send_part(request, token, blinding.read_image)


class ContextView(APIView):
    """The second series beside the image, only where the protocol shows one."""

    def get(self, request: Request, token: str) -> HttpResponse:
        item = get_item(request, token)
        study = item.presentation.session.enrolment.study
        design = read_design(study.design)
        if not showing.shows_context(design, item.presentation):
            raise Http404
        return send_part(request, token, blinding.read_context)


class MaskView(APIView):
    def get(self, request: Request, token: str) -> HttpResponse:
        return send_part(request, token, blinding.read_mask)


class ScoreView(APIView):
    """Store the answers on one item, once, however often they are sent."""

    def put(self, request: Request, token: str) -> Response:
        item = get_item(request, token)
        form = SubmissionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            replay = scoring.record(
                item=item, submission=build_submission(form.validated_data)
            )
        except ScoreRefused as refusal:
            raise Conflict(refusal) from refusal
        receipt = {
            "saved": True,
            "replay": replay,
            "reference": showing.describe_reference(item),
            **showing.describe_place(item.presentation.session),
        }
        return Response(receipt)


class ProblemView(APIView):
    """A technical problem with what is on the screen, or a question about it."""

    def post(self, request: Request, key: str) -> Response:
        session = access.find_session(user=request.user, key=key)
        form = ProblemSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        item = get_item(request, form.validated_data["token"])
        if item.presentation.session_id != session.pk:
            raise Http404
        data = form.validated_data
        asking.ask(item=item, kind=data["kind"], text=data["text"])
        return Response({"saved": True}, status=status.HTTP_200_OK)


class QuestionsView(APIView):
    """What the rater wrote to the coordinator, and what came back."""

    def get(self, request: Request, key: str) -> Response:
        session = access.find_session(user=request.user, key=key)
        return Response({"questions": showing.describe_words(session.enrolment)})


class GuessesView(APIView):
    """What is asked of the sources, and the next two masks that it is asked of."""

    def get(self, request: Request, key: str) -> Response:
        session = access.find_session(user=request.user, key=key)
        return Response(showing.describe_guesses(session.enrolment))


class GuessView(APIView):
    """Store what a rater thinks drew one mask, once and for good."""

    def put(self, request: Request, token: str) -> Response:
        item = get_item(request, token)
        form = GuessSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            replay = guessing.record(item=item, **form.validated_data)
        except GuessRefused as refusal:
            if refusal.status == status.HTTP_404_NOT_FOUND:
                raise Http404 from refusal
            raise Conflict(ScoreRefused(refusal.status, refusal.message)) from refusal
        return Response({"saved": True, "replay": replay})
