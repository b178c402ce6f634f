"""What a rater's browser is told of a session and of a presentation.

Nothing here differs by where a mask comes from: a calibration item's reference is what
the coordinator wrote down for it, and is told only once its score is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ratings import asking, blinding, declaring, guessing, reading
from ratings.design import STRUCTURED_REASONS, StudyDesign, read_design
from ratings.models import Enrolment, Item, Presentation, Score, Session, Study
from ratings.prose import render_prose

REASONS = ["Image unusable", "Outside my expertise", "Nothing is displayed"]


def describe_session(session: Session) -> dict[str, Any]:
    """The words of the study, how it is answered, and how far this session is."""
    study = session.enrolment.study
    design = read_design(study.design)
    over = study.state == Study.State.UNBLINDED
    left = hasattr(session.enrolment, "withdrawal")
    return {
        "title": study.title,
        "instructions": render_prose(study.instructions),
        "contact": study.contact,
        "scale": study.scale,
        "questions": study.questions,
        "reasons": REASONS,
        "marks": describe_marks(design),
        "mode": design.mode,
        "revisable": design.revisable,
        "change_reason": design.change_reason,
        "state": Study.State.CLOSED if over or left else study.state,
        "session": describe_number(session),
        "signed": hasattr(session, "signature"),
        "deadline": declaring.find_deadline(session.enrolment),
        **describe_last_questions(session.enrolment),
        "learned": describe_practice(session),
        "words": describe_words(session.enrolment),
        **describe_place(session),
    }


def describe_last_questions(enrolment: Enrolment) -> dict[str, Any]:
    """Whether sources are asked, and how many questions are open, asked yet or not."""
    state = guessing.tell_state(enrolment)
    left = guessing.count_open(enrolment.study, [enrolment.pk])[enrolment.pk]
    return {"guess": state, "guess_left": left if state in ("early", "open") else 0}


def describe_marks(design: StudyDesign) -> list[dict[str, str]]:
    """The structured reasons that can be ticked beside a score."""
    if not design.structured_reasons:
        return []
    return [{"key": key, "text": text} for key, text in STRUCTURED_REASONS.items()]


def describe_words(enrolment: Enrolment) -> list[dict[str, Any]]:
    """The rater's own words to the coordinator, by number, each with its answers."""
    return [
        {
            "session": asked.presentation.session.number,
            "position": reading.number_of(asked.presentation),
            "practice": asked.presentation.kind == reading.PRACTICE,
            "kind": asked.kind,
            "text": asked.text,
            "at": asked.created_at,
            "answers": [
                {"text": r.text, "at": r.created_at} for r in asking.answers_to(asked)
            ],
        }
        for asked in asking.list_own(enrolment)
    ]


def describe_number(session: Session) -> dict[str, Any]:
    """Which session this is, and the others that lack something.

    `next` comes after it while any has items to rate, `before` has them and comes
    first; once all are rated, `unsigned` is another one that is not signed off.
    """
    sessions = session.enrolment.sessions.order_by("number")
    following = sessions.filter(number__gt=session.number).first()
    first = reading.find_open_session(session.enrolment)
    rating = first is not None and not reading.count_place(first).finished
    unsigned = sessions.filter(signature=None).exclude(pk=session.pk).first()
    return {
        "number": session.number,
        "of": sessions.count(),
        "next": following.key if following and rating else "",
        "before": first.key if first and first.number < session.number else "",
        "unsigned": {"number": unsigned.number, "key": unsigned.key}
        if unsigned and not rating
        else None,
    }


def describe_place(session: Session) -> dict[str, Any]:
    place = reading.count_place(session)
    return {
        "done": place.done,
        "total": place.total,
        "practice": {"done": place.practice_done, "total": place.practice_total},
        "seconds_left": reading.estimate_seconds_left(session, place),
    }


def describe(presentation: Presentation | None, study: Study) -> dict[str, Any] | None:
    """What the screen needs of one presentation; nothing that differs by source."""
    if presentation is None:
        return None
    design = read_design(study.design)
    items = list(presentation.items.all())
    scored = set(Score.objects.filter(item__in=items).values_list("item_id", flat=True))
    return {
        "position": reading.number_of(presentation),
        "practice": presentation.kind == reading.PRACTICE,
        "items": [
            {
                "token": item.token,
                "image": f"/api/items/{item.token}/image",
                "mask": f"/api/items/{item.token}/mask",
                "context": (
                    f"/api/items/{item.token}/context"
                    if shows_context(design, presentation)
                    else None
                ),
                "done": item.pk in scored,
            }
            for item in items
        ],
        "plane": design.plane_of(presentation.case.label),
        "zoom_mm": design.zoom_mm,
    }


def describe_given(session: Session) -> list[dict[str, Any]]:
    """What was rated, by number alone, each with the rater's own current answers."""
    study = session.enrolment.study
    rows = reading.find_given(session).select_related("case", "session")
    return [
        {
            **(describe(presentation, study) or {}),
            "given": [describe_answers(item) for item in presentation.items.all()],
        }
        for presentation in rows.prefetch_related("items__scores")
    ]


def describe_answers(item: Item) -> dict[str, Any]:
    """The current answers on one item and the revision that a change starts from."""
    every = list(item.scores.all())
    latest = max(score.revision for score in every)
    current = [score for score in every if score.revision == latest]
    return {
        "revision": latest,
        "answers": {
            score.question: {"value": score.value}
            if score.value is not None
            else {"reason": score.reason}
            for score in current
        },
        "comment": current[0].comment,
        "marks": current[0].marks,
    }


def shows_context(design: StudyDesign, presentation: Presentation) -> bool:
    """A matter of protocol and case, so the same for every mask of the case."""
    return design.context and bool(presentation.case.find_companion("second"))


def describe_reference(item: Item) -> dict[str, Any] | None:
    """What the coordinator would have given a calibration item; None for all others."""
    if item.presentation.kind != reading.PRACTICE:
        return None
    reference = blinding.find_reference(item)
    if reference is None:
        return None
    return {"values": dict(reference.values), "note": reference.note}


def describe_practice(session: Session) -> list[dict[str, Any]]:
    """The calibration items answered so far, each with its reference."""
    items = Item.objects.filter(
        presentation__session__enrolment=session.enrolment_id,
        presentation__kind=reading.PRACTICE,
        scores__isnull=False,
    ).distinct()
    rows = items.select_related("presentation__session__enrolment__study").order_by(
        "presentation__session__number", "presentation__position", "slot"
    )
    return [
        {"own": reading.read_values(item), "reference": describe_reference(item)}
        for item in rows
    ]


def describe_guesses(enrolment: Enrolment) -> dict[str, Any]:
    """How far the guesses are, and the next two masks that are asked."""
    state = guessing.tell_state(enrolment)
    asked = guessing.list_asked(enrolment) if state in ("open", "done") else []
    waiting = [item for item in asked if not hasattr(item, "guess")]
    current, ahead = [*waiting[:2], None, None][:2]
    unsigned = enrolment.sessions.filter(signature=None).order_by("number").first()
    return {
        "title": enrolment.study.title,
        "state": state,
        "done": len(asked) - len(waiting),
        "total": len(asked),
        "unsigned": unsigned.key if unsigned else "",
        "choices": list_words(guessing.CHOICES) if asked else [],
        "sure": list_words(guessing.SURE) if asked else [],
        "current": describe_asked(current, enrolment.study),
        "ahead": describe_asked(ahead, enrolment.study),
    }


def list_words(words: Mapping[Any, str]) -> list[dict[str, Any]]:
    return [{"key": key, "text": text} for key, text in words.items()]


def describe_asked(item: Item | None, study: Study) -> dict[str, Any] | None:
    """The presentation of that one mask, whatever it was shown beside."""
    if item is None:
        return None
    whole = describe(item.presentation, study)
    assert whole is not None
    own = [shown for shown in whole["items"] if shown["token"] == item.token]
    return {**whole, "items": own}
