"""Tells machines whether the site is alive, and whether it can do its work."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import resolve
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ratings import jobs, storage
from ratings.models import WorkerBeat

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
    checks = (check_database, check_storage, check_worker)
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
        return f"The database cannot be written: {error}"
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
