"""Recognises how a folder of a test set is laid out, and what each file in it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from ratings import listed, manifests, pairing
from ratings.entries import (
    IMAGE,
    MASK,
    SECOND,
    Entry,
    Plan,
    Read,
    base,
    is_hidden,
    is_volume,
    make_image,
    name_masks,
    read_strata,
    read_subject,
    stem,
)

# whoever asks for a plan also finds here what it is made of
__all__ = ["Entry", "Plan", "Read", "name_role", "plan"]

MANUAL_FOLDERS = {"labels", "label", "manual", "masks", "lesions", "labels_manual"}
LEVEL_WORDS = {"levels", "level", "vert", "vertebral", "vertlevels", "disc", "discs"}
SOFT_WORDS = {"soft", "softseg", "prob", "probability", "probabilities"}
CORD_WORDS = {"sc", "cord", "spinalcord", "csa"}
LESION_WORDS = {"lesion", "lesions", "lesionseg", "ms"}


def plan(paths: Iterable[str], read: Read) -> Plan:
    """What to make of the files at these relative paths.

    `read` gives the content of a small file: a manifest or a dataset.json.
    """
    found = sorted({str(PurePosixPath(p)) for p in paths if not is_hidden(p)})
    volumes = [p for p in found if is_volume(p)]
    made = recognise(found, volumes, read)
    sidecars = {stem(p): p for p in found if p.lower().endswith(".json")}
    return replace(
        made, entries=tuple(add_sidecar(entry, sidecars) for entry in made.entries)
    )


def recognise(found: list[str], volumes: list[str], read: Read) -> Plan:
    tables = [p for p in found if manifests.names_manifest(p)]
    if tables:
        return listed.plan_manifest(tables, volumes, read)
    data_set = listed.find_data_set(found, read)
    if data_set is not None and not listed.names_channels(*data_set, volumes):
        return listed.plan_decathlon(*data_set, volumes)
    if any(re.search(r"(^|/)images\w*/[^/]+_\d{4}\.nii(\.gz)?$", p) for p in volumes):
        return plan_nnunet(volumes)
    if any(re.search(r"(^|/)sub-[^/]+/", p) for p in volumes):
        return plan_bids(volumes)
    return Plan("flat", tuple(name_flat(p) for p in volumes))


def add_sidecar(entry: Entry, sidecars: dict[str, str]) -> Entry:
    # a role left open may turn out to be an image's, once its voxels are seen
    if entry.role not in (IMAGE, ""):
        return entry
    return replace(entry, sidecar=sidecars.get(stem(entry.path), ""))


# BIDS


def plan_bids(volumes: list[str]) -> Plan:
    """Images as they lie; masks beside them or under derivatives/<what made them>/."""
    images = [p for p in volumes if "derivatives/" not in p and not extra_words(p)]
    entries = [
        Entry(p, IMAGE, stem(p), "", read_subject(p), read_strata(p)) for p in images
    ]
    passed: list[tuple[str, str]] = []
    for path in (p for p in volumes if p not in set(images)):
        owners = find_owners(path, images)
        if not owners:
            passed.append((path, "No image of this set has a name that fits."))
        role = name_role(pairing.split_words(base(path)))
        arm = read_pipeline(path)
        entries += [Entry(path, role, stem(owner), arm) for owner in owners]
    return Plan("bids", tuple(settle_segmentations(entries)), tuple(passed))


def extra_words(path: str) -> set[str]:
    """Words of a name that say it is a mask or a map."""
    marks = pairing.MASK_WORDS | LEVEL_WORDS | SOFT_WORDS
    return set(pairing.split_words(base(path))) & (marks - {"nii", "gz"})


def find_owners(path: str, images: list[str]) -> list[str]:
    """The image whose name the mask's begins with, or all of the person's session."""
    name = base(path)
    whole = [
        image
        for image in images
        if re.match(rf"{re.escape(base(image))}(?![A-Za-z0-9])", name)
    ]
    if whole:
        return [max(whole, key=lambda image: len(base(image)))]
    if pairing.read_contrast(name):
        return []
    mine = re.findall(r"(?:sub|ses)-[A-Za-z0-9]+", name)
    return [image for image in images if set(mine) <= set(base(image).split("_"))]


def name_role(words: list[str]) -> str:
    """Mask or map, as the last of the words that tell says."""
    if SOFT_WORDS & set(words):
        return "soft"
    for word in reversed(words):
        if word in LESION_WORDS - {"ms"}:
            return MASK
        if word in LEVEL_WORDS:
            return "levels"
        if word in CORD_WORDS:
            return "cord"
    return MASK


def read_pipeline(path: str) -> str:
    found = re.search(r"derivatives/([^/]+)/", path)
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


# nnU-Net, and files that only have names


def plan_nnunet(volumes: list[str]) -> Plan:
    """imagesTs/case_0000, labelsTs/case, and other folders as predictions."""
    entries, passed, cases = [], [], set()
    for path in volumes:
        found = re.search(r"(?:^|/)images\w*/([^/]+)_(\d{4})\.nii(?:\.gz)?$", path)
        if found is None:
            continue
        case, channel = found[1], int(found[2])
        cases.add(case)
        if channel == 0:
            entries.append(make_image(path, case))
        elif channel == 1:
            entries.append(Entry(path, SECOND, case))
        else:
            passed.append((path, "Only the first two channels can be shown."))
    more, left = name_masks(volumes, cases, {e.path for e in entries})
    known = {path for path, _ in passed}
    passed += [(p, why) for p, why in left if p not in known]
    return Plan("nnunet", (*entries, *more), tuple(passed))


def name_flat(path: str) -> Entry:
    """Which of image and mask a file is is seen from its voxels, unless named a map."""
    words = pairing.split_words(base(path))
    role = name_role(words)
    marked = (pairing.MASK_WORDS | LEVEL_WORDS) & set(words)
    named = role if role != MASK and marked else ""
    return Entry(path, named, "", "", read_subject(path), read_strata(path))
