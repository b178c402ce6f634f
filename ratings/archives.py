"""Opens a zip of a test set safely: claims are checked, and what comes is counted."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from django.conf import settings

from ratings.entries import is_hidden

MOST_FILES = 5000
MOST_RATIO = 300
PIECE = 2**20
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError,
              NotImplementedError, ValueError)  # fmt: skip


class ArchiveRefused(Exception):
    """Why a zip is not opened; a sentence with the remedy."""


def is_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) in (b"PK\3\4", b"PK\5\6")


def list_files(path: Path, *, name: str) -> list[str]:
    """The paths of its files; ArchiveRefused when any of it is not as it should be."""
    with open_zip(path, name=name) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MOST_FILES:
        raise ArchiveRefused(
            f"{name}: {len(infos)} files are more than the limit of {MOST_FILES}. "
            "Split it."
        )
    for info in infos:
        check_entry(info, name=name)
    paths = [info.filename for info in infos]
    if len(set(paths)) < len(paths):
        raise ArchiveRefused(f"{name}: a file stands in it twice. Zip the folder anew.")
    total, packed = (sum(getattr(i, k) for i in infos) for k in SIZES)
    if total > 20 * settings.UPLOAD_LIMIT_BYTES or total > MOST_RATIO * packed + 2**20:
        raise ArchiveRefused(
            f"{name}: it would unpack to {total / 2**20:,.0f} MiB, which is more than "
            "a test set holds. Zip .nii.gz files, in several parts if need be."
        )
    return [p for p in paths if not is_hidden(p)]


SIZES = ("file_size", "compress_size")


def check_entry(info: zipfile.ZipInfo, *, name: str) -> None:
    path = PurePosixPath(info.filename)
    # zipfile turns a backslash into nothing special; a person's unpacker may not
    if "\\" in info.orig_filename:
        raise ArchiveRefused(
            f"{name}: its paths are written with backslashes, which not every system "
            "reads alike. Zip the folder with the system's own program."
        )
    odd = "\0" in info.orig_filename
    if odd or path.is_absolute() or ".." in path.parts or ":" in info.filename:
        raise ArchiveRefused(
            f"{name}: it holds a path that leads elsewhere. Zip the folder anew."
        )
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind and kind != stat.S_IFREG:
        raise ArchiveRefused(
            f"{name}: it holds a link or device ({path.name}). Zip the files."
        )
    if info.flag_bits & 1:
        raise ArchiveRefused(f"{name}: it is encrypted. Zip it without a password.")
    if info.file_size > settings.UPLOAD_LIMIT_BYTES:
        raise ArchiveRefused(f"{name}: {path.name} is larger than a file may be.")


def open_zip(path: Path, *, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except UNREADABLE as error:
        raise ArchiveRefused(
            f"{name}: the zip is damaged or cut off. Make it again and upload it anew."
        ) from error


def read_file(path: Path, entry: str, *, name: str) -> Iterator[bytes]:
    """One file in pieces, no more of it than the zip says there is."""
    with open_zip(path, name=name) as archive:
        try:
            info = archive.getinfo(entry)
            with archive.open(info) as stream:
                left = info.file_size
                while piece := stream.read(min(PIECE, left + 1)):
                    left -= len(piece)
                    if left < 0:
                        raise ArchiveRefused(f"{name}: {entry} is longer than stated.")
                    yield piece
        except (KeyError, *UNREADABLE) as error:
            raise ArchiveRefused(
                f"{entry}: it can't be unpacked (damaged in the zip). Zip it anew."
            ) from error
