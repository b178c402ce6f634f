"""Turns received files into cases: all of them or none, or by choice the good ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction

from ratings import (
    audit,
    companions,
    files,
    images,
    namesakes,
    originals,
    selecting,
    stated,
)
from ratings.importing import (
    ImportRefused,
    ensure_arm,
    let_go,
    next_label,
    refuse_unless_draft,
    store_mask,
)
from ratings.models import Case, Mask, Study, Upload
from ratings.pairing import Pair
from ratings.sidecars import looks_personal
from ratings.vetting import check_pairs, check_rows, load_upload


@dataclass(frozen=True)
class Outcome:
    """The cases that were made or got masks, and a sentence for each fault."""

    cases: tuple[Case, ...]
    pairs: tuple[Pair, ...]
    faults: tuple[str, ...] = ()


def commit_pairs(
    *,
    study: Study,
    user: User,
    pairs: list[Pair],
    good_only: bool = False,
    names_confirmed: bool = False,
    standing: Sequence[str] = (),
) -> Outcome:
    """Make cases of the images and add masks to cases: all of them or none.

    With `good_only` the pairs with a fault are passed by and reported. A name that
    looks personal is a fault until somebody confirmed that it is not (P4); what is
    written of a case obeys the rules of a manifest. What is `standing` is a fault of
    a row that is not among the pairs.
    """
    refuse_unless_draft(study)
    uploads = find_uploads(study)
    judged = [
        (pair, found + stated.list_faults(uploads.get(pair.image), pair))
        for pair, found in check_pairs(study=study, pairs=pairs, uploads=uploads)
    ]
    doubted = find_personal(pairs, uploads)
    if not names_confirmed:
        judged = [(p, found + pick(doubted, p)) for p, found in judged]
    faults = [*standing, *(fault for _, found in judged for fault in found)]
    good = [pair for pair, found in judged if not found]
    if not pairs:
        faults = [*standing, describe_lack(uploads)]
    if (faults and not good_only) or not good:
        raise ImportRefused(faults, {p.image or p.case: f for p, f in judged if f})
    with files.taken_back(), transaction.atomic():
        # the row's lock makes two imports take turns at labels, and locking wait
        held = audit.hold(study.pk)
        refuse_unless_draft(held)
        refuse_changed(study=study, pairs=good)
        new, more = add_pairs(study=study, pairs=good, uploads=uploads)
        record_import(study=study, user=user, new=new, more=more)
        selecting.count_change(held)
        if confirmed := used_ids(good) & set(doubted):
            audit.record(
                study=study, actor=user, verb="confirm_names",
                payload={"files": len(confirmed)},
            )  # fmt: skip
        for one in used_ids(good):
            # an image's bytes became the case's; all others were written on its grid
            adopted = uploads[one].kind == Upload.Kind.IMAGE
            let_go(uploads[one], keep_bytes=adopted)
    return Outcome(tuple(new + more), tuple(good), tuple(faults))


def describe_lack(uploads: dict[str, Upload]) -> str:
    if any(one.kind == Upload.Kind.IMAGE for one in uploads.values()):
        return "Choose at least one image to import."
    if any(one.kind == Upload.Kind.MASK for one in uploads.values()):
        return "No mask is chosen for any case. Choose one for at least one case."
    return "No file waits for import. Upload images or masks first."


def find_uploads(study: Study) -> dict[str, Upload]:
    found = study.uploads.exclude(kind=Upload.Kind.REFUSED)
    return {str(upload.id): upload for upload in found}


def refuse_changed(*, study: Study, pairs: list[Pair]) -> None:
    """What a colleague took, removed or filled since the check stops the import."""
    judged = check_rows(study=study, pairs=pairs, uploads=find_uploads(study))
    if faults := [fault for _, found in judged for fault in found]:
        raise ImportRefused(list(dict.fromkeys(faults)))


def add_pairs(
    *, study: Study, pairs: list[Pair], uploads: dict[str, Upload]
) -> tuple[list[Case], list[Case]]:
    """The new cases, and those that got more masks."""
    made = [add_pair(study=study, pair=pair, uploads=uploads) for pair in pairs]
    new = [case for case, pair in zip(made, pairs, strict=True) if pair.image]
    more = [case for case, pair in zip(made, pairs, strict=True) if pair.case]
    return new, more


def find_personal(pairs: list[Pair], uploads: dict[str, Upload]) -> dict[str, str]:
    """By id of a pair's file a sentence for what of it looks like personal data."""
    found: dict[str, str] = {}
    told = namesakes.tell_apart(uploads.values())
    for pair in pairs:
        for one in used_ids([pair]) & set(uploads):
            if code := find_doubt(uploads[one], pair):
                said = f"{images.WARNINGS[code]} {REMEDIES[code]}"
                found[one] = f"{told[one]}: {said}"
    return found


def find_doubt(upload: Upload, pair: Pair) -> str:
    """What of a file looks personal: its name, or the subject as it is to be kept."""
    if "personal_name" in upload.facts.get("warnings", ()):
        return "personal_name"
    if str(upload.id) != pair.image or stated.names_person(upload, pair):
        return ""
    doubted = looks_personal(stated.read_subject(upload, pair))
    return "personal_subject" if doubted else ""


REMEDIES = {
    "personal_name": "Confirm that it does not, or give the file another name and "
    "upload it anew.",
    "personal_subject": "Confirm that it is none, or write a pseudonym.",
}


def pick(doubted: dict[str, str], pair: Pair) -> list[str]:
    return [doubted[one] for one in sorted(used_ids([pair]) & set(doubted))]


def used_ids(pairs: list[Pair]) -> set[str]:
    chosen = {mask for pair in pairs for mask in pair.masks.values()}
    chosen |= {one for pair in pairs for one in pair.companions.values()}
    return (chosen | {pair.image for pair in pairs}) - {""}


def record_import(
    *, study: Study, user: User, new: list[Case], more: list[Case]
) -> None:
    for verb, cases in (("import_cases", new), ("import_masks", more)):
        if cases:
            labels = [case.label for case in cases]
            audit.record(study=study, actor=user, verb=verb, payload={"cases": labels})


def add_pair(*, study: Study, pair: Pair, uploads: dict[str, Upload]) -> Case:
    if pair.image:
        case = adopt_image(upload=uploads[pair.image], pair=pair)
        originals.adopt(case=case, upload=uploads[pair.image])
    else:
        case = study.cases.get(id=pair.case)
    for kind, chosen in pair.companions.items():
        upload = uploads[chosen]
        volume = companions.place(
            case=case, kind=kind, name=upload.name, volume=load_upload(upload)
        )
        companions.store(case=case, kind=kind, name=upload.name, volume=volume)
        originals.adopt(case=case, upload=upload)
    for key, chosen in pair.masks.items():
        upload = uploads[chosen]
        arm = ensure_arm(study=study, key=key, label=upload.facts.get("arm_label", ""))
        volume = load_upload(upload)
        mask = store_mask(case=case, arm=arm, volume=volume, name=upload.name)
        originals.adopt(case=case, upload=upload, arm=arm)
        remark(mask)
    return case


def remark(mask: Mask) -> None:
    """Keep with a mask what only its neighbours tell (for the coordinator alone)."""
    found = []
    twins = mask.case.masks.filter(sha256=mask.sha256, voxels__gt=0)
    if twins.exclude(pk=mask.pk).exists():
        found.append("identical_masks")
    cord = companions.read_cord(mask.case)
    if cord is not None and mask.voxels:
        data = files.locate(mask.path).read_bytes()
        inside = int(np.count_nonzero(images.decode_mask(data)[0] & cord))
        if inside > 0.5 * np.count_nonzero(cord):
            found.append("most_of_cord")
        if inside < 0.5 * mask.voxels:
            found.append("outside_cord")
    if found:
        mask.warnings = [*mask.warnings, *found]
        mask.save(update_fields=["warnings"])


def adopt_image(*, upload: Upload, pair: Pair) -> Case:
    """Make a case of a received image, whose canonical bytes are stored already."""
    facts, study = upload.facts, upload.study
    doubt = find_doubt(upload, pair)
    twin = study.cases.filter(image_sha256=facts["sha256"]).exists()
    more = {"duplicate_image": twin, "personal_subject": doubt == "personal_subject"}
    warnings = [code for code in facts["warnings"] if code not in more]
    warnings += [code for code, seen in more.items() if seen]
    return Case.objects.create(
        study=study, label=next_label(study), source_name=upload.name,
        subject=stated.read_subject(upload, pair), sidecar=facts["sidecar"],
        left_out=selecting.place_newcomer(study),
        strata=stated.read_strata(upload, pair), image_path=upload.path,
        image_sha256=facts["sha256"], warnings=warnings,
        geometry={k: facts[k] for k in ("shape", "affine", "zooms", "stored_as")},
    )  # fmt: skip
