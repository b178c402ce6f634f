"""The whole analysis: what it says, for whom, and what it says when it cannot."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

from ratings.statistics import sentences
from ratings.statistics.result import REASONS, Result, plain
from ratings.statistics.summary import Analysis, analyse
from ratings.statistics.table import ScoreRow, make_table, read_scores
from ratings.statistics.tabulation import tabulate, walk
from tests.ratings import golden

LEVELS = range(1, 6)


def small(scores: dict[tuple[str, str, str], int | None]) -> Analysis:
    rows = [ScoreRow(*key, score) for key, score in scores.items()]
    return analyse(make_table(rows, levels=LEVELS), reference="manual", seed=1)


def results(tree: Any) -> Iterator[dict[str, Any]]:
    """Every result anywhere in the JSON of an analysis."""
    if isinstance(tree, dict):
        if "reason_text" in tree:
            yield tree
        for branch in tree.values():
            yield from results(branch)
    if isinstance(tree, list):
        for branch in tree:
            yield from results(branch)


def never(token: str) -> None:
    raise AssertionError(f"{token} is not strict JSON")


@pytest.mark.parametrize("name", golden.DATASETS)
def test_every_data_set_gives_strict_json_with_a_reason_for_each_gap(name: str) -> None:
    text = golden.analysis(name).to_text()
    tree = json.loads(text, parse_constant=never)
    found = list(results(tree))
    assert len(found) > 10
    for result in found:
        gaps = [key for key in ("value", "ci") if result[key] is None]
        if gaps:
            assert result["reason_text"] == REASONS[result["reason"]]
        assert result["scope"]
        assert result["method"]
        if result["ci"] is not None:
            assert result["ci"][0] <= result["value"] <= result["ci"][1]
        if result["p"] is not None:
            assert 0 <= result["p"] <= 1


def test_the_pooled_test_cries_wolf_where_the_primary_does_not() -> None:
    comparison = golden.analysis("pseudorep_8x40").comparisons[0]
    overall, primary = comparison.as_published.overall, comparison.difference.both
    assert overall is not None
    assert overall.test.p is not None
    assert primary.p is not None
    assert overall.test.p < 0.008
    assert primary.p > 0.15
    text = " ".join(comparison.sentences)
    assert "No difference between pred and manual was shown" in text
    assert "counts the 320 pairs as independent" in text
    assert "pseudo-replication" in text


def test_the_headline_says_how_much_how_sure_and_for_whom() -> None:
    assert golden.analysis("paper_8x40").sentence == (
        "pred was scored 0.42 points higher than manual on average (95 % CI 0.08 to "
        "0.76, p = 0.017); this holds for raters and cases like these (8 raters, 40 "
        "cases, 320 pairs)."
    )


def test_where_both_tests_agree_nothing_is_said_against_the_pooled_one() -> None:
    text = " ".join(golden.analysis("paper_8x40").comparisons[0].sentences)
    assert "pooled" not in text


def test_one_rater_is_said_not_to_speak_for_others() -> None:
    found = golden.analysis("tiny_allpos_1x6")
    assert "for this rater, and cases like these" in found.sentence
    assert "single_rater_no_generalisation" in (
        found.comparisons[0].difference.both.warnings
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tiny_allzero_1x6", "zero_variance"),
        ("tiny_onepair_1x1", "single_case"),
    ],
)
def test_degenerate_sets_say_why_there_is_no_test(name: str, reason: str) -> None:
    comparison = golden.analysis(name).comparisons[0]
    assert comparison.difference.both.reason == reason
    assert comparison.difference.both.p is None
    assert "neither an interval nor a test" in comparison.sentences[0]


def test_a_constant_rater_is_untestable_and_leaves_the_family() -> None:
    comparison = golden.analysis("constant_4x10").comparisons[0]
    by_rater = {rater.rater: rater for rater in comparison.per_rater}
    assert by_rater["R01"].signed_rank.reason == "all_differences_zero"
    assert by_rater["R01"].p_holm is None
    assert by_rater["R02"].difference.reason == "zero_variance"
    assert by_rater["R02"].p_holm == pytest.approx(2 * 0.001953125)
    assert "over 2 testable raters" in " ".join(comparison.sentences)


def test_arms_without_a_common_pair_are_not_compared() -> None:
    found = small({("R1", "C1", "manual"): 3, ("R1", "C2", "pred"): 4})
    assert found.comparisons[0].difference.both.reason == "no_pairs"
    assert "cannot be compared" in found.sentence


def test_an_arm_nobody_scored_is_said_to_have_no_scores() -> None:
    found = small({("R1", "C1", "manual"): 3, ("R1", "C1", "pred"): None})
    assert found.arms[1].overall.mean.reason == "no_scores"
    assert "pred has no scores." in found.sentences
    assert json.loads(found.to_text(), parse_constant=never)


def test_one_arm_alone_gives_its_mean() -> None:
    found = golden.analysis("paradox_2x100")
    assert found.comparisons == ()
    assert found.sentence.startswith("pred was scored 4.93 on average on the scale 1")
    assert found.arms[0].overall.mean.p is None


def test_three_arms_are_each_compared_with_the_reference_and_corrected() -> None:
    found = golden.analysis("arms3_6x20")
    assert [arm.arm for arm in found.arms] == ["manual", "baseline", "pred"]
    assert [c.arm for c in found.comparisons] == ["baseline", "pred"]
    raw = [c.difference.both.p or 1 for c in found.comparisons]
    assert [c.p_holm for c in found.comparisons] == pytest.approx(
        [2 * min(raw), max(raw[1], 2 * min(raw))]
    )
    assert found.sentence.startswith("2 arms were compared with manual")
    assert "Holm-corrected" in found.comparisons[0].sentences[0]


def test_the_real_study_has_all_fourteen_arms(shared: Any) -> None:
    table = read_scores(
        shared / "data" / "reader-study" / "abdomen.csv",
        scale=(1, 5),
        reference="LDCT",
        score_column="contrast",
    )
    found = analyse(table, reference="LDCT", seed=1)
    assert len(found.arms) == 14
    assert len(found.comparisons) == 13
    assert "No test was possible for NDCT, WGAN." in found.sentence
    ndct = next(c for c in found.comparisons if c.arm == "NDCT")
    assert ndct.sentences[0].startswith(
        "NDCT was scored 4.00 points higher than LDCT in every one of 45 pairs"
    )


def test_the_description_counts_what_is_there_and_what_is_missing() -> None:
    table = golden.table("missing_6x24")
    found = golden.analysis("missing_6x24")
    for summary in found.arms:
        scores = table.of_arm(summary.arm)
        overall = summary.overall
        assert overall.mean.n == sum(overall.counts)
        assert overall.mean.n + overall.mean.n_excluded == overall.n_expected
        assert overall.mean.value == pytest.approx(scores[scores == scores].mean())
        assert overall.sd.value == pytest.approx(scores[scores == scores].std(ddof=1))
    assert found.design.n_scored < found.design.n_expected


@pytest.mark.parametrize("name", ["paper_8x40", "missing_6x24", "repeats_4x30"])
def test_the_order_of_the_rows_changes_no_byte(name: str) -> None:
    table = golden.table(name)
    rows = list(table.rows)
    random.Random(5).shuffle(rows)
    shuffled = make_table(rows, levels=table.levels)
    again = analyse(shuffled, reference="manual", seed=20261122)
    assert again.to_text() == golden.analysis(name).to_text()


def test_other_names_for_raters_and_cases_change_no_number() -> None:
    table = golden.table("missing_6x24")
    rows = [
        replace(row, rater=f"X{9 - int(row.rater[1:])}", case=f"K{row.case}")
        for row in table.rows
    ]
    one = golden.analysis("missing_6x24").comparisons[0]
    renamed = analyse(
        make_table(rows, levels=table.levels), reference="manual", seed=20261122
    ).comparisons[0]
    assert renamed.difference.both.value == one.difference.both.value
    assert renamed.difference.both.ci == pytest.approx(one.difference.both.ci)
    assert renamed.difference.both.p == pytest.approx(one.difference.both.p)
    assert renamed.preference == one.preference
    assert sorted(r.signed_rank.p or 2 for r in renamed.per_rater) == sorted(
        r.signed_rank.p or 2 for r in one.per_rater
    )
    mean, other = one.agreement[0].mean.quadratic, renamed.agreement[0].mean.quadratic
    assert mean.value == pytest.approx(other.value)
    assert mean.se == pytest.approx(other.se)


@pytest.mark.parametrize("name", ["paper_8x40", "missing_6x24", "constant_4x10"])
def test_swapping_the_arms_turns_the_sign_and_nothing_else(name: str) -> None:
    one = golden.analysis(name).comparisons[0]
    swapped = analyse(golden.table(name), reference="pred", seed=20261122)
    other = swapped.comparisons[0]
    first, last = one.difference.both, other.difference.both
    assert first.value == -(last.value or 0)
    assert first.se == pytest.approx(last.se)
    assert first.ci is not None
    assert last.ci == pytest.approx((-first.ci[1], -first.ci[0]))
    assert first.p == pytest.approx(last.p)
    assert one.preference.better == other.preference.worse
    for a, b in zip(one.per_rater, other.per_rater, strict=True):
        assert a.signed_rank.p == pytest.approx(b.signed_rank.p)
        assert a.rank_biserial.value == pytest.approx(
            None if b.rank_biserial.value is None else -b.rank_biserial.value
        )
    for kind in range(3):
        assert one.agreement[kind].mean.unweighted.value == pytest.approx(
            other.agreement[kind].mean.unweighted.value
        )


def test_a_reference_that_is_not_there_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no arm is called “none”"):
        analyse(golden.table("null_5x16"), reference="none", seed=1)


def test_a_result_is_never_infinite_silent_or_of_an_unknown_code() -> None:
    make = {"n": 1, "method": "m", "scope": "s"}
    with pytest.raises(ValueError, match="finite"):
        Result(value=float("nan"), **make)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="reason"):
        Result(value=None, **make)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown code"):
        Result(value=1.0, reason="whatever", **make)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        plain({"a": object()})


@pytest.mark.parametrize(
    ("value", "text"), [(-0.001, "0.00"), (-1.5, "−1.50"), (0.125, "0.12")]
)
def test_numbers_in_prose(value: float, text: str) -> None:
    assert sentences.number(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0001, "p < 0.001"), (0.017, "p = 0.017"), (0.224, "p = 0.22")]
)
def test_p_values_in_prose(p: float, text: str) -> None:
    assert sentences.p_text(p) == text


@pytest.mark.parametrize("name", ["missing_6x24", "constant_4x10", "arms3_6x20"])
def test_every_number_has_a_sentence_that_says_for_whom(name: str) -> None:
    found = list(walk(golden.analysis(name), ""))
    assert len(found) > 100
    for place, result in found:
        if result.value is None:
            assert f"cannot be given: {result.reason_text}." in result.sentence, place
        else:
            assert result.sentence.endswith(f"; this holds {result.scope}."), place


def test_the_table_of_all_results_names_their_places() -> None:
    analysis = golden.analysis("paper_8x40")
    rows = list(csv.DictReader(StringIO(tabulate(analysis)["results"])))
    by_place = {row["place"]: row for row in rows}
    model = by_place["comparisons[0].sensitivity.model"]
    want = analysis.comparisons[0].sensitivity.model
    assert float(model["value"]) == want.value
    assert model["sentence"] == want.sentence
