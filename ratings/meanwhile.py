"""What somebody else stored since a page was opened: who, when, and what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from ratings import audit
from ratings.models import AuditEntry


@dataclass(frozen=True)
class Difference:
    """One part that is stored otherwise than somebody just wrote it."""

    name: str
    stored: str
    wished: str


class Stale(Exception):
    """Nothing was stored, as another change was first; what both say, part by part.

    `last` is the record of that change.
    """

    def __init__(self, last: AuditEntry | None, differences: list[Difference]) -> None:
        first = differences[0]
        super().__init__(
            f"Somebody else was first. {first.name}: now “{first.stored}”, you wrote "
            f"“{first.wished}”."
        )
        self.by, self.at = tell_last(last)
        self.last, self.differences = last, differences


def was_self(last: AuditEntry | None, user: User) -> bool:
    """Whether one's own other window was first, and no colleague."""
    return last is not None and audit.is_by(last, user)


def tell_last(entry: AuditEntry | None) -> tuple[str, str]:
    """By whom and when the other version was stored, for people to read."""
    if entry is None:
        return "Somebody", ""
    at = f"{datetime.fromisoformat(entry.at):%-d %b %Y, %H:%M} UTC"
    return audit.tell_actor(entry), at
