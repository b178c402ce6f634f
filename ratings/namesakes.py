"""Tells files apart that were called the same in different folders of a set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ratings.models import Upload


def tell_apart(uploads: Iterable[Upload]) -> dict[str, str]:
    """By id each file's name, with person and source where another is called so too."""
    found = list(uploads)
    counts = Counter(one.name for one in found)
    return {
        str(one.pk): name_fully(one) if counts[one.name] > 1 else one.name
        for one in found
    }


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
