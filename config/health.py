"""Tells machines whether the site is alive, and whether it can do its work."""

from __future__ import annotations

import logging
import secrets
import tempfile
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import resolve
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from ratings import jobs, storage
from ratings.models import WorkerBeat

log = logging.getLogger(__name__)
PROBES = ("/healthz", "/readyz")


def answer_probes(
    answer: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: probes ask by whatever name or number a machine has for itself."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in PROBES:
            return answer(request)
        match = request.resolver_match = resolve(request.path_info)
        response: HttpResponseBase = match.func(request)
        return response

    return middleware


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: answers without the database."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Able to work: 200, or 503 with the reasons why not."""
    checks = (check_database, check_storage, check_cache, check_broker, check_worker)
    reasons = list(dict.fromkeys(filter(None, map(run_check, checks))))
    answer = {
        "ready": not reasons,
        "reasons": reasons,
        "oldest_wait_seconds": measure_wait(),
    }
    return JsonResponse(answer, status=503 if reasons else 200)


def run_check(check: Callable[[], str]) -> str:
    """The reason why not, or nothing."""
    try:
        return check()
    except DatabaseError as error:
        # Addresses and names stand in it, and anybody may ask.
        log.warning("The database cannot be written: %s", error)
        return "The database cannot be written."
    except OSError as error:
        return f"The data folder cannot be written: {error.strerror}"


def check_database() -> str:
    with transaction.atomic():
        WorkerBeat.objects.create(worker="readyz", beat_at=timezone.now())
        transaction.set_rollback(True)
    return ""


def check_storage() -> str:
    settings.FILES_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.FILES_DIR) as file:
        file.write(b"ready?")
        file.flush()
    return storage.find_fault()


def check_cache() -> str:
    """By default it is a table of the database, which was looked at already."""
    if not settings.CACHE_URL:
        return ""
    try:
        cache.set(f"ready:{secrets.token_hex(8)}", True, timeout=1)
    except (RedisError, OSError) as error:
        log.warning("The cache does not answer: %s", error)
        return "The cache does not answer, so nobody can sign in."
    return ""


def check_broker() -> str:
    """By default it is a folder beside the files, which were looked at already."""
    if settings.BROKER_URL.startswith("filesystem:"):
        return ""
    # Pages load without Celery, so only where it is needed.
    from config import celery

    if fault := celery.find_fault():
        log.warning("The broker does not answer: %s", fault)
        return "The broker does not answer, so no prediction or analysis begins."
    return ""


def check_worker() -> str:
    if jobs.live_workers():
        return ""
    return "No worker is running, so no prediction or analysis is made."


def measure_wait() -> float | None:
    """How long the oldest job waits; unknown where the database is away."""
    try:
        return round(jobs.oldest_wait(), 1)
    except DatabaseError:
        return None
