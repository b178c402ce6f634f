"""What a set is made of: its files, what each is, and what their names say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ratings import pairing

Read = Callable[[str], bytes]
IMAGE, MASK, SECOND = "image", "mask", "second"
MANUAL = "manual"


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


@dataclass(frozen=True)
class Plan:
    layout: str
    entries: tuple[Entry, ...]
    passed_over: tuple[tuple[str, str], ...] = ()
    faults: tuple[str, ...] = ()


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
        folder = PurePosixPath(path).parent.name
        manual = re.match(r"labels", folder, re.IGNORECASE)
        cases = find_cases(path, images)
        if len(cases) != 1:
            passed.append((path, ALIKE if cases else NAMELESS))
        else:
            arm = "" if manual else folder or "predictions"
            entries.append(Entry(path, MASK, cases[0], arm))
    return entries, passed


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
