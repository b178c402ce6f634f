"""Registers the study itself with Django, and its triggers with migrations."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.management.base import CommandError
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class RatingsConfig(AppConfig):
    name = "ratings"

    def ready(self) -> None:
        from ratings import checks  # noqa: F401  (importing registers them)

        pre_migrate.connect(take_triggers_off, sender=self)
        post_migrate.connect(put_triggers_on, sender=self)


def take_triggers_off(
    *, using: str, plan: list[tuple[Any, bool]] | None = None, **_: Any
) -> None:
    """Before tables change; where nothing is to change the guard stays up."""
    from ratings import triggers

    back = [one for one, backwards in plan or () if backwards]
    if any(one.app_label == "ratings" for one in back) and has_scores(using):
        raise CommandError(
            "Going back would drop tables that hold scores, so nothing was changed. "
            "Restore a backup of the older version into an empty place instead."
        )
    if plan:
        triggers.remove(connections[using])


def put_triggers_on(*, using: str, **_: Any) -> None:
    from ratings import triggers

    if has_tables(using):
        triggers.install(connections[using])


def has_tables(using: str) -> bool:
    from ratings.models import Score

    return Score._meta.db_table in connections[using].introspection.table_names()


def has_scores(using: str) -> bool:
    from ratings.models import Score

    return has_tables(using) and Score.objects.using(using).exists()
