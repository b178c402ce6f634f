"""Gives the verdict on all that a path holds, be it file, folder or zip; no trace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from ratings import archives, contents, files, images, importing
from ratings.archives import ArchiveRefused
from ratings.entries import is_hidden, is_volume
from ratings.images import Grid, Verdict
from ratings.mishaps import unreadable
from ratings.nifti import ImageRefused


def judge_path(path: Path, *, grid: Grid | None = None) -> Iterator[Verdict]:
    """A verdict for each NIfTI file of the path; where there is none, one says why.

    With a grid every file is a mask that must lie on it.
    """
    name = show(path)
    try:
        if path.is_dir():
            yield from judge_folder(path, grid)
        elif path.suffix.lower() == ".zip" and path.is_file():
            yield from judge_archive(path, grid)
        else:
            yield judge_file(path, name, grid)
    except ImageRefused as refusal:
        yield reject(name, refusal)
    except OSError as error:
        yield reject(name, unreadable(name, error))


def show(path: Path) -> str:
    """The path as text that can be printed, whatever its bytes are."""
    return os.fsencode(path).decode(errors="replace")


def reject(name: str, refusal: ImageRefused) -> Verdict:
    return Verdict(name, "reject", refusal.code, refusal.message)


def judge_file(path: Path, name: str, grid: Grid | None) -> Verdict:
    """The verdict on one file, under its full path, since names may repeat."""
    try:
        if not path.is_file():
            raise ImageRefused("missing", describe_missing(path, name))
        if grid is not None:
            return images.judge(path=path, name=name, kind="mask", grid=grid)
        return importing.examine(path=path, name=name).verdict
    except ImageRefused as refusal:
        return reject(name, refusal)
    except OSError as error:
        return reject(name, unreadable(name, error))


def describe_missing(path: Path, name: str) -> str:
    if path.is_symlink():
        return (
            f"{name}: this link leads to a file that is not here. Fetch the file "
            "first (of a DataLad set: datalad get)."
        )
    if path.exists():
        return f"{name}: this is no file. Give the path of a file, a folder or a zip."
    return f"{name}: there is no such file. Check the path."


def judge_folder(folder: Path, grid: Grid | None) -> Iterator[Verdict]:
    """Its NIfTI files in the order of their names; hidden and other files are not."""
    others: list[Path] = []
    faults: list[OSError] = []
    found = False
    for path in walk(folder, faults):
        if is_volume(path.name):
            found = True
            yield judge_file(path, show(path), grid)
        else:
            others.append(path)
    for error in faults:
        place = show(Path(error.filename or folder))
        yield reject(place, unreadable(place, error))
    if not found and not faults:
        told = contents.describe(show(folder), contents.peek(others))
        raise ImageRefused("no_files", told)


def walk(folder: Path, faults: list[OSError]) -> Iterator[Path]:
    """Every file but hidden ones; links to folders are not followed."""
    for top, folders, names in os.walk(folder, onerror=faults.append):
        folders[:] = sorted(f for f in folders if not is_hidden(f))
        yield from (Path(top, name) for name in sorted(names) if not is_hidden(name))


def judge_archive(path: Path, grid: Grid | None) -> Iterator[Verdict]:
    """The NIfTI files of a zip, within the limits of an upload, one at a time."""
    name = show(path)
    if path.stat().st_size > settings.UPLOAD_LIMIT_BYTES:
        raise ImageRefused(
            "too_large",
            f"{name}: more than the limit of "
            f"{settings.UPLOAD_LIMIT_BYTES / 2**20:,.0f} MiB a zip. Split it.",
        )
    try:
        entries = archives.list_files(path, name=name)
    except ArchiveRefused as refusal:
        raise ImageRefused("zip", str(refusal)) from refusal
    volumes = sorted(entry for entry in entries if is_volume(entry))
    if not volumes:
        told = contents.describe(name, ((entry, b"") for entry in entries))
        raise ImageRefused("no_files", told)
    with TemporaryDirectory() as folder:
        for entry in volumes:
            yield judge_entry(path, entry, Path(folder, "entry"), grid)


def judge_entry(path: Path, entry: str, place: Path, grid: Grid | None) -> Verdict:
    name = f"{show(path)}/{entry}"
    try:
        files.receive_stream(place, archives.read_file(path, entry, name=name))
    except ArchiveRefused as refusal:
        return Verdict(name, "reject", "zip", str(refusal))
    return judge_file(place, name, grid)
