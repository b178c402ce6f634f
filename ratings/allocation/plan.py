"""What an allocation is made from and what it is: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

VERSION = 2
MAIN, REPEAT, CONTROL, CALIBRATION = "main", "repeat", "control", "calibration"
BAD, EMPTY = "control-bad", "control-empty"


@dataclass(frozen=True)
class Design:
    """How items are presented.

    `min_distance` counts positions; `repeat_percent` (0–30) of them come again;
    `session_maximum` positions make a session, 0 all; `calibration` lists (case, arm).
    """

    mode: str = "single"
    min_distance: int = 10
    repeat_percent: int = 0
    session_maximum: int = 0
    calibration: tuple[tuple[str, str], ...] = ()
    control_bad: int = 0
    control_empty: int = 0

    @property
    def paired(self) -> bool:
        return self.mode != "single"


@dataclass(frozen=True)
class Material:
    """What is to be shown; a rater's `excluded` cases are left out for that rater.

    `empty_cases` are those where an empty mask is plainly wrong; None means all.
    """

    cases: tuple[str, ...]
    arms: tuple[str, ...]
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    empty_cases: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Placement:
    """One mask on one side (`slot`) at one position (from 1) of one rater's order."""

    rater: str
    position: int
    case: str
    arm: str
    slot: int = 0
    kind: str = MAIN
    repeat: int = 0
    session: int = 1


@dataclass(frozen=True)
class Allocation:
    """The placements, the least distance kept, and what could not be met, in words.

    `spread_raters` and `spread_cases` are the greatest differences, over raters and
    over cases, between how often two arms come first.
    """

    placements: tuple[Placement, ...]
    distance: int
    notes: tuple[str, ...] = ()
    spread_raters: int = 0
    spread_cases: int = 0
