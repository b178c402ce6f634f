"""What a design asks of one rater and allows, without drawing an order."""

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


def count_masks(*, material: Material, design: Design, rater: str = "") -> Burden:
    """What `allocate` gives a rater; one without a name has no case left out.

    Cases used for calibration are no part of the rest, and need not be of the
    material's.
    """
    practised = {case for case, _ in design.calibration}
    rest = set(list_rest(material, design, rater))
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


def list_rest(material: Material, design: Design, rater: str = "") -> list[str]:
    """The cases that a rater is to score: neither excluded nor calibration."""
    out = {*material.excluded.get(rater, ()), *(case for case, _ in design.calibration)}
    return sorted(set(material.cases) - out)


def bound_distance(
    *, material: Material, design: Design, rater: str = ""
) -> int | None:
    """How far apart two showings of a case can be at most; None if that is enough.

    Of one position more than there are cases, two show the same case. Hidden repeats
    and controls may bring the draw below this.
    """
    cases = len(list_rest(material, design, rater))
    count = count_masks(material=material, design=design, rater=rater)
    alone = design.paired or len(material.arms) < 2
    once = alone and not count.repeats and not count.controls
    return None if once or not cases or cases >= design.min_distance else cases
