"""The command by which an operator makes a trained nnU-Net model usable in studies."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.registering import RegistrationRefused, register


class Command(BaseCommand):
    help = (
        "Register a trained nnU-Net v2 model as an ensemble that coordinators can "
        "choose for predictions. SOURCE is the folder that nnU-Net's training wrote, "
        "or a zip of it: dataset.json, plans.json and fold_*/checkpoint_final.pth or "
        "checkpoint_best.pth, for one input channel and one structure; nothing else in "
        "it is read, and no code of it is run. Its weights are checked in a process of "
        "their own, kept as safetensors in DATA_DIR, and named by their SHA-256."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "name", metavar="NAME", help="short name: letters, digits, - and _"
        )
        parser.add_argument(
            "source", metavar="SOURCE", type=Path, help="the model's folder or zip"
        )
        parser.add_argument(
            "--label", default="", help="how pages name the ensemble (default: NAME)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ensemble, new = register(
                name=options["name"],
                source=options["source"],
                label=options["label"].strip(),
            )
        except RegistrationRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        folds = f"{ensemble.folds} fold{'' if ensemble.folds == 1 else 's'}"
        self.stdout.write(
            f"{'Registered' if new else 'Already registered'} “{ensemble.label}” as "
            f"{ensemble.name}: {folds}, SHA-256 {ensemble.digest}."
        )
