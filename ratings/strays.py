"""Finds stored files that no row names: put in, or left when a process was killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from django.db.models import Model

from ratings import files
from ratings.models import (
    Case,
    Companion,
    Mask,
    Original,
    ScoreImport,
    Study,
    Upload,
)

# What is computed lies in a folder of the case or study that it was computed of.
COMPUTED: dict[str, type[Model]] = {
    "derived": Case, "figures": Study, "bundles": Study,
}  # fmt: skip
# A file is on the disk before the row that will name it.
GRACE_SECONDS = 3600


def list_strays() -> Iterator[str]:
    """A sentence for each file that is not known."""
    found = sorted(list_stored())
    if not found:
        return
    # After the look at the disk: what came meanwhile has its row.
    named = list_named()
    owners = {
        folder: {str(pk) for pk in model._default_manager.values_list("pk", flat=True)}
        for folder, model in COMPUTED.items()
    }
    for path in found:
        folder, owner = PurePosixPath(path).parts[0], PurePosixPath(path).parts[1:2]
        if path not in named and not owners.get(folder, set()).intersection(owner):
            yield (
                f"No row names the stored file {path}: it was put in, or left when a "
                "process was killed. Remove it."
            )


def list_stored() -> Iterator[str]:
    """The names of stored files that have lain still for a while."""
    root, now = files.locate(""), time.time()
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.name in files.PASSING:
            continue
        for path in (folder, *folder.rglob("*")):
            relative = path.relative_to(root)
            hidden = any(part.startswith(".") for part in relative.parts)
            # One that goes meanwhile is no stray.
            with suppress(FileNotFoundError):
                if not hidden and path.is_file() and is_still(path, now):
                    yield relative.as_posix()


def is_still(path: Path, now: float) -> bool:
    """Also of one whose time lies ahead, which nothing of ours has written."""
    return not 0 <= now - path.stat().st_mtime < GRACE_SECONDS


def list_named() -> set[str]:
    """Every path that a row names."""
    columns = (
        (Case, "image_path"), (Companion, "path"), (Mask, "path"), (Original, "path"),
        (Upload, "path"), (ScoreImport, "rows_path"), (ScoreImport, "report_path"),
    )  # fmt: skip
    named = {
        path
        for model, column in columns
        for path in model._default_manager.order_by().values_list(column, flat=True)
    }
    for listed in ScoreImport.objects.values_list("files", flat=True):
        named |= {file["path"] for file in listed}
    return named
