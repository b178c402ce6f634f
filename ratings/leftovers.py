"""Removes what an upload or a job left behind when its process was killed."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from ratings import files
from ratings.models import Transfer

log = logging.getLogger(__name__)
# Longer than any upload or job goes without writing to what it has there.
KEEP_SECONDS = 24 * 3600


def sweep() -> int:
    """Remove what passes through and has been still for a day; how many there were."""
    places = (Path(settings.FILE_UPLOAD_TEMP_DIR), files.locate("quarantine"))
    still = [path for place in places for path in list_still(place)]
    if not still:
        return 0
    # After the look: a transfer has its row before its file.
    named = {files.locate(transfer.path) for transfer in Transfer.objects.all()}
    left = [path for path in still if path not in named]
    for path in left:
        remove(path)
    if left:
        log.warning("%d uploads that broke off a day ago were removed.", len(left))
    return len(left)


def list_still(place: Path) -> Iterator[Path]:
    """What nobody has written to for a day, folders with all that is in them."""
    before = time.time() - KEEP_SECONDS
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        with suppress(FileNotFoundError):
            if all(one.lstat().st_mtime < before for one in (path, *path.rglob("*"))):
                yield path


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
