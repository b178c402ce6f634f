"""How many masks one rater is to judge under a design, without drawing an order."""

from __future__ import annotations

from dataclasses import dataclass

from ratings.allocation.plan import Design, Material


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


def count_masks(*, material: Material, design: Design) -> Burden:
    """What `allocate` gives a rater from whom no case is kept.

    Cases used for calibration are no part of the rest, and need not be of the
    material's.
    """
    practised = {case for case, _ in design.calibration}
    rest = set(material.cases) - practised
    fit = rest if material.empty_cases is None else rest & set(material.empty_cases)
    together = len(material.arms) if design.paired else 1
    units = len(rest) if design.paired else len(rest) * len(material.arms)
    controls = min(design.control_bad, len(rest))
    controls += min(design.control_empty, len(fit))
    practice = len(practised) if design.paired else len(design.calibration)
    repeats = (units * design.repeat_percent + 50) // 100
    return Burden(
        main=units * together,
        repeats=repeats * together,
        controls=controls * together,
        calibration=practice * together,
    )
