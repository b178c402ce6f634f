"""Whether the text of a stored draw still says what holds, for a paper quotes it."""

from __future__ import annotations

from ratings import sampling, selecting
from ratings.models import Study
from ratings.sampling import Rule


def read_rule(study: Study) -> Rule | None:
    """The rule of the stored draw."""
    stored = study.selection.get("rule")
    if not stored:
        return None
    listed = {key: tuple(stored.get(key, ())) for key in ("by", "exclude")}
    return Rule(**{**stored, **listed})


def tell(study: Study) -> str:
    """A sentence where the text of the stored draw counts what is no more."""
    labels = list_outdated(study)
    if not labels:
        return ""
    more = f" and {len(labels) - 1} more" if labels[1:] else ""
    return (
        "The text of the draw no longer holds: masks changed since, and its own rule "
        f"would now judge {labels[0]}{more} otherwise. Draw again under “Choose which "
        "are rated”."
    )


def list_outdated(study: Study) -> list[str]:
    """The cases that the stored rule would exclude and did not, or no longer would.

    Those that were left out by hand, or came after the draw, it says nothing of.
    """
    rule = read_rule(study)
    if rule is None:
        return []
    said = list_said(study, rule)
    return [
        case.label
        for case in selecting.read_candidates(study)
        if case.label in said
        and sampling.find_exclusion(case, rule) != said[case.label]
    ]


def list_said(study: Study, rule: Rule) -> dict[str, str]:
    """Why the draw excluded a case, by label; empty where it was there to draw."""
    excluded = {sampling.EXCLUSIONS[key] for key in rule.exclude}
    taken = set(study.selection.get("chosen", ()))
    reasons = dict(study.cases.values_list("label", "left_out"))
    free = {
        label: ""
        for label, why in reasons.items()
        if label in taken or why == sampling.NOT_DRAWN
    }
    return {label: why for label, why in reasons.items() if why in excluded} | free
