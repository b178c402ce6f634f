"""A margin that was set beforehand has its verdict wherever it is announced."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from ratings import exporting, writing
from ratings.exporting import StudyFacts
from ratings.statistics import sentences
from ratings.statistics.comparison import Comparison, non_inferiority
from ratings.statistics.family import across_questions
from ratings.statistics.summary import Analysis, analyse
from tests.ratings import golden


def judged(margin: float | None, name: str = "null_5x16") -> Analysis:
    return analyse(golden.table(name), reference="manual", seed=7, margin=margin)


def one_of(margin: float) -> Comparison:
    """The same comparison by another margin, without computing it all again."""
    found = golden.analysis("null_5x16").comparisons[0]
    return replace(found, non_inferiority=non_inferiority(found.main, margin=margin))


def grras_item(analyses: list[Analysis], item: int) -> str:
    rows = csv.DictReader(io.StringIO(writing.grras(analyses, moved=False)))
    return next(row["answer"] for row in rows if row["item"] == str(item))


def test_methods_checklist_and_readme_say_what_came_of_the_margin() -> None:
    analysis = judged(0.5)
    (comparison,) = analysis.comparisons
    verdict = sentences.of_margin(comparison)
    assert "by more than 0.5 points, the margin (95 % limits" in verdict
    assert "; one-sided p " in verdict
    assert "level 0.025); this holds for raters and cases like these." in verdict
    report = exporting.make_report(table=golden.table("null_5x16"), analysis=analysis)
    files = exporting.report_files(reports=[report], facts=StudyFacts("A study"))
    methods = writing.methods([analysis], version="1", moved=False)
    for text in (methods, files["README.txt"].decode(), grras_item([analysis], 10)):
        assert verdict in text
        assert sentences.LEVEL in text
    # Files of earlier versions are computed again to the byte: no new words in those.
    assert verdict not in files["results.json"].decode()


@pytest.mark.parametrize(
    ("limits", "margin", "start"),
    [
        ((-0.21, 0.4), 0.5, "predicted was not worse than manual by more than 0.5"),
        ((-0.6, 0.4), 0.5, "It stays open (inconclusive) whether predicted was worse"),
        ((-0.9, -0.6), 0.5, "predicted was worse than manual by more than 0.5 points"),
    ],
)
def test_the_three_verdicts_read_as_three_sentences(
    limits: tuple[float, float], margin: float, start: str
) -> None:
    found = golden.analysis("null_5x16").comparisons[0]
    main = replace(found.main, ci=limits)
    told = sentences.of_margin(
        replace(
            found, arm="predicted", non_inferiority=non_inferiority(main, margin=margin)
        )
    )
    assert told.startswith(start)
    low, high = (sentences.number(limit) for limit in limits)
    assert f"95 % limits {low} to {high}" in told


def test_a_limit_just_beside_the_margin_has_the_digits_to_show_it() -> None:
    found = golden.analysis("null_5x16").comparisons[0]
    main = replace(found.main, ci=(-0.4996, 0.3))
    near = replace(found, non_inferiority=non_inferiority(main, margin=0.5))
    assert "was not worse" in sentences.of_margin(near)
    assert "95 % limits −0.4996 to 0.3000" in sentences.of_margin(near)


def test_a_margin_that_cannot_be_judged_says_why() -> None:
    (comparison,) = judged(0.5, "tiny_allzero_1x6").comparisons
    told = sentences.of_margin(comparison)
    assert "can't be judged: every value is the same" in told


def test_without_a_margin_nothing_is_said_of_one() -> None:
    analysis = golden.analysis("null_5x16")
    assert analysis.margin is None
    assert sentences.of_margin(analysis.comparisons[0]) == ""
    assert "margin" not in writing.methods([analysis], version="1", moved=False)
    assert sentences.of_margin(one_of(0.25)) != ""


def test_each_question_has_its_own_verdict_in_the_checklist() -> None:
    first = judged(0.5)
    both = across_questions(
        [replace(first, question=name) for name in ("quality", "edges")]
    )
    text = grras_item(list(both), 10)
    verdict = sentences.of_margin(first.comparisons[0])
    assert f"quality: {verdict}" in text
    assert f"edges: {verdict}" in text
