"""After the rating by script: practice, figures, masks compared; sealed before."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ratings import protocol
from ratings.models import Session, Study
from tests.ratings import test_practice
from tests.ratings.conftest import AddCases, end_collecting, sign_in
from tests.ratings.script import Script
from tests.ratings.test_comparison_pages import work
from tests.ratings.test_results import run, score_all

learning = test_practice.learning
SEALED = (
    "comparison", "comparison/summary.csv", "robustness", "robustness/levels.svg",
    "results/1/violin.svg",
)  # fmt: skip


def test_practice_answers_stand_beside_the_references_by_number(
    script: Script, learning: Study
) -> None:
    user = User.objects.get(first_name="rhea")
    session = Session.objects.get(enrolment__user=user)
    test_practice.rate(sign_in(user), session, 3)
    answer = script.get(f"studies/{learning.pk}/practice")
    (lesson,) = answer.json()["results"]
    assert lesson["references"] == [4, 2]
    assert (lesson["rows"][0]["code"], lesson["rows"][0]["within_one"]) == ("R01", 1)
    assert b"manual" not in answer.content
    assert b"C00" not in answer.content


@pytest.mark.parametrize("part", SEALED)
def test_masks_and_figures_are_sealed_while_raters_rate(
    script: Script, statistician: Script, open_study: Study, part: str
) -> None:
    for who in (script, statistician):
        answer = who.get(f"studies/{open_study.pk}/{part}")
        assert answer.status_code == 423
        assert "unblinded" in answer.json()["detail"]


@pytest.mark.parametrize("part", ["results", "comparison"])
def test_nothing_is_made_again_before_the_seal_is_open(
    script: Script, open_study: Study, part: str
) -> None:
    assert script.post(f"studies/{open_study.pk}/{part}/again").status_code == 423
    assert not open_study.jobs.exists()


def test_figures_of_an_analysis_come_by_run_and_name(
    script: Script, statistician: Script, open_study: Study, ada: User
) -> None:
    score_all(open_study)
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    one = f"studies/{open_study.pk}/results"
    assert statistician.post(f"{one}/again").status_code == 202
    run(open_study)
    (told,) = statistician.get(one).json()["questions"]
    assert "violin_overall" in told["figures"]
    figure = f"{one}/{told['run']}/violin_overall"
    for kind, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("csv", b"")):
        answer = script.get(f"{figure}.{kind}")
        assert answer.status_code == 200
        assert answer.content.startswith(start)
    assert script.get(f"{figure}.pdf").status_code == 404
    assert script.get(f"{one}/{told['run'] + 1}/violin_overall.svg").status_code == 404


def test_masks_are_compared_table_by_table(
    script: Script, coordinator: Client, study: Study, add_cases: AddCases
) -> None:
    one = f"studies/{study.pk}/comparison"
    few = script.get(one)
    assert (few.status_code, "two arms" in few.json()["detail"]) == (409, True)
    add_cases(3)
    waiting = script.get(one)
    assert (waiting.status_code, waiting.json()["status"]) == (202, "queued")
    assert script.get(one).json()["id"] == waiting.json()["id"]
    assert work(study) == 3
    told = script.get(one).json()
    assert (told["reference"], told["baseline"]) == ("manual", "model")
    assert told["arms"] == ["manual", "model"]
    for table in told["tables"]:
        by_script = script.get(f"{one}/{table['key']}.csv")
        page = coordinator.get(f"/{one}/{table['key']}.csv")
        assert by_script.content == page.content != b""
    assert script.get(f"{one}/no_such.csv").status_code == 404
    assert script.get(f"{one}/flow.svg").status_code == 200


@pytest.mark.parametrize("name", ["reference", "rule", "by", "baseline"])
def test_a_choice_that_the_study_lacks_is_refused(
    script: Script, study: Study, add_cases: AddCases, name: str
) -> None:
    add_cases(2)
    for part in ("comparison", "comparison/test_set.csv", "robustness"):
        wrong = script.get(f"studies/{study.pk}/{part}", **{name: "no such"})
        assert (wrong.status_code, list(wrong.json()["errors"])) == (400, [name])


def test_robustness_is_told_figure_by_figure(
    script: Script, study: Study, add_cases: AddCases
) -> None:
    add_cases(3)
    one = f"studies/{study.pk}"
    script.get(f"{one}/comparison")
    work(study)
    told = script.get(f"{one}/robustness").json()
    assert (told["measured"], told["missing"]) == (3, 0)
    assert "sweep_sizes" in told["figures"]
    for name in told["figures"]:
        assert script.get(f"{one}/robustness/{name}.csv").status_code == 200, name
    assert script.get(f"{one}/robustness/levels.csv").status_code == 404
    asked = script.post(f"{one}/robustness/coarser")
    assert (asked.status_code, asked.json()["kind"]) == (202, "measure")
    again = script.post(f"{one}/comparison/again", {})
    assert again.json()["id"] != asked.json()["id"]
