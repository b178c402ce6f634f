"""Puts the test database back as it was made, where a test has really committed.

Emptying tables would be refused: the record can't be deleted, in tests no more than in
the product. So the whole database is replaced by a copy that was set aside.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection, connections
from django.test import TransactionTestCase


def set_aside() -> None:
    """Keep a copy of the database that was just made."""
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        copy_of(name).unlink(missing_ok=True)
        connection.close()
        # With the log folded into it, the one file is the whole database.
        with closing(sqlite3.connect(name)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(name, copy_of(name))
        return
    name = str(connection.settings_dict["NAME"])
    replace(f"{name}_aside", template=name)


def put_back(*_: Any, **__: Any) -> None:
    connections.close_all()
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        for rest in ("-wal", "-shm"):
            Path(name + rest).unlink(missing_ok=True)
        shutil.copyfile(copy_of(name), name)
        return
    replace(name, template=f"{name}_aside")


def discard() -> None:
    if connection.vendor != "sqlite":
        ask(f'DROP DATABASE IF EXISTS "{connection.settings_dict["NAME"]}_aside"')


def copy_of(name: str) -> Path:
    return Path(f"{name}.aside")


def replace(name: str, *, template: str) -> None:
    connections.close_all()
    ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    ask(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def ask(statement: str) -> None:
    """From the server's own database: nobody may be in the one that is copied."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


def replace_flushing() -> None:
    """From here on, Django's own tests of transactions restore instead of emptying."""
    TransactionTestCase._fixture_teardown = put_back  # type: ignore[attr-defined]
