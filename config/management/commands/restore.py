"""Puts a backup back into an empty site, and checks it against its own record."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from config import backup


class Command(BaseCommand):
    help = (
        "Fill an empty database and data folder from a backup, of this version or an "
        "older one and of either kind of database; ends with the checks of verify."
    )
    # An empty database has neither tables nor the triggers that checks look for.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="FILE", help="a backup")

    def handle(self, *, source: Path, **_: Any) -> None:
        try:
            backup.restore_backup(source, say=self.stdout.write)
        except backup.BackupRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        except DatabaseError as error:
            raise CommandError(
                f"The database does not answer ({str(error).strip()}): check "
                "DATABASE_URL."
            ) from error
        call_command("verify", stdout=self.stdout, stderr=self.stderr)
