"""Machines are told whether the site is alive and, in words, why it is not ready."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from ratings import files, jobs
from ratings.models import Study, WorkerBeat
from tests import services
from tests.processes import free_port
from tests.ratings.conftest import make_user


def test_alive_needs_no_database(client: Client, django_db_blocker: Any) -> None:
    blocker: DjangoDbBlocker = django_db_blocker
    with blocker.block():
        answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_alive_is_answered_over_http_even_where_the_site_is_https(
    client: Client, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/accounts/login/").status_code == 301


@pytest.mark.django_db
def test_probes_ask_by_any_name_and_nobody_else_does(
    client: Client, settings: Any
) -> None:
    settings.ALLOWED_HOSTS, settings.SITE_URL = ["r.example"], "https://r.example"
    inside: dict[str, Any] = {"headers": {"Host": "10.1.2.3:8000"}}
    assert client.get("/healthz", **inside).status_code == 200
    assert client.get("/readyz", **inside).json()["ready"] is False
    assert client.post("/readyz", **inside).status_code == 405
    page = client.get("/accounts/login/", **inside)
    assert page.status_code == 400
    assert "Another address" in page.text
    assert 'href="https://r.example/"' in page.text


def use_cache(settings: Any, url: str) -> None:
    """The cache as the settings would have it for this address."""
    redis = "django.core.cache.backends.redis.RedisCache"
    options = {"socket_connect_timeout": 2, "socket_timeout": 2}
    settings.CACHE_URL = url
    settings.CACHES = {
        "default": {"BACKEND": redis, "LOCATION": url, "OPTIONS": options}
    }


@pytest.mark.django_db
class TestReadiness:
    def test_with_a_worker_the_site_is_ready(self, client: Client) -> None:
        jobs.beat(worker="w1")
        answer = client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json() == {
            "ready": True,
            "reasons": [],
            "oldest_wait_seconds": 0.0,
        }

    def test_it_leaves_no_trace_in_the_database(self, client: Client) -> None:
        with CaptureQueriesContext(connection) as queries:
            client.get("/readyz")
        assert any("INSERT" in query["sql"] for query in queries)
        assert not WorkerBeat.objects.exists()

    def test_without_a_worker_it_says_what_that_means(self, client: Client) -> None:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == [
            "No worker is running, so no prediction or analysis is made."
        ]

    def test_it_says_how_long_the_oldest_job_waits(self, client: Client) -> None:
        job = jobs.submit(kind="predict", payload={})
        job.created_at = job.created_at.replace(year=2020)
        job.save()
        assert client.get("/readyz").json()["oldest_wait_seconds"] > 1e6

    def test_an_unwritable_data_folder_is_named(
        self, client: Client, settings: Any, tmp_path: Path
    ) -> None:
        jobs.beat(worker="w1")
        (tmp_path / "file").touch()
        settings.FILES_DIR = tmp_path / "file" / "files"
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == [
            "The data folder cannot be written: Not a directory"
        ]

    def test_stored_files_whose_disk_is_away_are_named(
        self, client: Client, settings: Any, tmp_path: Path
    ) -> None:
        jobs.beat(worker="w1")
        ada = make_user("ada", staff=True)
        study = Study.objects.create(title="A", created_by=ada)
        study.cases.create(label="C001", image_path="images/a.nii.gz")
        settings.FILES_DIR = tmp_path / "files"
        [reason] = client.get("/readyz").json()["reasons"]
        assert "its disk is not mounted" in reason
        client.force_login(ada)
        assert reason in client.get("/").text
        files.write_durably(files.locate("images/a.nii.gz"), b"it is back")
        assert client.get("/readyz").json()["ready"]
        assert "not mounted" not in client.get("/").text

    def test_a_full_disk_is_named(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jobs.beat(worker="w1")
        monkeypatch.setattr("ratings.storage.LEAST_FREE_BYTES", 2**80)
        assert "make room" in client.get("/readyz").json()["reasons"][0]

    def test_a_database_that_refuses_to_write_is_named_once_and_not_described(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        def refuse(*_: Any) -> None:
            raise DatabaseError("disk of db.example.org is read-only")

        with connection.execute_wrapper(refuse):
            answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {
            "ready": False,
            "reasons": ["The database cannot be written."],
            "oldest_wait_seconds": None,
        }
        assert "disk of db.example.org is read-only" in caplog.text

    def test_a_cache_that_is_away_is_named(self, client: Client, settings: Any) -> None:
        jobs.beat(worker="w1")
        use_cache(settings, services.require("Redis"))
        assert client.get("/readyz").json()["ready"]
        use_cache(settings, f"redis://127.0.0.1:{free_port()}/1")
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == [
            "The cache does not answer, so nobody can sign in."
        ]

    @pytest.mark.parametrize("service", ["Redis", "RabbitMQ"])
    def test_a_broker_that_is_away_is_named(
        self, client: Client, settings: Any, service: str
    ) -> None:
        jobs.beat(worker="w1")
        settings.BROKER_URL = services.require(service)
        assert client.get("/readyz").json()["ready"]
        scheme = settings.BROKER_URL.partition(":")[0]
        settings.BROKER_URL = f"{scheme}://me:secret@127.0.0.1:{free_port()}//"
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == [
            "The broker does not answer, so no prediction or analysis begins."
        ]

    @pytest.mark.parametrize("scheme", ["redis", "amqp"])
    def test_one_that_hangs_holds_no_probe_for_long(
        self, client: Client, settings: Any, scheme: str
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            use_cache(settings, f"redis://127.0.0.1:{port}/1")
            settings.BROKER_URL = f"{scheme}://127.0.0.1:{port}//"
            start = time.monotonic()
            reasons = client.get("/readyz").json()["reasons"]
        assert time.monotonic() - start < 6
        assert [reason.split(" does")[0] for reason in reasons[:2]] == [
            "The cache", "The broker",
        ]  # fmt: skip

    def test_only_reading_methods_are_answered(self, client: Client) -> None:
        assert client.post("/readyz").status_code == 405
        assert client.post("/healthz").status_code == 405
