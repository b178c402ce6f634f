"""The states of a study, and what moves it from one to the next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from ratings import (
    audit,
    blinding,
    drawing,
    evidence,
    finishing,
    frozen,
    obstacles,
    separating,
    signing,
)
from ratings.allocation import VERSION, Allocation, Burden, count_masks
from ratings.finishing import Rest
from ratings.models import (
    Enrolment,
    Item,
    Presentation,
    ProtocolVersion,
    Score,
    Session,
    Signature,
    Study,
    Unblinding,
)

State = Study.State
NEXT = {
    State.DRAFT: State.LOCKED,
    State.LOCKED: State.COLLECTING,
    State.COLLECTING: State.CLOSED,
    State.CLOSED: State.UNBLINDED,
}
STAMPS = {
    State.LOCKED: "locked_at",
    State.COLLECTING: "opened_at",
    State.CLOSED: "closed_at",
    State.UNBLINDED: "unblinded_at",
}


class ProtocolError(Exception):
    """An act that the study's state or content does not allow, with the remedy."""


def advance(*, study: Study, to: str, actor: User, payload: dict[str, Any]) -> None:
    """Move to the next state and put it on record; the caller checked the content."""
    current = audit.hold(study.pk)
    if NEXT.get(State(current.state)) != to:
        raise ProtocolError(
            f"The study is {current.get_state_display().lower()}, so it can't become "
            f"{State(to).label.lower()} now. Reload the page to see its state."
        )
    study.state = to
    setattr(study, STAMPS[State(to)], timezone.now())
    study.save(update_fields=["state", STAMPS[State(to)]])
    audit.record(study=study, actor=actor, verb=to, payload=payload)


def count_burden(study: Study) -> Burden:
    """How many masks each rater is to judge, before anything is drawn."""
    locked = study.protocol or {}
    # the protocol of a study that was moved here names no cases
    protocol = locked if "cases" in locked else frozen.describe_protocol(study)
    return count_masks(
        material=drawing.read_material(protocol), design=drawing.read_rules(protocol)
    )


def draw(study: Study) -> Allocation:
    """The allocation that the study's seed and protocol determine."""
    protocol = study.protocol or frozen.describe_protocol(study)
    return drawing.draw(protocol=protocol, seed=study.seed)


def lock(
    *, study: Study, actor: User, password: str | None = None, seen: str = ""
) -> None:
    """Freeze the protocol, draw and seal every rater's order.

    With a password the lock is signed; without one it is an operator's act, unsigned.
    `seen` is what tell_revision said of the study that the coordinator looked through.
    """
    checked = tell_revision(study)
    if seen not in ("", checked):
        raise ProtocolError(CHANGED)
    found = obstacles.find_hindrances(study, signed=password is not None)
    if found := found or list_leaks(study):
        raise ProtocolError(" ".join(found))
    with transaction.atomic():
        freeze(study, actor, checked=checked)
        allocation = draw(study)
        study.allocation_report = describe_balance(allocation)
        study.save(update_fields=["allocation_report"])
        if password is not None:
            sign(study, actor, password, Signature.Meaning.LOCK, study.protocol_sha256)
        commitment = drawing.commit_to(
            seed=study.seed, protocol_sha256=study.protocol_sha256,
            placements=allocation.placements,
        )  # fmt: skip
        advance(
            study=study, to=State.LOCKED, actor=actor,
            payload={
                "protocol": study.protocol_sha256, "commitment": commitment,
                "blinding_audit": "passed",
            },
        )  # fmt: skip
        blinding.seal(study=study, placements=allocation.placements)
        sessions = Session.objects.filter(enrolment__study=study)
        evidence.record_draws(
            study=study, actor=actor,
            sessions=sessions.order_by("enrolment__code", "number"),
        )  # fmt: skip


CHANGED = (
    "Somebody else changed the design, the cases or the raters meanwhile, so nothing "
    "was locked. Look through the checklist again, then lock."
)


def describe(study: Study) -> dict[str, Any]:
    """All that locking would freeze now."""
    return frozen.describe_protocol(study) | separating.freeze(study)


def tell_revision(study: Study) -> str:
    """Names all that a page says of a draft, so that no other draft is locked by it."""
    content = audit.digest(describe(study))
    return f"{study.design_revision}.{study.cases_revision}.{content}"


def freeze(study: Study, actor: User, *, checked: str) -> None:
    """The first version of the protocol, with the hash of its one spelling.

    `checked` is the revision that was found to be in order.
    """
    held = audit.hold(study.pk)
    if held.state != State.DRAFT:
        raise ProtocolError("The study is locked already. Reload the page.")
    if tell_revision(held) != checked:
        raise ProtocolError(CHANGED)
    study.refresh_from_db()
    study.protocol = describe(study)
    study.protocol_sha256 = audit.digest(study.protocol)
    study.save(update_fields=["protocol", "protocol_sha256"])
    ProtocolVersion.objects.create(
        study=study, document=study.protocol, sha256=study.protocol_sha256, by=actor
    )


def sign(study: Study, user: User, password: str, meaning: str, digest: str) -> None:
    try:
        signing.sign(
            study=study, user=user, password=password, meaning=meaning, digest=digest
        )
    except signing.SigningRefused as refusal:
        raise ProtocolError(str(refusal)) from refusal


def list_leaks(study: Study) -> list[str]:
    """Faults of the blinding audit, which must be mended before the lock."""
    # Here and not above: the audit draws and describes a copy of the study itself.
    from ratings.proof.auditing import audit_blinding, list_faults

    return list_faults(audit_blinding(study))


def describe_balance(allocation: Allocation) -> dict[str, Any]:
    """What the draw reached and what it could not, for coordinators and reviewers."""
    return {
        "version": VERSION,
        "distance": allocation.distance,
        "notes": list(allocation.notes),
        "spread_raters": allocation.spread_raters,
        "spread_cases": allocation.spread_cases,
    }


def open_study(*, study: Study, actor: User) -> None:
    with transaction.atomic():
        advance(study=study, to=State.COLLECTING, actor=actor, payload={})


@dataclass(frozen=True)
class Gap:
    """How many scores of a rater are missing; `left` is why the rater was withdrawn."""

    rater: str
    name: str
    left: str | None
    missing: int


def wanted_items(study: Study) -> QuerySet[Item]:
    """Items whose scores count; practice and withdrawn cases are no part of them."""
    return Item.objects.filter(
        presentation__session__enrolment__study=study,
        presentation__case__withdrawal=None,
    ).exclude(presentation__kind=Presentation.Kind.CALIBRATION)


def unscored_items(study: Study) -> QuerySet[Item]:
    """Those that nobody scored yet."""
    given = Score.objects.filter(item=OuterRef("pk"))
    return wanted_items(study).exclude(Exists(given))


def count_missing(study: Study) -> int:
    return unscored_items(study).count()


def list_gaps(study: Study) -> list[Gap]:
    """Every rater with missing scores; closing wants a sentence about each.

    Why a withdrawn rater's are missing was said at the withdrawal.
    """
    rater = "presentation__session__enrolment"
    columns = (
        f"{rater}__code", f"{rater}__user__first_name",
        f"{rater}__withdrawal__reason",
    )  # fmt: skip
    rows = unscored_items(study).values_list(*columns).annotate(missing=Count("pk"))
    return [Gap(*row) for row in rows.order_by(*columns)]


def close(
    *,
    study: Study,
    actor: User,
    dispositions: Mapping[str, str] | None = None,
    unfinished: Collection[str] = (),
) -> None:
    """End collecting for good; `dispositions` says why a rater's scores are missing.

    Who rated everything, but has not signed off or answered the source questions, can
    do neither afterwards, and is therefore named in `unfinished`.
    """
    with transaction.atomic():
        audit.hold(study.pk)
        given = {code: text.strip() for code, text in (dispositions or {}).items()}
        gaps = list_gaps(study)
        given = {g.rater: f"Withdrawn: {g.left}" for g in gaps if g.left} | given
        silent = [gap.rater for gap in gaps if not given.get(gap.rater)]
        if silent:
            raise ProtocolError(
                f"Scores are missing of {', '.join(silent)}. Say for each why, and "
                "what is to be done about it."
            )
        rests = list(finishing.list_rests(study).values())
        check_named(rests, unfinished)
        advance(
            study=study, to=State.CLOSED, actor=actor,
            payload={
                "missing": sum(gap.missing for gap in gaps),
                "unfinished": {
                    rest.rater: {
                        "unsigned_sessions": rest.unsigned,
                        "source_questions": rest.questions,
                    }
                    for rest in rests
                },
                "dispositions": {
                    gap.rater: {"missing": gap.missing, "why": given[gap.rater]}
                    for gap in gaps
                },
            },
        )  # fmt: skip


def check_named(rests: Iterable[Rest], unfinished: Collection[str]) -> None:
    unnamed = [rest for rest in rests if rest.rater not in unfinished]
    if unnamed:
        told = "; ".join(f"{rest.rater}: {rest.words}" for rest in unnamed)
        raise ProtocolError(
            f"Not every rater has finished ({told}). After closing that can't be made "
            "up for. Remind them, or confirm for each that the study closes without it."
        )


@dataclass(frozen=True)
class Witness:
    """A second coordinator, who agrees with a password of their own."""

    user: User
    password: str


PLANNED = "Planned: collecting is over and the study is closed."


def unblind(
    *,
    study: Study,
    actor: User,
    typed_title: str,
    reason: str = PLANNED,
    password: str | None = None,
) -> None:
    """Open the key, for good; the title is typed so that it can't happen by chance."""
    check_confirmation(study, typed_title, reason)
    with transaction.atomic():
        held = audit.hold(study.pk)
        if held.state != State.CLOSED:
            raise ProtocolError(
                "Only a closed study can be unblinded, and this one is "
                f"{held.get_state_display().lower()}. Reload the page to see its state."
            )
        if password is not None:
            sign(study, actor, password, Signature.Meaning.UNBLIND, audit.head(study))
        open_key(study=study, actor=actor, reason=reason, witness=None)


def break_glass(
    *,
    study: Study,
    actor: User,
    typed_title: str,
    reason: str,
    password: str,
    witness: Witness,
) -> None:
    """End a running study and open its key now; two coordinators answer for it.

    Every later export says so. Collecting ends, because no further score is blind.
    """
    check_confirmation(study, typed_title, reason)
    check_witness(study, actor, witness.user)
    with transaction.atomic():
        if audit.hold(study.pk).state != State.COLLECTING:
            raise ProtocolError("Only a study that is open for rating can be broken.")
        head = audit.head(study)
        sign(study, actor, password, Signature.Meaning.UNBLIND, head)
        sign(study, witness.user, witness.password, Signature.Meaning.WITNESS, head)
        why = f"The key was opened before the end: {reason.strip()}"
        gaps = {gap.rater: why for gap in list_gaps(study)}
        close(
            study=study, actor=actor, dispositions=gaps,
            unfinished=finishing.list_codes(study),
        )  # fmt: skip
        open_key(study=study, actor=actor, reason=reason, witness=witness.user)


def check_confirmation(study: Study, typed_title: str, reason: str) -> None:
    if typed_title.strip() != study.title.strip():
        raise ProtocolError(
            f"Type the study's name exactly (“{study.title}”) to unblind it."
        )
    if not reason.strip():
        raise ProtocolError("Give a reason; it is put on record.")


def check_witness(study: Study, actor: User, witness: User) -> None:
    coordinators = study.enrolments.filter(role=Enrolment.Role.COORDINATOR)
    if witness == actor or not coordinators.filter(user=witness).exists():
        raise ProtocolError(
            "The second person must be another coordinator of this study."
        )


def open_key(*, study: Study, actor: User, reason: str, witness: User | None) -> None:
    missing = count_missing(study)
    facts = {"reason": reason.strip(), "missing": missing, "early": witness is not None}
    Unblinding.objects.create(study=study, by=actor, witness=witness, **facts)
    advance(
        study=study, to=State.UNBLINDED, actor=actor,
        payload={**facts, "witness": audit.name_of(witness) if witness else None},
    )  # fmt: skip


def tell_unblinding(study: Study) -> str:
    """What every export says of an early opening; empty when it was as planned."""
    opened = Unblinding.objects.filter(study=study, early=True).first()
    if opened is None:
        return ""
    people = " and ".join(
        person.get_full_name() or person.email or "an erased account"
        for person in (opened.by, opened.witness)
        if person
    )
    return (
        f"UNBLINDED BEFORE THE END on {opened.created_at:%d %b %Y, %H:%M} UTC by "
        f"{people}, with {opened.missing} scores missing. Reason: {opened.reason}"
    )
