"""Reveals, once a study is unblinded, everything from which its order was drawn."""

from __future__ import annotations

import json
from typing import Any

from ratings import audit, blinding, drawing
from ratings.models import Study

NAME = "schedule.json"


def describe_schedule(study: Study) -> dict[str, Any]:
    """Seed, protocol, commitments and every stored item; refuses before unblinding."""
    if study.state != Study.State.UNBLINDED:
        raise blinding.StillBlind(
            "The seed stays secret until the study is unblinded. Close and unblind it "
            "first."
        )
    locked = study.audit.filter(verb=Study.State.LOCKED).last()
    facts = locked.payload if locked else {}
    return {
        "algorithm": study.allocation_report.get("version"),
        "seed": study.seed,
        "protocol": study.protocol,
        "protocol_sha256": facts.get("protocol", ""),
        "commitment": facts.get("commitment", ""),
        "late": study.allocation_report.get("late", []),
        "items": drawing.list_lines(blinding.list_placements(study)),
    }


def reveal(study: Study) -> dict[str, bytes]:
    """The schedule as a file of the export, unless the study was not drawn here."""
    if not study.allocation_report.get("version"):
        return {}
    # Sorted: PostgreSQL keeps no order of keys, and the export is the same anywhere.
    told = describe_schedule(study)
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)
    return {NAME: f"{text}\n".encode()}


def check_schedule(schedule: dict[str, Any]) -> list[str]:
    """A sentence for each thing that a new draw from the revealed seed contradicts."""
    protocol, seed = schedule["protocol"], schedule["seed"]
    faults = []
    if audit.digest(protocol) != schedule["protocol_sha256"]:
        faults.append("The protocol is not the one that was locked: its hash differs.")
    drawn = drawing.draw(protocol=protocol, seed=seed).placements
    commitment = drawing.commit_to(
        seed=seed, protocol_sha256=schedule["protocol_sha256"], placements=drawn
    )
    if commitment != schedule["commitment"]:
        faults.append("Seed, protocol and order don't fit the commitment of the lock.")
    everything = list(drawn)
    for own, fault in drawing.draw_latecomers(
        protocol=protocol, seed=seed, protocol_sha256=schedule["protocol_sha256"],
        late=schedule["late"], earlier=drawn,
    ):  # fmt: skip
        faults += [fault] * bool(fault)
        everything += own
    return faults + compare(drawing.list_lines(everything), schedule["items"])


def compare(drawn: list[str], stored: list[str]) -> list[str]:
    """The items that were shown against those that were drawn, by rater and place."""
    wrong = set(drawn) ^ set(stored)
    places = {(line.split("/")[0], int(line.split("/")[2])) for line in wrong}
    return [
        f"{rater}, position {position}: the item shown is not the one drawn."
        for rater, position in sorted(places)
    ]
