"""`manage.py blinding_audit STUDY`: checks that nothing tells a study's arms apart."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ratings.models import Study
from ratings.proof.auditing import audit_blinding, list_faults


class Command(BaseCommand):
    help = (
        "Check a study's stored files, identifiers, answers to raters and order for "
        "anything that tells its arms apart. Changes nothing; fails if it finds a leak."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="the study's id, as in its address, or name")
        parser.add_argument(
            "--every-case", action="store_true",
            help="exchange the arms of every case, not of a dozen drawn by lot",
        )  # fmt: skip

    def handle(self, *args: Any, study: str, every_case: bool, **options: Any) -> None:
        findings = audit_blinding(find_study(study), every=every_case)
        for finding in findings:
            self.stdout.write(
                f"{'FAULT' if finding.faults else 'ok   '} {finding.check}"
            )
            for fault in finding.faults:
                self.stdout.write(f"      {fault}")
        faults = list_faults(findings)
        if faults:
            raise CommandError(
                f"The blind does not hold: {len(faults)} fault(s), listed above."
            )


def find_study(text: str) -> Study:
    """The study of that id or of that one name."""
    try:
        return Study.objects.get(pk=text)
    except (Study.DoesNotExist, ValidationError):
        named = list(Study.objects.filter(title=text))
    if len(named) == 1:
        return named[0]
    if not named:
        raise CommandError(f"There is no study “{text}”. Give its id or its name.")
    raise CommandError(f"{len(named)} studies are called “{text}”. Give the id.")
