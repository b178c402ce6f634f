"""Asks raters, once their scores are final, what they think drew the masks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db import IntegrityError, transaction

from ratings import audit, reading
from ratings.allocation import make_picker, shuffle
from ratings.design import read_design
from ratings.models import Enrolment, Guess, Item, Presentation, Study

CHOICES = {"manual": "A person", "automatic": "A program", "unsure": "I can't tell"}
SURE = {1: "A mere guess", 2: "Rather sure", 3: "Quite sure"}


class GuessRefused(Exception):
    """Why a guess was not stored: an HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def tell_state(enrolment: Enrolment) -> str:
    """Whether guesses are "off", too "early", "open", "done", or the study "closed"."""
    design = read_design(enrolment.study.design)
    if design.guess == "off":
        return "off"
    if enrolment.study.state != Study.State.COLLECTING or (
        hasattr(enrolment, "withdrawal")
    ):
        return "closed"
    sessions = enrolment.sessions.all()
    final = all(
        reading.count_place(s).finished
        and (not design.revisable or hasattr(s, "signature"))
        for s in sessions
    )
    if not final or not sessions:
        return "early"
    asked = list_asked(enrolment)
    return "open" if any(not hasattr(i, "guess") for i in asked) else "done"


def list_asked(enrolment: Enrolment) -> list[Item]:
    """The items whose source is asked: a part of the main ones, drawn by lot.

    In the pair modes all masks that were shown together are asked together.
    """
    items = Item.objects.filter(
        presentation__session__enrolment=enrolment,
        presentation__kind=Presentation.Kind.MAIN,
    ).select_related("presentation__session", "presentation__case", "guess")
    by_position: dict[int, list[Item]] = {}
    for item in items.order_by("presentation__position", "slot"):
        by_position.setdefault(item.presentation.position, []).append(item)
    drawn = draw_positions(enrolment.study, enrolment.code, by_position)
    chosen = [item for position in drawn for item in by_position[position]]
    withdrawn = find_withdrawn(enrolment.study)
    return [item for item in chosen if item.presentation.case_id not in withdrawn]


def draw_positions(study: Study, code: str, positions: Iterable[int]) -> list[int]:
    """The positions of a rater that are asked, in the order of asking."""
    pick = make_picker(study.seed, f"guess/{code}")
    drawn = shuffle(sorted(positions), pick)
    percent = read_design(study.design).guess_percent
    return drawn[: max(1, (len(drawn) * percent + 50) // 100)]


def find_withdrawn(study: Study) -> set[Any]:
    return set(study.withdrawals.exclude(case=None).values_list("case", flat=True))


def count_open(study: Study, raters: Collection[Any]) -> Counter[Any]:
    """How many questions each of these raters has not answered, by the enrolment's key.

    All that will be asked counts, be it asked yet or not; in the same few queries
    however many raters there are.
    """
    found: Counter[Any] = Counter()
    if not raters or read_design(study.design).guess == "off":
        return found
    own = "presentation__session__enrolment"
    rows = Item.objects.filter(
        presentation__kind=Presentation.Kind.MAIN, **{f"{own}__in": raters}
    ).values_list(
        own, f"{own}__code", "presentation__position", "presentation__case", "guess"
    )
    by_rater: dict[tuple[Any, str], list[tuple[int, Any, Any]]] = defaultdict(list)
    for rater, code, position, case, guess in rows:
        by_rater[rater, code].append((position, case, guess))
    withdrawn = find_withdrawn(study)
    for (rater, code), items in by_rater.items():
        drawn = set(draw_positions(study, code, {position for position, *_ in items}))
        found[rater] = sum(
            position in drawn and case not in withdrawn and guess is None
            for position, case, guess in items
        )
    return found


def record(*, item: Item, guess: str, confidence: int | None) -> bool:
    """Store one guess, for good; True if the same one was there already.

    Raises GuessRefused with nothing written when guesses are not asked now (409), not
    of this item (404), or another guess was given (409).
    """
    enrolment = item.presentation.session.enrolment
    try:
        with transaction.atomic():
            # Closing and late scores queue here, so neither overtakes a guess.
            enrolment.study = audit.hold(enrolment.study_id)
            known = Guess.objects.filter(item=item).first()
            if known is None:
                check_moment(enrolment, item)
                known = Guess.objects.create(
                    item=item, guess=guess, confidence=confidence
                )
                audit.record(
                    study=enrolment.study, actor=enrolment.user, verb="guess",
                    payload={
                        "item": item.pk,
                        "digest": audit.digest([item.token, guess, confidence]),
                    },
                )  # fmt: skip
                return False
    except IntegrityError:
        known = Guess.objects.get(item=item)
    if (known.guess, known.confidence) != (guess, confidence):
        raise GuessRefused(409, "This guess was given already and is final.")
    return True


def check_moment(enrolment: Enrolment, item: Item) -> None:
    state = tell_state(enrolment)
    if state == "off":
        raise GuessRefused(409, "This study does not ask for sources.")
    if state == "closed":
        raise GuessRefused(409, "The study is closed.")
    if state == "early":
        raise GuessRefused(409, "Finish all your scores first; then this is asked.")
    if item.pk not in {asked.pk for asked in list_asked(enrolment)}:
        raise GuessRefused(404, "Not found.")
