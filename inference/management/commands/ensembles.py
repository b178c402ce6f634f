"""The command that lists what can predict on this site."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference import tools
from inference.models import Ensemble
from inference.registering import RegistrationRefused, find_folder
from inference.tools import ToolsRefused


class Command(BaseCommand):
    help = (
        "List the registered ensembles and the operator's programs. Exit code 1 when "
        "the files of an ensemble are missing or changed on this machine, or the list "
        "of programs has a fault; the reasons are on standard error."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="write one JSON list, for scripts"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        ensembles = list(Ensemble.objects.all())
        faults = [fault for fault in map(find_fault, ensembles) if fault]
        rows = [describe(ensemble) for ensemble in ensembles]
        try:
            rows += [describe_tool(tool) for tool in tools.list_tools().values()]
        except ToolsRefused as refusal:
            faults.append(str(refusal))
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=1))
        else:
            self.write_table(rows)
        if faults:
            raise CommandError("\n".join(faults))

    def write_table(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            self.stdout.write(
                "None: register one with manage.py register_ensemble NAME SOURCE."
            )
        for row in rows:
            if row["kind"] == "program":
                said = f"program: {' '.join(row['command'])}"
            else:
                fold = "fold" if row["folds"] == 1 else "folds"
                said = f"{row['folds']} {fold}, {row['network']}, {row['sha256']}"
            self.stdout.write(f"{row['name']:<20} {row['label']}\n{'':<20} {said}")


def find_fault(ensemble: Ensemble) -> str:
    try:
        find_folder(ensemble)
    except RegistrationRefused as refusal:
        return str(refusal)
    return ""


def describe(ensemble: Ensemble) -> dict[str, Any]:
    facts = ensemble.facts
    return {
        "kind": "ensemble",
        "name": ensemble.name,
        "label": ensemble.label,
        "folds": ensemble.folds,
        "network": facts.get("network", ""),
        "configuration": facts.get("configuration", ""),
        "spacing_mm": facts.get("spacing_mm", []),
        "registered": ensemble.created_at.isoformat(timespec="seconds"),
        "sha256": ensemble.digest,
    }


def describe_tool(tool: tools.Tool) -> dict[str, Any]:
    return {
        "kind": "program",
        "name": tool.name,
        "label": tool.label,
        "command": list(tool.command),
    }
