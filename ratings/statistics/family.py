"""Several questions in one study: one analysis each, and what their number means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ratings.statistics.paired import holm
from ratings.statistics.summary import Analysis, Multiplicity


def across_questions(analyses: Sequence[Analysis]) -> tuple[Analysis, ...]:
    """Give each analysis its primary p-values corrected over all questions (Holm).

    Impossible tests leave the family. A single question stays as it is.
    """
    if len(analyses) < 2:
        return tuple(analyses)
    p_values = [c.main.p for one in analyses for c in one.comparisons]
    adjusted = iter(holm(p_values))
    n_tests = sum(p is not None for p in p_values)
    return tuple(
        replace(
            one,
            multiplicity=Multiplicity(
                n_questions=len(analyses),
                n_tests=n_tests,
                p_holm=tuple((c.arm, next(adjusted)) for c in one.comparisons),
                text=_text(len(analyses), n_tests),
            ),
        )
        for one in analyses
    )


def _text(n_questions: int, n_tests: int) -> str:
    return (
        f"This study asked {n_questions} questions, which makes {n_tests} primary "
        "tests. Each question has its own analysis; the p-value that is corrected for "
        "all of them (Holm) stands beside its own. A claim about any one of the "
        "questions needs the corrected one."
    )
