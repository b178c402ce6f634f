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
    entries: list[Entry] = []
    faults = list(table.faults)
    rows: dict[str, manifests.Row] = {}
    for row in table.rows:
        made, wrong = plan_row(path, row, places)
        for one in made:
            before = rows.setdefault(one.path, row)
            if before is not row and not may_share(one, row, before):
                made, wrong = [], [tell_twice(path, row, one, before.number)]
                break
        entries += made
        faults += wrong
    used = {entry.path for entry in entries}
    passed += [(path, why) for why in table.notes]
    passed += [(p, "The manifest does not name it.") for p in volumes if p not in used]
    return Plan("manifest", tuple(entries), tuple(passed), tuple(faults))


def plan_row(
    path: str, row: manifests.Row, places: Mapping[tuple[int, str], str]
) -> tuple[list[Entry], list[str]]:
    entries, faults = [], []
    if IMAGE not in row.files:
        return [], [f"{path}, row {row.number}: this names no image. Write its path."]
    for column, told in row.files.items():
        found = places.get((row.number, column))
        if found is None:
            faults.append(
                f"{path}, row {row.number}: {column} names {told}, which is not "
                "there or there more than once. Write its path from the manifest."
            )
            continue
        entries.append(name_column(found, column, f"row {row.number}", row))
    return entries, faults


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
    home = PurePosixPath(path).parent
    entries: list[Entry] = []
    faults: list[str] = []
    seen: set[str] = set()
    for place, row in list_rows(told):
        pair = read_pair(row)
        if pair is None:
            faults.append(
                f"{path}, {place}: this names no image. Write a path, or an object "
                "with “image” and “label”."
            )
            continue
        image = locate(home, pair[0])
        made, wrong = plan_pair(
            path, image, pair[1], volumes, {entry.case for entry in entries}
        )
        if made and made[0].path in seen:
            faults.append(
                f"{path}, {place}: the image {made[0].path} is listed already. "
                "List each image once."
            )
            continue
        seen.update(entry.path for entry in made[:1])
        entries += made
        faults += wrong
    images = {e.path: e.case for e in entries if e.role == IMAGE}
    more, passed = name_masks(volumes, images, {e.path for e in entries})
    settled = settle_arms([*entries, *more])
    return Plan("decathlon", tuple(settled), tuple(passed), tuple(faults))


def plan_pair(
    path: str, image: str, label: str, volumes: list[str], taken: set[str]
) -> tuple[list[Entry], list[str]]:
    there = find_volume(image, volumes)
    if there is None:
        return [], [f"{path} names the image {image}, which is not there."]
    # a folder of tests may number its cases anew
    case = base(there) if base(there) not in taken else stem(there)
    entries = [make_image(there, case)]
    mask = locate(PurePosixPath(path).parent, label)
    found = find_volume(mask, volumes) if label else None
    if label and found is None:
        return entries, [f"{path} names the mask {mask}, which is not there."]
    if found:
        entries.append(Entry(found, MASK, case))
    return entries, []


def locate(home: PurePosixPath, stated: str) -> str:
    """The path from the top; half a character, as JSON can hold, becomes a “?”."""
    told = stated.encode(errors="replace").decode().replace("\\", "/")
    return posixpath.normpath(str(home / told))
