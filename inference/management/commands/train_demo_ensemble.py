"""The command that trains, packs and measures the demo ensemble."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inference import evaluation, training
from inference.engine import Settings
from inference.errors import ModelError


class Command(BaseCommand):
    help = (
        "Train the small nnU-Net ensemble of the demo on synthetic spinal cord MRI: "
        "make phantoms, let nnU-Net plan and preprocess, train the cross-validation "
        "folds, and pack their checkpoints with a provenance.json. Takes about an hour "
        "on two cores; --quick trains two folds in about two minutes, which proves the "
        "path but not the skill. The result is for trying the product out, never for "
        "patients."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        full = training.Recipe()
        parser.add_argument(
            "--quick", action="store_true", help="two folds, few phantoms, few batches"
        )
        parser.add_argument(
            "--evaluate",
            action="store_true",
            help="train nothing; measure the ensemble in --out on phantoms that no "
            "training uses and store the table in its provenance.json",
        )
        parser.add_argument(
            "--cases", type=int, default=60, help="phantoms to measure (default 60)"
        )
        parser.add_argument(
            "--seed", type=int, default=full.seed, help=f"default {full.seed}"
        )
        parser.add_argument(
            "--iterations", type=int, help=f"batches a fold (default {full.iterations})"
        )
        parser.add_argument(
            "--processes",
            type=int,
            default=max(1, min(full.folds, (os.cpu_count() or 1))),
            help="folds trained at a time, one thread each (default: the cores)",
        )
        parser.add_argument(
            "--out",
            type=Path,
            metavar="FOLDER",
            help="where the ensemble goes (default: inference/demo_ensemble, with "
            "--quick DATA_DIR/training/quick)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        work = Path(settings.DATA_DIR) / "training"
        out = options["out"] or (
            work / "quick" if options["quick"] else training.DEMO_ENSEMBLE
        )
        try:
            if options["evaluate"]:
                self.evaluate(out=out.resolve(), cases=options["cases"])
            else:
                self.train(out=out.resolve(), work=work, options=options)
        except (training.TrainingFailed, ModelError, OSError) as problem:
            raise CommandError(str(problem)) from problem

    def train(self, *, out: Path, work: Path, options: dict[str, Any]) -> None:
        base = training.QUICK if options["quick"] else training.Recipe()
        recipe = training.Recipe(
            repeats=base.repeats,
            folds=base.folds,
            iterations=options["iterations"] or base.iterations,
            seed=options["seed"],
        )
        provenance = training.train_ensemble(
            recipe=recipe,
            work=work / "quick-work" if options["quick"] else work,
            out=out,
            processes=options["processes"],
            command=describe_command(recipe=recipe, quick=options["quick"]),
            report=self.say,
        )
        self.say(f"Trained in {provenance['seconds']} s; the ensemble is in {out}.")

    def evaluate(self, *, out: Path, cases: int) -> None:
        path = out / "provenance.json"
        if not path.is_file():
            raise CommandError(
                f"{out} holds no provenance.json, so it was not trained by this "
                "command; train an ensemble first or name another folder with --out."
            )
        provenance = json.loads(path.read_text())
        provenance["evaluation"] = evaluation.evaluate(
            ensemble=out, count=cases, settings=Settings(), report=self.say
        )
        training.write_provenance(out=out, provenance=provenance)
        self.say(evaluation.format_table(provenance["evaluation"]))

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def describe_command(*, recipe: training.Recipe, quick: bool) -> str:
    """Return the command that repeats this training, without paths."""
    words = ["manage.py train_demo_ensemble", *(["--quick"] if quick else [])]
    return " ".join(
        [*words, f"--seed {recipe.seed}", f"--iterations {recipe.iterations}"]
    )
