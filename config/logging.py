"""Log lines for people or, with LOG_FORMAT=json, for machines, with a request id."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponseBase

request_id: ContextVar[str] = ContextVar("request_id", default="")
log = logging.getLogger(__name__)
EXTRAS = ("user", "method", "route", "status", "milliseconds")
ACCEPTED_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


class JsonFormatter(logging.Formatter):
    """One JSON object a line; what is said of a request never names its path."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: vars(record)[name] for name in EXTRAS if name in vars(record)}
        # Django's own line on a refusal comes when the request is over.
        request = vars(record).get("request")
        if known := request_id.get() or getattr(request, "known_as", ""):
            line["request"] = known
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def hide_path(record: logging.LogRecord) -> bool:
    """Django names paths, which hold keys and tokens: the route says as much."""
    request = vars(record).get("request")
    if isinstance(request, HttpRequest) and isinstance(record.args, tuple):
        match = request.resolver_match
        route = match.route if match else "(no such address)"
        hidden = (request.path, request.get_full_path())
        record.args = tuple(
            route if isinstance(arg, str) and arg in hidden else arg
            for arg in record.args
        )
    return True


def soften(record: logging.LogRecord) -> bool:
    """A stranger who asks by a wrong name is no fault of the program."""
    record.levelno, record.levelname = logging.WARNING, "WARNING"
    record.exc_info = record.exc_text = None
    return True


def log_requests(
    answer: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: gives each request an id and logs who got which answer how fast."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        known = given if ACCEPTED_ID.fullmatch(given) else secrets.token_hex(8)
        vars(request)["known_as"] = known
        token = request_id.set(known)
        start = time.perf_counter()
        try:
            response = answer(request)
            log.info("request", extra=describe(request, response, since=start))
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = known
        return response

    return middleware


def describe(
    request: HttpRequest, response: HttpResponseBase, *, since: float
) -> dict[str, Any]:
    match = request.resolver_match
    # Only a user already looked up: a log line must not cost a query.
    user = vars(request).get("_cached_user")
    return {
        "user": getattr(user, "pk", None),
        "method": request.method,
        "route": match.route if match else None,
        "status": response.status_code,
        "milliseconds": round((time.perf_counter() - since) * 1000, 1),
    }


def make_logging(log_format: str) -> dict[str, Any]:
    """The LOGGING setting: all to standard error, as commands print results."""
    text = {"format": "%(asctime)s %(levelname)s %(message)s", "datefmt": "%H:%M:%S"}
    as_json = {"()": "config.logging.JsonFormatter"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": as_json if log_format == "json" else text},
        "filters": {
            "path": {"()": lambda: hide_path},
            "soft": {"()": lambda: soften},
        },
        "handlers": {
            "stderr": {
                "filters": ["path"],
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "line",
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            **{name: {"level": "INFO"} for name in ("config", "inference", "ratings")},
            # Its own handlers would say everything twice.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.security.DisallowedHost": {"filters": ["soft"]},
            "gunicorn.error": {"handlers": [], "propagate": True},
            "config.logging": {"level": "INFO" if log_format == "json" else "WARNING"},
        },
    }
