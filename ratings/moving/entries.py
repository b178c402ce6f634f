"""One score as a file states it, before anybody has judged it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NOTHING: Mapping[str, str] = MappingProxyType({})


class MoveRefused(ValueError):
    """Files that can't be read as scores at all; the message says file and remedy."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A score as it stands in a file; `score` is text, None where there is none.

    `row` counts as a person does who opens the file: the header of a table is row 1,
    the first item of a report is item 1. `details` are the other columns of the long
    table that the file has, as text. `known` is False when the file names a case
    that the study's key does not have.
    """

    file: str
    row: int
    rater: str
    case: str
    arm: str
    score: str | None
    question: str = ""
    rep: str = ""
    details: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    known: bool = True


def fold(name: str) -> str:
    """What stays of a name when case, accents, punctuation and “Dr” are taken off."""
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z]+|\d+", text.casefold())
    kept = [word.lstrip("0") or "0" for word in words if word not in ("dr", "prof")]
    return "".join(kept) or name.casefold()


def find_alike(names: set[str]) -> list[tuple[str, ...]]:
    """Groups of different names that may well be one and the same."""
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(fold(name), set()).add(name)
    return sorted(tuple(sorted(found)) for found in groups.values() if len(found) > 1)
