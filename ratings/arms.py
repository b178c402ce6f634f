"""Decides by which key and label an arm of masks goes, so that no two arms mix."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import slugify

from ratings import audit
from ratings.allocation import BAD, EMPTY
from ratings.entries import MOST_OF_ARM, tell_long_arm
from ratings.models import Arm, Study, Upload

MANUAL = "manual"
MADE_HERE = (Arm.Kind.MODEL, Arm.Kind.TOOL)
LONGEST = 40


@dataclass(frozen=True)
class Name:
    """How an arm goes by; an arm of manual masks needs no label."""

    key: str
    label: str = ""


class NameTaken(Exception):
    """Why masks from outside can't go by a label; a sentence with the remedy."""


class NameTooLong(Exception):
    """That a label is longer than can be kept; it is never cut to another one."""


def make_key(label: str) -> str:
    """A short plain key of a label in any script; empty for an empty label."""
    plain = slugify(label)[:LONGEST].strip("-")
    return plain or (label and add_digest("arm", label))


def add_digest(plain: str, label: str) -> str:
    """A key that labels share only if they are the same."""
    return f"{plain[:31].strip('-')}-{audit.digest(label.casefold())[:8]}"


def is_same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def list_waiting(study: Study) -> dict[str, str]:
    """The arms of masks that were uploaded and not yet imported: key → label."""
    told = study.uploads.filter(kind=Upload.Kind.MASK).values_list("facts", flat=True)
    found = {facts.get("arm", MANUAL): facts.get("arm_label", "") for facts in told}
    return {key: label for key, label in found.items() if key != MANUAL}


def name_uploaded(study: Study, label: str) -> Name:
    """The arm that uploaded masks of that label belong to, known or new.

    Without a label they are the manual masks. Raises `NameTaken` where the label
    already names masks that were not uploaded, `NameTooLong` where it can't be kept.
    """
    if fault := tell_long_arm(label):
        raise NameTooLong(fault)
    key = make_key(label)
    if key in ("", MANUAL):
        return Name(MANUAL)
    known = {arm.key: arm for arm in study.arms.all()}
    for arm in known.values():
        if arm.kind != Arm.Kind.UPLOAD and (
            arm.key == key or is_same(arm.label, label)
        ):
            raise NameTaken(
                f"“{label}” already names other masks here. Choose another name."
            )
    labels = list_waiting(study) | {arm.key: arm.label for arm in known.values()}
    for one, named in labels.items():
        if is_same(named, label):
            return Name(one, named)
    taken = key in labels or key in (BAD, EMPTY)
    return Name(add_digest(key, label) if taken else key, label)


def name_apart(study: Study, label: str) -> Name:
    """The same for a set that can't ask: beside masks made here they say “uploaded”."""
    try:
        return name_uploaded(study, label)
    except NameTaken:
        return name_uploaded(study, mark_uploaded(label))


def mark_uploaded(label: str) -> str:
    """The label marked; one too long for that is told apart by its digest."""
    marked = f"{label} (uploaded)"
    if len(marked) <= MOST_OF_ARM:
        return marked
    return f"{label[:78]} {audit.digest(label.casefold())[:8]} (uploaded)"
