"""What all calls of the coordinators' API share: who may call, pages, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from ratings import access
from ratings.amending import AmendmentRefused
from ratings.api import answer_problem
from ratings.asking import AskingRefused
from ratings.checklist import StatementRefused
from ratings.conflicts import ConflictRefused
from ratings.coordinators import CoordinatorRefused
from ratings.declaring import DeclarationRefused
from ratings.designing import DesignRefused, DesignStale
from ratings.desk.tokens import TokenAuthentication
from ratings.erasing import ErasureRefused
from ratings.importing import ImportRefused
from ratings.invitations import InvitationRefused
from ratings.mailing import MailRefused
from ratings.meanwhile import Stale
from ratings.models import Study
from ratings.originals import OriginalsRefused
from ratings.previewing import PreviewRefused
from ratings.protocol import ProtocolError
from ratings.removal import RemovalRefused
from ratings.selecting import SelectionRefused
from ratings.withdrawing import WithdrawalRefused

Shape = type[Serializer[Any]]
Call = TypeVar("Call", bound=Callable[..., Any])
WORDS = {
    400: "A field is not valid.",
    401: "No token or session, or one that has ended.",
    403: "A session without its CSRF token, or a coordinator who lacks the second "
    "factor that the site requires.",
    404: "Not there, or not yours: which of the two is not told.",
    409: "Not possible in the state that the study is in.",
    413: "The file is larger than the site takes.",
    415: "Not the content type that this call takes.",
    422: "Read, and refused for what is in it.",
    423: "Sealed until the study is unblinded.",
    429: "Too many at once; finish some first.",
    503: "Nothing can be stored just now; Retry-After says when to try again.",
    507: "The site's disk is nearly full.",
}


class AtDesk(BasePermission):
    """For a rater this API does not exist."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.user.is_authenticated and not access.works_at_desk(request.user):
            raise Http404
        return bool(request.user.is_authenticated)


class AnyAccept(BaseContentNegotiation):
    """Every call has one kind of answer, whatever a client says that it likes."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        return next((p for p in parsers if p.media_type == sent), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: Any = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class Refused(APIException):
    """A sentence with the status that goes with it, and what differs if it is stale."""

    def __init__(
        self, status: int, sentence: str, differences: list[str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status_code = status
        self.differences = differences or []


def list_differences(error: Exception) -> list[str]:
    """What somebody else stored meanwhile beside what was sent, a line each."""
    if isinstance(error, DesignStale | Stale):
        return [
            f"{one.name}: now “{one.stored}”, you wrote “{one.wished}”"
            for one in error.differences
        ]
    return []


def answer_refusal(error: Exception, context: dict[str, Any]) -> Response | None:
    """Problem details (RFC 9457); for a form also the sentences field by field."""
    response = answer_problem(error, context)
    if response is not None and isinstance(error, ValidationError):
        response.data["errors"] = error.detail
    if response is not None and isinstance(error, Refused) and error.differences:
        response.data["differences"] = error.differences
    return response


class DeskCall(APIView):
    """A call by token or session, of a person who works at the desk."""

    authentication_classes = (TokenAuthentication, SessionAuthentication)
    permission_classes = (AtDesk,)
    content_negotiation_class = AnyAccept
    refusals: ClassVar[tuple[type[Exception], ...]] = (
        ProtocolError, RemovalRefused, InvitationRefused, WithdrawalRefused,
        DesignRefused, CoordinatorRefused, AmendmentRefused, StatementRefused,
        AskingRefused, DeclarationRefused, SelectionRefused, ErasureRefused,
        OriginalsRefused, ConflictRefused, MailRefused, Stale,
        PreviewRefused,
    )  # fmt: skip

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return answer_refusal

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, ImportRefused):
            exc = Refused(422, str(exc))
        elif isinstance(exc, self.refusals):
            exc = Refused(409, str(exc), list_differences(exc))
        return super().handle_exception(exc)

    @property
    def person(self) -> User:
        return cast(User, self.request.user)

    def find_study(self, study_id: UUID, act: str) -> Study:
        return access.find_study(user=self.request.user, study_id=study_id, act=act)


class Pages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "size"
    max_page_size = 200


PAGE = [
    OpenApiParameter("page", int, description="From 1."),
    OpenApiParameter("size", int, description="Rows a page: 50, at most 200."),
]


def send_page(
    call: DeskCall,
    rows: Any,
    shape: Shape,
    prepare: Callable[[Any], None] = lambda page: None,
) -> Response:
    """One page of rows, with the addresses of the next and the one before."""
    pages = Pages()
    page: Any = pages.paginate_queryset(rows, call.request, view=call)
    prepare(page)
    return pages.get_paginated_response(shape(page, many=True).data)


def paged(shape: Shape) -> Shape:
    """The shape of a page of such rows."""
    fields = {
        "count": serializers.IntegerField(),
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": shape(many=True),
    }
    return type(f"{shape.__name__}Page", (Serializer,), fields)


class Problem(Serializer[Any]):
    """A refusal: what kind, why and what to do, field by field where there are any."""

    title = serializers.CharField()
    detail = serializers.CharField()
    status = serializers.IntegerField()
    errors = serializers.DictField(required=False)  # type: ignore[assignment]
    differences = serializers.ListField(child=serializers.CharField(), required=False)


def describe(
    summary: str,
    *,
    answer: Mapping[Any, Any],
    body: Any = None,
    refusals: tuple[int, ...] = (),
    paginated: bool = False,
    query: Sequence[OpenApiParameter] = (),
) -> Callable[[Call], Call]:
    """Put a call into the published description, with every status it can have."""
    codes = {401, 403, 404, 503, *refusals} | ({400, 415} if body else set())
    told: dict[Any, Any] = {
        (code, "application/problem+json"): OpenApiResponse(Problem, WORDS[code])
        for code in sorted(codes)
    }
    decorate: Callable[[Call], Call] = extend_schema(
        summary=summary,
        request=body,
        responses={**answer, **told},
        parameters=[*(PAGE if paginated else []), *query],
    )
    return decorate
