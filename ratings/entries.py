"""What a set is made of: its files, what each is, and what their names say."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import PurePosixPath

from ratings import filenames

Read = Callable[[str], bytes]
IMAGE, MASK, SECOND = "image", "mask", "second"
MANUAL = "manual"
MOST_OF_ARM = 100


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
    # the nearest last: what it says goes before what a wider one says
    sidecars: tuple[str, ...] = ()
    # that a word of its own name is all that says the arm
    named: bool = False


@dataclass(frozen=True)
class Plan:
    layout: str
    entries: tuple[Entry, ...]
    passed_over: tuple[tuple[str, str], ...] = ()
    faults: tuple[str, ...] = ()


def tidy_arm(label: str) -> str:
    return " ".join(label.split())


def tell_long_arm(label: str) -> str:
    """That masks can't go by that name; empty for one that can be kept whole."""
    if len(label) <= MOST_OF_ARM:
        return ""
    return (
        f"The name “{label[:40]}…” of what made the masks has {len(label)} characters, "
        f"and at most {MOST_OF_ARM} are kept. Shorten it."
    )


def refuse_long_arms(plan: Plan) -> Plan:
    """Without masks of a source whose name is too long; cut, it could be another's."""
    faults = {one.path: tell_long_arm(tidy_arm(one.arm)) for one in plan.entries}
    told = tuple(f"{path}: {why}" for path, why in faults.items() if why)
    kept = tuple(one for one in plan.entries if not faults[one.path])
    return replace(plan, entries=kept, faults=(*plan.faults, *told))


def is_hidden(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def is_volume(path: str) -> bool:
    return bool(re.search(r"\.nii(\.gz)?$", path, re.IGNORECASE))


def stem(path: str) -> str:
    """The path without .nii, .nii.gz or .json, however its accents are stored."""
    plain = re.sub(r"\.(nii(\.gz)?|json)$", "", path, flags=re.IGNORECASE)
    return unicodedata.normalize("NFC", plain)


def find_volume(stated: str, volumes: list[str]) -> str | None:
    """The file of that path, or the only one that some systems take for the same.

    Those store accents in another way, or make no difference of capitals.
    """
    if stated in volumes:
        return stated
    wanted = unicodedata.normalize("NFC", stated)
    alike = [p for p in volumes if unicodedata.normalize("NFC", p) == wanted]
    alike = alike or [p for p in volumes if fold(p) == fold(stated)]
    return alike[0] if len(alike) == 1 else None


def fold(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def base(path: str) -> str:
    return PurePosixPath(stem(path)).name


def read_strata(path: str) -> dict[str, str]:
    """Contrast, acquisition and site as a path states them: proposals to be edited."""
    name = base(path)
    found = {"contrast": filenames.read_contrast(name)}
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


def make_image(path: str, case: str) -> Entry:
    return Entry(path, IMAGE, case, "", read_subject(path) or case, read_strata(path))


def name_masks(
    volumes: list[str], images: dict[str, str], used: set[str]
) -> tuple[list[Entry], list[tuple[str, str]]]:
    """Files with the name of an image: manual under labels…, else by their folder.

    `images` has the case of each image's path.
    """
    entries, passed = [], []
    for path in volumes:
        if path in used:
            continue
        cases = find_cases(path, images)
        if len(cases) != 1:
            passed.append((path, ALIKE if cases else NAMELESS))
        else:
            entries.append(Entry(path, MASK, cases[0], name_folder(path)))
    return entries, passed


def name_folder(path: str) -> str:
    """The arm that a folder of masks says: none for labelsTr, manual as it is."""
    folder = PurePosixPath(path).parent.name
    if re.fullmatch(r"labels([-_]?(tr|ts|te|va|val))?", folder, re.IGNORECASE):
        return ""
    return folder or "predictions"


def settle_arms(entries: list[Entry]) -> list[Entry]:
    """Where folders of one name hold masks of one case, more of their path counts."""
    places: defaultdict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
    for one in entries:
        if one.role == MASK and one.arm:
            places[one.case, one.arm].add(list_folders(one.path))
    torn = {arm for (_, arm), folders in places.items() if len(folders) > 1}
    every = {
        arm: set().union(*(found for (_, of), found in places.items() if of == arm))
        for arm in torn
    }
    return [
        replace(one, arm=name_apart(one, every[one.arm]))
        if one.role == MASK and one.arm in torn
        else one
        for one in entries
    ]


def list_folders(path: str) -> tuple[str, ...]:
    """The folders of a path but those of a person and visit."""
    parts = PurePosixPath(path).parent.parts
    return tuple(p for p in parts if not re.match(r"(sub|ses)-|anat$", p))


def name_apart(entry: Entry, folders: set[tuple[str, ...]]) -> str:
    levels = zip(*folders, strict=False)
    shared = sum(1 for _ in takewhile(lambda level: len({*level}) == 1, levels))
    rest = list_folders(entry.path)[shared:]
    return "/".join(rest if entry.arm in rest else (entry.arm, *rest))


NAMELESS = "No image of this set has this name."
ALIKE = "More than one image of this set has this name. Import one folder at a time."


def find_cases(path: str, images: dict[str, str]) -> list[str]:
    """The cases of that name; of several those of its own part, Tr or Ts."""
    alike = [image for image in images if base(image) == base(path)]
    if len(alike) > 1 and (part := read_part(path)):
        alike = [image for image in alike if read_part(image) == part]
    return [images[image] for image in alike]


def read_part(path: str) -> str:
    """The “tr” of imagesTr and labelsTr."""
    folder = PurePosixPath(path).parent.name
    found = re.fullmatch(r"(?:images|labels)(\w+)", folder, re.IGNORECASE)
    return found[1].lower() if found else ""
