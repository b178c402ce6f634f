"""Sets as BIDS keeps them: images by person, masks beside them or in derivatives."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import PurePosixPath

from ratings import filenames, named
from ratings.entries import (
    IMAGE,
    Entry,
    Plan,
    base,
    read_strata,
    read_subject,
    settle_arms,
    stem,
)

MANUAL_FOLDERS = {"labels", "label", "manual", "masks", "lesions", "labels_manual"}
DERIVED = re.compile(r"(?:^|/)derivatives/", re.IGNORECASE)
PERSON = re.compile(r"(?:^|/)sub-[^/]+/")
SESSION = re.compile(r"(?:^|[/_])(ses-[A-Za-z0-9]+)(?=[/_])")
NO_IMAGES = {
    "bold", "sbref", "cbv", "dwi", "asl", "m0scan", "epi", "fieldmap", "phasediff",
    "phase1", "phase2", "magnitude", "magnitude1", "magnitude2",
}  # fmt: skip
# entities that a mask has and its image has not
OF_MASKS = {
    "label", "desc", "space", "res", "den", "seg", "atlas", "rater", "lesion",
    "method", "model",
}  # fmt: skip
NO_SERIES = "A series in time or of directions or a field map is no image to be rated."
NO_MASK = (
    "The name ends like that of an image, and of derivatives only masks and maps are "
    "read. If it is a mask, let the name end in _mask or _seg."
)
UNFIT = "No image of this set has a name that fits."
MANY = (
    "More than one image of this set has a name that fits: let the mask's name say "
    "which session, run or acquisition it is of."
)


@dataclass(frozen=True)
class Images:
    """The set's images by name, by person, and the folders that data sets begin in."""

    by_name: dict[str, list[str]]
    by_person: dict[str, list[str]]
    homes: frozenset[str]


def names_persons(volumes: Iterable[str]) -> bool:
    return any(PERSON.search(path) for path in volumes)


def plan_bids(volumes: list[str]) -> Plan:
    """Images as they lie; masks beside them or under derivatives/<what made them>/."""
    series = {p for p in volumes if last_word(p) in NO_IMAGES}
    images = [
        p
        for p in volumes
        if not DERIVED.search(p) and not extra_words(p) and p not in series
    ]
    entries = [
        Entry(p, IMAGE, stem(p), "", read_subject(p), read_strata(p)) for p in images
    ]
    index, known = index_images(images), {*images}
    passed = [(p, NO_SERIES) for p in volumes if p in series]
    for path in (p for p in volumes if p not in known and p not in series):
        made, why = plan_mask(path, index)
        entries += made
        passed += [(path, why)] if why else []
    settled = named.settle_segmentations(settle_arms(entries))
    return Plan("bids", tuple(settled), tuple(passed)) if images else alone(volumes)


def plan_mask(path: str, index: Images) -> tuple[list[Entry], str]:
    """A mask or map for each image that it is of, or why it is for none."""
    if last_word(path) in filenames.CONTRASTS and base(path) not in index.by_name:
        return [], NO_MASK
    owners = find_owners(path, index)
    if len(owners) > 1 and not are_of_one(path, owners):
        return [], MANY
    theirs = {w for owner in owners for w in filenames.split_words(base(owner))}
    words = [word for word in filenames.split_words(base(path)) if word not in theirs]
    role = named.name_role(words)
    if role == named.OTHER:
        return [], named.NO_LESIONS
    pipeline = read_pipeline(path)
    maker = "" if pipeline else named.name_maker(words)
    entry = Entry(path, role, "", pipeline or maker, named=bool(maker))
    return [replace(entry, case=stem(o)) for o in owners], "" if owners else UNFIT


def are_of_one(path: str, owners: list[str]) -> bool:
    """Whether a mask may be of several images: series of one visit, none named."""
    if filenames.read_contrast(base(path)):
        return False
    pairs = combinations([base(owner) for owner in owners], 2)
    return all(filenames.are_series(one, other) for one, other in pairs)


def alone(volumes: list[str]) -> Plan:
    """Masks that come without their images, for cases that a study has already."""
    made = named.plan_flat(volumes)
    return replace(made, entries=tuple(map(name_pipeline, made.entries)))


def name_pipeline(entry: Entry) -> Entry:
    arm = read_pipeline(entry.path)
    return replace(entry, arm=arm, named=False) if arm else entry


def index_images(images: list[str]) -> Images:
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    by_person: defaultdict[str, list[str]] = defaultdict(list)
    for image in images:
        by_name[base(image)].append(image)
        by_person[base(image).split("_")[0]].append(image)
    homes = frozenset(find_home(image) for image in images)
    return Images(dict(by_name), dict(by_person), homes)


def last_word(path: str) -> str:
    """What BIDS calls the suffix: what kind of picture it is."""
    return base(path).rpartition("_")[2].lower()


def extra_words(path: str) -> set[str]:
    """Words of a name that say it is a mask or a map."""
    marks = filenames.MASK_WORDS | named.LEVEL_WORDS | named.SOFT_WORDS
    return set(filenames.split_words(base(path))) & (marks - {"nii", "gz"})


def find_owners(path: str, index: Images) -> list[str]:
    """The image whose name the mask's begins with, or all of the person's session."""
    name = base(path)
    if NO_IMAGES & set(name.lower().split("_")):
        return []
    ends = [n for n in range(len(name), 0, -1) if not name[n : n + 1].isalnum()]
    whole = next((name[:n] for n in ends if name[:n] in index.by_name), "")
    found = index.by_name[whole] if whole else find_alike(name, index)
    return keep_near(path, found, index)


def find_alike(name: str, index: Images) -> list[str]:
    """The person's images that have all that the mask's name says of the image."""
    mine = {
        part
        for part in name.split("_")
        if "-" in part and part.partition("-")[0] not in OF_MASKS
    }
    person = next((part for part in mine if part.startswith("sub-")), "")
    near = [
        image
        for image in index.by_person.get(person, [])
        if mine <= set(base(image).split("_"))
    ]
    contrast = filenames.read_contrast(name)
    alike = [one for one in near if filenames.read_contrast(base(one)) == contrast]
    return alike if contrast else near


def keep_near(path: str, images: list[str], index: Images) -> list[str]:
    """Those of the mask's own data set and session, as folders tell them apart."""
    home, session = find_home(path), find_session(path)
    if home in index.homes:
        images = [image for image in images if find_home(image) == home]
    return [
        image for image in images if not session or find_session(image) in ("", session)
    ]


def find_home(path: str) -> str:
    """The folder in which the data set begins."""
    found = DERIVED.search(path) or PERSON.search(path)
    return path[: found.start()] if found else str(PurePosixPath(path).parent)


def find_session(path: str) -> str:
    found = SESSION.findall(path)
    return found[-1] if found else ""


def read_pipeline(path: str) -> str:
    found = re.search(r"(?:^|/)derivatives/([^/]+)/", path, re.IGNORECASE)
    if not found or found[1].lower() in MANUAL_FOLDERS:
        return ""
    return found[1]
