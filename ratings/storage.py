"""Tells in time that the data folder is getting full or can't be written."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from ratings import files
from ratings.models import Case, Mask

LEAST_FREE_BYTES = 500 * 2**20
SAMPLE = 20


def find_place() -> Path:
    """The folder of the stored files, or the nearest one above it that there is."""
    place = Path(settings.FILES_DIR)
    while not place.is_dir() and place != place.parent:
        place = place.parent
    return place


def find_fault() -> str:
    """A sentence when work could be lost soon, else nothing."""
    place = find_place()
    try:
        facts = os.statvfs(place)
    except OSError as error:
        return f"The data folder can't be reached ({error.strerror})."
    if not is_writable():
        return "The data folder can't be written: its disk is mounted read-only."
    if not holds_known():
        return (
            "None of the stored files is in the data folder: its disk is not "
            "mounted, or the folder was moved."
        )
    free = facts.f_bavail * facts.f_frsize
    if free < LEAST_FREE_BYTES:
        return f"The data folder's disk has {free // 10**6} MB left: make room."
    return ""


def is_writable() -> bool:
    place = find_place()
    read_only = os.statvfs(place).f_flag & os.ST_RDONLY
    return not read_only and os.access(place, os.W_OK)


def holds_known() -> bool:
    """Whether a file that the database names is there; else its disk is missing."""
    known = (Case.objects.values_list("image_path"), Mask.objects.values_list("path"))
    paths = [path for rows in known for (path,) in rows.order_by()[:SAMPLE]]
    return not paths or any(files.locate(path).is_file() for path in paths)


def has_room(size: int) -> bool:
    """Whether so many bytes fit without using up what scores need to be stored."""
    try:
        facts = os.statvfs(find_place())
        free = facts.f_bavail * facts.f_frsize
        return is_writable() and free - size >= LEAST_FREE_BYTES
    except OSError:
        return False
