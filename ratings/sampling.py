"""Draws the cases of a study from a larger pool, by a rule that can be printed.

Pure: the same pool, rule and seed give the same cases on any machine, in whatever order
the pool is listed. Nothing is dropped in silence: each case that is left out has its
reason, and a rule that the pool can't fulfil is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
NO_REFERENCE = "no mask of the reference to measure"
NOT_DRAWN = "not drawn"
AFTER_DRAW = "imported after the draw"
# What the site itself writes beside a case; whatever else stands there was typed.
OWN_WORDS = frozenset({NO_REFERENCE, NOT_DRAWN, AFTER_DRAW, *EXCLUSIONS.values()})
BY_HAND = "left out by hand"
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
    """One case of the pool; `volumes` are its masks' in mm³, by arm, None: no mask.

    `by_hand` is the reason of whoever left it out, which every draw keeps to.
    """

    label: str
    strata: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, float | None] = field(default_factory=dict)
    noticed: bool = False
    by_hand: str = ""


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
        words = self.left_out.values()
        counts = Counter(BY_HAND if is_by_hand(why) else why for why in words)
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
    """Why the case is not there to draw: by hand, else by the rule's first; or ""."""
    if case.by_hand:
        return case.by_hand
    volumes = list(case.volumes.values())
    given = [volume for volume in volumes if volume is not None]
    own = case.volumes.get(rule.reference)
    low, high = rule.smallest, rule.largest
    outside = own is None or own < (low or 0) or (high is not None and own > high)
    words = EXCLUSIONS | ({"volume": NO_REFERENCE} if own is None else {})
    met = {
        "lacks_mask": len(given) < len(volumes),
        "all_empty": bool(given) and not any(given),
        "any_empty": bool(given) and not all(given),
        "volume": outside,
        "noticed": case.noticed,
    }
    keys = [key for key in EXCLUSIONS if key in rule.exclude]
    return next((words[key] for key in keys if met[key]), "")


def is_by_hand(why: str) -> bool:
    """Whether somebody typed why a case is left out."""
    return bool(why) and why not in OWN_WORDS


def list_words(rule: Rule) -> list[str]:
    """What the rule can write beside a case that it excludes, in its order."""
    words = [EXCLUSIONS[key] for key in EXCLUSIONS if key in rule.exclude]
    return words + [NO_REFERENCE] * ("volume" in rule.exclude)


def group(pool: Sequence[Candidate], by: Sequence[str]) -> dict[str, list[str]]:
    """The labels of each stratum, sorted, so that the pool's order plays no part."""
    found: dict[Values, list[str]] = {}
    # two strata can share the name that ties and seeds go by
    for case in sorted(pool, key=lambda case: case.label):
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
    refuse_twice(find_name(typed, eligible) for typed in targets)
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


def refuse_twice(names: Iterable[str]) -> None:
    counts = Counter(names)
    if twice := [name for name, n in counts.items() if n > 1]:
        raise RuleRefused(
            f"More than one number is given for {'; '.join(twice)}. "
            "Give one number for each stratum."
        )


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
