"""Say in plain words what was found and for whom it holds."""

from __future__ import annotations

import numpy as np

from ratings.statistics.comparison import Comparison
from ratings.statistics.description import ArmSummary
from ratings.statistics.paired import Preference
from ratings.statistics.primary import CROSSED, TESTS
from ratings.statistics.result import (
    Result,
    interval_text,
    number,
    p_text,
    tell_excess,
)
from ratings.statistics.table import ScoreTable

__all__ = [
    "interval", "number", "of_agreement", "of_arm", "of_comparison", "of_margin",
    "of_study", "p_text", "share",
]  # fmt: skip

ALPHA = 0.05
LEVEL = (
    "The verdict is read from the two-sided 95 % interval, which is a one-sided test "
    "at the level 0.025, in each comparison by itself."
)


def interval(result: Result) -> str:
    """The interval of a result for prose."""
    if result.ci is None:
        return "no interval"
    return f"95 % CI {interval_text(result.ci)}"


def of_comparison(
    comparison: Comparison, table: ScoreTable, *, test: str = CROSSED
) -> tuple[str, ...]:
    """The sentences of one comparison, the answer first."""
    if comparison.main.value is None:
        why = comparison.main.reason_text
        return (
            f"{comparison.arm} and {comparison.reference} cannot be compared: {why}.",
        )
    return (
        _headline(comparison, table, test),
        _preferences(comparison),
        *_raters(comparison),
        *_pooled(comparison, test),
    )


def of_margin(comparison: Comparison) -> str:
    """The verdict on the margin in a sentence; empty where none was set.

    No part of `of_comparison`: the sentences of earlier bundles stay as they are.
    """
    result, arm = comparison.non_inferiority, comparison.arm
    margin = result.detail.get("margin")
    if not isinstance(margin, float | int):
        return ""
    worse = f"worse than {comparison.reference} by more than {margin:g} points"
    if result.ci is None:
        why = result.reason_text
        return f"Whether {arm} was {worse}, the margin, can't be judged: {why}."
    verdict = {
        "not_worse": f"{arm} was not {worse}, the margin",
        "inferior": f"{arm} was {worse}, the margin",
    }.get(
        str(result.detail["verdict"]),
        f"It stays open (inconclusive) whether {arm} was {worse}, the margin",
    )
    numbers = f"95 % limits {_limits(result.ci, -margin)}"
    if result.p is not None:
        numbers += (
            f"; one-sided {p_text(result.p)} against being worse by the margin or "
            "more, level 0.025"
        )
    return f"{verdict} ({numbers}); this holds {result.scope}."


def _limits(ci: tuple[float, float], bound: float) -> str:
    """Both limits, with as many digits as tell them from the bound."""
    for digits in (2, 4, 6):
        texts = [number(limit, digits=digits) for limit in ci]
        if number(bound, digits=digits) not in texts:
            break
    return " to ".join(texts)


def of_arm(summary: ArmSummary, table: ScoreTable) -> str:
    """One arm's mean, in a sentence."""
    mean = summary.overall.mean
    if mean.value is None:
        return f"{summary.arm} has no scores."
    scale = f"on the scale {table.levels[0]} to {table.levels[-1]}"
    return (
        f"{summary.arm} was scored {number(mean.value)} on average {scale} "
        f"({interval(mean)}), {mean.scope}."
        + _excess(mean, table.levels[0], table.levels[-1])
    )


def of_agreement(summary: ArmSummary) -> str:
    """How far raters agree on one arm, in a sentence."""
    kappa = summary.agreement.mean.quadratic
    if kappa.value is None:
        return f"Agreement on {summary.arm} cannot be given: {kappa.reason_text}."
    return (
        f"Agreement between raters on {summary.arm}: mean quadratically weighted kappa "
        f"{number(kappa.value)} ({interval(kappa)}), {kappa.scope}."
    )


def of_study(
    comparisons: tuple[Comparison, ...],
    arms: tuple[ArmSummary, ...],
    table: ScoreTable,
    *,
    test: str = CROSSED,
) -> str:
    """The one sentence that answers the study's question."""
    if not comparisons:
        return of_arm(arms[0], table)
    if len(comparisons) == 1:
        return comparisons[0].sentences[0]
    higher, lower = _called(comparisons, 1), _called(comparisons, -1)
    untested = [c.arm for c in comparisons if c.p_holm is None]
    decided = {*higher, *lower, *untested}
    undecided = [c.arm for c in comparisons if c.arm not in decided]
    return (
        f"{len(comparisons)} arms were compared with {comparisons[0].reference}: "
        f"{_names(higher)} scored higher, {_names(lower)} lower, and "
        f"{_names(undecided)} with no difference shown ({TESTS[test].name}, "
        f"Holm-corrected, p below {ALPHA}); this holds {_common_scope(comparisons)}."
        + (f" No test was possible for {', '.join(untested)}." if untested else "")
    )


def _common_scope(comparisons: tuple[Comparison, ...]) -> str:
    tested = [c.main.scope for c in comparisons if c.p_holm is not None]
    return (tested or [comparisons[0].main.scope])[0]


def share(part: int, whole: int) -> str:
    """A share in whole percent."""
    return f"{100 * part / whole:.0f} %"


def _headline(comparison: Comparison, table: ScoreTable, test: str) -> str:
    result = comparison.main
    if result.value is None:
        raise ValueError("a comparison without pairs has no headline")
    arm, reference = comparison.arm, comparison.reference
    distance = f"{arm} was scored {_distance(result.value, reference)} on average"
    if result.reason == "zero_variance":
        return (
            f"{arm} was scored {_distance(result.value, reference)} in every one of "
            f"{_counted(result.n, 'pair')}; without any variation neither an interval "
            "nor a test can be given."
        )
    if result.p is None:
        return (
            f"{distance}, but neither an interval nor a test can be given"
            f"{_by(test)}: {result.reason_text}."
        )
    span = table.levels[-1] - table.levels[0]
    excess = _excess(result, -span, span)
    p = result.p if comparison.p_holm is None else comparison.p_holm
    corrected = "" if p == result.p else f", Holm-corrected {p_text(p)}"
    numbers = f"({interval(result)}, {p_text(result.p)}{corrected}{_named(test)})"
    whom = f"this holds {result.scope} ({_size(result, table)})"
    if p < ALPHA:
        return f"{distance} {numbers}; {whom}.{excess}"
    caution = (
        " The interval says which differences remain possible; it is no proof that "
        "the two are equal."
    )
    return (
        f"No difference between {arm} and {reference} was shown: {distance} "
        f"{numbers}; {whom}.{excess or caution}"
    )


def _excess(result: Result, low: float, high: float) -> str:
    """The sentence on an interval beyond the scale, to be put after another."""
    text = tell_excess(result.ci, low=low, high=high)
    return f" {text}" if text else ""


def _named(test: str) -> str:
    """The primary test, where it is not the one that every report has."""
    return "" if test == CROSSED else f", {TESTS[test].name}"


def _by(test: str) -> str:
    return "" if test == CROSSED else f" by the {TESTS[test].name}"


def _distance(value: float, reference: str) -> str:
    if value == 0:
        return f"the same as {reference}"
    word = "higher" if value > 0 else "lower"
    return f"{number(abs(value))} points {word} than {reference}"


def _size(result: Result, table: ScoreTable) -> str:
    # Whoever gave no score, and a case without one, are no part of the sample.
    given = ~np.isnan(table.scores)
    parts = {
        "rater": int(given.any((1, 2)).sum()),
        "case": int(given.any((0, 2)).sum()),
        "pair": result.n,
    }
    return ", ".join(_counted(count, noun) for noun, count in parts.items())


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _preferences(comparison: Comparison) -> str:
    found: Preference = comparison.preference
    return (
        f"{comparison.arm} was scored higher in {share(found.better, found.n)} of "
        f"{_counted(found.n, 'pair')}, equal in {share(found.tied, found.n)} and "
        f"lower in {share(found.worse, found.n)}."
    )


def _raters(comparison: Comparison) -> tuple[str, ...]:
    paired = [r for r in comparison.per_rater if r.preference.n]
    if len(paired) < 2:
        return ()
    tested = [r for r in comparison.per_rater if r.p_holm is not None]
    called = [r for r in tested if r.p_holm is not None and r.p_holm < ALPHA]
    # The test is one of ranks, so its direction is too.
    higher = sum(1 for r in called if (r.rank_biserial.value or 0) > 0)
    text = (
        f"Rater by rater, {higher} of {len(paired)} scored "
        f"{comparison.arm} higher and {len(called) - higher} lower beyond chance "
        f"(exact signed-rank test with Holm correction over "
        f"{_counted(len(tested), 'testable rater')})."
    )
    return (text,)


def _pooled(comparison: Comparison, test: str) -> tuple[str, ...]:
    """Why the pooled test and the primary test part ways, when they do."""
    row, primary = comparison.as_published.overall, comparison.main
    if row is None or row.test.p is None or primary.p is None:
        return ()
    if len(comparison.per_rater) < 2 or row.test.p >= ALPHA or primary.p < ALPHA:
        return ()
    return (
        f"The published pooled test gives {p_text(row.test.p)}, but it counts the "
        f"{row.test.n} pairs as independent although the same raters and cases "
        f"repeat (pseudo-replication); the {TESTS[test].name}, which takes that into "
        f"account, gives {p_text(primary.p)}.",
    )


def _called(comparisons: tuple[Comparison, ...], sign: int) -> list[str]:
    return [
        c.arm
        for c in comparisons
        if c.p_holm is not None and c.p_holm < ALPHA and sign * (c.main.value or 0) > 0
    ]


def _names(arms: list[str]) -> str:
    return f"{len(arms)} ({', '.join(arms)})" if arms else "none"
