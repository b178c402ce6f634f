"""Which version of the product this is, for what it makes to say so."""

from __future__ import annotations

import re
from pathlib import Path

CHANGES = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def read_version() -> str:
    """The newest heading of the change log, such as 0.1.0."""
    found = re.search(r"^## v?(\d+\.\d+\.\d+)", CHANGES.read_text(), re.MULTILINE)
    return found[1] if found else ""
