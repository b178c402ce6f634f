"""How many masks one rater is to judge under a design, without drawing an order."""

from __future__ import annotations

from dataclasses import dataclass

from ratings.allocation.plan import Design


@dataclass(frozen=True)
class Burden:
    """Masks, counted one by one also where several are shown at once."""

    main: int
    repeats: int
    controls: int
    calibration: int

    @property
    def total(self) -> int:
        return self.main + self.repeats + self.controls + self.calibration


def count_masks(*, cases: int, arms: int, empty_cases: int, design: Design) -> Burden:
    """What `allocate` gives a rater from whom no case is kept.

    `empty_cases` of the cases can hold an empty mask as a control; cases used for
    calibration are no part of the rest.
    """
    practised = len({case for case, _ in design.calibration})
    left = max(0, cases - practised)
    together = arms if design.paired else 1
    units = left if design.paired else left * arms
    controls = min(design.control_bad, left)
    controls += min(design.control_empty, left, empty_cases)
    practice = practised if design.paired else len(design.calibration)
    repeats = (units * design.repeat_percent + 50) // 100
    return Burden(
        main=units * together,
        repeats=repeats * together,
        controls=controls * together,
        calibration=practice * together,
    )
