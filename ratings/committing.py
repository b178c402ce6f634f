"""Turns received files into cases: all of them or none, or by choice the good ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction

from ratings import (
    audit,
    companions,
    files,
    images,
    originals,
    pairing,
    pictures,
    selecting,
)
from ratings.importing import (
    ImportRefused,
    ensure_arm,
    find_grid,
    next_label,
    refuse_unless_draft,
    store_mask,
)
from ratings.models import Case, Mask, Study, Upload
from ratings.nifti import ImageRefused
from ratings.pairing import Pair


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
) -> Outcome:
    """Make cases of the images and add masks to cases: all of them or none.

    With `good_only` the pairs with a fault are passed by and reported. A name that
    looks personal is a fault until somebody confirmed that it is not (P4).
    """
    refuse_unless_draft(study)
    found = study.uploads.exclude(kind=Upload.Kind.REFUSED)
    uploads = {str(upload.id): upload for upload in found}
    judged = check_pairs(study=study, pairs=pairs, uploads=uploads)
    doubted = find_personal(pairs, uploads)
    if not names_confirmed:
        judged = [(p, found + doubt_names(p, doubted)) for p, found in judged]
    faults = [fault for _, found in judged for fault in found]
    good = [pair for pair, found in judged if not found]
    if not pairs:
        faults = ["Choose at least one image to import."]
    if (faults and not good_only) or not good:
        raise ImportRefused(faults)
    with transaction.atomic():
        # the row's lock makes two imports take turns at labels, and locking wait
        refuse_unless_draft(Study.objects.select_for_update().get(pk=study.pk))
        made = [add_pair(study=study, pair=pair, uploads=uploads) for pair in good]
        new = [case for case, pair in zip(made, good, strict=True) if pair.image]
        more = [case for case, pair in zip(made, good, strict=True) if pair.case]
        record_import(study=study, user=user, new=new, more=more)
        if confirmed := used_ids(good) & set(doubted):
            audit.record(
                study=study, actor=user, verb="confirm_names",
                payload={"files": len(confirmed)},
            )  # fmt: skip
        used = list(study.uploads.filter(id__in=used_ids(good)))
        study.uploads.filter(id__in=used_ids(good)).delete()
    for upload in used:
        pictures.forget(upload.pk)
        # an image's bytes became the case's; all others were written anew on its grid
        if upload.kind != Upload.Kind.IMAGE:
            files.remove(upload.path)
    return Outcome(tuple(new + more), tuple(good), tuple(faults))


def find_personal(pairs: list[Pair], uploads: dict[str, Upload]) -> dict[str, str]:
    """By id the names of the pairs' files that look as if they held personal data."""
    found = (uploads[one] for one in used_ids(pairs) if one in uploads)
    return {
        str(one.id): one.name
        for one in found
        if "personal_name" in one.facts.get("warnings", ())
    }


def doubt_names(pair: Pair, doubted: dict[str, str]) -> list[str]:
    return [
        f"{doubted[one]}: {images.WARNINGS['personal_name']} Confirm that it does not, "
        "or give the file another name and upload it anew."
        for one in sorted(used_ids([pair]) & set(doubted))
    ]


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


def check_pairs(
    *, study: Study, pairs: list[Pair], uploads: dict[str, Upload]
) -> list[tuple[Pair, list[str]]]:
    """With each pair a sentence for whatever keeps it out, naming its files."""
    cases = {str(case.id): case for case in study.cases.all()}
    seen: set[str] = set()
    judged = []
    for pair in pairs:
        target = uploads.get(pair.image) or cases.get(pair.case)
        name = pair.image or pair.case
        if target is None:
            faults = ["A row of the list is no longer here; reload the page."]
        elif name in seen:
            faults = ["A file stands twice in the list; reload the page."]
        else:
            faults = check_masks(pair=pair, grid=find_grid(target), uploads=uploads)
            faults += check_filled(pair=pair, target=target)
        seen.add(name)
        judged.append((pair, faults))
    return judged


def load_upload(upload: Upload) -> images.Volume:
    """A received mask or map as it was judged, from its canonical bytes."""
    data = files.locate(upload.path).read_bytes()
    facts = upload.facts
    if upload.kind in (Upload.Kind.MASK, Upload.Kind.CORD):
        volume = images.Volume(*images.decode_mask(data), "", ())
    else:
        volume = images.decode_image(data)
    warnings = tuple(facts["warnings"])
    return replace(volume, stored_as=facts["stored_as"], warnings=warnings)


def check_filled(*, pair: Pair, target: Upload | Case) -> list[str]:
    if isinstance(target, Upload):
        return []
    taken = target.masks.filter(arm__key__in=pair.masks).select_related("arm")
    return [
        f"{target.label} ({target.source_name}) already has a mask of the arm "
        f"“{mask.arm.label}”. Remove the case first to replace it."
        for mask in taken
    ]


def check_masks(
    *, pair: Pair, grid: images.Grid, uploads: dict[str, Upload]
) -> list[str]:
    faults = []
    chosen = [*pair.masks.items(), *pair.companions.items()]
    for key, chosen_id in chosen:
        upload = uploads.get(chosen_id)
        wanted = upload and (upload.kind == key or pairing.arm_of(upload) == key)
        if upload is None or not wanted:
            faults.append("A mask of the list is no longer here; reload the page.")
            continue
        try:
            check_place(upload, grid)
        except ImageRefused as refusal:
            faults.append(refusal.message)
    return faults


def check_place(upload: Upload, grid: images.Grid) -> None:
    volume, name = load_upload(upload), upload.name
    if upload.kind == Upload.Kind.SECOND:
        companions.refuse_elsewhere(volume=volume, grid=grid, name=name)
    else:
        what = "mask" if upload.kind == Upload.Kind.MASK else "map"
        images.place(volume=volume, grid=grid, name=name, what=what)


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
    strata = facts["strata"] | (pair.strata or {})
    subject = facts["subject"] if pair.subject is None else pair.subject
    twin = study.cases.filter(image_sha256=facts["sha256"]).exists()
    warnings = facts["warnings"] + (["duplicate_image"] if twin else [])
    return Case.objects.create(
        study=study, label=next_label(study), source_name=upload.name,
        subject=subject, sidecar=facts["sidecar"],
        left_out=selecting.place_newcomer(study),
        strata={k: v for k, v in strata.items() if v}, image_path=upload.path,
        image_sha256=facts["sha256"], warnings=warnings,
        geometry={k: facts[k] for k in ("shape", "affine", "zooms", "stored_as")},
    )  # fmt: skip
