"""`manage.py import_cases`: a folder of images and masks becomes cases of a study."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from ratings import (
    committing,
    contents,
    importing,
    originals,
    pairing,
    repeats,
    sets,
    verdicts,
)
from ratings.entries import tidy_arm
from ratings.importing import ImportRefused
from ratings.models import Enrolment, Study, Upload
from ratings.views.uploads import UploadRefused, name_predictions


class Command(BaseCommand):
    help = (
        "Bring a test set into a draft: BIDS, nnU-Net, Medical Segmentation Decathlon, "
        "a manifest (CSV, TSV or XLSX named manifest…), or files that pair by name. "
        "Every file is reported; if one is at fault nothing is imported, unless "
        "--good-ones says that the others are to be. Exit code 0: all imported; 1: "
        "something was refused; 2: misspelt."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="title or identifier of the study")
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--user",
            help="e-mail of the coordinator who acts; needed if there are several",
        )
        parser.add_argument(
            "--arm",
            metavar="NAME",
            help="what made the masks of which no folder or table says it; else they "
            "are as their names say, or manual",
        )
        parser.add_argument("--good-ones", action="store_true")
        parser.add_argument(
            "--names-confirmed",
            action="store_true",
            help="no file name or subject holds a person's name, a date or a number, "
            "though one looks so",
        )
        parser.add_argument(
            "--keep-originals",
            action="store_true",
            help="keep the files of this study as they are, too, from now on",
        )
        parser.add_argument("--json", action="store_true", help="one object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.", returncode=2)
        study = find_study(options["study"])
        user = find_user(study, options["user"])
        self.as_json = options["json"]
        self.names_confirmed = options["names_confirmed"]
        self.arm = find_arm(study, options["arm"]) if options["arm"] else ""
        try:
            importing.refuse_unless_draft(study)
        except ImportRefused as refusal:
            raise CommandError(str(refusal), returncode=1) from refusal
        if options["keep_originals"]:
            originals.choose(study=study, actor=user, keep=True)
        if not self.bring_in(study, user, folder, good_only=options["good_ones"]):
            sys.exit(1)

    def bring_in(
        self, study: Study, user: User, folder: Path, *, good_only: bool
    ) -> bool:
        found = sets.plan_folder(folder)
        for fault in found.plan.faults:
            self.tell(verdict="reject", code="manifest", message=fault)
        for path, why in found.plan.passed_over:
            self.tell(file=path, verdict="passed over", message=f"{path}: {why}")
        if found.is_bare:
            message = contents.describe(verdicts.show(folder), found.peek())
            self.tell(verdict="reject", code="no_files", message=message)
            self.tell(message="Nothing was imported.")
            return False
        uploads: list[Upload] = []
        # whatever fails, and however late, nothing is left waiting
        try:
            for upload in sets.receive_folder(
                study=study, user=user, folder=found, arm=self.arm
            ):
                uploads.append(upload)
                self.tell(**upload.verdict)
            return self.commit(
                study, user, uploads, found.plan.faults, good_only=good_only
            )
        finally:
            importing.discard(study=study, ids={str(u.pk) for u in uploads})

    def commit(
        self,
        study: Study,
        user: User,
        uploads: list[Upload],
        faults: tuple[str, ...],
        *,
        good_only: bool,
    ) -> bool:
        refused = [u for u in uploads if u.kind == Upload.Kind.REFUSED]
        cases = study.cases.prefetch_related("masks__arm")
        pairs = pairing.propose_from(uploads, cases)
        if (refused or faults) and not good_only:
            self.tell(message=f"Nothing was imported: {describe(refused, faults)}.")
            return False
        self.tell_repeats(study, uploads, pairs)
        if not pairs:
            self.tell(message=f"Nothing was imported: {describe_lack(uploads)}")
            return False
        try:
            outcome = committing.commit_pairs(
                study=study, user=user, pairs=pairs, good_only=good_only,
                names_confirmed=self.names_confirmed,
            )  # fmt: skip
        except ImportRefused as refusal:
            for fault in refusal.faults:
                self.tell(verdict="reject", code="pair", message=fault)
            self.tell(message="Nothing was imported.")
            return False
        for fault in outcome.faults:
            self.tell(verdict="reject", code="pair", message=fault)
        used = {one for pair in pairs for one in committing.used_ids([pair])}
        for upload in uploads:
            if str(upload.pk) not in used and upload not in refused:
                why = f"{upload.name}: {describe_rest(upload)}"
                self.tell(file=upload.name, verdict="passed over", message=why)
        self.tell(message=describe_done(outcome))
        return not (refused or faults or outcome.faults)

    def tell_repeats(
        self, study: Study, uploads: list[Upload], pairs: list[pairing.Pair]
    ) -> None:
        repeats.note_repeats(study, uploads, pairs)
        for upload in uploads:
            if repeats.CODE in upload.verdict["warnings"]:
                self.tell(**upload.verdict)

    def tell(self, **told: Any) -> None:
        if self.as_json:
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            self.stdout.write(f"{told.get('verdict', ''):12}{told['message']}")


def describe(refused: list[Upload], faults: tuple[str, ...]) -> str:
    count = len(refused) + len(faults)
    return (
        f"{count} fault{'' if count == 1 else 's'} above; mend them, or run again with "
        "--good-ones to import the others"
    )


def describe_done(outcome: committing.Outcome) -> str:
    new = sum(1 for pair in outcome.pairs if pair.image)
    masks = sum(len(pair.masks) for pair in outcome.pairs)
    if not new:
        return f"{masks} masks added to {len(outcome.cases)} cases."
    return f"{new} cases imported."


def describe_lack(uploads: list[Upload]) -> str:
    """Why there is no case to make, of a folder that does hold NIfTI files."""
    masks = sum(u.kind == Upload.Kind.MASK for u in uploads)
    if masks:
        return (
            f"none of the files is an image, {masks} of them masks, and no case of "
            "the study has a name that fits and lacks a mask of this source, or more "
            "than one has. Put each image into the folder too, or say with --arm what "
            "made the masks."
        )
    return "no image is left of the files above."


def find_arm(study: Study, label: str) -> str:
    try:
        return name_predictions(study, tidy_arm(label)).label
    except UploadRefused as refusal:
        raise CommandError(str(refusal), returncode=2) from refusal


def describe_rest(upload: Upload) -> str:
    """Why a good file went to no case."""
    what = upload.get_kind_display().lower()
    return (
        f"no case took this {what}: no image has a name that fits, several persons' or "
        f"visits' images have, or another {what} of the same source was taken. A "
        "manifest can say whose it is."
    )


def find_study(named: str) -> Study:
    try:
        found = list(Study.objects.filter(pk=UUID(named)))
    except ValueError:
        found = list(Study.objects.filter(title=named))
    if len(found) != 1:
        many = "More than one study has" if found else "No study has"
        raise CommandError(f"{many} the title or identifier {named}.", returncode=2)
    return found[0]


def find_user(study: Study, email: str | None) -> User:
    """Who is on record for the import, which is never left to chance."""
    people = study.enrolments.filter(role=Enrolment.Role.COORDINATOR)
    if email:
        people = people.filter(user__email__iexact=email)
    found = list(people.select_related("user").order_by("pk")[:2])
    if not found:
        raise CommandError("No such coordinator has this study.", returncode=2)
    if len(found) > 1:
        raise CommandError(
            "This study has several coordinators. Say with --user EMAIL who acts.",
            returncode=2,
        )
    return found[0].user
