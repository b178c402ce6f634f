"""Sets as nnU-Net keeps them: a file for each channel, and masks of the same name."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from ratings.entries import (
    ALIKE,
    MASK,
    NAMELESS,
    SECOND,
    Entry,
    Plan,
    base,
    make_image,
    name_folder,
    settle_arms,
)

CHANNEL = re.compile(
    r"(?P<home>(?:.*/)?)images(?P<part>\w*)/(?P<case>[^/]+)_(?P<number>\d{4})"
    r"\.nii(?:\.gz)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Place:
    """Where a case lies: its data set's folder, and images“Tr” or images“Ts”."""

    home: str
    part: str
    name: str

    @property
    def key(self) -> str:
        return f"{self.home}{self.part}/{self.name}"


def names_channels(volumes: list[str]) -> bool:
    """Whether the last number is a channel, and does not just count the cases."""
    found = [CHANNEL.fullmatch(path) for path in volumes]
    numbered = {base(p) for p, match in zip(volumes, found, strict=True) if match}
    others = {base(p) for p, match in zip(volumes, found, strict=True) if not match}
    first = any(match and int(match["number"]) == 0 for match in found)
    return first and not numbered & others


def plan_nnunet(volumes: list[str]) -> Plan:
    """imagesTs/case_0000, labelsTs/case, and other folders as predictions."""
    found = {path: CHANNEL.fullmatch(path) for path in volumes}
    channels = {p: (locate(p, m), int(m["number"])) for p, m in found.items() if m}
    places: defaultdict[str, set[Place]] = defaultdict(set)
    for place, _ in channels.values():
        places[place.name].add(place)
    entries: list[Entry] = []
    passed: list[tuple[str, str]] = []
    for path, (place, number) in channels.items():
        if number > 1:
            passed.append((path, "Only the first two channels can be shown."))
            continue
        # a set's own name of a case, unless a second data set has the same
        key = place.name if len(places[place.name]) == 1 else place.key
        image = replace(make_image(path, place.name), case=key)
        entries.append(image if number == 0 else Entry(path, SECOND, key))
    for path in (p for p in volumes if p not in channels):
        owner, why = find_owner(path, places.get(base(path), set()))
        if owner is None:
            passed.append((path, why))
            continue
        key = owner.name if len(places[owner.name]) == 1 else owner.key
        entries.append(Entry(path, MASK, key, name_folder(path)))
    return Plan("nnunet", tuple(settle_arms(entries)), tuple(passed))


def locate(path: str, match: re.Match[str]) -> Place:
    return Place(match["home"], match["part"], base(path)[: -len("_0000")])


def find_owner(path: str, places: set[Place]) -> tuple[Place | None, str]:
    """The case that a mask's name and folder mean, or why there is none."""
    if not places:
        return None, NAMELESS
    best = max(rank(path, place) for place in places)
    found = [place for place in places if rank(path, place) == best]
    return (found[0], "") if len(found) == 1 else (None, ALIKE)


def rank(path: str, place: Place) -> tuple[int, bool]:
    """A mask lies in the data set of its image, under labels“Tr” for images“Tr”."""
    folder = PurePosixPath(path).parent.name.lower()
    near = len(place.home) if path.startswith(place.home) else -1
    return near, bool(place.part) and folder.endswith(place.part.lower())
