"""Several questions in one study: one analysis each, and what their number means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
    if found is None:
        return ""
    own = [c.p_holm for c in analysis.comparisons]
    return tell_corrected(own, found.p_holm, n_questions=found.n_questions)


def tell_corrected(
    own: Sequence[float | None],
    corrected: Sequence[tuple[str, float | None]],
    *,
    n_questions: int,
) -> str:
    """The same, of the p-values that the headline goes by and of the corrected ones."""
    n_shown = sum(p is not None and p < ALPHA for p in own)
    if not n_shown:
        return ""
    kept = [arm for arm, p in corrected if p is not None and p < ALPHA]
    if len(kept) == n_shown:
        return f"This holds over all {n_questions} questions (Holm) as well."
    return (
        f"Corrected over all {n_questions} questions (Holm), as a claim about one of "
        f"them needs, {_shown(kept)}."
    )


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
