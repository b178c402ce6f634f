"""Checks all that the record says against all that is stored; names what differs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from ratings import amending, audit, evidence, files, signing
from ratings.models import (
    AuditEntry,
    Case,
    Guess,
    Mask,
    ProtocolVersion,
    Score,
    ScoreImport,
    Session,
    Signature,
    Study,
    Withdrawal,
)


def verify_study(study: Study, *, kept: str = "") -> list[str]:
    """A sentence for each row or file that is not what the record says.

    `kept` is a head of the record that an export printed, if one is at hand.
    """
    if study.preview_of_id:
        # Nothing of it is ever analysed, and it shares its draft's files.
        return audit.verify(study, kept=kept)
    entries = list(AuditEntry.objects.filter(study=study).order_by("n", "pk"))
    return [
        *audit.verify(study, kept=kept),
        *check_scores(study, entries),
        *check_guesses(study, entries),
        *check_items(study, entries),
        *check_latecomers(study, entries),
        *check_protocol(study, entries),
        *check_signatures(study, entries),
        *check_withdrawals(study, entries),
        *check_files(study),
        *check_moved(study, entries),
    ]


def check_scores(study: Study, entries: list[AuditEntry]) -> Iterator[str]:
    """Every score has its digest in the record, and every digest its score."""
    told: dict[tuple[str, str], str] = {}
    for entry in entries:
        if entry.verb in ("score", "adopted"):
            for key, rows in list_rows(entry.payload):
                told |= {(key, question): sha for question, sha in rows.items()}
    scores = Score.objects.filter(item__presentation__session__enrolment__study=study)
    for score in scores.select_related("item").order_by("pk"):
        sha = told.pop((str(score.client_key), score.question), None)
        row = f"Score row {score.pk} ({score.question}, revision {score.revision})"
        if sha is None:
            yield f"{row} is not in the record: it was inserted beside it."
        elif sha != audit.digest(evidence.describe_score(score, score.item.token)):
            yield f"{row} was changed after it was given."
    for key, question in told:
        yield f"The score with the key {key} ({question}) is missing."


def list_rows(payload: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    if "scores" in payload:
        return list(payload["scores"].items())
    return [(payload["key"], payload["rows"])]


def check_guesses(study: Study, entries: list[AuditEntry]) -> Iterator[str]:
    """Every guess of a source is the one that was given."""
    told = {
        e.payload["item"]: e.payload["digest"] for e in entries if e.verb == "guess"
    }
    guesses = Guess.objects.filter(item__presentation__session__enrolment__study=study)
    for guess in guesses.select_related("item").order_by("pk"):
        sha = told.pop(guess.item_id, None)
        own = audit.digest([guess.item.token, guess.guess, guess.confidence])
        if sha is None:
            yield f"Guess row {guess.pk} is not in the record."
        elif sha != own:
            yield f"Guess row {guess.pk} was changed after it was given."
    for item in told:
        yield f"The guess of item row {item} is missing."


def check_items(study: Study, entries: list[AuditEntry]) -> Iterator[str]:
    """Every item is the one that was drawn."""
    drawn = {
        (entry.payload["rater"], entry.payload["session"]): entry.payload["items"]
        for entry in entries
        if entry.verb == "drawn"
    }
    sessions = Session.objects.filter(enrolment__study=study)
    for session in sessions.select_related("enrolment").order_by("pk"):
        who = f"{session.enrolment.code}, session {session.number}"
        told = drawn.pop((session.enrolment.code, session.number), None)
        if told is None:
            yield f"{who}: its draw (session row {session.pk}) is not in the record."
            continue
        found = evidence.digest_items(session)
        for place in sorted(told.keys() | found.keys(), key=numbers):
            if place not in found:
                yield f"{who}: the item at {place} is missing."
            elif place not in told:
                yield f"{who}: the item at {place} was never drawn."
            elif told[place] != found[place]:
                yield f"{who}: the item at {place} was changed after the draw."
    for code, number in drawn:
        yield f"{code}, session {number}: the session is missing."


def check_latecomers(study: Study, entries: list[AuditEntry]) -> Iterator[str]:
    """What a later rater's order was drawn from is what the record says."""
    told = [
        {key: value for key, value in entry.payload.items() if key != "reason"}
        for entry in entries
        if entry.verb == "add_late_rater"
    ]
    if told != study.allocation_report.get("late", []):
        yield "The raters who came after the lock are not those on record."


def numbers(place: str) -> list[int]:
    return [int(part) for part in place.split("/")]


def check_protocol(study: Study, entries: list[AuditEntry]) -> Iterator[str]:
    """Every version has the hash on record, and the study is what they say it is."""
    told = {
        entry.payload.get("version", 1): entry.payload["protocol"]
        for entry in entries
        if entry.verb in ("locked", "amended")
    }
    versions = {v.number: v for v in ProtocolVersion.objects.filter(study=study)}
    for number in sorted(told.keys() | versions.keys()):
        if number not in versions:
            yield f"Version {number} of the protocol is missing."
            continue
        version = versions[number]
        shas = {told.get(number), version.sha256, audit.digest(version.document)}
        if len(shas) > 1:
            yield f"Version {number} of the protocol (row {version.pk}) was changed."
        if number > 1:
            yield from check_amendment(version, versions.get(1), entries)
    yield from check_words(study, versions)
    if 1 in told and {study.protocol_sha256, audit.digest(study.protocol)} != {told[1]}:
        yield "The protocol that the study holds was changed after the lock."
    # Scores from elsewhere were unblinded there, which their import puts on record.
    verbs = [{"import_scores": "unblinded"}.get(e.verb, e.verb) for e in entries]
    states = [verb for verb in verbs if verb in Study.State.values]
    if study.state != (states[-1] if states else Study.State.DRAFT):
        yield f"The study's state, {study.state}, is not the last one on record."


def check_amendment(
    version: ProtocolVersion, first: ProtocolVersion | None, entries: list[AuditEntry]
) -> Iterator[str]:
    """An amendment is the one on record, and touches nothing drawn or scored."""
    row = f"Version {version.number} of the protocol (row {version.pk})"
    told = [e for e in entries if e.verb == "amended"]
    kept = [e for e in told if e.payload.get("version") == version.number]
    if any(
        not audit.is_by(e, version.by) or e.payload["reason"] != version.reason
        for e in kept
    ):
        yield f"{row} has another author or reason than the record says."
    if first and amending.strip_parts(version.document) != amending.strip_parts(
        first.document
    ):
        yield f"{row} changes what was locked for good."


def check_words(study: Study, versions: dict[int, ProtocolVersion]) -> Iterator[str]:
    """Raters read the words of the last version."""
    if not versions:
        return
    document = versions[max(versions)].document
    for part in ("contact", "instructions"):
        now = getattr(study, part)
        if document.get(part, now) != now:
            yield f"The study's {part} differ from the last version of the protocol."


def check_signatures(study: Study, entries: list[AuditEntry]) -> Iterator[str]:
    """Every signature is on record as it is, and binds what is still there."""
    told = {e.payload["signature"]: e for e in entries if e.verb == "sign"}
    for signature in Signature.objects.filter(study=study).select_related("by"):
        row = f"Signature row {signature.pk} ({signature.name}, {signature.meaning})"
        entry = told.pop(signature.pk, None)
        if entry is None:
            yield f"{row} is not in the record."
        elif not is_as_signed(signature, entry):
            yield f"{row} was changed or moved."
        elif not signing.still_holds(signature):
            yield f"{row} is void: what was signed is no longer what is stored."
    for number in told:
        yield f"Signature row {number} is missing."


def is_as_signed(signature: Signature, entry: AuditEntry) -> bool:
    """Whether all is as on record; of an erased person the name is gone, rightly."""
    told, found = dict(entry.payload), signing.describe(signature)
    if signing.is_erased(signature):
        told["name"] = found["name"] = ""
    return told == found and audit.is_by(entry, signature.by)


def check_withdrawals(study: Study, entries: list[AuditEntry]) -> Iterator[str]:
    told = {
        e.payload["withdrawal"]: e.payload
        for e in entries
        if e.verb in ("withdraw_case", "withdraw_rater")
    }
    rows = Withdrawal.objects.filter(study=study).select_related("case", "enrolment")
    for row in rows:
        payload = told.pop(row.pk, None)
        label = row.case.label if row.case else None
        code = row.enrolment.code if row.enrolment else None
        if payload is None or (label, code, row.reason) != (
            payload["case"], payload.get("rater"), payload["reason"],
        ):  # fmt: skip
            yield f"Withdrawal row {row.pk} is not what the record says."
    for number in told:
        yield f"Withdrawal row {number} is missing."


def check_files(study: Study) -> Iterator[str]:
    """Every image and mask has the bytes, and the row the digest, of the lock."""
    frozen = study.protocol or {}
    told = {case["label"]: case for case in frozen.get("cases", ())}
    masks = {(label, arm): sha for label, arm, sha in frozen.get("masks", ())}
    for case in Case.objects.filter(study=study).order_by("label"):
        expected = told.get(case.label, {}).get("image", case.image_sha256)
        yield from check_file(
            f"The image of {case.label}", case.image_path, case.image_sha256, expected
        )
        if case.strata != told.get(case.label, {}).get("strata", case.strata):
            yield f"The strata of {case.label} are not those of the locked protocol."
        yield from check_companions(case, told.get(case.label, {}))
        for one in case.originals.all():
            what = f"An original of {case.label} ({one.get_kind_display()})"
            yield from check_file(what, one.path, one.sha256, one.sha256)
    found = Mask.objects.filter(case__study=study).select_related("case", "arm")
    for mask in found.order_by("case__label", "arm__key"):
        # Which arm it is stays unsaid: coordinators read this before unblinding.
        expected = masks.get((mask.case.label, mask.arm.key), mask.sha256)
        what = f"A mask of {mask.case.label} (row {mask.pk})"
        yield from check_file(what, mask.path, mask.sha256, expected)


def check_companions(case: Case, told: dict[str, Any]) -> Iterator[str]:
    """Second series, cord mask and further maps are those of the lock."""
    for companion in case.companions.all():
        frozen = {"second": told.get("context"), **told.get("maps", {})}
        expected = frozen.get(companion.kind) or companion.sha256
        what = f"The {companion.get_kind_display()} of {case.label}"
        yield from check_file(what, companion.path, companion.sha256, expected)


def check_moved(study: Study, entries: list[AuditEntry]) -> Iterator[str]:
    """Scores that were given elsewhere are those whose import is on record."""
    found = ScoreImport.objects.filter(study=study).first()
    if found is None:
        return
    imports = [e.payload for e in entries if e.verb == "import_scores"]
    told: dict[str, Any] = imports[0] if imports else {}
    if study.protocol_sha256 != audit.digest(study.protocol):
        yield "What was decided at the import was changed afterwards."
    held = (study.protocol or {}).get("moved", {}).get("rows", "")
    rows = told.get("rows", "")
    yield from check_file("The table of imported scores", found.rows_path, held, rows)
    kept = {file["name"]: file for file in found.files}
    for file in told.get("files", []):
        one = kept.get(file["name"], {"path": "", "sha256": ""})
        what = f"The imported file {file['name']}"
        yield from check_file(what, one["path"], one["sha256"], file["sha256"])


def check_file(what: str, path: str, stored: str, expected: str) -> Iterator[str]:
    if stored != expected:
        yield f"{what} has another digest than the locked protocol."
    try:
        data = files.locate(path).read_bytes()
    except OSError:
        yield f"{what}: its file is missing or can't be read."
        return
    if hashlib.sha256(data).hexdigest() != expected:
        yield f"{what}: its file was changed since it was stored."
