"""Numbered amendments: words of a locked protocol change, with a reason, on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ratings import audit, giveaways, signing
from ratings.models import ProtocolVersion, Signature, Study
from ratings.signing import SigningRefused

# What an amendment may touch. Nothing here was drawn, shown as an item or scored.
PARTS = {
    "contact": "Contact for raters",
    "instructions": "Instructions for raters",
    "missing": "Rule for missing scores",
    "notes": "Further notes",
}
WITHIN_ANALYSIS = ("missing", "notes")
OPEN_TO_CHANGE = (Study.State.LOCKED, Study.State.COLLECTING, Study.State.CLOSED)


class AmendmentRefused(Exception):
    """Why the protocol stays as it is; a sentence."""


@dataclass(frozen=True)
class Change:
    """One part of the protocol before and after an amendment."""

    part: str
    before: str
    after: str

    @property
    def label(self) -> str:
        return PARTS[self.part]


@dataclass(frozen=True)
class Amendment:
    """A later version of the protocol and what it changed."""

    version: ProtocolVersion
    changes: tuple[Change, ...]


def may_amend(study: Study) -> bool:
    return study.state in OPEN_TO_CHANGE and study.protocol is not None


def amend(
    *,
    study: Study,
    actor: User,
    password: str,
    reason: str,
    texts: Mapping[str, str],
    after: int,
) -> ProtocolVersion:
    """Store the next version of the protocol, signed and on record.

    `after` is the number of the version that the writer saw. Raises AmendmentRefused,
    with nothing written, when the study's state, the reason, the parts, a colleague's
    amendment in between or the password forbid it.
    """
    try:
        with transaction.atomic():
            held = audit.hold(study.pk)
            last = find_last(held)
            check(held, last, reason, texts, after)
            document = change(last.document, held, texts)
            changes = compare(read_parts(last.document, held), texts)
            if not changes:
                raise AmendmentRefused("Nothing was changed, so there is no amendment.")
            refuse_telling_words(held, changes)
            version = ProtocolVersion.objects.create(
                study=held, number=last.number + 1, document=document, by=actor,
                sha256=audit.digest(document), reason=reason.strip(),
            )  # fmt: skip
            signing.sign(
                study=held, user=actor, password=password,
                meaning=Signature.Meaning.AMEND, digest=version.sha256,
            )  # fmt: skip
            put_on_record(version, actor, changes)
            follow(held, document)
    except SigningRefused as refusal:
        raise AmendmentRefused(str(refusal)) from refusal
    return version


def find_last(study: Study) -> ProtocolVersion:
    last = study.protocol_versions.order_by("number").last()
    if last is None:
        raise AmendmentRefused("The study is not locked; change it under Design.")
    return last


def check(
    study: Study, last: ProtocolVersion, reason: str, texts: Mapping[str, str],
    after: int,
) -> None:  # fmt: skip
    if not may_amend(study):
        raise AmendmentRefused(
            f"The study is {study.get_state_display().lower()}. Its protocol can be "
            "amended after the lock and before unblinding."
        )
    if not reason.strip():
        raise AmendmentRefused("Give a reason; it is put on record.")
    foreign = sorted(texts.keys() - PARTS.keys())
    if foreign:
        raise AmendmentRefused(
            f"“{foreign[0]}” can't be amended: it was drawn or scored as it was locked."
        )
    if after != last.number:
        raise AmendmentRefused(
            f"Somebody else made version {last.number} of the protocol meanwhile. Read "
            "it, then amend again."
        )


def refuse_telling_words(study: Study, changes: tuple[Change, ...]) -> None:
    """Raters read these words at once: a name not written before stays unwritten."""
    for change in changes:
        if change.part in WITHIN_ANALYSIS:
            continue
        known = giveaways.find_sources(study, change.before)
        found = giveaways.find_sources(study, change.after)
        if word := next((found[name] for name in found if name not in known), ""):
            raise AmendmentRefused(
                f"“{word}” under {change.label.lower()} is the name of a source in "
                "this study, and raters would read it. Say it in other words."
            )


def read_parts(document: Mapping[str, Any], study: Study) -> dict[str, str]:
    """The parts as that version says them; the first said nothing of the contact."""
    analysis = document.get("analysis", {})
    return {
        "contact": document.get("contact", study.contact),
        "instructions": document.get("instructions", ""),
        **{part: analysis.get(part, "") for part in WITHIN_ANALYSIS},
    }


def compare(before: Mapping[str, str], texts: Mapping[str, str]) -> tuple[Change, ...]:
    """What differs in more than the ends of lines."""
    return tuple(
        Change(part, before[part], tidy(texts[part]))
        for part in PARTS
        if part in texts and tidy(texts[part]) != tidy(before[part])
    )


def tidy(text: str) -> str:
    return "\n".join(text.strip().splitlines())


def change(
    document: dict[str, Any], study: Study, texts: Mapping[str, str]
) -> dict[str, Any]:
    """The next document: the same but for what was typed differently."""
    found = {c.part: c.after for c in compare(read_parts(document, study), texts)}
    analysis = {part: found.pop(part) for part in WITHIN_ANALYSIS if part in found}
    return {
        **document, **found,
        "analysis": {**document.get("analysis", {}), **analysis},
    }  # fmt: skip


def put_on_record(
    version: ProtocolVersion, actor: User, changes: tuple[Change, ...]
) -> None:
    audit.record(
        study=version.study, actor=actor, verb="amended",
        payload={
            "version": version.number, "protocol": version.sha256,
            "reason": version.reason, "parts": [change.part for change in changes],
        },
    )  # fmt: skip


def follow(study: Study, document: Mapping[str, Any]) -> None:
    """Raters read the amended words; the locked protocol stays in the study's row."""
    study.contact = document.get("contact", study.contact)
    study.instructions = document["instructions"]
    study.save(update_fields=["contact", "instructions"])


def list_amendments(study: Study) -> list[Amendment]:
    """Every version after the first, oldest first, with what it changed."""
    versions = list(study.protocol_versions.select_related("by").order_by("number"))
    found = []
    for earlier, version in pairwise(versions):
        after = read_parts(version.document, study)
        before = read_parts(earlier.document, study)
        if "contact" in version.document and "contact" not in earlier.document:
            before["contact"] = ""
        found.append(Amendment(version, compare(before, after)))
    return found


def strip_parts(document: Mapping[str, Any]) -> dict[str, Any]:
    """What no amendment may touch: everything but the parts."""
    kept = {key: value for key, value in document.items() if key not in PARTS}
    analysis = document.get("analysis", {})
    kept["analysis"] = {k: v for k, v in analysis.items() if k not in WITHIN_ANALYSIS}
    return kept
