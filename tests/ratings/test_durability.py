"""An answer is on the disk before it is acknowledged, on either database."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.processes import ROOT, environment

FULL = 2


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


@pytest.mark.skipif(not is_sqlite(), reason="PostgreSQL has settings of its own")
def test_sqlite_waits_for_the_disk_at_every_commit(db: None) -> None:
    """FULL syncs the log before COMMIT returns; NORMAL would do so now and then."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (FULL,)
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@pytest.mark.skipif(is_sqlite(), reason="SQLite has settings of its own")
def test_postgresql_waits_for_the_disk_at_every_commit(db: None) -> None:
    with connection.cursor() as cursor:
        for name in ("synchronous_commit", "fsync", "full_page_writes"):
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == ("on",), name


SAY_WHAT_IS_STORED = """
import os, signal, sys, django
django.setup()
from django.contrib.auth.models import User
for n in range(20):
    User.objects.create(username=f"u{n}")
    os.write(1, f"u{n} ".encode())
os.kill(os.getpid(), signal.SIGKILL)
"""


def say_and_die(folder: Path, *before: str) -> list[str]:
    """What a process with the settings of the product said until it killed itself."""
    env = environment(
        folder, SECRET_KEY=settings.SECRET_KEY,
        DJANGO_SETTINGS_MODULE="config.settings",
    )  # fmt: skip
    migrate = [sys.executable, "manage.py", "migrate", "auth", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=env, check=True)
    command = [*before, sys.executable, "-c", SAY_WHAT_IS_STORED]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    return done.stdout.decode().split()


@pytest.mark.slow
def test_what_was_said_before_a_kill_is_stored(tmp_path: Path) -> None:
    said = say_and_die(tmp_path)
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as file:
        rows = file.execute("SELECT username FROM auth_user ORDER BY id")
        assert [row[0] for row in rows] == said == [f"u{n}" for n in range(20)]
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("strace"), reason="NOT TESTED: no strace here")
def test_the_log_is_synced_before_each_word(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    say_and_die(
        tmp_path, "strace", "-e", "trace=fdatasync,fsync,write", "-o", str(trace)
    )
    synced, words = False, 0
    for line in trace.read_text().splitlines():
        synced = synced or line.startswith(("fdatasync(", "fsync("))
        if line.startswith('write(1, "u'):
            assert synced, line
            synced, words = False, words + 1
    assert words == 20
