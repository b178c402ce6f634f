"""Draws a study's orders from its protocol and seed, and from nothing else.

Knows no database, so that a reader of an export repeats the draw with the same code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ratings.allocation import (
    Allocation,
    Design,
    Material,
    Placement,
    allocate,
    allocate_late,
)
from ratings.design import read_design


def draw(*, protocol: Mapping[str, Any], seed: str) -> Allocation:
    """The orders of the raters whom the protocol names."""
    return allocate(
        material=read_material(protocol),
        raters=protocol["raters"],
        design=read_rules(protocol),
        seed=seed,
    )


def draw_late(
    *,
    protocol: Mapping[str, Any],
    seed: str,
    rater: str,
    excluded: Iterable[str],
    earlier: Iterable[Placement],
) -> Allocation:
    """The order of a rater who comes after the lock; `earlier` are all the others'."""
    known = read_material(protocol)
    material = Material(
        cases=known.cases,
        arms=known.arms,
        excluded={rater: tuple(sorted(excluded))},
        empty_cases=known.empty_cases,
    )
    return allocate_late(
        earlier=earlier, rater=rater, material=material,
        design=read_rules(protocol), seed=seed,
    )  # fmt: skip


def draw_latecomers(
    *,
    protocol: Mapping[str, Any],
    seed: str,
    protocol_sha256: str,
    late: Iterable[Mapping[str, Any]],
    earlier: Iterable[Placement],
) -> Iterator[tuple[tuple[Placement, ...], str]]:
    """The order of each later rater, in the order they came, and whether it holds.

    What is yielded beside the placements is a sentence if they are not those that were
    committed to, else "".
    """
    everything = list(earlier)
    for entry in late:
        own = draw_late(
            protocol=protocol, seed=seed, rater=entry["rater"],
            excluded=entry["excluded"], earlier=everything,
        ).placements  # fmt: skip
        commitment = commit_to(
            seed=seed, protocol_sha256=protocol_sha256, placements=own
        )
        fault = f"The order of {entry['rater']} does not fit its commitment."
        yield own, "" if commitment == entry["commitment"] else fault
        everything += own


def read_material(protocol: Mapping[str, Any]) -> Material:
    facts = protocol.get("drawing", {})
    empty_cases = facts.get("empty_cases")
    return Material(
        cases=tuple(sorted(case["label"] for case in protocol["cases"])),
        arms=tuple(sorted(arm["key"] for arm in protocol["arms"])),
        excluded={
            rater: tuple(cases) for rater, cases in facts.get("excluded", {}).items()
        },
        empty_cases=None if empty_cases is None else tuple(empty_cases),
    )


def read_rules(protocol: Mapping[str, Any]) -> Design:
    design = read_design(protocol["design"])
    return Design(
        mode=design.mode,
        min_distance=design.min_distance,
        repeat_percent=design.repeat_percent,
        session_maximum=design.session_maximum,
        calibration=tuple((row.case, row.arm) for row in design.calibration),
        control_bad=design.control_bad,
        control_empty=design.control_empty,
    )


def list_lines(placements: Iterable[Placement]) -> list[str]:
    """The item list as text, a line an item, in the order of raters and positions."""
    ordered = sorted(placements, key=lambda p: (p.rater, p.position, p.slot))
    return [
        f"{p.rater}/{p.session}/{p.position}/{p.slot}/{p.kind}/{p.repeat}/{p.case}/{p.arm}"
        for p in ordered
    ]


def commit_to(
    *, seed: str, protocol_sha256: str, placements: Iterable[Placement]
) -> str:
    """SHA-256 over seed, protocol hash and item list: binds, reveals nothing."""
    text = "\n".join([seed, protocol_sha256, *list_lines(placements)])
    return hashlib.sha256(text.encode()).hexdigest()
