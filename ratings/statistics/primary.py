"""The tests that a protocol can name as its primary one, and the result of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ratings.statistics.crossed import Crossed
    from ratings.statistics.result import Result

CROSSED, HILLIS, CASES, CASE_FLIPS = "crossed", "hillis", "cases", "case_flips"
MIN_INFORMATIVE = 6  # cases; with five the least p by flipping them is 2/32


@dataclass(frozen=True)
class PrimaryTest:
    """One choice: `name` in prose, `words` in a protocol.

    `methods` goes on from "of the paired difference …" in the methods of a paper.
    """

    name: str
    words: str
    methods: str


REMARKS: Mapping[str, str] = MappingProxyType(
    {
        HILLIS: "It finds nearly the same.",
        CASES: "It finds a difference more often, and says nothing of other raters.",
        CASE_FLIPS: "It finds a difference more often, and says nothing of other "
        "raters.",
    }
)
START = "mean difference between each arm and the reference, two-sided, "
TESTS: Mapping[str, PrimaryTest] = MappingProxyType(
    {
        CROSSED: PrimaryTest(
            "raters × cases test",
            f"{START}with raters and cases both taken as samples",
            "with the two-way variance of Obuchowski and Rockette [@obuchowski1995] "
            "where every rater scored every case and a two-way cluster-robust variance "
            "[@cameron2011] otherwise, Satterthwaite degrees of freedom and a 95 % t "
            "interval",
        ),
        HILLIS: PrimaryTest(
            "raters × cases test with Hillis' degrees of freedom",
            f"{START}with raters and cases both taken as samples, variance and degrees "
            "of freedom of Hillis 2007; no test if any score is missing",
            "with the two-way variance of Obuchowski and Rockette [@obuchowski1995] as "
            "modified by Hillis, his degrees of freedom [@hillis2007] and a 95 % t "
            "interval",
        ),
        CASES: PrimaryTest(
            "t test over cases",
            f"{START}with cases taken as a sample and the raters as they are",
            "with the variance between cases alone and a 95 % t interval over cases, "
            "so that it holds for these raters only",
        ),
        CASE_FLIPS: PrimaryTest(
            "signed-rank test with cases as clusters",
            f"{START}signed-rank test in which the sign of a whole case is flipped, "
            "with cases taken as a sample and the raters as they are; interval and "
            "margin by t over cases",
            "tested with the signed-rank test in which whole cases are flipped "
            "[@rosner2006; @pratt1959], with a 95 % t interval over cases, so that it "
            "holds for these raters only",
        ),
    }
)


def estimate(test: str, difference: Crossed) -> Result:
    """The mean difference with the interval that belongs to a test.

    A margin is judged by this one, since a rank test has no interval.
    """
    return {
        CROSSED: difference.both,
        HILLIS: difference.hillis,
        CASES: difference.cases,
        CASE_FLIPS: difference.cases,
    }[test]


def answer(test: str, difference: Crossed, flips: Result) -> Result | None:
    """The primary result by `test`; None for the recommended one, `difference.both`."""
    found = estimate(test, difference)
    if test == CROSSED:
        return None
    if test != CASE_FLIPS or found.reason is not None:
        return found
    if flips.p is None:
        return replace(found, se=None, ci=None, p=None, reason=flips.reason)
    return replace(
        found,
        p=flips.p,
        method=f"{found.method}; p: {flips.method}",
        warnings=(*found.warnings, *flips.warnings),
    )
