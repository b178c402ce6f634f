"""The whole analysis of one question: every arm, every comparison, in one tree."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version

from threadpoolctl import threadpool_limits

from ratings.statistics import sentences
from ratings.statistics.comparison import Comparison, compare, with_holm
from ratings.statistics.conduct import Conduct, conduct
from ratings.statistics.description import ArmSummary, describe_arm
from ratings.statistics.primary import CROSSED, TESTS
from ratings.statistics.repeats import Repeats, repeats
from ratings.statistics.result import Plain, plain
from ratings.statistics.several import SeveralArms, several_arms
from ratings.statistics.table import ScoreTable, natural

SCHEMA = "blindfold-results-3"


@dataclass(frozen=True)
class Design:
    """What was rated by whom; a hidden repeat is counted apart.

    `withdrawn` are the cases that were taken out after the lock. They are no part of
    the other numbers: `n_excluded` scores were asked for on them, and
    `n_excluded_given` of these were given.
    """

    n_raters: int
    n_cases: int
    n_arms: int
    n_expected: int
    n_scored: int
    n_repeats: int
    withdrawn: tuple[str, ...] = ()
    n_excluded: int = 0
    n_excluded_given: int = 0


@dataclass(frozen=True)
class Multiplicity:
    """What it means that a study asked several questions.

    `p_holm` has, for each arm compared, the primary p of this question corrected over
    all questions and arms of the study.
    """

    n_questions: int
    n_tests: int
    p_holm: tuple[tuple[str, float | None], ...]
    text: str


@dataclass(frozen=True)
class Analysis:
    """Everything reported about one question.

    `sentence` answers the study's question; `comparisons` hold each arm against the
    reference, none of them when there is one arm only. By tiers: *primary* is
    `comparisons[].difference`, `.net_preference`, `.non_inferiority`, `.equivalence`
    (one arm alone: `arms[].overall`); *sensitivity* `comparisons[].sensitivity`,
    `.per_rater`, and `several`; *agreement* `arms[].agreement` and `.panel`,
    `comparisons[].agreement`, and `repeats`; *conduct* `conduct`; *as published*
    `comparisons[].as_published`. `multiplicity` is None for a single question.
    `primary` is the primary test, a key of `primary.TESTS`; where it is not the
    recommended one, its result is `comparisons[].primary`.
    """

    schema: str
    question: str
    sentence: str
    reference: str
    levels: tuple[int, ...]
    raters: tuple[str, ...]
    cases: tuple[str, ...]
    design: Design
    arms: tuple[ArmSummary, ...]
    comparisons: tuple[Comparison, ...]
    several: SeveralArms | None
    repeats: Repeats | None
    conduct: Conduct
    multiplicity: Multiplicity | None
    sentences: tuple[str, ...]
    unused_columns: tuple[str, ...]
    seed: int
    margin: float | None
    data_sha256: str
    versions: Mapping[str, str]
    primary: str = CROSSED

    @property
    def heard(self) -> int:
        """How many raters gave any score."""
        return len({one.rater for one in self.conduct.counts if one.n_given})

    def to_json(self) -> Plain:
        """The tree as dicts and lists for strict JSON: null and never NaN.

        The recommended primary test goes unsaid, as in every file of before it was
        a choice; so do gaps by rater and withdrawn cases where there is none.
        """
        tree = plain(self)
        if self.primary == CROSSED:
            for part in (tree, *tree["comparisons"]):
                del part["primary"]
        if not self.conduct.gaps:
            del tree["conduct"]["gaps"]
        if not self.design.withdrawn:
            for name in ("withdrawn", "n_excluded", "n_excluded_given"):
                del tree["design"][name]
            for count in tree["conduct"]["counts"]:
                del count["n_excluded"]
        return tree

    def to_text(self) -> str:
        """Strict JSON text, the same bytes for the same analysis."""
        return json.dumps(self.to_json(), allow_nan=False, ensure_ascii=False, indent=1)


def analyse(
    table: ScoreTable,
    *,
    reference: str,
    seed: int,
    margin: float | None = None,
    primary: str = CROSSED,
) -> Analysis:
    """Analyse the scores of one question.

    Args:
        table: any number of raters, cases and arms, with missing scores as NaN.
        reference: the arm that every other arm is compared with.
        seed: of the bootstrap intervals.
        margin: non-inferiority margin in points, if one was set beforehand.
        primary: the primary test that was chosen beforehand, a key of `TESTS`.

    Raises:
        ValueError: there is no such arm or test. Nothing in the data raises: what
        cannot be computed is None with its reason.
    """
    if reference not in table.arms:
        raise ValueError(f"no arm is called “{reference}”")
    if primary not in TESTS:
        raise ValueError(f"no primary test is called “{primary}”")
    # One thread: faster for small matrices, and the same sums on every machine.
    with threadpool_limits(limits=1, user_api="blas"):
        return _analyse(table, reference, seed, margin, primary)


def _analyse(
    table: ScoreTable, reference: str, seed: int, margin: float | None, primary: str
) -> Analysis:
    order = (reference, *(arm for arm in table.arms if arm != reference))
    arms = tuple(describe_arm(table, arm=arm, seed=seed) for arm in order)
    comparisons = _comparisons(table, arms, seed, margin, primary)
    return Analysis(
        schema=SCHEMA,
        question=table.question,
        sentence=sentences.of_study(comparisons, arms, table, test=primary),
        reference=reference,
        levels=table.levels,
        raters=table.raters,
        cases=table.cases,
        design=_design(table),
        arms=arms,
        comparisons=comparisons,
        several=several_arms(table),
        repeats=repeats(table, seed=seed),
        conduct=conduct(table, reference=reference, seed=seed),
        multiplicity=None,
        sentences=tuple(
            text
            for summary in arms
            for text in (
                sentences.of_arm(summary, table),
                sentences.of_agreement(summary),
            )
        ),
        unused_columns=table.unused_columns,
        seed=seed,
        margin=margin,
        data_sha256=table.data_hash(),
        versions=_versions(),
        primary=primary,
    )


def _comparisons(
    table: ScoreTable,
    arms: tuple[ArmSummary, ...],
    seed: int,
    margin: float | None,
    primary: str,
) -> tuple[Comparison, ...]:
    first, *others = arms
    found = with_holm(
        tuple(
            compare(
                table,
                arm=other.arm,
                reference=first.arm,
                agreements=(first.agreement, other.agreement),
                seed=seed,
                margin=margin,
                test=primary,
            )
            for other in others
        )
    )
    return tuple(
        replace(c, sentences=sentences.of_comparison(c, table, test=primary))
        for c in found
    )


def _design(table: ScoreTable) -> Design:
    scored = sum(1 for row in table.rows if row.rep == 0 and row.score is not None)
    apart = [row.score is not None for row in table.withdrawn if row.rep == 0]
    labels = {row.case for row in table.withdrawn}
    return Design(
        n_raters=len(table.raters),
        n_cases=len(table.cases),
        n_arms=len(table.arms),
        n_expected=int(table.expected.sum()),
        n_scored=scored,
        n_repeats=sum(1 for row in table.repeats if row.score is not None),
        withdrawn=tuple(sorted(labels, key=natural)),
        n_excluded=len(apart),
        n_excluded_given=sum(apart),
    )


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("numpy", "scipy", "statsmodels")}
    return {"python": platform.python_version(), **packages}
