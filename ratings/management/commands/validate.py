"""`manage.py validate`: the verdict that an upload of these files would get."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ratings import images, importing
from ratings.images import Grid, Verdict
from ratings.nifti import ImageRefused


class Command(BaseCommand):
    help = (
        "Say of each NIfTI file whether Blindfold takes it, takes it with a warning, "
        "or refuses it, with the same rules as an upload; nothing is stored. With "
        "--image every FILE is a mask that must lie on the grid of IMAGE; without, "
        "what is a mask is seen from its voxels and its name. Exit code 0: every file "
        "can be used; 1: at least one is refused; 2: the command was misspelt or a "
        "file is not there."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
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
        for path in [*options["files"], *([image] if image else [])]:
            if not path.is_file():
                raise CommandError(f"{path} is not a file.", returncode=2)
        grid = read_grid(image) if image else None
        verdicts = [judge(path, grid) for path in options["files"]]
        for verdict in verdicts:
            self.stdout.write(describe(verdict, as_json=options["json"]))
        if any(verdict.verdict == "reject" for verdict in verdicts):
            sys.exit(1)


def read_grid(image: Path) -> Grid:
    try:
        return images.read_image(path=image, name=str(image)).grid
    except ImageRefused as refusal:
        raise CommandError(refusal.message, returncode=1) from refusal


def judge(path: Path, grid: Grid | None) -> Verdict:
    """The verdict on one file, under its full path, since names may repeat."""
    if grid is not None:
        return images.judge(path=path, name=str(path), kind="mask", grid=grid)
    return importing.examine(path=path, name=str(path)).verdict


def describe(verdict: Verdict, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(verdict.to_json(), ensure_ascii=False)
    return f"{verdict.verdict:7}{verdict.code:16}{verdict.message}"
