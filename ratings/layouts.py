"""Recognises how a folder of a test set is laid out, and what each file in it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from ratings import channelled, listed, manifests, named, pairing
from ratings.entries import (
    IMAGE,
    MASK,
    Entry,
    Plan,
    Read,
    base,
    is_hidden,
    is_volume,
    read_strata,
    read_subject,
    stem,
)
from ratings.inherited import index_sidecars
from ratings.named import LESION_WORDS, LEVEL_WORDS, SOFT_WORDS, name_role

# whoever asks for a plan also finds here what it is made of
__all__ = ["Entry", "Plan", "Read", "name_role", "plan"]

MANUAL_FOLDERS = {"labels", "label", "manual", "masks", "lesions", "labels_manual"}


def plan(paths: Iterable[str], read: Read) -> Plan:
    """What to make of the files at these relative paths.

    `read` gives the content of a small file: a manifest or a dataset.json.
    """
    found = sorted({str(PurePosixPath(p)) for p in paths if not is_hidden(p)})
    volumes = [p for p in found if is_volume(p)]
    made = recognise(found, volumes, read)
    find = index_sidecars(found, volumes)
    # a role left open may turn out to be an image's, once its voxels are seen
    entries = (
        replace(one, sidecars=find(one.path)) if one.role in (IMAGE, "") else one
        for one in made.entries
    )
    return replace(made, entries=tuple(entries))


def recognise(found: list[str], volumes: list[str], read: Read) -> Plan:
    tables = [p for p in found if manifests.names_manifest(p)]
    if tables:
        return listed.plan_manifest(tables, volumes, read)
    data_set = listed.find_data_set(found, read)
    if data_set is not None and not listed.names_channels(*data_set, volumes):
        return listed.plan_decathlon(*data_set, volumes)
    if channelled.names_channels(volumes):
        return channelled.plan_nnunet(volumes)
    if any(re.search(r"(^|/)sub-[^/]+/", p) for p in volumes):
        made = plan_bids(volumes)
        return made if made.entries else plan_derivatives(volumes)
    return named.plan_flat(volumes)


# BIDS


def plan_bids(volumes: list[str]) -> Plan:
    """Images as they lie; masks beside them or under derivatives/<what made them>/."""
    series = [p for p in volumes if last_word(p) in NO_IMAGES]
    images = [
        p
        for p in volumes
        if not DERIVED.search(p) and not extra_words(p) and p not in series
    ]
    entries = [
        Entry(p, IMAGE, stem(p), "", read_subject(p), read_strata(p)) for p in images
    ]
    known = {base(p) for p in images}
    passed = [(p, NO_SERIES) for p in series]
    for path in (p for p in volumes if p not in {*images, *series}):
        if last_word(path) in pairing.CONTRASTS and base(path) not in known:
            passed.append((path, NO_MASK))
            continue
        owners = find_owners(path, images)
        if not owners:
            passed.append((path, "No image of this set has a name that fits."))
        elif len(owners) > 1 and pairing.read_contrast(base(path)):
            passed.append((path, MANY))
            continue
        role = name_role(pairing.split_words(base(path)))
        arm = read_pipeline(path)
        entries += [Entry(path, role, stem(owner), arm) for owner in owners]
    return Plan("bids", tuple(settle_segmentations(entries)), tuple(passed))


def plan_derivatives(volumes: list[str]) -> Plan:
    """Masks that come without their images, for cases that a study has already."""
    made = named.plan_flat(volumes)
    entries = (replace(e, arm=e.arm or read_pipeline(e.path)) for e in made.entries)
    return replace(made, entries=tuple(entries))


DERIVED = re.compile(r"(?:^|/)derivatives/", re.IGNORECASE)
NO_IMAGES = {
    "bold", "sbref", "cbv", "dwi", "asl", "m0scan", "epi", "fieldmap", "phasediff",
    "phase1", "phase2", "magnitude", "magnitude1", "magnitude2",
}  # fmt: skip
NO_SERIES = "A series in time or of directions or a field map is no image to be rated."
NO_MASK = (
    "The name ends like that of an image, and of derivatives only masks and maps are "
    "read. If it is a mask, let the name end in _mask or _seg."
)


MANY = (
    "More than one image of this set has a name that fits: let the mask's name say "
    "which run or acquisition it is of."
)


def last_word(path: str) -> str:
    """What BIDS calls the suffix: what kind of picture it is."""
    return base(path).rpartition("_")[2].lower()


def extra_words(path: str) -> set[str]:
    """Words of a name that say it is a mask or a map."""
    marks = pairing.MASK_WORDS | LEVEL_WORDS | SOFT_WORDS
    return set(pairing.split_words(base(path))) & (marks - {"nii", "gz"})


def find_owners(path: str, images: list[str]) -> list[str]:
    """The image whose name the mask's begins with, or all of the person's session."""
    name = base(path)
    if NO_IMAGES & set(name.lower().split("_")):
        return []
    whole = [
        image
        for image in images
        if re.match(rf"{re.escape(base(image))}(?![A-Za-z0-9])", name)
    ]
    if whole:
        return [max(whole, key=lambda image: len(base(image)))]
    mine = {
        part
        for part in name.split("_")
        if "-" in part and part.partition("-")[0] not in OF_MASKS
    }
    near = [image for image in images if mine <= set(base(image).split("_"))]
    contrast = pairing.read_contrast(name)
    if contrast:
        near = [one for one in near if pairing.read_contrast(base(one)) == contrast]
    return near if any(part.startswith("sub-") for part in mine) else []


# entities that a mask has and its image has not
OF_MASKS = {
    "label",
    "desc",
    "space",
    "res",
    "den",
    "seg",
    "atlas",
    "rater",
    "lesion",
    "method",
    "model",
}


def read_pipeline(path: str) -> str:
    found = re.search(r"(?:^|/)derivatives/([^/]+)/", path, re.IGNORECASE)
    if not found or found[1].lower() in MANUAL_FOLDERS:
        return ""
    return found[1]


def settle_segmentations(entries: list[Entry]) -> list[Entry]:
    """Beside a mask of lesions, a bare “_seg” is the toolbox's mask of the cord."""
    lesions = {
        (e.case, e.arm)
        for e in entries
        if e.role == MASK and words_of(e) & LESION_WORDS
    }
    return [
        replace(e, role="cord")
        if e.role == MASK
        and (e.case, e.arm) in lesions
        and "seg" in words_of(e)
        and not words_of(e) & LESION_WORDS
        else e
        for e in entries
    ]


def words_of(entry: Entry) -> set[str]:
    return set(pairing.split_words(base(entry.path)))
