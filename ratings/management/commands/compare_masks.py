"""`manage.py compare_masks`: metrics of a folder of masks against another."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ratings import comparing
from ratings.comparing import ManifestError, Outcome
from ratings.management.commands.analyse import check_folder
from ratings.statistics.segmentation import RULES
from ratings.statistics.sheets import Sheet, show


class Command(BaseCommand):
    help = (
        "Compare each mask of one folder with the mask of the same name in another: "
        "Dice, lesion-wise recall, PPV and F1 by the published rules, volumes, lesion "
        "counts and surface distances. Prints the table; writes cases.csv, "
        "lesions.csv, results.json and the tables as CSV and LaTeX. No study and no "
        "database is needed. Exit code 0: written; 1: refused, or nothing could be "
        "compared, with the reasons on standard error; 2: the command was misspelt."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        for side in ("reference", "prediction"):
            parser.add_argument(
                f"--{side}", type=Path, required=True, metavar="FOLDER",
                help=f"the folder of {side} masks (.nii or .nii.gz)",
            )  # fmt: skip
        parser.add_argument(
            "--by", type=Path, metavar="MANIFEST.csv",
            help="which files to compare and in which groups: the column file, if "
            "names differ the column prediction, and any others (set, contrast …)",
        )  # fmt: skip
        parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
        parser.add_argument(
            "--rule", choices=[rule.name for rule in RULES], default=RULES[0].name,
            help="how lesions are found and matched (default: %(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--skip", action="store_true",
            help="leave out files that can't be compared instead of refusing all",
        )  # fmt: skip
        parser.add_argument("--overwrite", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in (options["reference"], options["prediction"]):
            if not folder.is_dir():
                raise CommandError(f"{folder} is not a folder.", returncode=2)
        check_folder(options["out"], overwrite=options["overwrite"])
        rule = next(rule for rule in RULES if rule.name == options["rule"])
        try:
            pairs, faults = comparing.find_pairs(
                reference=options["reference"],
                prediction=options["prediction"],
                manifest=options["by"],
            )
        except ManifestError as error:
            raise CommandError(str(error)) from error
        outcome = Outcome([], [], faults)
        for number, one in enumerate(comparing.compare_folders(pairs, rule=rule), 1):
            outcome.rows.extend(one.rows)
            outcome.lesions.extend(one.lesions)
            outcome.faults.extend(one.faults)
            if options["verbosity"] > 1:
                self.stderr.write(f"{number} of {len(pairs)}: {pairs[number - 1].name}")
        self.settle(outcome, skip=options["skip"])
        comparing.write(options["out"], outcome, rule=rule)
        for sheet in comparing.make_sheets(outcome.rows)[:1]:
            self.stdout.write(as_text(sheet))
        self.stdout.write(f"Written to {options['out']}.")

    def settle(self, outcome: Outcome, *, skip: bool) -> None:
        """Name what can't be compared; go on only if that was asked for."""
        for fault in outcome.faults:
            self.stderr.write(fault)
        left = len(outcome.faults)
        if left and not skip:
            raise CommandError(
                f"{left} file{'s' if left > 1 else ''} can't be compared, named above; "
                "nothing is written. Mend them, or add --skip to leave them out."
            )
        if not outcome.rows:
            raise CommandError("There is no pair of masks that can be compared.")


def as_text(sheet: Sheet) -> str:
    """A table in columns for the terminal."""
    lines = [sheet.header, *([show(cell) for cell in row] for row in sheet.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join([sheet.title, text, *sheet.notes])
