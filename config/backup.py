"""The whole site in one file, written while it runs, and put back into an empty one."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection

from config import rows
from ratings.files import PASSING, sync_folder

SCHEMA = "blindfold-backup-1"
MANIFEST = "manifest.json"
FOLDERS = ("files", "ensembles")
CHUNK = 2**20
TRIES = 5
# What reading a zip with a flipped bit or a foreign manifest can end with.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ArithmeticError,
    AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip
Say = Callable[[str], None]


class BackupRefused(Exception):
    """Why nothing was written or put back; a sentence with the remedy."""


def find_root(folder: str) -> Path:
    return Path(settings.FILES_DIR if folder == "files" else settings.ENSEMBLES_DIR)


def write_backup(target: Path, *, say: Say) -> Path:
    """Write database and files, read it all again, and only then give it its name."""
    if target.is_dir():
        target /= f"blindfold-{datetime.now(UTC):%Y-%m-%d-%H%M%S}.zip"
    if target.exists():
        raise BackupRefused(f"{target} exists already: name a new file.")
    if not target.parent.is_dir():
        raise BackupRefused(f"There is no folder {target.parent}: make it first.")
    if rows.is_empty():
        raise BackupRefused(
            f"The database has no tables. Is {settings.DATA_DIR} the site's DATA_DIR, "
            "and is DATABASE_URL set as it is for the site?"
        )
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        # What is in it is for whoever may read the data folder, and nobody else.
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_RDWR, 0o600), "w+b") as file:
            write_whole(file, say)
            file.flush()
            os.fsync(file.fileno())
        check_archive(partial)
        os.link(partial, target)
        sync_folder(target.parent)
    except OSError as error:
        raise BackupRefused(
            f"{target} could not be written: {error.strerror}."
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return target


def write_whole(file: IO[bytes], say: Say) -> None:
    """Again from the start where a file went that the rows may still name."""
    for _ in range(TRIES):
        written, named = write_archive(file, say)
        if named <= written:
            return
        say("Something was removed meanwhile: once more from the start.")
        file.seek(0)
        file.truncate()
    raise BackupRefused(
        "Cases or masks were removed each time while this ran. Run it again when "
        "nobody removes any."
    )


def write_archive(file: IO[bytes], say: Say) -> tuple[set[str], set[str]]:
    """The names of all that was written, and of the files the rows may name."""
    sums: dict[str, str] = {}
    before = {name for name, _ in list_files()}
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        with rows.hold_snapshot():
            applied = rows.list_applied()
            # what came since the first look, and has rows, may go before the last
            before |= {name for name, _ in list_files()}
            counts = {}
            for model in rows.list_models():
                table = model._meta.db_table
                lines = (line.encode() for line in rows.write_rows(model))
                name = f"database/{table}.jsonl"
                sums[name], counts[table] = add(archive, name, lines, packed=True)
            say(f"Database: {sum(counts.values())} rows.")
        # After the rows: a file is on the disk before any row names it.
        for name, path in list_files():
            with suppress(FileNotFoundError), path.open("rb") as stored:
                sums[name], _ = add(archive, name, read_chunks(stored), packed=False)
        say(f"Files: {len(sums) - len(counts)}.")
        manifest = {
            "schema": SCHEMA,
            "version": settings.VERSION,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "migrations": applied,
            "rows": counts,
            "sha256": sums,
        }
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return {*sums}, before


def add(
    archive: zipfile.ZipFile, name: str, parts: Iterator[bytes], *, packed: bool
) -> tuple[str, int]:
    """Write one entry part by part; its SHA-256 and how many parts there were."""
    entry = zipfile.ZipInfo(name)
    # Stored volumes are packed already.
    entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    digest, count = hashlib.sha256(), 0
    with archive.open(entry, "w", force_zip64=True) as out:
        for part in parts:
            out.write(part)
            digest.update(part)
            count += 1
    return digest.hexdigest(), count


def read_chunks(stored: IO[bytes]) -> Iterator[bytes]:
    while chunk := stored.read(CHUNK):
        yield chunk


def list_files() -> Iterator[tuple[str, Path]]:
    """What is stored, by the name it gets; neither halves nor what passes."""
    for folder in FOLDERS:
        root = find_root(folder)
        for path in sorted(root.rglob("*")):
            parts = path.relative_to(root).parts
            hidden = any(part.startswith(".") for part in parts)
            if path.is_file() and not hidden and parts[0] not in PASSING:
                yield f"{folder}/{PurePosixPath(*parts)}", path


def check_archive(source: Path) -> dict[str, Any]:
    """The manifest of a backup of which every byte is as it was written."""
    try:
        with zipfile.ZipFile(source) as archive:
            manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
            if manifest.get("schema") != SCHEMA:
                raise BackupRefused(
                    f"{source} is not a backup that this version reads."
                )
            if {*manifest["sha256"], MANIFEST} != set(archive.namelist()):
                raise BackupRefused(f"{source} lacks files, or holds others.")
            for name, expected in manifest["sha256"].items():
                with archive.open(name) as entry:
                    if hash_stream(entry) != expected:
                        raise BackupRefused(f"{source} is damaged: {name} changed.")
    except DAMAGE as error:
        raise BackupRefused(
            f"{source} is no whole backup ({error}): use another one."
        ) from error
    except OSError as error:
        raise BackupRefused(f"{source} can't be read: {error.strerror}.") from error
    return manifest


def hash_stream(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in read_chunks(stream):
        digest.update(chunk)
    return digest.hexdigest()


def restore_backup(source: Path, *, say: Say) -> None:
    """Check all of it, then fill an empty site; on a failure it is empty again."""
    manifest = check_archive(source)
    say(f"{source.name} is whole: version {manifest['version']}, {manifest['made']}.")
    state = [(app, name) for app, name in manifest["migrations"]]
    refuse_unless_fitting(manifest, state)
    try:
        with zipfile.ZipFile(source) as archive:
            for name in manifest["sha256"]:
                if not name.startswith("database/"):
                    put_file(archive, name)
            rows.make_tables(state)
            rows.load_rows(
                {table: read_lines(archive, table) for table in manifest["rows"]}, state
            )
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
    except (OSError, DatabaseError) as error:
        empty_again()
        reason = getattr(error, "strerror", None) or str(error).strip()
        raise BackupRefused(
            f"The backup could not be put back: {reason}. The place is empty again."
        ) from error
    except BaseException:
        empty_again()
        raise
    say("Database and files are back.")


def refuse_unless_fitting(
    manifest: dict[str, Any], state: list[tuple[str, str]]
) -> None:
    if rows.list_unknown(state):
        raise BackupRefused(
            f"The backup is of the newer version {manifest['version']}: install that "
            "version first."
        )
    if not rows.is_empty():
        raise BackupRefused(
            "The database has tables already. Restore into a new, empty one: set "
            "DATABASE_URL or DATA_DIR to it."
        )
    for folder in FOLDERS:
        root = find_root(folder)
        if root.exists() and any(root.iterdir()):
            raise BackupRefused(f"{root} is not empty. Restore into a new DATA_DIR.")


def put_file(archive: zipfile.ZipFile, name: str) -> None:
    folder, _, rest = name.partition("/")
    parts = PurePosixPath(rest).parts
    if folder not in FOLDERS or not parts or ".." in parts or parts[0] == "/":
        raise BackupRefused(f"The backup names a file outside the data folder: {name}")
    path = find_root(folder).joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as entry, path.open("wb") as out:
        shutil.copyfileobj(entry, out, CHUNK)
        out.flush()
        os.fsync(out.fileno())


def read_lines(archive: zipfile.ZipFile, table: str) -> Iterator[str]:
    with archive.open(f"database/{table}.jsonl") as entry:
        for line in entry:
            yield line.decode()


def empty_again() -> None:
    """Take away what a restore that failed had made; it was empty before."""
    for folder in FOLDERS:
        shutil.rmtree(find_root(folder), ignore_errors=True)
    quote = connection.ops.quote_name
    connection.close()
    if connection.vendor == "sqlite":
        for rest in ("", "-wal", "-shm"):
            Path(f"{connection.settings_dict['NAME']}{rest}").unlink(missing_ok=True)
        return
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"DROP TABLE {quote(table)} CASCADE")
