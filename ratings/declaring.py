"""Who a rater is as a reader of images, what is declared, and until when to finish."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ratings import audit, places
from ratings.meanwhile import Difference, Stale
from ratings.models import Enrolment, Study


class DeclarationRefused(Exception):
    """Why nothing was written; a sentence."""


@dataclass(frozen=True)
class Declaration:
    """Years of reading such images, specialty, institution, and what speaks against."""

    years: int | None
    specialty: str
    institution: str
    conflict: str


NAMES = {
    "years": "Years of reading such images",
    "specialty": "Specialty",
    "institution": "Institution",
    "conflict": "Connection with these images",
}


def read_declaration(enrolment: Enrolment) -> Declaration:
    return Declaration(**{name: getattr(enrolment, name) for name in NAMES})


def digest_declaration(enrolment: Enrolment) -> str:
    """Stands for what is stored, and of whom, so that nothing newer is replaced."""
    told = vars(read_declaration(enrolment))
    return audit.digest({**told, "person": audit.name_of(enrolment.user)})


def declare(
    *,
    enrolment: Enrolment,
    actor: User,
    declaration: Declaration,
    seen: str | None = None,
) -> None:
    """Write it down and put on record that it was; until the study is unblinded.

    The record says what was changed, not the words: those can be erased. `seen` is
    digest_declaration of what stood there when this one was written.
    """
    with transaction.atomic():
        study = places.hold_place(enrolment, DeclarationRefused)
        if study.state == Study.State.UNBLINDED:
            raise DeclarationRefused(
                "The study is unblinded, so what was declared before stays as it is."
            )
        if ended := places.tell_ended(enrolment):
            raise DeclarationRefused(f"{ended}, so nothing more is declared.")
        stored = vars(read_declaration(enrolment))
        changed = [n for n, value in vars(declaration).items() if stored[n] != value]
        if changed and seen not in (None, digest_declaration(enrolment)):
            raise compare_declarations(enrolment, declaration, changed)
        for name in changed:
            setattr(enrolment, name, getattr(declaration, name))
        enrolment.declared_at = timezone.now()
        enrolment.save(update_fields=[*changed, "declared_at"])
        audit.record(
            study=enrolment.study, actor=actor, verb="declare",
            payload={
                "code": enrolment.code, "changed": changed,
                "conflict": bool(declaration.conflict),
            },
        )  # fmt: skip


def compare_declarations(
    enrolment: Enrolment, wished: Declaration, changed: list[str]
) -> Stale:
    """Who wrote what is stored, or gave the place to somebody else, and what differs.

    The person comes first, as words about one must not be stored of another.
    """
    entries = enrolment.study.audit.filter(verb__in=("declare", "replace_rater"))
    last = entries.filter(payload__code=enrolment.code).order_by("n").last()
    stored, typed = vars(read_declaration(enrolment)), vars(wished)
    differences = [
        Difference(NAMES[name], say(stored[name]), say(typed[name])) for name in changed
    ]
    if last and last.verb == "replace_rater":
        name = enrolment.user.get_full_name() or enrolment.user.email
        who = Difference(f"Rater {enrolment.code}", name, "the person before")
        differences.insert(0, who)
    return Stale(last, differences)


def say(value: int | str | None) -> str:
    return "nothing" if value in (None, "") else str(value)


def set_deadline(
    *,
    study: Study,
    actor: User,
    day: date | None,
    enrolment: Enrolment | None = None,
    seen: str | None = None,
) -> None:
    """Until when the raters, or one of them, are asked to finish; on record.

    It is shown, and being late is shown; it never keeps a score from being saved.
    `seen` is the day that held when this one was chosen, as `spell_day` writes it.
    """
    with transaction.atomic():
        current = audit.hold(study.pk)
        if current.state in (Study.State.CLOSED, Study.State.UNBLINDED):
            raise DeclarationRefused(
                "The study is closed, so there is no deadline any more."
            )
        target: Study | Enrolment = current
        if enrolment:
            places.hold_place(enrolment, DeclarationRefused)
            target = enrolment
        before = target.deadline
        holds = before or current.deadline
        if day != before and seen not in (None, spell_day(holds)):
            raise tell_stale(current, enrolment, holds, day)
        target.deadline = day
        target.save(update_fields=["deadline"])
        audit.record(
            study=study, actor=actor, verb="set_deadline",
            payload={
                "code": enrolment.code if enrolment else "",
                "before": before.isoformat() if before else None,
                "after": day.isoformat() if day else None,
            },
        )  # fmt: skip
        (enrolment or study).deadline = day


def spell_day(day: date | None) -> str:
    return day.isoformat() if day else "none"


def tell_stale(
    study: Study, enrolment: Enrolment | None, stored: date | None, day: date | None
) -> Stale:
    """Who moved the deadline that holds, of one rater's or of all, and whereto."""
    codes = ("", enrolment.code) if enrolment else ("",)
    entries = study.audit.filter(verb="set_deadline").order_by("n")
    last = [entry for entry in entries if entry.payload["code"] in codes][-1:]
    name = f"Deadline of {enrolment.code}" if enrolment else "Deadline for all"
    difference = Difference(name, say_day(stored), say_day(day))
    return Stale(last[0] if last else None, [difference])


def say_day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else "no date"


def find_deadline(enrolment: Enrolment) -> date | None:
    """A rater's own deadline, else the study's."""
    return enrolment.deadline or enrolment.study.deadline


def today() -> date:
    return timezone.now().date()
