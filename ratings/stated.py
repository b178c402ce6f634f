"""What is said of a case at its import: of what length, and naming nobody."""

from __future__ import annotations

import re

from ratings import sidecars
from ratings.models import Upload
from ratings.pairing import Pair

LONGEST = {"name": 40, "value": 40, "subject": 80}
PERSONAL = "looks like a date, a name, an address or a number of a person."


def list_faults(upload: Upload | None, pair: Pair) -> list[str]:
    """A sentence for whatever of an image's strata and subject can't be kept.

    None repeats a value: it may be a person's.
    """
    if upload is None or not pair.image:
        return []
    found = [
        fault
        for name, value in read_strata(upload, pair).items()
        for fault in judge_stratum(name, value)
    ]
    found += judge_subject(upload, pair)
    return [f"{upload.name}: {fault}" for fault in found]


def read_strata(upload: Upload, pair: Pair) -> dict[str, str]:
    """The strata that are given: what was proposed, and what somebody changed of it."""
    told = upload.facts["strata"] | (pair.strata or {})
    return {name: value for name, value in told.items() if value}


def read_subject(upload: Upload, pair: Pair) -> str:
    """Whose the image is: what was proposed, unless somebody changed that."""
    return str(upload.facts["subject"] if pair.subject is None else pair.subject)


def judge_stratum(name: str, value: str) -> list[str]:
    """The rules of a manifest's column and cell, for one stratum."""
    most = LONGEST["name"]
    if not name.strip() or len(name) > most or "\0" in name:
        return [f"The name of a stratum must be 1 to {most} characters. Change it."]
    if sidecars.titles_person(name):
        return [
            f"The stratum “{name}” looks personal and is not kept. Leave it out; if it "
            "holds a pseudonym, give that as the subject."
        ]
    return judge_value(name, value)


def judge_value(name: str, value: str) -> list[str]:
    most, word = LONGEST["value"], name.replace("_", " ")
    if len(value) > most:
        return [f"The {word} must be at most {most} characters. Shorten it."]
    column = re.sub(r"[\s-]+", "_", name.lower())
    if sidecars.states_person(value, column=column):
        return [f"The {word} {PERSONAL} Write a code, or leave it out."]
    return []


def judge_subject(upload: Upload, pair: Pair) -> list[str]:
    most = LONGEST["subject"]
    if len(read_subject(upload, pair)) > most:
        return [f"The subject must be at most {most} characters. Shorten it."]
    if names_person(upload, pair):
        return [f"The subject {PERSONAL} Write a pseudonym such as sub-001, or a code."]
    return []


def names_person(upload: Upload, pair: Pair) -> bool:
    """Whether somebody wrote a person; a number or what files say can be confirmed."""
    subject = read_subject(upload, pair)
    if subject == upload.facts["subject"] or sidecars.is_numbered_alone(subject):
        return False
    return sidecars.states_person(subject, column="subject")
