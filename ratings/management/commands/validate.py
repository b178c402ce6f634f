"""`manage.py validate`: the verdict that an upload of these files would get."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ratings import images, verdicts
from ratings.images import Grid, Verdict
from ratings.mishaps import confine_to_file
from ratings.nifti import ImageRefused


class Command(BaseCommand):
    help = (
        "Say of each NIfTI file whether Blindfold takes it, takes it with a warning, "
        "or refuses it, with the same rules as an upload; nothing is stored. Of a "
        "folder every NIfTI file in it is judged, of a zip those inside. With --image "
        "every file is a mask that must lie on the grid of IMAGE; without, what is a "
        "mask is seen from its voxels and its name. Exit code 0: every file can be "
        "used; 1: at least one is refused or missing; 2: the command was misspelt or "
        "IMAGE is not there."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument(
            "--image", type=Path, help="the image on whose grid the masks must lie"
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="one JSON object a line: file, verdict, code, message, warnings",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        image: Path | None = options["image"]
        grid = read_grid(image) if image else None
        refused = False
        # each verdict as soon as it is known: of a large set they take a while
        for path in options["paths"]:
            for verdict in verdicts.judge_path(path, grid=grid):
                self.stdout.write(describe(verdict, as_json=options["json"]))
                refused = refused or verdict.verdict == "reject"
        if refused:
            sys.exit(1)


def read_grid(image: Path) -> Grid:
    name = verdicts.show(image)
    if not image.is_file():
        raise CommandError(f"{name} is not a file.", returncode=2)
    try:
        with confine_to_file(name):
            return images.read_image(path=image, name=name).grid
    except ImageRefused as refusal:
        raise CommandError(refusal.message, returncode=1) from refusal


def describe(verdict: Verdict, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(verdict.to_json(), ensure_ascii=False)
    return f"{verdict.verdict:7}{verdict.code:20}{verdict.message}"
