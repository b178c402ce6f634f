"""Log lines are machine-readable, carry a request id, and never name a path."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from config.logging import JsonFormatter, hide_path, make_logging, request_id


def make_record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    record = logging.LogRecord("jobs", logging.INFO, "f.py", 1, message, args, None)
    vars(record).update(extra)
    return record


def test_a_line_is_one_json_object() -> None:
    line = JsonFormatter().format(make_record("two\nlines of %s", "é"))
    assert "\n" not in line
    assert json.loads(line)["message"] == "two\nlines of é"
    assert set(json.loads(line)) == {"time", "level", "logger", "message"}


def test_a_line_within_a_request_names_it() -> None:
    token = request_id.set("abc12345")
    line = json.loads(JsonFormatter().format(make_record("x", status=200)))
    request_id.reset(token)
    assert (line["request"], line["status"]) == ("abc12345", 200)


def test_an_exception_is_kept_with_its_trace() -> None:
    record = make_record("it broke")
    try:
        raise ValueError("no voxels")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert (
        "ValueError: no voxels"
        in json.loads(JsonFormatter().format(record))["exception"]
    )


def test_each_request_has_an_id_of_its_own(client: Client) -> None:
    ids = {client.get("/healthz")["X-Request-ID"] for _ in range(5)}
    assert len(ids) == 5


def test_an_id_given_by_the_proxy_is_kept_unless_it_could_forge_a_line(
    client: Client,
) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": "proxy-0123456789"})
    assert given["X-Request-ID"] == "proxy-0123456789"
    forged = client.get("/healthz", headers={"X-Request-ID": 'x" "level": "no'})
    assert forged["X-Request-ID"] != 'x" "level": "no'


@pytest.mark.django_db
def test_a_request_is_logged_with_its_user_and_route_but_not_its_path(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    user = get_user_model().objects.create_user("ada", "ada@example.org")
    client.force_login(user)
    with caplog.at_level(logging.INFO, logger="config.logging"):
        client.get("/accounts/login/?next=/rate/a-secret-key/")
    record: Any = caplog.records[-1]
    assert (record.method, record.route) == ("GET", "accounts/login/")
    line = JsonFormatter().format(record)
    assert json.loads(line)["user"] == user.pk
    assert "a-secret-key" not in line


def test_requests_are_logged_for_machines_and_spared_people() -> None:
    levels = {
        name: make_logging(name)["loggers"]["config.logging"]["level"]
        for name in ("json", "text")
    }
    assert levels == {"json": "INFO", "text": "WARNING"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/join/CANARY-token", "Not Found: join/<str:token>"),
        ("/CANARY/none", "Not Found: (no such address)"),
    ],
)
@pytest.mark.django_db
def test_what_django_says_of_a_request_names_the_route_too(
    client: Client, caplog: pytest.LogCaptureFixture, url: str, said: str
) -> None:
    answer = client.get(url)
    (record,) = [r for r in caplog.records if r.name == "django.request"]
    assert hide_path(record)
    line = JsonFormatter().format(record)
    assert json.loads(line)["message"] == said
    assert json.loads(line)["request"] == answer["X-Request-ID"]
    assert "CANARY" not in line


def test_a_wrong_host_is_a_warning_without_a_trace(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/", headers={"Host": "wrong.example"}).status_code == 400
    (record,) = [r for r in caplog.records if r.name.startswith("django.security")]
    line = json.loads(JsonFormatter().format(record))
    assert line["level"] == "warning"
    assert "wrong.example" in line["message"]
    assert "exception" not in line
