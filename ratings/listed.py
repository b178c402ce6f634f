"""Sets of which a file says what is in them: a manifest, or a dataset.json."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from ratings import located, manifests
from ratings.entries import (
    IMAGE,
    MANUAL,
    MASK,
    SECOND,
    Entry,
    Plan,
    Read,
    base,
    find_volume,
    make_image,
    name_masks,
    read_strata,
    read_subject,
    settle_arms,
    stem,
)

# A manifest


def plan_manifest(tables: list[str], volumes: list[str], read: Read) -> Plan:
    """The first table lists the cases; of two, nobody can say which one holds."""
    path, *others = tables
    passed = [(p, f"Only one manifest is read, and that is {path}.") for p in others]
    try:
        table = manifests.read_table(path, read(path))
    except manifests.ManifestRefused as refusal:
        return Plan("manifest", (), tuple(passed), faults=(str(refusal),))
    places = located.find_places(PurePosixPath(path).parent, table.rows, volumes)
    entries: list[tuple[int, Entry]] = []
    faults: list[str] = []
    doubted: set[int] = set()
    rows: dict[str, manifests.Row] = {}
    for row in table.rows:
        made, wrong = plan_row(path, row, table.titles, places)
        for one in made:
            before = rows.setdefault(one.path, row)
            if before is not row and not may_share(one, row, before):
                # nobody can say which of the two rows holds
                wrong.append(tell_twice(path, row, one, before.number))
                doubted.add(before.number)
                break
        entries += [(row.number, one) for one in made]
        faults += wrong
        doubted |= {row.number} if wrong else set()
    kept = [one for number, one in entries if number not in doubted]
    left = {one.path: number for number, one in entries if number in doubted}
    passed += [(path, why) for why in table.notes]
    passed += explain_rest(volumes, {one.path for one in kept}, left)
    return Plan("manifest", tuple(kept), tuple(passed), tuple(faults))


def explain_rest(
    volumes: list[str], used: set[str], left: Mapping[str, int]
) -> list[tuple[str, str]]:
    """Why each other file is left out; a row with a fault takes none with it."""
    return [
        (p, f"Row {left[p]} of the manifest, which names it, is left out for a fault.")
        if p in left
        else (p, "The manifest does not name it.")
        for p in volumes
        if p not in used
    ]


def plan_row(
    path: str,
    row: manifests.Row,
    titles: Mapping[str, str],
    places: Mapping[tuple[int, str], str],
) -> tuple[list[Entry], list[str]]:
    """The files of a row, and what is wrong with it, by the titles of its columns."""
    entries, faults = [], manifests.list_faults(row)
    if IMAGE not in row.files:
        faults.append("this names no image. Write its path.")
    for column, told in row.files.items():
        found = places.get((row.number, column))
        if found is None:
            faults.append(
                f"the column “{titles[column]}” names {told}, which is not there or "
                "there more than once. Write its path from the manifest."
            )
            continue
        entries.append(name_column(found, column, f"row {row.number}", row))
    return entries, [f"{path}, row {row.number}: {fault}" for fault in faults]


def may_share(entry: Entry, row: manifests.Row, before: manifests.Row) -> bool:
    """One mask may be of two images of a person, where the table names the person."""
    return entry.role != IMAGE and bool(row.subject) and row.subject == before.subject


def tell_twice(path: str, row: manifests.Row, file: Entry, before: int) -> str:
    again = f"{path}, row {row.number}: the {file.role} {file.path} stands in row "
    if file.role == IMAGE:
        return (
            f"{again}{before} already. Give each image one row, with a column for "
            "each mask."
        )
    return (
        f"{again}{before} already. It may stand in two rows only if “subject” says in "
        "both that they are of one person."
    )


def name_column(path: str, column: str, case: str, row: manifests.Row) -> Entry:
    if column == IMAGE:
        subject = row.subject or read_subject(path)
        strata = read_strata(path) | row.strata
        return Entry(path, IMAGE, case, "", subject, strata)
    if column in ("cord", "levels", "soft", SECOND):
        return Entry(path, column, case)
    return Entry(path, MASK, case, "" if column == MANUAL else column)


# The Medical Segmentation Decathlon

TWO_SETS = (
    "{} and {} each list a data set, and cases of both may have one name. Import one "
    "data set at a time."
)


def find_data_sets(paths: list[str], read: Read) -> list[tuple[str, dict[str, Any]]]:
    """Each dataset.json that lists its images; that of nnU-Net's version 2 does not."""
    found = []
    for path in paths:
        if PurePosixPath(path).name != "dataset.json":
            continue
        try:
            told = json.loads(read(path))
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict) and isinstance(told.get("training"), list):
            found.append((path, told))
    return found


def list_rows(told: dict[str, Any]) -> list[tuple[str, Any]]:
    """Each row under the name that a fault is to call it by."""
    parts = [(part, told.get(part)) for part in ("training", "test")]
    return [
        (f"{part}, entry {n}", row)
        for part, rows in parts
        if isinstance(rows, list)
        for n, row in enumerate(rows, 1)
    ]


def read_pair(row: Any) -> tuple[str, str] | None:
    """The image and the label that a row states, or nothing if it states no image."""
    image, label = (row, "") if isinstance(row, str) else (None, "")
    if isinstance(row, dict):
        image, label = row.get("image"), row.get("label") or ""
    if not isinstance(image, str) or not image or not isinstance(label, str):
        return None
    return image, label


def names_channels(path: str, told: dict[str, Any], volumes: list[str]) -> bool:
    """nnU-Net's version 1 lists CASE.nii.gz where the file is CASE_0000.nii.gz."""
    home, there = PurePosixPath(path).parent, set(volumes)
    pairs = [read_pair(row) for _, row in list_rows(told)]
    images = [locate(home, pair[0]) for pair in pairs if pair]
    stems = {stem(p) for p in volumes}
    channels = any(f"{stem(image)}_0000" in stems for image in images)
    return channels and not there & set(images)


def plan_decathlon(
    data_sets: list[tuple[str, dict[str, Any]]], volumes: list[str]
) -> Plan:
    (path, told), *others = data_sets
    if others:
        return Plan("decathlon", (), faults=(TWO_SETS.format(path, others[0][0]),))
    entries, faults, left = take_rows(path, told, volumes)
    # of an image that is listed twice nobody can say which label holds
    cases = {entry.case for entry in entries if entry.path in left}
    left = {e.path: "twice" for e in entries if e.case in cases} | left
    kept = [entry for entry in entries if entry.case not in cases]
    images = {e.path: e.case for e in kept if e.role == IMAGE}
    more, passed = name_masks(volumes, images, {e.path for e in kept} | left.keys())
    passed += [(p, LEFT.format(left[p])) for p in volumes if p in left]
    settled = settle_arms([*kept, *more])
    return Plan("decathlon", tuple(settled), tuple(passed), tuple(faults))


def take_rows(
    path: str, told: dict[str, Any], volumes: list[str]
) -> tuple[list[Entry], list[str], dict[str, str]]:
    """The files of good rows, the faults, and by path the row that is left out."""
    home = PurePosixPath(path).parent
    entries: list[Entry] = []
    faults: list[str] = []
    left: dict[str, str] = {}
    # by the path of an image the row that names it first
    seen: dict[str, tuple[str, list[str]]] = {}
    for place, row in list_rows(told):
        pair = read_pair(row)
        if pair is None:
            faults.append(
                f"{path}, {place}: this names no image. Write a path, or an object "
                "with “image” and “label”."
            )
            continue
        taken = {entry.case for entry in entries}
        made, wrong = plan_pair(path, locate(home, pair[0]), pair[1], volumes, taken)
        paths = [entry.path for entry in made]
        first, same = seen.setdefault(paths[0] if made else place, (place, paths))
        if first != place:
            wrong = f"the image {paths[0]} is listed already. List each image once."
        if wrong:
            faults.append(f"{path}, {place}: {wrong}")
            # the same row again leaves no doubt
            doubt = first == place or paths != same
            left |= dict.fromkeys(paths, place) if doubt else {}
            continue
        entries += made
    return entries, faults, left


LEFT = "What names it in dataset.json ({}) is left out for a fault."


def plan_pair(
    path: str, image: str, label: str, volumes: list[str], taken: set[str]
) -> tuple[list[Entry], str]:
    """Image and label of a row as far as they are there, and what is wrong."""
    there = find_volume(image, volumes)
    if there is None:
        return [], f"this names the image {image}, which is not there."
    # a folder of tests may number its cases anew
    case = base(there) if base(there) not in taken else stem(there)
    entries = [make_image(there, case)]
    mask = locate(PurePosixPath(path).parent, label)
    found = find_volume(mask, volumes) if label else None
    if label and found is None:
        return entries, f"this names the mask {mask}, which is not there."
    if found:
        entries.append(Entry(found, MASK, case))
    return entries, ""


def locate(home: PurePosixPath, stated: str) -> str:
    """The path from the top; half a character, as JSON can hold, becomes a “?”."""
    told = stated.encode(errors="replace").decode().replace("\\", "/")
    return posixpath.normpath(str(home / told))
