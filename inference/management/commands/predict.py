"""The command that predicts images with an ensemble: a file, several, or a folder."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings as site
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from inference import engine, errands, layouts
from inference.errands import Errand
from inference.errors import ImageError, ModelError
from inference.layouts import LayoutRefused, Wish
from inference.registering import RegistrationRefused


class Command(BaseCommand):
    help = (
        "Predict the lesion masks of NIfTI images with a trained ensemble, each on "
        "exactly its image's grid, with a description (.json) beside it. IN is an "
        "image, several, a folder of images (nnU-Net's names CASE_0000.nii.gz become "
        "CASE.nii.gz) or a BIDS data set. What is done already is skipped. Exit code "
        "0: all are there; 1: some could not be predicted, named with the reason on "
        "standard error; 2: the command was misspelt."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("images", nargs="*", type=Path, metavar="IN", help="an image or a folder")
        add(
            "--image", nargs="+", action="extend", type=Path, default=[], metavar="IN",
            help="the same, for those who like options",
        )  # fmt: skip
        add(
            "--ensemble", required=True, metavar="NAME|PATH",
            help="a registered ensemble, or a trained nnU-Net model's folder or zip",
        )  # fmt: skip
        add(
            "--out", required=True, type=Path, metavar="OUT",
            help="the mask of a single image (.nii.gz), or else a folder",
        )  # fmt: skip
        add(
            "--soft", action="store_true",
            help="also write the mean lesion probability of the folds that say lesion",
        )  # fmt: skip
        add(
            "--votes", action="store_true",
            help="also write how many folds mark each voxel",
        )  # fmt: skip
        add("--rule", choices=("paper", "sct", "nnunet"), default="paper")
        add(
            "--threshold", type=float, default=0.5,
            help="part of the folds that must be exceeded (default 0.5)",
        )  # fmt: skip
        add(
            "--no-mirroring", action="store_true",
            help="do not average over mirrored copies (faster, slightly different)",
        )  # fmt: skip
        add("--device", default=site.DEVICE, help="auto, cpu, cuda or cuda:1")
        add("--precision", choices=engine.PRECISIONS, default=site.PRECISION)
        add(
            "--region", type=Path, metavar="MASK",
            help="predict only around this mask, the cord's say, of a single image",
        )  # fmt: skip
        add(
            "--overwrite", action="store_true",
            help="replace masks that this command did not write",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        wishes = self.plan(options)
        errand = self.prepare(options)
        bids = any(path.is_dir() and layouts.is_bids(path) for path in list_in(options))
        failures = self.run_all(wishes, errand)
        if bids and len(failures) < len(wishes):
            errands.describe_dataset(
                out=options["out"], version=site.VERSION, name=options["ensemble"],
                digest=errand.digest,
            )  # fmt: skip
        if failures:
            raise CommandError(
                f"{len(failures)} of {len(wishes)} could not be predicted:\n"
                + "\n".join(failures)
            )

    def plan(self, options: dict[str, Any]) -> list[Wish]:
        inputs = list_in(options)
        if not inputs:
            raise CommandError("Name an image or a folder to predict.", returncode=2)
        try:
            wishes = layouts.plan(inputs=inputs, out=options["out"])
        except LayoutRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["region"] and len(wishes) > 1:
            raise CommandError("--region belongs to one image: predict it alone.")
        return wishes

    def prepare(self, options: dict[str, Any]) -> Errand:
        region = options["region"]
        try:
            settings = engine.Settings(
                rule=options["rule"],
                threshold=options["threshold"],
                mirroring=False if options["no_mirroring"] else None,
                crop=engine.Crop(margins=engine.AROUND_CORD) if region else None,
                device=options["device"],
                precision=options["precision"],
            )
            folder, digest, facts = errands.find_model(options["ensemble"])
        except (RegistrationRefused, ValueError) as problem:
            raise CommandError(str(problem)) from problem
        except DatabaseError as problem:
            raise CommandError(
                f"{options['ensemble']} is no folder, and the register of ensembles "
                "cannot be read; run manage.py migrate, or name a folder."
            ) from problem
        return Errand(
            folder, digest, facts, settings, soft=options["soft"],
            votes=options["votes"], overwrite=options["overwrite"], region=region,
        )  # fmt: skip

    def run_all(self, wishes: list[Wish], errand: Errand) -> list[str]:
        """Predict one after the other; a sentence for each that failed."""
        from tqdm import tqdm

        failures = []
        # None: a bar for a person at a terminal, none for a script's log.
        with tqdm(total=len(wishes), disable=None, unit="image") as bar:
            for number, wish in enumerate(wishes):
                bar.set_description_str(wish.name)
                show = make_show(bar, number)
                try:
                    after = next(iter(wishes[number + 1 :]), None)
                    done = errands.run(wish, errand, progress=show, following=after)
                except MemoryError:
                    failures.append(f"{wish.image}: the machine ran out of memory.")
                except (ImageError, ModelError, OSError) as problem:
                    failures.append(f"{wish.image}: {problem}")
                else:
                    with bar.external_write_mode():
                        self.stdout.write(describe(wish, done))
                show(1.0, "")
        return failures


def list_in(options: dict[str, Any]) -> list[Path]:
    return [*options["images"], *options["image"]]


def make_show(bar: Any, number: int) -> Callable[[float, str], None]:
    """A function that moves the bar to a part of the image under way."""

    def show(part: float, words: str) -> None:
        bar.set_postfix_str(words, refresh=False)
        bar.update(number + part - bar.n)

    return show


def describe(wish: Wish, done: errands.Done) -> str:
    if done.skipped:
        return f"{wish.mask}: there already, {done.mm3:.0f} mm³ of lesion."
    fold = "fold" if done.folds == 1 else "folds"
    return (
        f"{wish.mask}: {done.mm3:.0f} mm³ of lesion by {done.folds} {fold} in "
        f"{done.seconds:.1f} s."
    )
