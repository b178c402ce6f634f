"""Tells files apart that were called the same in different folders of a set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ratings.models import Upload


def tell_apart(uploads: Iterable[Upload]) -> dict[str, str]:
    """By id each file's name, with person and source where another is called so too.

    A mask may be called as its image is: sentences say "the mask" of it, except where
    it was refused before that was asked.
    """
    found = list(uploads)
    names = Counter(one.name for one in found)
    alike = Counter((one.name, "arm" in one.facts) for one in found)
    told = {}
    for one in found:
        refused = one.kind == Upload.Kind.REFUSED
        count = names[one.name] if refused else alike[one.name, "arm" in one.facts]
        told[str(one.pk)] = name_fully(one) if count > 1 else one.name
    return told


def name_fully(upload: Upload) -> str:
    known = upload.facts
    source = known.get("arm_label") or (
        "Manual" if known.get("arm") == "manual" else ""
    )
    more = ", ".join(part for part in (known.get("subject", ""), source) if part)
    return f"{upload.name} ({more})" if more else upload.name


def retell(upload: Upload, name: str) -> str:
    """The sentence about a file, under the name that tells it from others."""
    sentence = str(upload.verdict["message"])
    if not sentence.startswith(upload.name):
        return sentence
    return name + sentence.removeprefix(upload.name)
