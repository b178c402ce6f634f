"""Two append-only chains of hashes: a study's record, and who had access to what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction

from ratings.models import AccessEntry, AuditEntry, Study

GENESIS = "0" * 64
Entry = TypeVar("Entry", AuditEntry, AccessEntry)
TRIES = 50


def canonical_json(value: Any) -> str:
    """One spelling for equal values, so that digests can be compared."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def hold(study_id: UUID) -> Study:
    """The study as it is now; other writers of it wait until the transaction ends."""
    return Study.objects.select_for_update(no_key=True).get(pk=study_id)


def name_of(actor: User | AnonymousUser | None) -> str:
    """Who acted, by number: a chain can't forget, so no name goes into it."""
    if actor is None:
        return "system"
    return f"person-{actor.pk}" if actor.pk else "nobody"


def is_by(entry: AuditEntry | AccessEntry, user: User) -> bool:
    """Whether an entry names that person; entries of version 0.1 name the address."""
    if entry.actor.startswith("person-") or entry.actor in ("system", "nobody"):
        return entry.actor == name_of(user)
    return not user.email or entry.actor == user.get_username()


def tell_actor(entry: AuditEntry | AccessEntry) -> str:
    """The name of who acted, for people to read."""
    number = entry.actor.removeprefix("person-")
    if number == entry.actor:
        return entry.actor
    user = User.objects.filter(pk=number).first()
    return (user and (user.get_full_name() or user.email)) or f"{entry.actor} (erased)"


def record(
    *,
    study: Study,
    actor: User | AnonymousUser | None,
    verb: str,
    payload: dict[str, Any],
) -> AuditEntry:
    """Append to the study's record; concurrent writers queue on the study's row."""
    with transaction.atomic():
        queue = Study.objects.select_for_update(no_key=True).filter(pk=study.pk)
        queue.values_list("pk").get()
        last = AuditEntry.objects.filter(study=study).order_by("-n").first()
        entry = AuditEntry(study=study, actor=name_of(actor), verb=verb)
        return append(entry, last, payload)


def note_access(
    *,
    study: Study | None,
    actor: User | AnonymousUser | None,
    verb: str,
    payload: dict[str, Any],
) -> AccessEntry:
    """Append to the site's chain of access, so that reading changes no record."""
    for _ in range(TRIES):
        last = AccessEntry.objects.order_by("-n").first()
        entry = AccessEntry(study=study, actor=name_of(actor), verb=verb)
        try:
            with transaction.atomic():
                return append(entry, last, payload)
        except IntegrityError:
            # Somebody else took this number just now: the next one, then.
            continue
    raise IntegrityError(f"The chain of access gave no number in {TRIES} tries.")


def append(entry: Entry, last: Entry | None, payload: dict[str, Any]) -> Entry:
    entry.n = last.n + 1 if last else 1
    entry.previous = last.hash if last else GENESIS
    entry.payload = payload
    entry.at = now_text()
    entry.hash = compute_hash(entry)
    entry.save(force_insert=True)
    return entry


def head(study: Study) -> str:
    """The hash of the record's last entry: whoever keeps it notices any change."""
    last = AuditEntry.objects.filter(study=study).order_by("-n").first()
    return last.hash if last else GENESIS


def access_head() -> str:
    last = AccessEntry.objects.order_by("-n").first()
    return last.hash if last else GENESIS


def compute_hash(entry: AuditEntry | AccessEntry) -> str:
    return digest(
        [
            str(entry.study_id) if entry.study_id else None, entry.n, entry.previous,
            entry.actor, entry.verb, entry.payload, entry.at,
        ]
    )  # fmt: skip


def verify(study: Study, *, kept: str = "") -> list[str]:
    """A sentence for each entry that does not fit the record; none if it holds.

    `kept` is a head that was printed earlier: without it in the chain, the end of the
    record was cut off or the whole of it was written anew.
    """
    entries = AuditEntry.objects.filter(study=study).order_by("n", "pk")
    return verify_chain(entries.iterator(), "Entry", kept)


def verify_access(*, kept: str = "") -> list[str]:
    """The same of the chain of access."""
    entries = AccessEntry.objects.order_by("n", "pk")
    return verify_chain(entries.iterator(), "Access entry", kept)


def verify_chain(
    entries: Iterable[AuditEntry | AccessEntry], word: str, kept: str
) -> list[str]:
    faults = []
    previous, expected = GENESIS, 1
    seen = not kept or kept == GENESIS
    for entry in entries:
        if entry.n != expected:
            gap = f"{expected} is" if entry.n == expected + 1 else f"{expected} ff. are"
            faults.append(f"{word} {gap} missing before {entry.n} (row {entry.pk}).")
        if entry.previous != previous or entry.hash != compute_hash(entry):
            faults.append(
                f"{word} {entry.n} ({entry.verb}, row {entry.pk}) was changed or is "
                "not where it was written."
            )
        seen = seen or entry.hash == kept
        previous, expected = entry.hash, entry.n + 1
    if not seen:
        faults.append(
            f"{word} with the hash {kept[:16]}… is not in the chain: its end was cut "
            "off, or it was written anew."
        )
    return faults
