"""Files that arrive piece by piece and go on where they broke off (tus 1.0, R15)."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from ratings import files, storage
from ratings.models import Study, Transfer

PIECE = 2**18
KEEP_DAYS = 7
MOST_OPEN = 200
RESERVE = 2**30
# So long after its last byte a file still counts as being sent.
BUSY = timedelta(minutes=1)


class TransferRefused(Exception):
    """Why a transfer can't begin or go on: an HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def begin(
    *, study: Study, user: User, name: str, size: int, origin: dict[str, Any]
) -> Transfer:
    """Make room for a file of that size; the same file asked for again goes on."""
    sweep()
    if size > settings.UPLOAD_LIMIT_BYTES:
        raise TransferRefused(
            413,
            f"{name}: {size / 2**20:,.0f} MiB are more than the limit of "
            f"{settings.UPLOAD_LIMIT_BYTES / 2**20:,.0f} MiB a file.",
        )
    folder = files.locate("quarantine")
    if not storage.is_writable():
        raise TransferRefused(
            507, f"{name}: the server's disk can't be written. Tell its operator."
        )
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < size + RESERVE:
        raise TransferRefused(
            507, f"{name}: the server's disk is nearly full. Tell its operator."
        )
    if study.transfers.count() >= MOST_OPEN:
        raise TransferRefused(
            429,
            f"{MOST_OPEN} files are unfinished. Finish or discard them first.",
        )
    made = Transfer.objects.create(
        study=study, user=user, name=name[:255], size=size, origin=origin
    )
    files.locate(made.path).touch()
    return made


def find_offset(transfer: Transfer) -> int:
    """What lies on the disk is what was received, whatever anybody remembers."""
    try:
        return files.locate(transfer.path).stat().st_size
    except FileNotFoundError:
        return 0


@dataclass(frozen=True)
class Unfinished:
    """A file of which a part has arrived: how much, when last, and from whom."""

    transfer: Transfer
    offset: int
    at: datetime
    busy: bool

    @property
    def percent(self) -> int:
        """Rounded down, so that only a whole file is at 100."""
        return 100 * self.offset // (self.transfer.size or 1)


def list_unfinished(study: Study) -> list[Unfinished]:
    """What lies unfinished in a study, by whomever it is sent; the latest first."""
    kept = timezone.now() - timedelta(days=KEEP_DAYS)
    found = study.transfers.filter(touched_at__gte=kept).select_related("user")
    rows = [describe(transfer) for transfer in found]
    return sorted(rows, key=lambda row: row.at, reverse=True)


def describe(transfer: Transfer) -> Unfinished:
    try:
        # newer than the row while a long piece is on its way
        seconds = files.locate(transfer.path).stat().st_mtime
    except FileNotFoundError:
        seconds = 0
    at = max(transfer.touched_at, datetime.fromtimestamp(seconds, UTC))
    busy = timezone.now() - at < BUSY
    return Unfinished(transfer, find_offset(transfer), at, busy)


@contextmanager
def hold(transfer: Transfer) -> Iterator[BinaryIO]:
    """The part file for one writer alone; a second one is told to wait."""
    with files.locate(transfer.path).open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TransferRefused(
                423, f"{transfer.name} is being sent from another window."
            ) from error
        yield stream


def append(
    transfer: Transfer, *, offset: int, read: Callable[[int], bytes], digest: str = ""
) -> int:
    """Add what arrives at that offset; the new offset. What breaks off is kept.

    With a digest (SHA-256, hex) of the piece, a piece that differs is taken back.
    """
    with hold(transfer) as stream:
        start = os.fstat(stream.fileno()).st_size
        if offset != start:
            raise TransferRefused(409, f"{transfer.name} goes on at byte {start}.")
        seen = hashlib.sha256()
        try:
            copy(transfer, stream, start, read, seen)
        finally:
            stream.flush()
            os.fsync(stream.fileno())
            note_piece(transfer)
        if digest and seen.hexdigest() != digest:
            os.ftruncate(stream.fileno(), start)
            raise TransferRefused(460, f"{transfer.name}: a piece arrived damaged.")
    return find_offset(transfer)


def note_piece(transfer: Transfer) -> None:
    """It is in use; one that was discarded meanwhile leaves no file either."""
    found = Transfer.objects.filter(pk=transfer.pk)
    if not found.update(touched_at=timezone.now()):
        files.remove(transfer.path)
        raise TransferRefused(
            404, f"{transfer.name} was discarded meanwhile. Send it again."
        )


def copy(
    transfer: Transfer,
    stream: BinaryIO,
    at: int,
    read: Callable[[int], bytes],
    seen: Any,
) -> None:
    while piece := read(PIECE):
        at += len(piece)
        if at > transfer.size:
            raise TransferRefused(
                413, f"{transfer.name}: more arrives than was announced."
            )
        stream.write(piece)
        seen.update(piece)


def complete(transfer: Transfer, *, sha256: str) -> Path:
    """The whole file, if it is whole and has the digest of the sender's file."""
    path = files.locate(transfer.path)
    if find_offset(transfer) != transfer.size:
        raise TransferRefused(
            409, f"{transfer.name} is not whole yet; send the rest first."
        )
    if transfer.sha256 != sha256:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != sha256.lower():
            discard(transfer)
            raise TransferRefused(
                422,
                f"{transfer.name}: what arrived is not what was sent (its SHA-256 "
                "differs). Choose the file again.",
            )
        transfer.sha256 = sha256.lower()
        note_piece(transfer)
        Transfer.objects.filter(pk=transfer.pk).update(sha256=transfer.sha256)
    return path


def discard(transfer: Transfer) -> None:
    files.remove(transfer.path)
    transfer.delete()


def discard_some(*, study: Study, ids: Iterable[UUID]) -> list[str]:
    """Let go of these, whoever began them; their names. What is over by now is not."""
    found = list(study.transfers.filter(pk__in=ids).order_by("name"))
    for transfer in found:
        discard(transfer)
    return [transfer.name for transfer in found]


def sweep() -> None:
    """Let go of what nobody went on with for a week."""
    old = timezone.now() - timedelta(days=KEEP_DAYS)
    for transfer in Transfer.objects.filter(touched_at__lt=old):
        discard(transfer)
