"""Settings that would lose data or trust are named before the start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from tests.processes import ROOT, environment

Change = Callable[..., None]
POSTGRES = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"


def check(folder: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", *options],
        cwd=ROOT,
        env=environment(folder, **env),
        capture_output=True,
        text=True,
    )


@pytest.fixture
def change(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Change:
    """Set settings, and the database's engine, for one test."""

    def change(*, ENGINE: str = SQLITE, **changes: str) -> None:
        monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", ENGINE)
        for name, value in changes.items():
            setattr(settings, name, value)

    return change


@pytest.mark.slow
def test_an_https_site_passes_djangos_deployment_checks_without_a_warning(
    tmp_path: Path,
) -> None:
    done = check(
        tmp_path,
        *("--deploy", "--fail-level", "WARNING"),
        SITE_URL="https://blindfold.example.org",
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.slow
def test_what_is_wrong_is_said_with_a_remedy(tmp_path: Path) -> None:
    done = check(tmp_path, LOG_FORMAT="xml")
    assert done.returncode == 1
    assert "blindfold.E003" in done.stderr
    assert "HINT: Set it to text or json." in done.stderr


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"BROKER_URL": "sqs://"}, "blindfold.E001"),
        ({"BROKER_URL": "redis://queue.example.org"}, "blindfold.E002"),
        ({"LOG_FORMAT": "xml"}, "blindfold.E003"),
        ({"PRECISION": "float8"}, "blindfold.E006"),
        ({"SITE_URL": "blindfold.example.org"}, "blindfold.E004"),
        ({"SITE_URL": "http://blindfold.example.org"}, "blindfold.W001"),
    ],
)
def test_a_setting_that_cannot_work_is_named(
    change: Change, changes: dict[str, str], expected: str
) -> None:
    change(**changes)
    messages = [message for message in run_checks() if message.id]
    assert [message.id for message in messages] == [expected]
    assert messages[0].hint


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"BROKER_URL": "redis://127.0.0.1:6379/0"},
        {"BROKER_URL": "redis://queue.example.org", "ENGINE": POSTGRES},
        {"BROKER_URL": "amqp://queue.example.org", "ENGINE": POSTGRES},
        {"SITE_URL": "https://blindfold.example.org", "LOG_FORMAT": "json"},
        {"PRECISION": "float32"},
    ],
)
def test_what_works_passes(change: Change, changes: dict[str, str]) -> None:
    change(**changes)
    assert run_checks() == []


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("DATABASE_URL", "nonsense", "postgres://USER"),
        ("DATABASE_URL", "mysql://me:secret@there/scores", "postgres://USER"),
        ("DATABASE_URL", "postgres://me:se[ret@there:five/scores", "postgres://USER"),
        ("EMAIL_URL", "mail://me:secret@there", "smtp://HOST"),
        ("PORT", "eighty", "a whole number"),
        ("UPLOAD_LIMIT_BYTES", "2 GB", "a whole number"),
        ("REQUIRE_SECOND_FACTOR", "perhaps", "true or false"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named_and_not_repeated(
    tmp_path: Path, name: str, value: str, form: str
) -> None:
    told = check(tmp_path, **{name: value})
    assert told.returncode
    last = told.stderr.strip().splitlines()[-1]
    assert f"The setting {name} can't be read: write " in last
    assert form in last
    assert value not in told.stderr
    assert "secret" not in told.stderr
