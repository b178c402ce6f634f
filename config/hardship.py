"""Answers "not now" where database, disk or cache can't store: nobody is misled."""

from __future__ import annotations

import errno
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from django.core.cache import cache
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
PAGE = Path(__file__).parent / "templates" / "503.html"
RETRY_SECONDS = "10"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
SENTENCE = (
    "The site can't store anything just now, so nothing of this was saved. Try again "
    "in a moment; if it lasts, tell the contact of the study."
)


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


def tell(request: HttpRequest) -> HttpResponse:
    """503, for a script or for a person, with the time after which to try again."""
    if request.path.startswith("/api/"):
        body = {"title": "Not now", "detail": SENTENCE, "status": 503}
        told: HttpResponse = JsonResponse(
            body, status=503, content_type="application/problem+json"
        )
    else:
        told = HttpResponse(PAGE.read_text().replace("{sentence}", SENTENCE))
        told.status_code = 503
    told["Retry-After"] = RETRY_SECONDS
    return told
