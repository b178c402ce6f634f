"""Checks records, rows, signatures and files of all studies, or of one."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from ratings import audit, strays, triggers
from ratings.models import Study
from ratings.recomputing import BundleError, is_bundle, list_damage, read_bundle
from ratings.verifying import verify_study


class Command(BaseCommand):
    help = (
        "Check that no score, item, protocol, signature, record entry or file was "
        "changed behind the site's back; names every row and file that was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "study",
            nargs="?",
            help="the study's id, or the zip or folder of an export (default: all)",
        )
        parser.add_argument(
            "--head",
            default="",
            metavar="HASH",
            help="the record's head as an export of this study printed it",
        )
        parser.add_argument(
            "--access-head",
            default="",
            metavar="HASH",
            help="the head of the chain of access as it was printed earlier",
        )

    def handle(
        self, *, study: str | None, head: str, access_head: str, **_: Any
    ) -> None:
        if study and is_bundle(Path(study)):
            self.verify_bundle(Path(study))
            return
        if head and not study:
            raise CommandError("Name the study whose head this is.")
        faults = [
            f"The database does not guard the record: trigger {name} is missing. Run: "
            "manage.py migrate"
            for name in triggers.find_missing(connection)
        ]
        faults += audit.verify_access(kept=access_head)
        self.stdout.write(f"Chain of access: head {audit.access_head()}")
        for one in find_studies(study):
            found = verify_study(one, kept=head)
            faults += [f"{one.title}: {fault}" for fault in found]
            word = "holds" if not found else f"{len(found)} faults"
            self.stdout.write(f"{one.title} ({one.pk}): {word}, head {audit.head(one)}")
        if not study:
            faults += strays.list_strays()
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} faults found; see the lines above.")

    def verify_bundle(self, path: Path) -> None:
        try:
            faults = list_damage(read_bundle(path))
        except BundleError as refusal:
            raise CommandError(str(refusal)) from refusal
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} faults found; see the lines above.")
        self.stdout.write(f"{path.name}: whole, every file is as it was exported.")


def find_studies(study: str | None) -> list[Study]:
    if study is None:
        return list(Study.objects.order_by("created_at"))
    try:
        return [Study.objects.get(pk=study)]
    except (Study.DoesNotExist, ValidationError, ValueError):
        raise CommandError(f"There is no study with the id {study}.") from None
