"""Says which folder can't be written, where the site needs it to start at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


@contextmanager
def name_unwritable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder {folder} can't be written ({error.strerror}): let this "
            "user write there, make room, or set DATA_DIR to another folder."
        ) from error
