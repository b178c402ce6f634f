"""Whether the text of a stored draw still says what holds, for a paper quotes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ratings import draw_text, sampling, selecting
from ratings.models import Study
from ratings.sampling import Rule


def read_rule(study: Study) -> Rule | None:
    """The rule of the stored draw."""
    stored = study.selection.get("rule")
    if not stored:
        return None
    listed = {key: tuple(stored.get(key, ())) for key in ("by", "exclude")}
    return Rule(**{**stored, **listed})


def write_text(study: Study) -> str:
    """The text of the stored draw, and which cases it counts that were removed since.

    Empty where nothing was drawn.
    """
    drawn = study.selection
    removed = draw_text.tell_removed(
        list_removed(study), chosen=drawn.get("chosen", ())
    )
    return f"{drawn.get('text', '')} {removed}".strip()


def tell(study: Study) -> str:
    """Sentences where the text of the stored draw counts what is no more."""
    told = [tell_changed(list_outdated(study)), tell_gone(list_removed(study))]
    return " ".join(sentence for sentence in told if sentence)


def tell_changed(labels: Sequence[str]) -> str:
    if not labels:
        return ""
    return (
        "The text of the draw no longer holds: masks changed since, and its own rule "
        f"would now judge {name_some(labels)} otherwise. Draw again under “Choose "
        "which are rated”."
    )


def tell_gone(labels: Sequence[str]) -> str:
    if not labels:
        return ""
    verb = "were" if labels[1:] else "was"
    return (
        f"{name_some(labels)} {verb} removed from the study after the draw, whose "
        "numbers stay as they were; its text and the protocol say so. Draw again under "
        "“Choose which are rated” if the draw is to hold for the cases there are."
    )


def name_some(labels: Sequence[str]) -> str:
    return labels[0] + (f" and {len(labels) - 1} more" if labels[1:] else "")


def list_removed(study: Study) -> list[str]:
    """The cases that were there at the draw and are no more; old draws know the drawn.

    A label is never given twice, so none of these is another case by now.
    """
    there = {case.label for case in selecting.read_pool(study.selection)}
    there |= set(study.selection.get("chosen", ()))
    return sorted(there - set(study.cases.values_list("label", flat=True)))


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
        and sampling.find_exclusion(replace(case, by_hand=""), rule) != said[case.label]
    ]


def list_said(study: Study, rule: Rule) -> dict[str, str]:
    """Why the draw excluded a case, by label; empty where it was there to draw."""
    excluded = set(sampling.list_words(rule))
    taken = set(study.selection.get("chosen", ()))
    reasons = dict(study.cases.values_list("label", "left_out"))
    free = {
        label: ""
        for label, why in reasons.items()
        if label in taken or why == sampling.NOT_DRAWN
    }
    return {label: why for label, why in reasons.items() if why in excluded} | free
