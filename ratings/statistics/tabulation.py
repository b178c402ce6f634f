"""The numbers of an analysis as flat tables, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from ratings.statistics.agreement import WEIGHTINGS, Agreement
from ratings.statistics.cells import Cell, as_csv
from ratings.statistics.comparison import Comparison
from ratings.statistics.result import Result
from ratings.statistics.summary import Analysis

Row = tuple[Cell, ...]
INTERVAL = ("value", "se", "low", "high", "p", "n", "n_excluded", "warnings", "reason")


def tabulate(analysis: Analysis) -> dict[str, str]:
    """Every table as CSV text by name; an empty cell has its reason in the row."""
    tables = {
        "means": as_csv(
            ("arm", "rater", *INTERVAL, "sd", *_levels(analysis)), _means(analysis)
        ),
        "kappa_pairs": as_csv(
            ("arms", "kind", "rater_a", "rater_b", "weighting", *INTERVAL),
            _pairs(analysis),
        ),
        "kappa_means": as_csv(
            ("arms", "kind", "weighting", *INTERVAL), _mean_kappas(analysis)
        ),
        "results": as_csv(
            ("place", "what", *INTERVAL, "method", "scope", "sentence"),
            _every_result(analysis),
        ),
    }
    if analysis.comparisons:
        tables |= _compared(analysis)
    return tables


def flat(result: Result) -> Row:
    """A result as the cells named in `INTERVAL`."""
    return (
        result.value,
        result.se,
        *(result.ci or (None, None)),
        result.p,
        result.n,
        result.n_excluded,
        "; ".join(result.warnings),
        result.reason,
    )


def _every_result(analysis: Analysis) -> Iterator[Row]:
    """Each result by its place in results.json, in the order of the tree."""
    for place, found in walk(analysis, ""):
        more = (found.method, found.scope, found.sentence)
        yield (place, found.what or found.method, *flat(found), *more)


def walk(thing: object, place: str) -> Iterator[tuple[str, Result]]:
    """Every result below a tree of dataclasses and tuples, with its place."""
    if isinstance(thing, Result):
        yield place, thing
    elif isinstance(thing, tuple):
        for i, one in enumerate(thing):
            yield from walk(one, f"{place}[{i}]")
    elif is_dataclass(thing) and not isinstance(thing, type):
        for field in fields(thing):
            dot = f"{place}." if place else ""
            yield from walk(getattr(thing, field.name), f"{dot}{field.name}")


def _compared(analysis: Analysis) -> dict[str, str]:
    names = ("arm", "reference")
    return {
        "comparisons": as_csv(
            (*names, "statistic", *INTERVAL, "df", "p_holm", "method", "scope"),
            _comparisons(analysis),
        ),
        "preferences": as_csv(
            (*names, "rater", "n", "arm_higher", "equal", "reference_higher"),
            _preferences(analysis),
        ),
        "per_rater": as_csv(
            (*names, "rater", "statistic", *INTERVAL, "p_holm"), _per_rater(analysis)
        ),
        "as_published": as_csv(
            (
                *(*names, "rater", "reference_mean", "reference_sd", "arm_mean"),
                *("arm_sd", "wilcoxon", "p", "n", "printed", "reason"),
            ),
            _published(analysis),
        ),
    }


def _levels(analysis: Analysis) -> Iterator[str]:
    return (f"score_{level}" for level in analysis.levels)


def _means(analysis: Analysis) -> Iterator[Row]:
    for summary in analysis.arms:
        for one in (summary.overall, *summary.per_rater):
            yield (summary.arm, one.label, *flat(one.mean), one.sd.value, *one.counts)


def _agreements(analysis: Analysis) -> Iterator[tuple[str, Agreement]]:
    for summary in analysis.arms:
        yield summary.arm, summary.agreement
    for comparison in analysis.comparisons:
        for found in comparison.agreement:
            yield f"{comparison.reference} / {comparison.arm}", found


def _pairs(analysis: Analysis) -> Iterator[Row]:
    for arms, found in _agreements(analysis):
        for pair in found.pairs:
            for name in WEIGHTINGS:
                who = (pair.rater_a, pair.rater_b)
                yield (arms, found.kind, *who, name, *flat(pair.by(name)))


def _mean_kappas(analysis: Analysis) -> Iterator[Row]:
    for arms, found in _agreements(analysis):
        for name in WEIGHTINGS:
            yield (arms, found.kind, name, *flat(found.mean.by(name)))


def _comparisons(analysis: Analysis) -> Iterator[Row]:
    for c in analysis.comparisons:
        listed = {
            "difference": c.difference.both,
            "difference_hillis": c.difference.hillis,
            "difference_these_raters": c.difference.cases,
            "difference_these_cases": c.difference.raters,
            "net_preference": c.net_preference,
            "non_inferiority": c.non_inferiority,
        }
        main = "difference" if c.primary is None else "primary"
        listed |= {} if c.primary is None else {main: c.primary}
        for name, result in listed.items():
            adjusted = c.p_holm if name == main else None
            more = (result.detail.get("df"), adjusted, result.method, result.scope)
            yield (c.arm, c.reference, name, *flat(result), *more)


def _preferences(analysis: Analysis) -> Iterator[Row]:
    for c in analysis.comparisons:
        rows = [("all raters", c.preference)]
        rows += [(rater.rater, rater.preference) for rater in c.per_rater]
        for rater, p in rows:
            yield (c.arm, c.reference, rater, p.n, p.better, p.tied, p.worse)


def _per_rater(analysis: Analysis) -> Iterator[Row]:
    for c in analysis.comparisons:
        for rater in c.per_rater:
            listed = {
                "difference": (rater.difference, None),
                "signed_rank_pratt": (rater.signed_rank, rater.p_holm),
                "signed_rank_wilcox": (rater.signed_rank_zeros_dropped, None),
                "rank_biserial": (rater.rank_biserial, None),
            }
            for name, (result, adjusted) in listed.items():
                who = (c.arm, c.reference, rater.rater)
                yield (*who, name, *flat(result), adjusted)


def _published(analysis: Analysis) -> Iterator[Row]:
    for c in analysis.comparisons:
        yield from _published_rows(c)


def _published_rows(c: Comparison) -> Iterator[Row]:
    found = c.as_published
    if found.overall is None:
        yield (c.arm, c.reference, None, *(None,) * 8, found.reason)
        return
    for row in (found.overall, *found.per_rater):
        means = (row.reference_mean, row.reference_sd, row.arm_mean, row.arm_sd)
        test = (row.test.value, row.test.p, row.test.n)
        printed = f"{row.printed_means}; {row.printed_test}"
        yield (c.arm, c.reference, row.label, *means, *test, printed, row.test.reason)
