"""A full store is said before and while it hurts, and nothing is half done."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import OperationalError, connection
from django.test import Client

from ratings import storage
from ratings.models import Study

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator(client: Client) -> Client:
    user = User.objects.create_user("ada@example.org", is_staff=True)
    backend = "allauth.account.auth_backends.AuthenticationBackend"
    client.force_login(user, backend=backend)
    return client


def refuse(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
) -> Any:
    """A database that reads and does not write."""
    if sql.startswith("INSERT") and "ratings_study" in sql:
        raise OperationalError("database or disk is full")
    return execute(sql, params, many, context)


def test_a_full_database_answers_not_now_and_stores_nothing(
    coordinator: Client,
) -> None:
    with connection.execute_wrapper(refuse):
        page = coordinator.post("/studies/new", {"title": "Lost?"})
        call = coordinator.post("/api/studies", {"title": "Lost?"}, "application/json")
    assert (page.status_code, call.status_code) == (503, 503)
    assert page.headers["Retry-After"] == call.headers["Retry-After"] == "10"
    assert "nothing of this was saved" in page.text
    assert "nothing of this was saved" in call.json()["detail"]
    assert "disk is full" not in page.text + call.text
    assert not Study.objects.exists()
    assert coordinator.post("/studies/new", {"title": "Kept"}).status_code == 302


def test_a_full_disk_of_files_answers_not_now(
    coordinator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ratings.steps.count_facts", fail)
    user = User.objects.get()
    study = Study.objects.create(title="T", created_by=user)
    study.enrolments.create(user=user, role="coordinator")
    assert coordinator.get("/").status_code == 503


def test_other_faults_stay_faults(
    coordinator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOENT, "No such file")

    monkeypatch.setattr("ratings.access.may_create_study", fail)
    coordinator.raise_request_exception = False
    assert coordinator.get("/").status_code == 500


def test_a_banner_comes_before_the_disk_is_full(
    coordinator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "may soon be refused" not in coordinator.get("/").text
    monkeypatch.setattr(storage, "LEAST_FREE_BYTES", 2**80)
    page = coordinator.get("/").text
    assert "may soon be refused" in page
    assert "MB left: make room" in page
    assert not storage.has_room(0)


def test_a_read_only_folder_is_named(
    coordinator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda place, mode: False)
    assert "read-only" in coordinator.get("/").text


def ask_to_upload(coordinator: Client, study: Study, size: int) -> list[int]:
    """The statuses that a page, a call and the begin of a transfer get."""
    page, call = f"/studies/{study.pk}/uploads", f"/api/studies/{study.pk}/uploads"
    answers = [
        coordinator.post(url, {"file": ContentFile(b"x" * size, name="a.nii")})
        for url in (page, call)
    ]
    begun = coordinator.post(
        f"/api/studies/{study.pk}/transfers",
        {"name": "a.nii", "size": size},
        "application/json",
    )
    return [answer.status_code for answer in (*answers, begun)]


@pytest.mark.parametrize("size", [1, 3 * 2**20])
def test_uploads_are_refused_before_they_are_read_where_nothing_can_be_written(
    coordinator: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    user = User.objects.get()
    study = Study.objects.create(title="T", created_by=user)
    study.enrolments.create(user=user, role="coordinator")
    assert ask_to_upload(coordinator, study, size) == [422, 422, 201]
    # nothing can be laid there, which a test run by root can't have otherwise
    settings.FILE_UPLOAD_TEMP_DIR = "/nowhere"
    monkeypatch.setattr("os.access", lambda place, mode: False)
    assert ask_to_upload(coordinator, study, size) == [507, 507, 507]
