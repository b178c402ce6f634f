"""Every row of the database as lines of JSON and back, the same on either database.

What is written is read by the tables as they were then, at the migrations that were
applied then, so that a backup of an older version can be restored and brought forward.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor

Model = type[models.Model]
# Who is signed in and which worker lives holds only of the running site.
PASSING = {"django_session", "ratings_workerbeat"}
BEGIN = {
    "sqlite": "BEGIN DEFERRED",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
}


@contextmanager
def hold_snapshot() -> Iterator[None]:
    """All that is read within is of one moment, while others go on writing."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN[connection.vendor])
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def list_models(known: Any = apps) -> list[Model]:
    """Every table that is kept, in a fixed order; proxies have none of their own."""
    found = {
        model._meta.db_table: model
        for model in known.get_models(include_auto_created=True)
        if not model._meta.proxy and model._meta.managed
    }
    return [found[table] for table in sorted(found.keys() - PASSING)]


def write_rows(model: Model) -> Iterator[str]:
    """The rows of one table by key, one line each, times to the microsecond."""
    columns = [field.attname for field in model._meta.concrete_fields]
    rows = model._base_manager.order_by("pk").values_list(*columns)
    for row in rows.iterator(chunk_size=500):
        told = dict(zip(columns, row, strict=True))
        yield json.dumps(told, default=as_text, ensure_ascii=False) + "\n"


def as_text(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"A {type(value).__name__} can't be written to a backup.")


def read_row(model: Model, line: str) -> models.Model:
    told = json.loads(line)
    fields = {field.attname: field for field in model._meta.concrete_fields}
    values = {name: fields[name].to_python(value) for name, value in told.items()}
    return model(**values)


def load_rows(tables: dict[str, Iterable[str]], state: list[tuple[str, str]]) -> None:
    """Fill tables that were just made, in one transaction; triggers come later."""
    executor = MigrationExecutor(connection)
    then = executor.loader.project_state(find_tips(executor, state)).apps
    known = {model._meta.db_table: model for model in list_models(then)}
    with transaction.atomic():
        for table, lines in tables.items():
            for line in lines:
                row = read_row(known[table], line)
                # Raw, as no time of making and no default is to be set anew.
                row.save_base(raw=True, force_insert=True)
    # Now, as the migrations that follow may add rows of their own.
    reset_sequences(list(known.values()))


def list_applied() -> list[tuple[str, str]]:
    """The migrations that this database has, in the order of their names."""
    return sorted(MigrationExecutor(connection).loader.applied_migrations)


def list_unknown(state: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Migrations that this version has never heard of: those of a newer one."""
    known = MigrationExecutor(connection).loader.disk_migrations
    return [key for key in state if key not in known]


def find_tips(
    executor: MigrationExecutor, state: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """The last migration of each app among some; asking for others would go back."""
    nodes, wanted = executor.loader.graph.node_map, set(state)
    return [
        key
        for key in state
        if not any(c.key in wanted and c.key[0] == key[0] for c in nodes[key].children)
    ]


def make_tables(state: list[tuple[str, str]]) -> None:
    """Make the tables of that moment in an empty database."""
    executor = MigrationExecutor(connection)
    executor.migrate(find_tips(executor, state))


def reset_sequences(known: list[Model]) -> None:
    """Let the next row of each table get a number that is free."""
    statements = connection.ops.sequence_reset_sql(no_style(), known)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def is_empty() -> bool:
    return not connection.introspection.table_names()
