"""Changes the design of a draft: words, questions, scale, presentation, reference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ratings import audit
from ratings.design import StudyDesign, describe_design, read_design
from ratings.meanwhile import Difference, tell_last, was_self
from ratings.models import AuditEntry, Study

# the parts of a design that name cases
BY_CASE = ("authors", "calibration", "planes")
# those that name arms beside them
BY_ARM = ("authors", "calibration")


class DesignRefused(Exception):
    """Why the design can't be changed; a sentence."""


class DesignStale(DesignRefused):
    """The design was changed meanwhile: who did, when, and what differs now."""

    def __init__(
        self, *, last: AuditEntry | None, own: bool, differences: list[Difference]
    ) -> None:
        who = "you in another window or script" if own else "somebody else"
        super().__init__(f"The design was changed by {who} meanwhile.")
        self.by, self.at = tell_last(last)
        self.own, self.differences = own, differences


@dataclass(frozen=True)
class Wishes:
    """The design as the coordinator wants it; anchors from the lowest value up."""

    title: str
    contact: str
    instructions: str
    questions: tuple[tuple[str, str], ...]
    anchors: tuple[str, ...]
    reference_arm: str
    design: StudyDesign


def read_wishes(study: Study) -> Wishes:
    return Wishes(
        title=study.title,
        contact=study.contact,
        instructions=study.instructions,
        questions=tuple((q["key"], q["text"]) for q in study.questions),
        anchors=tuple(point["anchor"] for point in study.scale),
        reference_arm=study.reference_arm,
        design=read_design(study.design),
    )


def spell_out(wishes: Wishes) -> dict[str, Any]:
    """Every name that can change with what it is, those of the design among them."""
    return {**vars(wishes), **describe_design(wishes.design), "design": None}


def change_design(
    *, study: Study, actor: User, wishes: Wishes, revision: int | None = None
) -> list[str]:
    """Store what differs, and put the names of it on record; returns those names.

    `revision` is that of the design the wishes were made from. If another one is
    stored by now and says something else, nothing is changed.
    """
    with transaction.atomic():
        current = Study.objects.select_for_update().get(pk=study.pk)
        if current.state != Study.State.DRAFT:
            raise DesignRefused("The study is locked, so its design is fixed.")
        before, after = spell_out(read_wishes(current)), spell_out(wishes)
        changed = sorted(name for name in after if after[name] != before[name])
        if changed and revision not in (None, current.design_revision):
            raise tell_stale(current, actor, before, after)
        if changed:
            apply(current, wishes)
            current.design_revision += 1
            current.save()
            audit.record(
                study=current, actor=actor, verb="change_design",
                payload={"changed": changed},
            )  # fmt: skip
    return changed


def forget_cases(*, held: Study, actor: User, labels: Iterable[str]) -> None:
    """Take removed cases out of all that the design says of single ones, on record."""
    gone = set(labels)
    left = {key: drop_cases(held.design.get(key), gone) for key in BY_CASE}
    keep_left(held=held, actor=actor, left=left, gone={"removed": sorted(gone)})


def forget_arm(*, held: Study, actor: User, key: str) -> None:
    """Take practice with a removed arm's masks, and who drew them, out on record."""
    left = {part: drop_arm(held.design.get(part), key) for part in BY_ARM}
    keep_left(held=held, actor=actor, left=left, gone={"removed_arm": key})


def keep_left(
    *, held: Study, actor: User, left: dict[str, Any], gone: dict[str, Any]
) -> None:
    """Store the parts of the design that are less than before, if any."""
    changed = sorted(key for key in left if left[key] != held.design.get(key))
    if changed:
        held.design = {**held.design, **{key: left[key] for key in changed}}
        held.design_revision += 1
        held.save(update_fields=["design", "design_revision"])
        audit.record(
            study=held, actor=actor, verb="change_design",
            payload={"changed": changed, **gone},
        )  # fmt: skip


def drop_cases(named: Any, gone: set[str]) -> Any:
    """Rows or entries of a part of the design, but for those of these cases."""
    if isinstance(named, dict):
        return {case: entry for case, entry in named.items() if case not in gone}
    return [row for row in named if row["case"] not in gone] if named else named


def drop_arm(named: Any, gone: str) -> Any:
    """The same but for those of one arm; a case of which nothing is left goes too."""
    if isinstance(named, dict):
        left = {
            case: {arm: names for arm, names in entry.items() if arm != gone}
            for case, entry in named.items()
        }
        return {case: entry for case, entry in left.items() if entry}
    return [row for row in named if row["arm"] != gone] if named else named


def apply(study: Study, wishes: Wishes) -> None:
    study.title, study.contact = wishes.title, wishes.contact
    study.instructions = wishes.instructions
    study.questions = [{"key": key, "text": text} for key, text in wishes.questions]
    study.scale = [
        {"value": value, "anchor": anchor}
        for value, anchor in enumerate(wishes.anchors, 1)
    ]
    study.design = {**study.design, **describe_design(wishes.design)}
    study.reference_arm = wishes.reference_arm


def tell_stale(
    study: Study, actor: User, before: dict[str, Any], after: dict[str, Any]
) -> DesignStale:
    """What both would say, part by part."""
    last = study.audit.filter(verb="change_design").last()
    return DesignStale(
        last=last,
        own=was_self(last, actor),
        differences=[
            Difference(name, spell_part(name, before), spell_part(name, after))
            for name in after
            if after[name] != before[name]
        ],
    )


def spell_part(name: str, told: dict[str, Any]) -> str:
    """A part by its name; of a question its words, as nobody knows its key."""
    value = told[name]
    return spell([text for _, text in value] if name == "questions" else value)


def spell(value: Any) -> str:
    """A part of the design as words: yes and no, lists with dots between."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {spell(one)}" for key, one in value.items()) or "–"
    if isinstance(value, list | tuple):
        return " · ".join(spell(one) for one in value) or "–"
    return "–" if value in (None, "") else str(value)
