"""System checks of the study's own tables: the database's refusals are in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from ratings import triggers


@register(Tags.database)
def check_triggers(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Every trigger is there: `check --database default --fail-level WARNING`.

    A warning and no error, because an error would keep `migrate` from mending it.
    """
    return [
        Warning(
            f"The database does not guard the record: {len(missing)} triggers are "
            f"missing, such as {missing[0]}.",
            hint="Run: manage.py migrate",
            id="blindfold.W010",
        )
        for alias in databases or ()
        if is_migrated(connections[alias])
        and (missing := triggers.find_missing(connections[alias]))
    ]


def is_migrated(connection: BaseDatabaseWrapper) -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
