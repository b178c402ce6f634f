"""Conduct, missing scores, groups and several questions: planted effects are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ratings.statistics.bootstrap import rank_biserial
from ratings.statistics.clmm import cumulative_link
from ratings.statistics.crossed import ONE_RATER
from ratings.statistics.explanations import EXPLANATIONS
from ratings.statistics.family import across_questions
from ratings.statistics.missing import assume
from ratings.statistics.paired import holm
from ratings.statistics.relation import correlate
from ratings.statistics.result import Result
from ratings.statistics.rows import ScoreRow
from ratings.statistics.several import several_arms
from ratings.statistics.strata import by_stratum
from ratings.statistics.summary import Analysis, analyse
from ratings.statistics.table import ScoreTable, make_table
from tests.ratings import golden

LEVELS = range(1, 6)
Change = Callable[[ScoreRow, int], ScoreRow]


def study(change: Change, *, raters: int = 6, cases: int = 20) -> ScoreTable:
    """A full study; `change` sees each row and its running number in the rater."""
    rng = np.random.default_rng(4)
    rows = []
    for r in range(raters):
        n = 0
        for c in range(cases):
            arms = ("manual", "pred") if (r + c) % 2 else ("pred", "manual")
            for arm in arms:
                n += 1
                score = int(rng.integers(2, 5))
                row = ScoreRow(f"R{r}", f"C{c}", arm, score, position=n, session=1)
                rows.append(change(row, n))
    return make_table(rows, levels=LEVELS)


def analysed(change: Change) -> Analysis:
    return analyse(study(change), reference="manual", seed=1)


def test_tiring_raters_show_a_drift() -> None:
    found = analysed(lambda row, n: replace(row, score=5 - (n - 1) // 10)).conduct.order
    assert found.value == pytest.approx(-9.4, abs=0.2)
    steady = analysed(lambda row, n: row).conduct.order
    assert steady.p is not None
    assert steady.p > 0.05


def test_a_later_session_that_scores_higher_is_seen() -> None:
    found = analysed(
        lambda row, n: replace(row, score=2 + (n > 20), session=1 + (n > 20))
    ).conduct.session
    assert found.value == pytest.approx(1.0)
    assert found.reason == "zero_variance"
    alone = analysed(lambda row, n: row).conduct.session
    assert alone.reason == "one_session"


def test_carry_over_is_the_difference_between_the_two_orders() -> None:
    def first_is_better(row: ScoreRow, n: int) -> ScoreRow:
        return replace(row, score=4 if n % 2 else 3)

    found = analysed(first_is_better).conduct.arms[0].carry_over
    assert found.value == pytest.approx(2.0)
    assert (
        "pred was seen first" in found.what or "pred was seen first" in found.sentence
    )


def test_without_positions_order_and_carry_over_say_so() -> None:
    found = analysed(lambda row, n: replace(row, position=None, session=None)).conduct
    assert found.order.reason == "no_positions"
    assert found.arms[0].carry_over.reason == "no_order_of_arms"
    assert found.times == ()


def test_hasty_and_idle_ratings_are_counted() -> None:
    found = analysed(
        lambda row, n: replace(row, seconds={1: 1.0, 2: 900.0}.get(n, 20.0))
    ).conduct.times[0]
    assert (found.n, found.hasty, found.idle) == (240, 6, 6)
    assert found.median == 20.0


def test_a_broken_blind_is_seen_and_its_pairs_left_out() -> None:
    def knows(row: ScoreRow, n: int) -> ScoreRow:
        sure = row.rater in ("R0", "R1", "R2")
        return replace(row, guess=row.arm if sure else "unsure")

    arm = analysed(knows).conduct.arms[0]
    assert arm.blinding is not None
    assert arm.blinding.bang_arm.analytic.value == pytest.approx(0.5)
    assert arm.blinding.table == ((60, 0), (0, 60), (60, 60))
    assert arm.unsure_or_wrong.n == 60
    silent = analysed(lambda row, n: row).conduct.arms[0]
    assert silent.blinding is None
    assert silent.unsure_or_wrong.reason == "no_guesses"


def test_scores_given_unlooked_are_left_out_of_the_second_look() -> None:
    found = analysed(lambda row, n: replace(row, unlooked=int(n == 1))).conduct
    assert found.n_unlooked == 6
    assert found.arms[0].without_unlooked.n == 120 - 6


def test_scores_of_raters_own_cases_are_left_out_where_they_are_marked() -> None:
    def mark(row: ScoreRow, n: int) -> ScoreRow:
        own = (row.rater, row.case) in {("R0", "C1"), ("R1", "C2")}
        return replace(row, conflict=int(own))

    found = analysed(mark).conduct
    assert found.n_own == 4
    assert found.arms[0].without_own is not None
    assert found.arms[0].without_own.n == 120 - 2
    assert found.arms[0].without_own.value != found.arms[0].without_unlooked.value
    unmarked = analysed(lambda row, n: row).conduct
    assert (unmarked.n_own, unmarked.arms[0].without_own) == (None, None)
    nobody = analysed(lambda row, n: replace(row, conflict=0)).conduct.arms[0]
    assert nobody.without_own is not None
    assert nobody.without_own.reason == "no_own_cases"


def test_missing_scores_are_counted_with_their_reasons() -> None:
    def skips(row: ScoreRow, n: int) -> ScoreRow:
        return replace(row, score=None, reason="cannot rate") if n == 3 else row

    found = analysed(skips).conduct
    assert found.reasons == (("cannot rate", 6),)
    assert sum(c.n_expected - c.n_given for c in found.counts) == 6


def test_the_worst_and_the_best_case_enclose_what_was_seen() -> None:
    table = golden.table("missing_6x24")
    found = assume(table, arm="pred", reference="manual")
    seen = golden.analysis("missing_6x24").comparisons[0].difference.both.value
    assert found.worst.value is not None
    assert found.best.value is not None
    assert seen is not None
    assert found.worst.value < seen < found.best.value
    assert found.worst.n == table.difference(arm="pred", reference="manual").size
    none = assume(golden.table("paper_8x40"), arm="pred", reference="manual")
    assert none.worst.reason == "nothing_missing"


def test_groups_keep_single_cases_apart_and_test_their_difference() -> None:
    table = golden.table("paper_8x40")
    d = table.difference(arm="pred", reference="manual")
    contrast, *_ = by_stratum(table, d, what="difference", tested=True, seed=1)
    by_label = {one.label: one for one in contrast.strata}
    assert sum(one.n_cases for one in contrast.strata) == 40
    assert by_label["STIR"].mean.reason == "single_case"
    assert by_label["PSIR"].mean.reason == "small_stratum"
    assert by_label["T2w"].mean.ci is not None
    planted = d + 3.0 * (np.array(table.strata["contrast"]) == "T2w")
    again, *_ = by_stratum(table, planted, what="difference", tested=True, seed=1)
    assert again.interaction.p == pytest.approx(1e-4)
    assert contrast.interaction.p is not None
    assert contrast.interaction.p > 0.05


def test_several_questions_share_one_family() -> None:
    one = golden.analysis("paper_8x40")
    two = golden.analysis("arms3_6x20")
    assert across_questions([one]) == (one,)
    found = across_questions([one, two])
    raw = [c.difference.both.p for a in (one, two) for c in a.comparisons]
    corrected = [p for a in found if a.multiplicity for _, p in a.multiplicity.p_holm]
    assert corrected == pytest.approx(list(holm(raw)))
    assert found[0].multiplicity is not None
    assert "2 questions" in found[0].multiplicity.text


def test_one_arm_alone_has_groups_and_a_panel() -> None:
    found = golden.analysis("paradox_2x100")
    assert found.several is None
    assert found.conduct.arms == ()
    arm = found.arms[0]
    assert arm.panel.ac1.value == pytest.approx(0.866, abs=1e-3)
    assert "never_alone" in arm.panel.ac2.warnings


@pytest.mark.parametrize("name", ["paper_8x40", "missing_6x24"])
def test_swapping_the_arms_mirrors_every_sensitivity_analysis(name: str) -> None:
    one = golden.analysis(name).comparisons[0].sensitivity
    table = golden.table(name)
    other = analyse(table, reference="pred", seed=20261122).comparisons[0].sensitivity
    for key in ("case_flips", "rater_flips", "bootstrap_cases", "bootstrap_both"):
        a, b = getattr(one, key), getattr(other, key)
        assert a.value == pytest.approx(-b.value)
        assert a.p is None or a.p == pytest.approx(b.p)
        if a.ci:
            assert a.ci == pytest.approx((-b.ci[1], -b.ci[0]))
    assert one.model.value is not None
    assert one.model.value == pytest.approx(1 / (other.model.value or 1), rel=1e-3)
    assert one.strata
    for mine, its in zip(one.strata, other.strata, strict=True):
        assert mine.interaction.p == its.interaction.p
        assert mine.interaction.value == pytest.approx(its.interaction.value)


def test_other_names_change_no_bootstrap() -> None:
    table = golden.table("missing_6x24")
    rows = [
        replace(row, rater=f"X{9 - int(row.rater[1:])}", case=f"K{hash_of(row.case)}")
        for row in table.rows
    ]
    renamed = make_table(rows, levels=table.levels)
    one = golden.analysis("missing_6x24").comparisons[0].sensitivity
    again = analyse(renamed, reference="manual", seed=20261122)
    other = again.comparisons[0].sensitivity
    for key in ("bootstrap_cases", "bootstrap_raters", "case_flips", "model"):
        a, b = getattr(one, key), getattr(other, key)
        assert a.value == pytest.approx(b.value, rel=1e-4)
        assert a.ci is None or a.ci == pytest.approx(b.ci, rel=1e-3)
        assert a.p is None or a.p == pytest.approx(b.p, rel=1e-3)


def hash_of(label: str) -> int:
    """Another order of the cases."""
    return (int(label[1:]) * 7919) % 104729


def test_every_explanation_says_how_why_and_whence() -> None:
    for one in EXPLANATIONS.values():
        assert all((one.title, one.formula, one.why, one.reference))


def test_masks_shown_together_share_their_place_in_the_order() -> None:
    """Sorted by score within a place they would seem to rise."""
    rows = [
        ScoreRow("R", f"C{c}", arm, score, position=c + 1, session=1)
        for c in range(6)
        for arm, score in (("manual", 2), ("pred", 4))
    ]
    table = make_table(
        [replace(row, rater=f"R{r}") for r in range(6) for row in rows], levels=LEVELS
    )
    drift = analyse(table, reference="manual", seed=1).conduct.order
    assert drift.value == pytest.approx(0, abs=1e-9)


def test_guesses_of_one_rater_speak_of_that_rater() -> None:
    def guessed(row: ScoreRow, n: int) -> ScoreRow:
        return replace(row, guess="manual" if n % 3 else "automatic")

    def index(cases: int) -> Result:
        table = study(guessed, raters=1, cases=cases)
        found = analyse(table, reference="manual", seed=1).conduct.arms[0].blinding
        assert found is not None
        return found.james.clustered

    assert index(12).scope == ONE_RATER
    assert index(9).reason == "too_few_cases_for_bootstrap"
    assert index(9).ci is None


def test_a_model_of_one_rater_says_nothing_of_others() -> None:
    table = study(lambda row, n: row, raters=1, cases=30)
    scores = table.scores[:, :, 0], table.scores[:, :, 1]
    found = cumulative_link(*scores)
    assert found.scope == ONE_RATER
    assert "single_rater_no_generalisation" in found.warnings
    assert "rater × arm" not in found.method


def test_a_rater_without_a_score_does_not_end_the_comparison_of_all_arms() -> None:
    rng = np.random.default_rng(2)
    rows = [
        ScoreRow(f"R{r}", f"C{c}", arm, int(rng.integers(1, 6)) if r < 3 else None)
        for r in range(4)
        for c in range(20)
        for arm in "abc"
    ]
    found = several_arms(make_table(rows, levels=LEVELS))
    assert found is not None
    assert (found.friedman.n, found.friedman.reason) == (180, "p_only")
    assert found.friedman.p is not None


def test_an_interval_without_width_is_none() -> None:
    won = np.array([1.0] * 4 + [0.0] * 6)
    biserial = rank_biserial(won, seed=1, scope=ONE_RATER)
    assert (biserial.value, biserial.ci) == (1.0, None)
    assert biserial.reason == "constant_resamples"
    steps = np.arange(10.0)
    assert correlate(steps, steps, seed=1).reason == "constant_resamples"
