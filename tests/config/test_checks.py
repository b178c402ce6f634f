"""Settings that would lose data or trust are named before the start."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from config.environment import Environment
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

    def change(*, ENGINE: str = SQLITE, **changes: Any) -> None:
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
        TRUSTED_PROXIES="1",
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


ASK = """
import django
django.setup()
from django.test import Client
answer = Client().get("/", headers={"Host": "r.example", "X-Forwarded-Proto": "https"})
print(answer.status_code, answer["Strict-Transport-Security"])
"""


@pytest.mark.slow
def test_an_https_site_asks_for_a_year_of_https_for_itself_alone(
    tmp_path: Path,
) -> None:
    env = environment(
        tmp_path,
        SITE_URL="https://r.example",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.stdout == "302 max-age=31536000\n", done.stderr


@pytest.mark.slow
def test_what_is_wrong_is_said_with_a_remedy(tmp_path: Path) -> None:
    done = check(tmp_path, LOG_FORMAT="xml")
    assert done.returncode == 1
    assert "blindfold.E003" in done.stderr
    assert "HINT: Set it to text or json." in done.stderr


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"BROKER_URL": "redis://queue.example.org"}, "blindfold.E002"),
        ({"LOG_FORMAT": "xml"}, "blindfold.E003"),
        ({"PRECISION": "float8"}, "blindfold.E006"),
        ({"DEVICE": "tpu"}, "blindfold.E007"),
        ({"SITE_URL": "http://blindfold.example.org"}, "blindfold.W001"),
        ({"SITE_URL": "https://blindfold.example.org"}, "blindfold.W003"),
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
        {
            "SITE_URL": "https://blindfold.example.org",
            "ALLAUTH_TRUSTED_PROXY_COUNT": 1,
            "LOG_FORMAT": "json",
        },
        {"PRECISION": "float32", "DEVICE": "cuda:1"},
    ],
)
def test_what_works_passes(change: Change, changes: dict[str, Any]) -> None:
    change(**changes)
    assert run_checks() == []


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("DATABASE_URL", "nonsense", "postgres://USER"),
        ("DATABASE_URL", "mysql://me:secret@there/scores", "postgres://USER"),
        ("DATABASE_URL", "postgres://me:se[ret@there:five/scores", "postgres://USER"),
        ("EMAIL_URL", "mail://me:secret@there", "smtp://HOST"),
        ("DATABASE_URL", "postgres://me:secret@there/", "postgres://USER"),
        ("DATABASE_URL", "sqlite://:memory:", "sqlite:///PATH"),
        ("PORT", "eighty", "a whole number"),
        ("PORT", "99999999", "from 1 to 65535"),
        ("UPLOAD_LIMIT_BYTES", "2 GB", "a whole number"),
        ("UPLOAD_LIMIT_BYTES", "-5", "from 1 on"),
        ("VOXEL_LIMIT", "0", "from 1 on"),
        ("TRUSTED_PROXIES", "-1", "from 0 on"),
        ("JOB_TICK_SECONDS", "0", "from 1 on"),
        ("JOB_LEASE_SECONDS", "5", "from 6 on, three times JOB_TICK_SECONDS"),
        ("REQUIRE_SECOND_FACTOR", "perhaps", "true or false"),
        ("CACHE_URL", "nonsense", "redis://"),
        ("CACHE_URL", "memcached://there:11211", "redis://"),
        ("CACHE_URL", "redis://:secret@there:five", "redis://"),
        ("BROKER_URL", "sqs://me:secret@there", "filesystem://"),
        ("BROKER_URL", "amqp://me:secret[@there", "amqp://USER"),
        ("SITE_URL", "blindfold.example.org", "https://ratings.example.org"),
        ("SITE_URL", "https://[bad", "https://ratings.example.org"),
        ("SITE_URL", "https://there.example:66666", "https://ratings.example.org"),
        ("SITE_URL", "https://there.example/ratings", "without a path"),
        ("ALLOWED_HOSTS", "good.example,https://bad.example", "without https://"),
        ("ALLOWED_HOSTS", "good.example:8000", "names of hosts"),
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


def test_a_tick_too_long_for_the_lease_is_named(tmp_path: Path) -> None:
    told = check(tmp_path, JOB_TICK_SECONDS="10")
    assert told.returncode == 1
    assert (
        "JOB_LEASE_SECONDS can't be read: write a whole number from 30" in told.stderr
    )


def test_an_empty_setting_is_as_if_it_were_not_set(tmp_path: Path) -> None:
    names = re.findall(r'env\.\w+\("(\w+)"', (ROOT / "config/settings.py").read_text())
    empty = {name: "" for name in names if name != "DATA_DIR"}
    assert {"PORT", "SITE_URL", "JOB_QUEUE", "DATABASE_URL", "EMAIL_URL"} <= {*empty}
    show = "from config import settings as s; print(s.DATA_DIR, s.BROKER_URL, s.PORT, "
    show += "s.SITE_URL, s.JOB_QUEUE, s.DEVICE, s.DATABASES['default']['NAME'])"
    done = subprocess.run(
        [sys.executable, "-c", show],
        cwd=ROOT, env=environment(tmp_path, **empty), capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == [
        str(tmp_path), "filesystem://", "8000", "http://127.0.0.1:8000",
        "blindfold", "auto", str(tmp_path / "db.sqlite3"),
    ], done.stderr  # fmt: skip


def test_an_empty_data_dir_is_not_the_repository(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATA_DIR", "")
    assert Environment().str("DATA_DIR", default="data") == "data"
