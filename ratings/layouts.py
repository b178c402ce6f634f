"""Recognises how a folder of a test set is laid out, and what each file in it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from ratings import manifests, pairing

Read = Callable[[str], bytes]
IMAGE, MASK, SECOND = "image", "mask", "second"
MANUAL = "manual"
MANUAL_FOLDERS = {"labels", "label", "manual", "masks", "lesions", "labels_manual"}
LEVEL_WORDS = {"levels", "level", "vert", "vertebral", "vertlevels", "disc", "discs"}
SOFT_WORDS = {"soft", "softseg", "prob", "probability", "probabilities"}
CORD_WORDS = {"sc", "cord", "spinalcord", "csa"}
LESION_WORDS = {"lesion", "lesions", "lesionseg", "ms"}


@dataclass(frozen=True)
class Entry:
    """One file of a set: what it is, whose, and what its name says of the case."""

    path: str
    role: str
    # the files of a case share it; empty where names alone must tell
    case: str = ""
    # empty for manual masks, else the name of what made them
    arm: str = ""
    subject: str = ""
    strata: dict[str, str] = field(default_factory=dict)
    sidecar: str = ""


@dataclass(frozen=True)
class Plan:
    layout: str
    entries: tuple[Entry, ...]
    passed_over: tuple[tuple[str, str], ...] = ()
    faults: tuple[str, ...] = ()


def plan(paths: Iterable[str], read: Read) -> Plan:
    """What to make of the files at these relative paths.

    `read` gives the content of a small file: a manifest or a dataset.json.
    """
    found = sorted({str(PurePosixPath(p)) for p in paths if not is_hidden(p)})
    volumes = [p for p in found if is_volume(p)]
    table = next((p for p in found if manifests.names_manifest(p)), None)
    data_set = find_data_set(found, read)
    if table is not None:
        made = plan_manifest(table, volumes, read)
    elif data_set is not None:
        made = plan_decathlon(*data_set, volumes)
    elif any(re.search(r"(^|/)images\w*/[^/]+_\d{4}\.nii(\.gz)?$", p) for p in volumes):
        made = plan_nnunet(volumes)
    elif any(re.search(r"(^|/)sub-[^/]+/", p) for p in volumes):
        made = plan_bids(volumes)
    else:
        made = Plan("flat", tuple(name_flat(p) for p in volumes))
    sidecars = {stem(p): p for p in found if p.lower().endswith(".json")}
    return replace(
        made, entries=tuple(add_sidecar(entry, sidecars) for entry in made.entries)
    )


def is_hidden(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def is_volume(path: str) -> bool:
    return bool(re.search(r"\.nii(\.gz)?$", path, re.IGNORECASE))


def stem(path: str) -> str:
    """The path without .nii, .nii.gz or .json."""
    return re.sub(r"\.(nii(\.gz)?|json)$", "", path, flags=re.IGNORECASE)


def base(path: str) -> str:
    return PurePosixPath(stem(path)).name


def add_sidecar(entry: Entry, sidecars: dict[str, str]) -> Entry:
    if entry.role != IMAGE:
        return entry
    return replace(entry, sidecar=sidecars.get(stem(entry.path), ""))


def read_strata(path: str) -> dict[str, str]:
    """Contrast, acquisition and site as a path states them: proposals to be edited."""
    name = base(path)
    found = {"contrast": pairing.read_contrast(name)}
    for key, entity in (("acquisition", "acq"), ("site", "site")):
        stated = re.search(rf"(?:^|[_/]){entity}-([A-Za-z0-9]+)", path)
        found[key] = stated[1] if stated else ""
    person = re.match(r"sub-([a-z]{2,12})(?=[A-Z0-9])", name)
    if person and not found["site"]:
        found["site"] = person[1]
    return {key: value for key, value in found.items() if value}


def read_subject(path: str) -> str:
    found = re.search(r"sub-[A-Za-z0-9]+", path)
    return found[0] if found else ""


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


# nnU-Net and the Medical Segmentation Decathlon


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


def make_image(path: str, case: str) -> Entry:
    return Entry(path, IMAGE, case, "", read_subject(path) or case, read_strata(path))


def name_masks(
    volumes: list[str], cases: set[str], used: set[str]
) -> tuple[list[Entry], list[tuple[str, str]]]:
    """Files with the name of a case: manual under labels…, else by their folder."""
    entries, passed = [], []
    for path in volumes:
        if path in used:
            continue
        folder = PurePosixPath(path).parent.name
        if base(path) not in cases:
            passed.append((path, "No image of this set has this name."))
        elif re.match(r"labels", folder, re.IGNORECASE):
            entries.append(Entry(path, MASK, base(path)))
        else:
            entries.append(Entry(path, MASK, base(path), folder or "predictions"))
    return entries, passed


def find_data_set(paths: list[str], read: Read) -> tuple[str, dict[str, Any]] | None:
    """The Decathlon's dataset.json, which lists its images; nnU-Net's does not."""
    for path in paths:
        if PurePosixPath(path).name != "dataset.json":
            continue
        try:
            told = json.loads(read(path))
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict) and isinstance(told.get("training"), list):
            return path, told
    return None


def plan_decathlon(path: str, told: dict[str, Any], volumes: list[str]) -> Plan:
    home = PurePosixPath(path).parent
    entries: list[Entry] = []
    faults: list[str] = []
    for row in [*told["training"], *(told.get("test") or [])]:
        image, label = (
            (row.get("image"), row.get("label")) if isinstance(row, dict) else (row, "")
        )
        image = locate(home, image)
        case = base(image)
        if image not in volumes:
            faults.append(f"{path} names the image {image}, which is not there.")
            continue
        entries.append(make_image(image, case))
        if label and (mask := locate(home, label)) in volumes:
            entries.append(Entry(mask, MASK, case))
        elif label:
            faults.append(f"{path} names the mask {mask}, which is not there.")
    cases, used = {e.case for e in entries}, {e.path for e in entries}
    more, passed = name_masks(volumes, cases, used)
    return Plan("decathlon", (*entries, *more), tuple(passed), tuple(faults))


def locate(home: PurePosixPath, stated: object) -> str:
    return str(home / str(stated).removeprefix("./"))


# A manifest, and files that only have names


def plan_manifest(path: str, volumes: list[str], read: Read) -> Plan:
    try:
        rows = manifests.read_rows(path, read(path))
    except manifests.ManifestRefused as refusal:
        return Plan("manifest", (), faults=(str(refusal),))
    entries: list[Entry] = []
    faults: list[str] = []
    home = PurePosixPath(path).parent
    for row in rows:
        case = f"row {row.number}"
        for column, stated in row.files.items():
            found = find_stated(home, stated, volumes)
            if found is None:
                faults.append(
                    f"{path}, row {row.number}: {column} names {stated}, which is not "
                    "there or there more than once. Write its path from the manifest."
                )
                continue
            entries.append(name_column(found, column, case, row))
    used = {entry.path for entry in entries}
    passed = [(p, "The manifest does not name it.") for p in volumes if p not in used]
    return Plan("manifest", tuple(entries), tuple(passed), tuple(faults))


def find_stated(home: PurePosixPath, stated: str, volumes: list[str]) -> str | None:
    whole = str(home / stated.replace("\\", "/").removeprefix("./"))
    if whole in volumes:
        return whole
    alike = [p for p in volumes if f"/{p}".endswith(f"/{stated.lstrip('/')}")]
    return alike[0] if len(alike) == 1 else None


def name_column(path: str, column: str, case: str, row: manifests.Row) -> Entry:
    if column == IMAGE:
        subject = row.subject or read_subject(path)
        strata = read_strata(path) | row.strata
        return Entry(path, IMAGE, case, "", subject, strata)
    if column in ("cord", "levels", "soft", SECOND):
        return Entry(path, column, case)
    return Entry(path, MASK, case, "" if column == MANUAL else column)


def name_flat(path: str) -> Entry:
    """Which of image and mask a file is is seen from its voxels, unless named a map."""
    words = pairing.split_words(base(path))
    role = name_role(words)
    marked = (pairing.MASK_WORDS | LEVEL_WORDS) & set(words)
    named = role if role != MASK and marked else ""
    return Entry(path, named, "", "", read_subject(path), read_strata(path))
