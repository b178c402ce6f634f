"""Tells what a study of so few cases can't give: a test, and masks far apart."""

from __future__ import annotations

from ratings import drawing, frozen, training
from ratings.allocation import bound_distance, count_masks, name_shown
from ratings.models import Study
from ratings.statistics.crossed import MIN_CASES
from ratings.steps import plural


def tell_cases(study: Study) -> str:
    """How many cases are rated, and how many more practice takes."""
    practised = len(training.list_practised(study))
    rated = plural(training.count_rated(study), "case")
    return f"{rated}, and {practised} for practice" if practised else rated


def list_test_remarks(study: Study) -> list[str]:
    """That the results could hold no interval and no test at all."""
    cases = training.count_rated(study)
    if not cases or cases >= MIN_CASES:
        return []
    return [
        f"With {plural(cases, 'case')} to rate the results can give neither an "
        f"interval nor a test: both need at least {MIN_CASES}. Take in more cases."
    ]


def list_distance_remarks(study: Study) -> list[str]:
    """How far apart an order can keep what it shows of a case, where not as wanted."""
    told = frozen.describe_protocol(study)
    material, rules = drawing.read_material(told), drawing.read_rules(told)
    everybody = told["raters"] or [""]
    limits: dict[int, list[str]] = {}
    for rater in everybody:
        limit = bound_distance(material=material, design=rules, rater=rater)
        if limit is not None:
            limits.setdefault(limit, []).append(rater)
    shown = name_shown(material, rules)
    count = count_masks(material=material, design=rules)
    nearer = "; hidden repeats and controls may bring them nearer still"
    nearer = nearer if count.repeats or count.controls else ""
    return [
        f"With {plural(limit, 'case')} to rate{of_raters(codes, everybody)} the "
        f"{shown} of one case can stand at most {plural(limit, 'position')} apart, not "
        f"the {rules.min_distance} that are wanted{nearer}."
        for limit, codes in sorted(limits.items())
    ]


def of_raters(codes: list[str], everybody: list[str]) -> str:
    return "" if codes == everybody else f" for {', '.join(codes)}"
