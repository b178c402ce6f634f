"""The seal: the only place that joins an item to the arm of its mask."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ratings import conflicts, files, storage
from ratings.allocation import Placement
from ratings.controls import make_controls
from ratings.design import Reference, read_design
from ratings.models import (
    Item,
    Mask,
    Presentation,
    Score,
    Session,
    Study,
)


class StillBlind(Exception):
    """Somebody asked for scores by arm before the study was unblinded."""


@dataclass(frozen=True)
class UnsealedScore:
    """One current score with everything that the blind had hidden."""

    rater: str
    case: str
    arm: str
    repeat: int
    question: str
    value: int | None
    reason: str
    comment: str
    strata: dict[str, str]
    position: int
    seconds: float
    guess: str
    at: datetime
    kind: str
    session: int
    slot: int
    shown_together: int
    confidence: int | None
    unlooked: bool | None
    conflict: bool | None


@dataclass(frozen=True)
class Place:
    """A mask that a rater was to score once for the comparison."""

    rater: str
    case: str
    arm: str
    strata: dict[str, str]


def seal(*, study: Study, placements: Iterable[Placement]) -> None:
    """Store the drawn orders as sessions, presentations and items with new tokens."""
    placements = list(placements)
    make_controls(study=study, placements=placements)
    masks = {
        (mask.case.label, mask.arm.key): mask
        for mask in Mask.objects.filter(case__study=study).select_related("case", "arm")
    }
    raters = {p.rater for p in placements}
    for enrolment in study.enrolments.filter(code__in=raters).order_by("code"):
        own = [p for p in placements if p.rater == enrolment.code]
        for number in sorted({p.session for p in own}):
            session = Session.objects.create(enrolment=enrolment, number=number)
            part = [p for p in own if p.session == number]
            store_order(session=session, placements=part, masks=masks)


def store_order(
    *,
    session: Session,
    placements: list[Placement],
    masks: dict[tuple[str, str], Mask],
) -> None:
    shown = {p.position: p for p in placements}
    stored = Presentation.objects.bulk_create(
        Presentation(
            session=session, position=position, case=masks[p.case, p.arm].case,
            kind=p.kind, repeat=p.repeat,
        )
        for position, p in sorted(shown.items())
    )  # fmt: skip
    by_position = {presentation.position: presentation for presentation in stored}
    # Rows come into being in a random order: nothing may tell the first item of a
    # case from the second, not even the numbers that the database gives.
    Item.objects.bulk_create(
        Item(
            presentation=by_position[p.position], slot=p.slot, mask=masks[p.case, p.arm]
        )
        for p in shuffled(placements)
    )


def shuffled(placements: list[Placement]) -> list[Placement]:
    return secrets.SystemRandom().sample(placements, len(placements))


def list_placements(study: Study) -> list[Placement]:
    """What is stored, in the terms of the draw; for checks alone, never shown."""
    items = Item.objects.filter(
        presentation__session__enrolment__study=study
    ).select_related(
        "mask__arm", "presentation__case", "presentation__session__enrolment"
    )
    return [
        Placement(
            rater=item.presentation.session.enrolment.code,
            position=item.presentation.position,
            case=item.presentation.case.label,
            arm=item.mask.arm.key,
            slot=item.slot,
            kind=item.presentation.kind,
            repeat=item.presentation.repeat,
            session=item.presentation.session.number,
        )
        for item in items
    ]


class Rotten(Exception):
    """A stored file has not the digest that it was stored with: it is not shown."""


class Unreadable(Exception):
    """The files cannot be read just now, which says nothing of what is in them."""


def read_image(item: Item) -> bytes:
    """The canonical image that an item is judged on; Rotten if it was changed."""
    case = item.presentation.case
    return read_whole(case.image_path, case.image_sha256)


def read_context(item: Item) -> bytes:
    """The second series of an item's case, one for all arms; empty if there is none."""
    second = item.presentation.case.find_companion("second")
    return read_whole(second.path, second.sha256) if second else b""


def read_mask(item: Item) -> bytes:
    """The canonical mask of an item; Rotten if it was changed."""
    return read_whole(item.mask.path, item.mask.sha256)


def read_whole(path: str, sha256: str) -> bytes:
    try:
        data = files.locate(path).read_bytes()
    except FileNotFoundError as error:
        # Where all files are gone at once, a disk is missing and no case is at fault.
        raise (Rotten if storage.holds_known() else Unreadable) from error
    except OSError as error:
        raise Unreadable from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Rotten
    return data


def find_reference(item: Item) -> Reference | None:
    """What the coordinator wrote down for a calibration item's mask, if anything."""
    study = item.presentation.session.enrolment.study
    case, arm = item.presentation.case.label, item.mask.arm.key
    references = read_design(study.design).calibration
    return next((r for r in references if (r.case, r.arm) == (case, arm)), None)


ANALYSED = (Presentation.Kind.MAIN, Presentation.Kind.REPEAT)


def unseal(
    study: Study, kinds: Iterable[str] = ANALYSED, *, withdrawn: bool = False
) -> list[UnsealedScore]:
    """All current scores with their arms; refuses before unblinding.

    Calibration and controls are not part of the analysis: they come only when asked
    for by kind. So do the scores of withdrawn cases, which come alone.
    """
    if study.state != Study.State.UNBLINDED:
        raise StillBlind(
            "Scores are joined to arms only after unblinding. Close and unblind the "
            "study first."
        )
    items = (
        Item.objects.filter(
            presentation__session__enrolment__study=study,
            presentation__kind__in=kinds,
            presentation__case__withdrawal__isnull=not withdrawn,
        )
        .select_related(
            "mask__arm", "presentation__case", "presentation__session__enrolment"
        )
        .prefetch_related(
            "scores", "guess", "presentation__views", "presentation__items"
        )
        .order_by(
            "presentation__session__enrolment__code", "presentation__position", "slot"
        )
    )
    flagging = conflicts.read_rule(study.design) == "flag"
    flagged = conflicts.find_flagged(study) if flagging else None
    return [
        unseal_score(item, given, flagged)
        for item in items
        for _, given in sorted(group_revisions(item).items())
    ]


def list_expected(study: Study, *, withdrawn: bool = False) -> list[Place]:
    """Every main rating of the locked orders, given or not.

    None of a withdrawn case, or, when asked for, those alone.
    """
    if study.state != Study.State.UNBLINDED:
        raise StillBlind("What was to be scored is told by arm after unblinding only.")
    shown = "presentation__session__enrolment"
    items = Item.objects.filter(
        **{f"{shown}__study": study},
        presentation__kind=Presentation.Kind.MAIN,
        presentation__case__withdrawal__isnull=not withdrawn,
    )
    columns = (
        f"{shown}__code", "presentation__case__label", "mask__arm__key",
        "presentation__case__strata",
    )  # fmt: skip
    return [Place(*row) for row in items.order_by("pk").values_list(*columns)]


def group_revisions(item: Item) -> dict[str, list[Score]]:
    """All scores of an item by question, the current one last."""
    found: dict[str, list[Score]] = {}
    for score in sorted(item.scores.all(), key=lambda score: score.revision):
        found.setdefault(score.question, []).append(score)
    return found


def unseal_score(
    item: Item, given: list[Score], flagged: set[tuple[str, str]] | None
) -> UnsealedScore:
    """The last of the revisions, with the time of all of them.

    `flagged` are the (rater, case) to be marked; None if the protocol marks none.
    """
    score = given[-1]
    shown = item.presentation
    guess = item.guess if hasattr(item, "guess") else None
    pair = shown.session.enrolment.code, shown.case.label
    looks = [
        bool(view.conduct.get("without_looking"))
        for view in shown.views.all()
        if view.item_id in (None, item.pk)
    ]
    return UnsealedScore(
        rater=shown.session.enrolment.code,
        case=shown.case.label,
        arm=item.mask.arm.key,
        repeat=shown.repeat,
        question=score.question,
        value=score.value,
        reason=score.reason,
        comment=score.comment,
        strata=shown.case.strata,
        position=shown.position,
        seconds=sum(one.active_ms for one in given) / 1000,
        guess=guess.guess if guess else "",
        at=score.created_at,
        kind=shown.kind,
        session=shown.session.number,
        slot=item.slot,
        shown_together=len(shown.items.all()),
        confidence=guess.confidence if guess else None,
        unlooked=any(looks) if looks else None,
        conflict=None if flagged is None else pair in flagged,
    )
