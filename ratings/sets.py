"""Brings a recognised test set in: from a plan of its files to judged uploads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from django.contrib.auth.models import User

from ratings import arms, importing, layouts, sidecars
from ratings.importing import Origin
from ratings.layouts import Entry, Plan
from ratings.models import Study, Upload

SMALL = 5 * 2**20
TEXTS = (".json", ".csv", ".tsv", ".xlsx")
ROLES = {"image", "mask", "second", "cord", "levels", "soft"}


def plan_folder(folder: Path) -> tuple[Plan, layouts.Read]:
    """The plan of a folder here; links that lead out of it are not followed."""
    home = folder.resolve()
    paths = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.resolve().is_relative_to(home)
    ]

    def read(path: str) -> bytes:
        with (folder / path).open("rb") as stream:
            return stream.read(SMALL)

    return layouts.plan(paths, read), read


def make_origin(entry: Entry, *, study: Study, read: layouts.Read | None) -> Origin:
    """What the plan knows of a file, as it is kept with the upload."""
    label = " ".join(entry.arm.split())[:100]
    sidecar = sidecars.Sidecar({}, ())
    if entry.sidecar and read is not None:
        sidecar = sidecars.read_sidecar(read(entry.sidecar))
    arm = arms.name_apart(study, label)
    return Origin(
        role=entry.role, arm=arm.key, arm_label=arm.label, case=entry.case,
        subject=entry.subject, strata=entry.strata, sidecar=sidecar.kept,
        dropped=sidecar.dropped,
    )  # fmt: skip


def receive_folder(
    *,
    study: Study,
    user: User,
    folder: Path,
    plan: Plan,
    read: layouts.Read,
    tell: Callable[[Upload], None],
) -> list[Upload]:
    """Judge every file of the plan where it lies; one bad file stops no other."""
    made = []
    for entry in plan.entries:
        path = folder / entry.path
        upload = importing.take_in(
            study=study, user=user, name=PurePosixPath(entry.path).name, path=path,
            size=path.stat().st_size, origin=make_origin(entry, study=study, read=read),
        )  # fmt: skip
        tell(upload)
        made.append(upload)
    return made


def write_entries(plan: Plan, *, study: Study, read: layouts.Read) -> Iterator[Any]:
    """The plan's files as JSON, each with the origin that its upload is to state."""
    for entry in plan.entries:
        origin = make_origin(entry, study=study, read=read)
        yield {"path": entry.path, "origin": asdict(origin)}


def read_origin(told: Any, *, study: Study) -> Origin:
    """An origin as a browser states it, cut down to what it may state."""
    told = told if isinstance(told, dict) else {}
    role = str(told.get("role", ""))
    label = " ".join(str(told.get("arm_label", "")).split())[:100]
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
