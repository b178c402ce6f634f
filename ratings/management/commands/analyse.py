"""`manage.py analyse`: from a file of scores to results, tables and figures."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ratings.recomputing import is_bundle
from ratings.statistics.primary import CROSSED, TESTS
from ratings.statistics.rows import ScoreFileError, parse_scale

SEED = 20250101
NEEDED = ("scale", "reference", "out")


class Command(BaseCommand):
    help = (
        "Analyse the scores of a finished reading study: every arm against the "
        "reference arm, for raters and cases like these. SCORES.csv has one row a "
        "score with the columns rater, case, arm and score, and if you like rep, "
        "contrast, site, position, seconds, guess, question, reason, comment. Writes "
        "results.json, tables and figures into a folder; no database is needed. Exit "
        "code 0: written; 1: the file was refused, with the reason on standard error; "
        "2: the command was misspelt."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "scores",
            type=Path,
            metavar="SCORES.csv",
            help="a file of scores, or a bundle (its zip or folder) to compute again",
        )
        parser.add_argument(
            "--scale",
            type=read_scale,
            metavar="1-5",
            help="lowest and highest score that the raters could give",
        )
        parser.add_argument(
            "--reference",
            metavar="ARM",
            help="the arm that every other arm is compared with",
        )
        parser.add_argument(
            "--out",
            type=Path,
            metavar="FOLDER",
            help="a new or empty folder for the report",
        )
        self.add_choices(parser)
        self.add_places(parser)

    def add_choices(self, parser: ArgumentParser) -> None:
        """What can be left out."""
        parser.add_argument(
            "--score-column",
            default="score",
            metavar="NAME",
            help="the column that holds the scores (default: score)",
        )
        parser.add_argument(
            "--question",
            metavar="KEY",
            help="the question to analyse, when the file answers several",
        )
        parser.add_argument(
            "--margin",
            type=read_margin,
            metavar="POINTS",
            help="non-inferiority margin in points, only if set before the study",
        )
        parser.add_argument(
            "--primary",
            choices=list(TESTS),
            default=CROSSED,
            help="the primary test, if another one was chosen before the study "
            "(default: %(default)s)",
        )
        parser.add_argument(
            "--seed",
            type=int,
            default=SEED,
            metavar="N",
            help="seed of the bootstrap intervals (default: %(default)s)",
        )
        parser.add_argument(
            "--overwrite",
            action="store_true",
            help="replace the files of an earlier report in FOLDER",
        )

    def add_places(self, parser: ArgumentParser) -> None:
        """Which scores were asked for."""
        parser.add_argument(
            "--every-place",
            action="store_true",
            help="the file has a row for every score that was to be given, so that a "
            "rater, case and arm without one were not asked for",
        )
        parser.add_argument(
            "--withdrawn",
            type=Path,
            metavar="FILE.csv",
            help="the scores of cases that were withdrawn, which are counted and enter "
            "no result",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from ratings import exporting
        from ratings.statistics.summary import analyse
        from ratings.statistics.table import read_scores
        from ratings.statistics.withdrawn import list_cases, tell

        if is_bundle(options["scores"]):
            self.compute_again(options["scores"])
            return
        check_needed(options)
        folder = options["out"]
        check_folder(folder, overwrite=options["overwrite"])
        try:
            table = read_scores(
                options["scores"],
                scale=options["scale"],
                reference=options["reference"],
                score_column=options["score_column"],
                question=options["question"],
                every_place=options["every_place"],
                withdrawn=options["withdrawn"],
            )
        except ScoreFileError as refusal:
            raise CommandError(str(refusal)) from refusal
        analysis = analyse(
            table,
            reference=options["reference"],
            seed=options["seed"],
            margin=options["margin"],
            primary=options["primary"],
        )
        report = exporting.make_report(table=table, analysis=analysis)
        facts = exporting.StudyFacts(
            title=f"Analysis of {options['scores'].name}",
            withdrawn=tell(list_cases([table])),
        )
        try:
            exporting.write_report(folder=folder, reports=[report], facts=facts)
        except OSError as error:
            raise CommandError(
                f"{folder}: the report cannot be written ({error.strerror}); choose "
                "another folder."
            ) from error
        self.stdout.write(analysis.sentence)
        if analysis.unused_columns:
            unused = ", ".join(analysis.unused_columns)
            self.stdout.write(f"Columns that were not used: {unused}.")
        self.stdout.write(f"Report written to {folder}, see README.txt there.")

    def compute_again(self, path: Path) -> None:
        """Check a bundle and compare every file with what its scores give now."""
        from ratings.recomputing import BundleError, list_damage, read_bundle, recompute

        try:
            files = read_bundle(path)
            faults = list_damage(files)
            found = recompute(files)
        except BundleError as refusal:
            raise CommandError(str(refusal)) from refusal
        for report in found.reports:
            self.stdout.write(report.analysis.sentence)
        if found.versions:
            self.stdout.write(f"Other software than in the bundle: {found.versions}.")
        for name in found.different:
            faults.append(f"{name}: computed again it is different.")
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{path.name}: {len(faults)} differences, named above.")
        self.stdout.write(
            f"{path.name}: every number was computed again, the same, bit for bit."
        )


def check_needed(options: dict[str, Any]) -> None:
    """A file of scores needs what a bundle tells by itself."""
    missing = [f"--{name}" for name in NEEDED if options[name] is None]
    if missing:
        raise CommandError(
            f"the following arguments are required: {', '.join(missing)}", returncode=2
        )


def read_scale(text: str) -> tuple[int, int]:
    try:
        return parse_scale(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def read_margin(text: str) -> float:
    try:
        margin = float(text)
    except ValueError:
        margin = 0.0
    if not 0 < margin < float("inf"):
        raise ArgumentTypeError(
            f"the margin “{text}” is not a number above 0; give for example 0.5"
        )
    return margin


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder in which something else could be lost."""
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder}: this is a file; name a new or empty folder.")
    if folder.exists() and not overwrite and any(folder.iterdir()):
        raise CommandError(
            f"{folder}: the folder is not empty; name a new or empty folder, or add "
            "--overwrite to replace the files of an earlier report."
        )
