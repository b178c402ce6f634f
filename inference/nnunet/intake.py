"""Takes the few files of a model that are needed out of a folder or a zip, warily."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from inference.errors import ModelError

WANTED = re.compile(
    r"(?:dataset\.json|plans\.json|fold_(?:\d{1,2}|all)/checkpoint_(?:final|best)\.pth)"
)
FOLD = re.compile(r"fold_(?:\d{1,2}|all)(?:/|$)")
MOST_MEMBERS = 10_000
MOST_FILES = 60
MOST_RATIO = 100
LARGEST_JSON = 16 * 2**20
LARGEST_CHECKPOINT = 8 * 2**30
BLOCK = 2**20


@dataclass(frozen=True)
class Member:
    """A wanted file: its name within the model, and where it is in the source."""

    name: str
    place: str


def take(*, source: Path, target: Path) -> dict[str, str]:
    """Copy the wanted files of `source` into `target`; their SHA-256 by name.

    Nothing else is read. Raises ModelError, naming the file and the rule.
    """
    if source.is_dir():
        return take_from_folder(source, target)
    if not zipfile.is_zipfile(source):
        raise ModelError(f"{source.name} is neither a folder nor a zip archive.")
    try:
        with zipfile.ZipFile(source) as archive:
            return take_from_zip(archive, target)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as problem:
        raise ModelError(f"{source.name} is a damaged zip: {problem}.") from problem


def take_from_folder(source: Path, target: Path) -> dict[str, str]:
    members = choose(list_folder(source))
    digests = {}
    for member in members:
        path = source / member.place
        if path.is_symlink() or path.parent.is_symlink():
            raise ModelError(
                f"{member.place} is a symbolic link; copy the file itself."
            )
        if not path.is_file():
            raise ModelError(f"{member.place} is no ordinary file.")
        with path.open("rb") as stream:
            digests[member.name] = copy(stream, target, member)
    return digests


def list_folder(source: Path) -> Iterator[str]:
    """Names down to the depth at which a model's files lie."""
    for pattern in ("*", "*/*", "*/*/*"):
        for path in sorted(source.glob(pattern)):
            yield path.relative_to(source).as_posix()


def take_from_zip(archive: zipfile.ZipFile, target: Path) -> dict[str, str]:
    entries = archive.infolist()
    if len(entries) > MOST_MEMBERS:
        raise ModelError(f"The zip has {len(entries)} entries, over {MOST_MEMBERS}.")
    for entry in entries:
        check_entry(entry)
    digests = {}
    for member in choose(entry.filename for entry in entries):
        entry = archive.getinfo(member.place)
        if entry.flag_bits & 1:
            raise ModelError(f"{member.place} is encrypted; make the zip without.")
        packed = max(entry.compress_size, 1)
        if entry.file_size > MOST_RATIO * packed and entry.file_size > BLOCK:
            raise ModelError(
                f"{member.place} would grow {entry.file_size // packed} times when "
                f"unpacked, over {MOST_RATIO}: this is no trained model."
            )
        with archive.open(entry) as stream:
            digests[member.name] = copy(stream, target, member)
    return digests


def check_entry(entry: zipfile.ZipInfo) -> None:
    """Refuse the whole archive for one entry that tries to leave its folder."""
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in entry.filename:
        raise ModelError(f"The zip names the path {entry.filename!r}, outside of it.")
    mode = entry.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ModelError(f"{entry.filename!r} in the zip is a link or a device.")


def choose(names: Iterable[str]) -> list[Member]:
    """The wanted files, all below the one folder that holds plans.json."""
    found = sorted(names)
    homes = {
        PurePosixPath(name).parent
        for name in found
        if PurePosixPath(name).name == "plans.json"
        and len(PurePosixPath(name).parts) <= 2
    }
    if len(homes) != 1:
        raise ModelError(
            f"It holds {len(homes)} trained models; give the folder that contains "
            "plans.json, dataset.json and the fold_* folders."
        )
    (home,) = homes
    members = [
        Member(PurePosixPath(name).relative_to(home).as_posix(), name)
        for name in found
        if PurePosixPath(name).is_relative_to(home)
    ]
    wanted = [member for member in members if WANTED.fullmatch(member.name)]
    check_members([member.name for member in wanted])
    check_folds([member.name for member in members])
    return wanted


def check_members(names: list[str]) -> None:
    for name in sorted(set(names)):
        if names.count(name) > 1:
            raise ModelError(f"{name} is in the zip {names.count(name)} times.")
    if "dataset.json" not in names:
        raise ModelError("dataset.json is missing beside plans.json; copy it too.")
    if len(names) > MOST_FILES:
        raise ModelError(f"It has {len(names)} files of folds, over {MOST_FILES}.")


def check_folds(names: list[str]) -> None:
    """A fold's folder without a checkpoint means that a copy was cut short."""
    folds = {name.split("/")[0] for name in names if FOLD.match(name)}
    if not folds:
        raise ModelError("It holds no fold_* folder; copy the trained folds.")
    wanted = filter(WANTED.fullmatch, names)
    whole = {name.split("/")[0] for name in wanted if name.endswith(".pth")}
    for fold in sorted(folds - whole):
        raise ModelError(
            f"{fold} holds no checkpoint_final.pth or checkpoint_best.pth; copy it, "
            "or leave the fold out."
        )


def copy(stream: IO[bytes], target: Path, member: Member) -> str:
    """Copy one file, counting what really comes out; its SHA-256."""
    most = LARGEST_JSON if member.name.endswith(".json") else LARGEST_CHECKPOINT
    place = target / member.name
    place.parent.mkdir(exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with place.open("xb") as out:
        while block := stream.read(BLOCK):
            size += len(block)
            if size > most:
                raise ModelError(f"{member.place} is larger than {most >> 20} MiB.")
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()
