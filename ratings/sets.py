"""Brings a recognised test set in: from a plan of its files to judged uploads."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from django.contrib.auth.models import User

from ratings import arms, contents, importing, layouts, makers, sidecars
from ratings.entries import is_hidden, is_volume, tidy_arm
from ratings.importing import Origin
from ratings.layouts import Entry, Plan
from ratings.models import Study, Upload

SMALL = 5 * 2**20
TEXTS = (".json", ".csv", ".tsv", ".xlsx")
ROLES = {"image", "mask", "second", "cord", "levels", "soft"}


@dataclass(frozen=True)
class Folder:
    """A folder's plan, and where each file lies that the plan names."""

    plan: Plan
    places: dict[str, Path]

    def read(self, path: str) -> bytes:
        with self.places[path].open("rb") as stream:
            return stream.read(SMALL)

    def peek(self) -> Iterator[tuple[str, bytes]]:
        """Each file's name and first bytes, but for hidden ones."""
        shown = (place for path, place in self.places.items() if not is_hidden(path))
        return contents.peek(shown)

    @property
    def is_bare(self) -> bool:
        """Whether nothing in it is, or links to, a NIfTI file."""
        named = [*self.places, *(path for path, _ in self.plan.passed_over)]
        return not any(is_volume(path) and not is_hidden(path) for path in named)


OUTSIDE = "A link that leads out of the folder is not followed. Copy the file here."
NO_FOLDER = "A link to a folder is not followed. Copy the folder here."
NOWHERE = (
    "This link leads to a file that is not here. Fetch the file first (of a DataLad "
    "set: datalad get)."
)


def plan_folder(folder: Path) -> Folder:
    """The plan of a folder here; links that lead out of it are not followed."""
    home = folder.resolve()
    places: dict[str, Path] = {}
    passed, faults = [], []
    for path in sorted(folder.rglob("*")):
        shown = show_name(path.relative_to(folder))
        if why := explain_link(path, home):
            passed += [] if is_hidden(shown) else [(shown, why)]
        elif path.is_file():
            if shown in places:
                faults.append(f"{shown}: two names look the same as UTF-8. Rename one.")
            places.setdefault(shown, path)
    plan = layouts.plan(places, Folder(Plan("", ()), places).read)
    plan = add_others(plan, places)
    passed, faults = [*plan.passed_over, *passed], [*plan.faults, *faults]
    told = replace(plan, passed_over=tuple(passed), faults=tuple(faults))
    return Folder(told, places)


def add_others(plan: Plan, paths: Iterable[str]) -> Plan:
    """The plan, and why other files of a set that has volumes are left out."""
    paths = list(paths)
    if not any(is_volume(path) and not is_hidden(path) for path in paths):
        return plan
    return replace(plan, passed_over=(*plan.passed_over, *explain_others(paths)))


def explain_others(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What seems to be meant as part of the set and can't be read; a line a kind."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        if not is_hidden(path):
            found[contents.find_kind(path, b"")].append(path)
    for kind, remedy in contents.REMEDIES.items():
        if others := found[kind]:
            more = f", nor are {len(others) - 1} like it" if others[1:] else ""
            yield others[0], f"This is no NIfTI file{more}. {remedy}"


def explain_link(path: Path, home: Path) -> str:
    """Why a link is not followed; empty for what is none, or one that may be."""
    if not path.is_symlink():
        return ""
    if not path.exists():
        return NOWHERE
    if path.is_dir():
        return NO_FOLDER
    return "" if path.resolve().is_relative_to(home) else OUTSIDE


def show_name(path: Path) -> str:
    """The path as text that any database and page can hold, whatever its bytes are."""
    return os.fsencode(path.as_posix()).decode(errors="replace")


def make_origin(entry: Entry, *, study: Study, read: layouts.Read | None) -> Origin:
    """What the plan knows of a file, as it is kept with the upload."""
    label = tidy_arm(entry.arm)
    texts = [read(path) for path in entry.sidecars] if read is not None else []
    sidecar = sidecars.read_sidecars(texts)
    arm = arms.name_apart(study, label)
    return Origin(
        role=entry.role, arm=arm.key, arm_label=arm.label, case=entry.case,
        subject=entry.subject, strata=entry.strata, sidecar=sidecar.kept,
        dropped=sidecar.dropped,
    )  # fmt: skip


def receive_folder(
    *, study: Study, user: User, folder: Folder, arm: str = ""
) -> Iterator[Upload]:
    """Judge every file of the plan where it lies; one bad file stops no other.

    Masks of which no folder or table says what made them are of that arm, else as
    their names say, else manual.
    """
    for entry in makers.name_sources(folder.plan.entries, stated=arm):
        path = folder.places[entry.path]
        yield importing.take_in(
            study=study, user=user, name=PurePosixPath(entry.path).name, path=path,
            size=path.stat().st_size,
            origin=make_origin(entry, study=study, read=folder.read),
        )  # fmt: skip


def write_entries(plan: Plan, *, study: Study, read: layouts.Read) -> Iterator[Any]:
    """The plan's files as JSON, each with the origin that its upload is to state."""
    for entry in plan.entries:
        origin = make_origin(entry, study=study, read=read)
        yield {"path": entry.path, "origin": asdict(origin)}


def read_origin(told: Any, *, study: Study) -> Origin:
    """An origin as a browser states it, cut down to what it may state."""
    told = told if isinstance(told, dict) else {}
    role = str(told.get("role", ""))
    label = tidy_arm(str(told.get("arm_label", "")))
    sidecar = told.get("sidecar")
    kept = sidecar if isinstance(sidecar, dict) else {}
    arm = arms.name_apart(study, label)
    return Origin(
        role=role if role in ROLES else "",
        arm=arm.key,
        arm_label=arm.label,
        case=str(told.get("case", ""))[:300],
        subject=str(told.get("subject", ""))[:80],
        strata=cut_words(told.get("strata")),
        sidecar=sidecars.keep(kept),
        dropped=tuple(str(name)[:60] for name in cut_list(told.get("dropped"))),
    )


def cut_words(told: Any) -> dict[str, str]:
    pairs = list(told.items())[:20] if isinstance(told, dict) else []
    return {str(k)[:40]: str(v)[:40] for k, v in pairs}


def cut_list(told: Any) -> Iterable[Any]:
    return told[:200] if isinstance(told, list) else ()
