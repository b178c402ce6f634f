"""The primary test that a protocol names decides the answer, and is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from ratings import checklist, exporting, frozen, recomputing, writing
from ratings.design import PRIMARY_TESTS, read_design
from ratings.exporting import StudyFacts
from ratings.models import Study
from ratings.statistics.primary import TESTS
from ratings.statistics.summary import Analysis, analyse
from tests.ratings import golden
from tests.ratings.conftest import AddCases
from tests.ratings.test_design_pages import address, fill_in


def by(test: str, name: str = "null_5x16") -> Analysis:
    return analyse(
        golden.table(name), reference="manual", seed=7, margin=0.5, primary=test
    )


@pytest.mark.parametrize("test", ["hillis", "cases", "case_flips"])
def test_the_chosen_test_decides_answer_margin_and_words(test: str) -> None:
    analysis = by(test)
    (one,) = analysis.comparisons
    wanted = {
        "hillis": one.difference.hillis.p,
        "cases": one.difference.cases.p,
        "case_flips": one.sensitivity.case_flips.p,
    }[test]
    assert one.main.p == one.p_holm == wanted != one.difference.both.p
    assert TESTS[test].name in analysis.sentence
    assert one.main.scope in analysis.sentence
    assert one.non_inferiority.ci == one.main.ci
    assert TESTS[test].methods in writing.methods([analysis], version="1", moved=False)
    tree = json.loads(analysis.to_text())
    assert tree["primary"] == test
    assert tree["comparisons"][0]["primary"]["p"] == wanted


def test_the_design_page_offers_what_the_statistics_have() -> None:
    assert list(PRIMARY_TESTS) == list(TESTS)


def test_the_recommended_test_leaves_every_file_as_it_was() -> None:
    tree = golden.analysis("null_5x16").to_json()
    assert "primary" not in tree
    assert "primary" not in tree["comparisons"][0]


def test_a_test_that_the_scores_cannot_carry_says_why() -> None:
    analysis = by("hillis", "missing_6x24")
    assert analysis.comparisons[0].main.p is None
    assert "this form needs every rater to score every case" in analysis.sentence


def test_a_bundle_is_computed_again_with_its_own_test(tmp_path: Path) -> None:
    facts = StudyFacts("A study")
    report = exporting.make_report(
        table=golden.table("null_5x16"), analysis=by("case_flips")
    )
    files = exporting.report_files(reports=[report], facts=facts)
    assert "--primary case_flips" in files["README.txt"].decode()
    again = recomputing.recompute(files)
    assert again.different == ()
    assert again.reports[0].analysis.primary == "case_flips"


def test_the_choice_is_stored_frozen_and_told(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(2)
    coordinator.post(address(study), fill_in())
    study.refresh_from_db()
    before = frozen.describe_protocol(study)
    assert "raters and cases both taken" in before["analysis"]["primary"]
    coordinator.post(address(study), fill_in(primary="case_flips"))
    study.refresh_from_db()
    assert read_design(study.design).primary == "case_flips"
    after = frozen.describe_protocol(study)
    assert after["analysis"]["primary"] == TESTS["case_flips"].words
    assert "never reach p < 0.05" in checklist.list_test_remarks(study)[0]
    page = coordinator.get(reverse("power", args=[study.pk])).text
    assert TESTS["case_flips"].name in page
    assert coordinator.post(address(study), fill_in(primary="t")).status_code == 422


def test_a_test_of_complete_tables_is_refused_where_cases_are_left_out(
    study: Study, coordinator: Client
) -> None:
    Study.objects.filter(pk=study.pk).update(design={"conflict": "exclude"})
    answer = coordinator.post(address(study), fill_in(primary="hillis"))
    assert answer.status_code == 422
    assert "needs every rater to score every case" in answer.text
