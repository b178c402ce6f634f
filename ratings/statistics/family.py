"""Several questions in one study: one analysis each, and what their number means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ratings.statistics.comparison import Comparison
from ratings.statistics.paired import holm
from ratings.statistics.sentences import ALPHA
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


def tell_over_questions(analysis: Analysis) -> str:
    """What of the headline holds once all questions are corrected for.

    Nothing where one question was asked, or where no difference was shown anyway.
    """
    found = analysis.multiplicity
    shown = [c.arm for c in analysis.comparisons if _own(c) < ALPHA]
    if found is None or not shown:
        return ""
    kept = [arm for arm, p in found.p_holm if p is not None and p < ALPHA]
    if len(kept) == len(shown):
        return f"This holds over all {found.n_questions} questions (Holm) as well."
    return (
        f"Corrected over all {found.n_questions} questions (Holm), as a claim about "
        f"one of them needs, {_shown(kept)}."
    )


def _own(comparison: Comparison) -> float:
    """The p-value that the headline goes by; 1 where no test was possible."""
    p = comparison.main.p if comparison.p_holm is None else comparison.p_holm
    return 1.0 if p is None else p


def _shown(arms: Sequence[str]) -> str:
    if not arms:
        return "no difference is shown"
    return f"a difference is shown for {', '.join(arms)} only"


def _text(n_questions: int, n_tests: int) -> str:
    return (
        f"This study asked {n_questions} questions, which makes {n_tests} primary "
        "tests. Each question has its own analysis; the p-value that is corrected for "
        "all of them (Holm) stands beside its own. A claim about any one of the "
        "questions needs the corrected one."
    )
