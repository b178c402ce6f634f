"""Writes files so that they are whole and on the disk before anybody names them."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from uuid import UUID

from django.conf import settings

# Uploads that nobody has judged yet, and pictures that are painted again when wanted.
PASSING = ("quarantine", "pictures")
WRITTEN: ContextVar[list[Path] | None] = ContextVar("written", default=None)


@contextmanager
def taken_back() -> Iterator[None]:
    """Of a block that fails no file stays: no row will ever name what it wrote."""
    written: list[Path] = []
    around = WRITTEN.get()
    token = WRITTEN.set(written)
    try:
        yield
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    finally:
        WRITTEN.reset(token)
    if around is not None:
        around.extend(written)


def write_durably(path: Path, data: bytes | Iterable[bytes]) -> str:
    """Write to a temporary name, fsync, rename; the SHA-256 of the data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    digest = hashlib.sha256()
    try:
        with partial.open("wb") as stream:
            for chunk in (data,) if isinstance(data, bytes) else data:
                stream.write(chunk)
                digest.update(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        note_written(path)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return digest.hexdigest()


def note_written(path: Path) -> None:
    if (written := WRITTEN.get()) is not None:
        written.append(path)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def receive_stream(path: Path, chunks: Iterable[bytes]) -> int:
    """Store an upload as it arrives; the number of bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with path.open("wb") as stream:
        for chunk in chunks:
            stream.write(chunk)
            size += len(chunk)
    return size


def locate(relative: str) -> Path:
    """The place of a stored file, whose name the database holds."""
    return Path(settings.FILES_DIR) / relative


def new_name(*, folder: str, suffix: str) -> str:
    """A fresh random name, which says nothing of content or order."""
    return f"{folder}/{secrets.token_hex(16)}{suffix}"


def name_derived_folder(case_id: UUID) -> str:
    """Where all lies that was computed of a case's image and is to go with it."""
    return f"derived/{case_id}"


def remove_derived(case_id: UUID) -> None:
    shutil.rmtree(locate(name_derived_folder(case_id)), ignore_errors=True)


def remove(relative: str) -> None:
    if relative:
        locate(relative).unlink(missing_ok=True)
