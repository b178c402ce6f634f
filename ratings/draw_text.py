"""Says for the paper by which rule cases were drawn, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from ratings.sampling import (
    BY_HAND,
    EVERY,
    NO_REFERENCE,
    PROPORTIONAL,
    Draw,
    Rule,
    is_by_hand,
    list_words,
)

# so many cases are named; the protocol names them all
MOST_NAMED = 10


def tell(drawn: Draw, rule: Rule, *, seed: str, number: int) -> str:
    """The rule and what came of it, as sentences for the paper."""
    pool = len(drawn.chosen) + len(drawn.left_out)
    parts = [_tell_excluded(drawn, rule, pool), _tell_taken(drawn, rule)]
    if rule.mode != EVERY:
        parts.append(
            "The draw is a Fisher–Yates shuffle within each stratum on SHA-256 of the "
            f"seed {seed}" + (f", after {number - 1} earlier draws." if number > 2
            else ", after one earlier draw." if number == 2 else ".")
        )  # fmt: skip
    if set(rule.exclude) & {"all_empty", "any_empty"}:
        parts.append(
            "Leaving out cases by their masks selects on what is compared; the results "
            "hold for the cases that were kept."
        )
    return " ".join(part for part in parts if part)


def _tell_excluded(drawn: Draw, rule: Rule, pool: int) -> str:
    counts = drawn.count_reasons()
    # what is no rule of its own is said only where it took a case
    rules = [w for w in list_words(rule) if w != NO_REFERENCE or w in counts]
    reasons = rules + [BY_HAND] * (BY_HAND in counts)
    if not reasons:
        return f"Of {pool} available cases none was excluded beforehand."
    listed = "; ".join(f"{why}, {counts.get(why, 0)}" for why in reasons)
    n = sum(counts.values())
    verb = "was" if n == 1 else "were"
    text = f"Of {pool} available cases {n} {verb} excluded ({listed})."
    if "volume" in rule.exclude:
        low = spell_bound(rule.smallest or 0)
        high = "any" if rule.largest is None else spell_bound(rule.largest)
        text += f" The range of the volume was {low} to {high} mm³ ({rule.reference})."
    return text + _tell_by_hand(drawn)


def _tell_by_hand(drawn: Draw) -> str:
    """Who was left out by hand, by reason."""
    found: dict[str, list[str]] = {}
    for label, why in sorted(drawn.left_out.items()):
        if is_by_hand(why):
            found.setdefault(why, []).append(label)
    named = "; ".join(f"{name_cases(found[why])} ({why})" for why in found)
    return f" Left out by hand: {named}." if named else ""


def name_cases(labels: Sequence[str]) -> str:
    """ "C001, C002 and 3 more"."""
    more = len(labels) - MOST_NAMED
    text = ", ".join(labels[:MOST_NAMED])
    return f"{text} and {more} more" if more > 0 else text


def tell_removed(labels: Sequence[str], *, chosen: Collection[str]) -> str:
    """A sentence on the cases that the draw counts and that are no more."""
    drawn = [label for label in labels if label in chosen]
    others = [label for label in labels if label not in chosen]
    kinds = [(drawn, "drawn"), (others, "not drawn")]
    named = "; ".join(f"{name_cases(some)} ({kind})" for some, kind in kinds if some)
    return f"Removed from the study after the draw: {named}." if named else ""


def spell_bound(mm3: float) -> str:
    """The number as it was typed: all its digits and no power of ten."""
    digits = f"{Decimal(str(mm3)):f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _tell_taken(drawn: Draw, rule: Rule) -> str:
    left = sum(row.eligible for row in drawn.strata)
    if rule.mode == EVERY:
        return f"All {left} others were taken." if left > 1 else "The other was taken."
    text = f"From the {left} others {len(drawn.chosen)} were drawn at random"
    if not rule.by:
        return f"{text}."
    text += f", stratified by {' and '.join(rule.by)}"
    if rule.mode == PROPORTIONAL:
        text += " in proportion to the size of the strata"
        text += (
            f", at least {rule.minimum} of each or all that it has"
            if rule.minimum else ""
        )  # fmt: skip
    # A stratum that was excluded as a whole had nothing to draw from.
    rows = [row for row in drawn.strata if row.eligible]
    listed = "; ".join(f"{r.name} {r.drawn} of {r.eligible}" for r in rows)
    return f"{text} ({listed})."
