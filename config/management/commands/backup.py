"""Writes the whole site into one file, without stopping it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from config import backup


class Command(BaseCommand):
    help = (
        "Write database and stored files into one zip, while the site runs; it is read "
        "again and compared before it gets its name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "target",
            type=Path,
            metavar="FILE|FOLDER",
            help="a new file, or a folder in which one is named by the time",
        )

    def handle(self, *, target: Path, **_: Any) -> None:
        try:
            written = backup.write_backup(target, say=self.stdout.write)
        except backup.BackupRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        except DatabaseError as error:
            raise CommandError(
                f"The database does not answer ({str(error).strip()}): check "
                "DATABASE_URL."
            ) from error
        size = written.stat().st_size
        self.stdout.write(f"{written}: {size} bytes, read again and whole.")
