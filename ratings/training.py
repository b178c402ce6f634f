"""What the practice of a draft shows and lacks, and which cases it leaves to rate."""

from __future__ import annotations

from ratings.design import read_design
from ratings.models import Mask, Study


def list_practised(study: Study) -> set[str]:
    """The cases that practice takes: nobody rates them afterwards."""
    return {row.case for row in read_design(study.design).calibration}


def count_rated(study: Study) -> int:
    """How many cases are rated: the chosen ones but those that practice takes."""
    return study.chosen_cases().exclude(label__in=list_practised(study)).count()


def list_lacking(study: Study) -> list[tuple[str, str]]:
    """(case, arm) of each mask that practice shows and the study does not have.

    A case that is left out may be practised on; where masks are shown together,
    practice shows all of its case.
    """
    needed = list_needed(study)
    if not needed:
        return []
    cases = {case for case, _ in needed}
    masks = Mask.objects.filter(
        arm__in=study.rated_arms(), case__study=study, case__label__in=cases
    )
    there = set(masks.values_list("case__label", "arm__key"))
    return [pair for pair in needed if pair not in there]


def list_needed(study: Study) -> list[tuple[str, str]]:
    """(case, arm) of each mask that practice shows, in the order of the design."""
    design = read_design(study.design)
    if not design.calibration:
        return []
    beside = study.rated_arms().values_list("key", flat=True) if design.paired else ()
    shown = [
        (row.case, arm) for row in design.calibration for arm in (row.arm, *beside)
    ]
    return list(dict.fromkeys(shown))
