"""Rows for the scores that were to be given and were not, each with its reason.

Without them a rater who never began would vanish from every count of a report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ratings.blinding import Place
from ratings.models import AuditEntry, Study

if TYPE_CHECKING:
    from ratings.statistics.table import ScoreRow


def read_dispositions(study: Study) -> dict[str, str]:
    """What was said, when the study was closed, of each rater with missing scores."""
    closed = AuditEntry.objects.filter(study=study, verb=Study.State.CLOSED).last()
    told = closed.payload.get("dispositions", {}) if closed else {}
    return {rater: one["why"] for rater, one in told.items()}


def fill(
    given: Iterable[ScoreRow],
    *,
    places: Iterable[Place],
    why: Callable[[Place], str],
    question: str,
) -> Iterator[ScoreRow]:
    """The given rows, and an empty one with its reason for each place without one."""
    from ratings.statistics.table import ScoreRow

    there = set()
    for row in given:
        yield row
        if row.rep == 0:
            there.add((row.rater, row.case, row.arm))
    for one in places:
        if (one.rater, one.case, one.arm) not in there:
            yield ScoreRow(
                rater=one.rater,
                case=one.case,
                arm=one.arm,
                score=None,
                contrast=one.strata.get("contrast", ""),
                site=one.strata.get("site", ""),
                acquisition=one.strata.get("acquisition", ""),
                question=question,
                reason=why(one),
            )
