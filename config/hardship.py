"""Answers "not now" where database, disk or cache can't store: nobody is misled."""

from __future__ import annotations

import errno
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from redis.exceptions import RedisError

from ratings import storage

log = logging.getLogger(__name__)
PAGE = Path(__file__).parent / "templates" / "503.html"
RETRY_SECONDS = "10"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
SENTENCE = (
    "The site can't store anything just now, so nothing of this was saved. Try again "
    "in a moment; if it lasts, tell the contact of the study."
)


NO_ROOM = (
    "The site can't store so large a file just now, so it was not taken in. Ask "
    "whoever runs this site to make room on its disk, or to mount it for writing."
)


def refuse_uploads(
    answer: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: what would be laid on a disk that can't take it is not read at all.

    A form's token is looked for in the body, which is stored on the way to it.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        size = measure_upload(request)
        if size > settings.FILE_UPLOAD_MAX_MEMORY_SIZE and not storage.has_room(
            2 * size
        ):
            return tell(request, status=507, title="Not taken in", sentence=NO_ROOM)
        return answer(request)

    return middleware


def measure_upload(request: HttpRequest) -> int:
    """How large a form with files says it is."""
    length = str(request.META.get("CONTENT_LENGTH", ""))
    form = request.content_type == "multipart/form-data" and length.isdigit()
    return int(length) if form else 0


class AnswerHardship:
    """Middleware: 503 with a time to try again, instead of a fault of the program."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.answer(request)
        # Tries that can't be counted are taken for too many.
        if response.status_code == 429 and not can_store():
            return tell(request)
        return response

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        full = isinstance(error, OSError) and error.errno in FULL
        if not full and not isinstance(error, OperationalError | RedisError):
            return None
        log.exception("Nothing could be stored.")
        return tell(request)


def can_store() -> bool:
    """Whether the cache takes anything, which is mostly a table of the database."""
    return bool(cache.add(f"can-store:{secrets.token_hex(8)}", True, timeout=1))


def tell(
    request: HttpRequest,
    *,
    status: int = 503,
    title: str = "Not now",
    sentence: str = SENTENCE,
) -> HttpResponse:
    """For a script or for a person, with the time after which to try again."""
    if request.path.startswith("/api/"):
        body = {"title": title, "detail": sentence, "status": status}
        told: HttpResponse = JsonResponse(
            body, status=status, content_type="application/problem+json"
        )
    else:
        told = HttpResponse(PAGE.read_text().replace("{sentence}", sentence))
        told.status_code = status
    told["Retry-After"] = RETRY_SECONDS
    return told
