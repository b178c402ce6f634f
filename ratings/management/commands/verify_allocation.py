"""`manage.py verify_allocation EXPORT`: draws a study's order again from its export."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ratings.allocation import VERSION
from ratings.revealing import NAME, check_schedule


class Command(BaseCommand):
    help = (
        "Recompute the whole schedule of an unblinded study from the seed in its "
        "export and compare it with what was shown and committed to. Needs no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "export", type=Path, help="the zip, its folder, or the file"
        )

    def handle(self, *args: Any, export: Path, **options: Any) -> None:
        schedule = read_schedule(export)
        if schedule.get("algorithm") != VERSION:
            raise CommandError(
                f"The order was drawn by version {schedule.get('algorithm')} of the "
                f"algorithm; this is version {VERSION}. Use the release that drew it."
            )
        try:
            faults = check_schedule(schedule)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CommandError(
                f"{NAME} is damaged ({error}). Take the file from a fresh export."
            ) from error
        for fault in faults:
            self.stdout.write(fault)
        if faults:
            raise CommandError(f"The schedule does not hold: {len(faults)} fault(s).")
        raters = {line.split("/")[0] for line in schedule["items"]}
        self.stdout.write(
            f"The schedule holds: {len(schedule['items'])} items of {len(raters)} "
            "raters are those that seed and protocol give, as committed to at the lock."
        )
        self.stdout.write(f"Commitment {schedule['commitment']}")


def read_schedule(export: Path) -> dict[str, Any]:
    """The schedule of an export; CommandError in words when there is none."""
    try:
        if export.is_dir():
            text = (export / NAME).read_text()
        elif zipfile.is_zipfile(export):
            with zipfile.ZipFile(export) as bundle:
                text = bundle.read(NAME).decode()
        else:
            text = export.read_text()
        found = json.loads(text)
    except (OSError, KeyError, ValueError) as error:
        raise CommandError(
            f"{export}: no {NAME} can be read from it. Give the zip of an unblinded "
            "study's export, or the folder it was unpacked to."
        ) from error
    if not isinstance(found, dict):
        raise CommandError(f"{export}: this is not the schedule of a study.")
    return found
