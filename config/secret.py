"""Keeps the site's secret key in the data folder when the environment names none."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path


def keep_key(stored: Path) -> str:
    """The key in the file, made at the first call, for the owner's eyes alone."""
    if not stored.exists():
        stored.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=stored.parent, prefix=".secret")
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(64))
        # Linking a finished file: of two processes, one makes the key for both.
        with suppress(FileExistsError):
            os.link(draft, stored)
        os.unlink(draft)
    return stored.read_text().strip()
