"""`manage.py separability_audit STUDY`: could raters tell the arms by their look?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ratings import jobs, separating
from ratings.management.commands.blinding_audit import find_study
from ratings.statistics.result import interval_text, number


class Command(BaseCommand):
    help = (
        "Say how well simple features of the masks (volume, number and size of "
        "lesions, outline, continuity) tell a study's arms apart, cross-validated, "
        "and which features give them away. The outcome is kept and goes into the "
        "protocol when the study is locked. Changes no mask. Exit code 0: done; 1: "
        "there is nothing to compare, or no such study."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="the study's id, as in its address, or name")

    def handle(self, *args: Any, study: str, **options: Any) -> None:
        try:
            kept = separating.audit(find_study(study), by=None)
        except jobs.JobFailed as refusal:
            raise CommandError(str(refusal)) from refusal
        for arm in kept.results["arms"]:
            self.stdout.write(arm["sentence"])
            for name in ("auc", "pairs"):
                self.stdout.write(f"  {arm[name]['sentence']}")
            for clue in arm["clues"]:
                ci = clue["auc"]["ci"]
                value = number(clue["auc"]["value"])
                span = interval_text((ci[0], ci[1])) if ci else "no interval"
                self.stdout.write(f"  {value} ({span})  {clue['label']}")
