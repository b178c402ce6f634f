"""Draws the cases of a study from a larger pool, by a rule that can be printed.

Pure: the same pool, rule and seed give the same cases on any machine, in whatever order
the pool is listed. Nothing is dropped in silence: each case that is left out has its
reason, and a rule that the pool can't fulfil is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from ratings.allocation.draws import make_picker, shuffle
from ratings.crossing import Values, find_name, name_as_before, name_strata

EXCLUSIONS = {
    "lacks_mask": "lacks a mask of one source",
    "all_empty": "every mask of it is empty",
    "any_empty": "at least one mask of it is empty",
    "volume": "lesion volume outside the range",
    "noticed": "something was noticed about its files",
}
NOT_DRAWN = "not drawn"
PROPORTIONAL, TARGETS, EVERY = "proportional", "targets", "every"
MODES = {
    EVERY: "Take every case that is not excluded",
    PROPORTIONAL: "Draw so many cases, each stratum in proportion to its size",
    TARGETS: "Draw a number that I give for each stratum",
}


class RuleRefused(Exception):
    """Why the pool can't fulfil the rule; a sentence with the numbers."""


@dataclass(frozen=True)
class Candidate:
    """One case of the pool; `volumes` are its masks' in mm³, by arm, None: no mask."""

    label: str
    strata: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, float | None] = field(default_factory=dict)
    noticed: bool = False


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How cases are taken.

    `by` are the names of the strata that are crossed; `size` is the number of cases of
    a proportional draw, `targets` the number by stratum of the other; `minimum` is the
    least from each stratum, or all that it has. `exclude` lists keys of EXCLUSIONS.
    The volume is that of `reference`, between `smallest` and `largest` mm³.
    """

    mode: str = EVERY
    by: tuple[str, ...] = ()
    size: int = 0
    targets: Mapping[str, int] = field(default_factory=dict)
    minimum: int = 0
    exclude: tuple[str, ...] = ()
    reference: str = ""
    smallest: float | None = None
    largest: float | None = None


@dataclass(frozen=True)
class StratumRow:
    """One stratum of a draw: cases of the pool, excluded, left to draw from, drawn."""

    name: str
    pool: int
    excluded: int
    drawn: int

    @property
    def eligible(self) -> int:
        return self.pool - self.excluded


@dataclass(frozen=True)
class Draw:
    chosen: tuple[str, ...]
    left_out: Mapping[str, str]
    strata: tuple[StratumRow, ...]

    def count_reasons(self) -> dict[str, int]:
        """How many cases each exclusion took; those merely not drawn are apart."""
        counts = Counter(self.left_out.values())
        return {why: n for why, n in sorted(counts.items()) if why != NOT_DRAWN}


def draw(pool: Sequence[Candidate], rule: Rule, *, seed: str) -> Draw:
    """The cases that the rule takes from the pool.

    Raises:
        RuleRefused: the rule asks for more than there is, or for less than its minimum.
    """
    excluded = {c.label: why for c in pool if (why := find_exclusion(c, rule))}
    strata = group(pool, rule.by)
    eligible = {
        name: [label for label in labels if label not in excluded]
        for name, labels in strata.items()
    }
    wanted = plan_sizes({name: len(labels) for name, labels in eligible.items()}, rule)
    chosen: set[str] = set()
    for name, labels in eligible.items():
        order = shuffle(labels, make_picker(seed, f"cases/{name_as_before(name)}"))
        chosen.update(order[: wanted[name]])
    if not chosen:
        raise RuleRefused("The rule takes no case at all. Exclude less, or draw more.")
    rest = sorted({c.label for c in pool} - chosen)
    rows = tuple(
        StratumRow(
            name=name,
            pool=len(labels),
            excluded=len(labels) - len(eligible[name]),
            drawn=wanted[name],
        )
        for name, labels in strata.items()
    )
    left_out = {label: excluded.get(label, NOT_DRAWN) for label in rest}
    return Draw(tuple(sorted(chosen)), left_out, rows)


def find_exclusion(case: Candidate, rule: Rule) -> str:
    """The first exclusion of the rule that the case meets, in words; or nothing."""
    volumes = list(case.volumes.values())
    given = [volume for volume in volumes if volume is not None]
    own = case.volumes.get(rule.reference)
    low, high = rule.smallest, rule.largest
    outside = own is None or own < (low or 0) or (high is not None and own > high)
    met = {
        "lacks_mask": len(given) < len(volumes),
        "all_empty": bool(given) and not any(given),
        "any_empty": bool(given) and not all(given),
        "volume": outside,
        "noticed": case.noticed,
    }
    keys = [key for key in EXCLUSIONS if key in rule.exclude]
    return next((EXCLUSIONS[key] for key in keys if met[key]), "")


def group(pool: Sequence[Candidate], by: Sequence[str]) -> dict[str, list[str]]:
    """The labels of each stratum, sorted, so that the pool's order plays no part."""
    found: dict[Values, list[str]] = {}
    for case in pool:
        values = tuple(case.strata.get(key) or "" for key in by)
        found.setdefault(values, []).append(case.label)
    named = {name: found[values] for values, name in name_strata(found).items()}
    return {name: sorted(named[name]) for name in sorted(named, key=name_as_before)}


def plan_sizes(eligible: Mapping[str, int], rule: Rule) -> dict[str, int]:
    """How many cases come from each stratum."""
    if rule.mode == EVERY:
        return dict(eligible)
    if rule.mode == TARGETS:
        return check_targets(eligible, rule.targets)
    return share_out(eligible, size=rule.size, minimum=rule.minimum)


def check_targets(
    eligible: Mapping[str, int], targets: Mapping[str, int]
) -> dict[str, int]:
    """The targets themselves, if every stratum has as many cases."""
    targets = {find_name(typed, eligible): n for typed, n in targets.items()}
    wanted = {name: targets.get(name, 0) for name in eligible}
    short = [
        f"{name} has {n} of the {wanted[name]} wanted"
        for name, n in eligible.items()
        if n < wanted[name]
    ]
    strange = sorted(set(targets) - set(eligible))
    short += [f"there is no {name}" for name in strange]
    if short:
        known = f" The strata are: {'; '.join(list(eligible)[:20])}." * bool(strange)
        raise RuleRefused(
            f"There are too few cases to draw from: {'; '.join(short)}. "
            f"Lower these targets, or exclude less.{known}"
        )
    return wanted


def share_out(
    eligible: Mapping[str, int], *, size: int, minimum: int
) -> dict[str, int]:
    """Seats by Sainte-Laguë: one by one to the stratum that is furthest behind.

    Each stratum first gets its minimum, or all it has; ties go by name.
    """
    total = sum(eligible.values())
    if size > total:
        raise RuleRefused(
            f"{size} cases are wanted, but only {total} are left to draw from. "
            "Draw fewer, or exclude less."
        )
    seats = {name: min(minimum, n) for name, n in eligible.items()}
    least = sum(seats.values())
    if least > size:
        raise RuleRefused(
            f"At least {minimum} from each stratum makes {least} cases, more than the "
            f"{size} wanted. Draw more, or lower the minimum."
        )
    for _ in range(size - least):
        open_ones = [name for name, n in eligible.items() if seats[name] < n]
        # max keeps the first of equals, and the strata are sorted by name
        behind = max(
            open_ones, key=lambda name: Fraction(eligible[name], 2 * seats[name] + 1)
        )
        seats[behind] += 1
    return seats


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
    if not rule.exclude:
        return f"Of {pool} available cases none was excluded beforehand."
    counts = drawn.count_reasons()
    reasons = [EXCLUSIONS[key] for key in EXCLUSIONS if key in rule.exclude]
    listed = "; ".join(f"{why}, {counts.get(why, 0)}" for why in reasons)
    text = f"Of {pool} available cases {sum(counts.values())} were excluded ({listed})."
    if "volume" in rule.exclude:
        low = f"{rule.smallest or 0:g}"
        high = "any" if rule.largest is None else f"{rule.largest:g}"
        text += f" The range of the volume was {low} to {high} mm³ ({rule.reference})."
    return text


def _tell_taken(drawn: Draw, rule: Rule) -> str:
    left = sum(row.eligible for row in drawn.strata)
    if rule.mode == EVERY:
        return f"All {left} others were taken."
    text = f"From the {left} others {len(drawn.chosen)} were drawn at random"
    if not rule.by:
        return f"{text}."
    text += f", stratified by {' and '.join(rule.by)}"
    if rule.mode == PROPORTIONAL:
        text += " in proportion to the size of the strata"
        text += f", at least {rule.minimum} of each" if rule.minimum else ""
    # A stratum that was excluded as a whole had nothing to draw from.
    rows = [row for row in drawn.strata if row.eligible]
    listed = "; ".join(f"{r.name} {r.drawn} of {r.eligible}" for r in rows)
    return f"{text} ({listed})."
