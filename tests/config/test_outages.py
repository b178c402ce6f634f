"""A command says in a sentence that the database is away, empty or of another time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import DatabaseError, OperationalError, ProgrammingError, connection

from config.outages import describe_outage
from tests.processes import ROOT, environment, free_port

COMMANDS = [
    ("verify",),
    ("ensembles",),
    ("alive",),
    ("account", "ada@example.org", "--remove-second-factor"),
    ("createsuperuser", "--no-input", "--username", "ada", "--email", "a@b.example"),
]


def manage(folder: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT, env=environment(folder, **env), capture_output=True, text=True,
    )  # fmt: skip


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("command", [*COMMANDS, ("migrate",)], ids=lambda one: one[0])
def test_a_server_that_is_away_is_named_by(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    away = f"postgres://ada:secret@127.0.0.1:{free_port()}/scores"
    done = manage(tmp_path, *command, DATABASE_URL=away)
    assert "The database does not answer (" in last_line(done)
    assert "check DATABASE_URL." in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one[0])
def test_an_empty_database_is_named_by(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    sentence = "The database lacks tables of this version (no such table: "
    done = manage(tmp_path, *command)
    assert last_line(done).startswith(sentence)
    assert "run 'manage.py migrate', or check DATA_DIR" in done.stderr


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement", ["SELECT * FROM nowhere", "SELECT unheard FROM ratings_study"]
)
def test_tables_and_columns_that_are_missing_are_told_on_either_database(
    statement: str,
) -> None:
    with pytest.raises(DatabaseError) as told, connection.cursor() as cursor:
        cursor.execute(statement)
    assert "run 'manage.py migrate'" in describe_outage(told.value)


@pytest.mark.parametrize("kind", [ProgrammingError, OperationalError])
def test_a_fault_of_the_program_itself_stays_one(kind: type[DatabaseError]) -> None:
    assert describe_outage(kind('near "SELEC": syntax error')) == ""
