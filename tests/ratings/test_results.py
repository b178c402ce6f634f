"""From unblinded scores to a page, figures and a bundle; sealed until then."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import jobs, protocol, results, scoring
from ratings.models import AccessEntry, AnalysisRun, Item, Job, Study
from tests.ratings import golden, vast
from tests.ratings.conftest import end_collecting


def score_all(study: Study) -> None:
    """Every item of every rater, with scores that follow from its position."""
    for item in Item.objects.filter(
        presentation__session__enrolment__study=study
    ).order_by("presentation__session", "presentation__position"):
        value = 1 + (item.presentation.position * 7) % 5
        submission = scoring.Submission(
            client_key=uuid4(),
            answers=(scoring.Answer("quality", value, ""),),
            comment="=1+1" if value == 5 else "",
            active_ms=5000,
            conduct={},
        )
        scoring.record(item=item, submission=submission)


@pytest.fixture
def finished(open_study: Study, ada: User) -> Study:
    score_all(open_study)
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    return open_study


def run(study: Study) -> None:
    job = results.request(study)
    results.run_job(job, report=lambda share, text: None, cancelled=lambda: False)


def url(name: str, study: Study) -> str:
    return reverse(name, args=[study.pk])


@pytest.mark.parametrize("page", ["results", "export"])
def test_results_are_sealed_before_unblinding(
    coordinator: Client, open_study: Study, page: str
) -> None:
    answer = coordinator.get(url(page, open_study))
    assert answer.status_code == 423
    assert b"unblind" in answer.content
    bundle = coordinator.post(url("export-bundle", open_study))
    assert bundle.status_code == 404


@pytest.mark.parametrize("page", ["results", "export"])
def test_nobody_else_finds_the_results(
    outsider: Client, rater: Client, open_study: Study, page: str
) -> None:
    for client in (outsider, rater):
        assert client.get(url(page, open_study)).status_code == 404
    assert Client().get(url(page, open_study)).status_code == 302


def test_the_first_look_asks_for_the_analysis_once(
    coordinator: Client, finished: Study
) -> None:
    for _ in range(2):
        answer = coordinator.get(url("results", finished))
        assert b"under way" in answer.content
    assert finished.jobs.filter(kind=Job.Kind.ANALYSE).count() == 1


def test_the_results_page_answers_first_and_names_its_scope(
    coordinator: Client, finished: Study
) -> None:
    run(finished)
    text = coordinator.get(url("results", finished)).content.decode()
    for words in (
        "this holds for raters and cases like these",
        "2 × 6",
        "Wilcoxon signed-rank",
        "As published",
        "counts every rating as independent",
        finished.protocol_sha256,
    ):
        assert words in text
    assert "nan" not in text.lower().split()


def test_the_numbers_on_record_follow_from_the_scores(finished: Study) -> None:
    run(finished)
    analysis = AnalysisRun.objects.get(study=finished).results["analysis"]
    unsealed = results.build_tables(finished)["quality"]
    by_arm = {arm["arm"]: arm["overall"]["mean"]["value"] for arm in analysis["arms"]}
    for arm in unsealed.arms:
        assert by_arm[arm] == pytest.approx(unsealed.of_arm(arm).mean())
    difference = analysis["comparisons"][0]["difference"]["both"]["value"]
    assert difference == pytest.approx(by_arm["model"] - by_arm["manual"])


def test_the_same_scores_are_analysed_once(finished: Study) -> None:
    run(finished)
    run(finished)
    assert AnalysisRun.objects.filter(study=finished).count() == 1
    assert len(results.find_runs(finished)) == 1


def test_every_figure_comes_as_svg_png_and_csv(
    coordinator: Client, rater: Client, finished: Study
) -> None:
    run(finished)
    stored = results.find_runs(finished)[0]
    assert any("violin" in name for name in stored.results["captions"])
    for name in stored.results["captions"]:
        for kind, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("csv", b"")):
            address = reverse("figure", args=[finished.pk, stored.pk, name, kind])
            answer = coordinator.get(address)
            assert answer.content.startswith(start)
            assert rater.get(address).status_code == 404


def test_a_figure_that_does_not_exist_is_not_found(
    coordinator: Client, finished: Study
) -> None:
    run(finished)
    stored = results.find_runs(finished)[0]
    for name, kind in (("other", "svg"), ("violin_overall", "exe")):
        address = reverse("figure", args=[finished.pk, stored.pk, name, kind])
        assert coordinator.get(address).status_code == 404


def test_a_study_without_any_score_says_so(open_study: Study, ada: User) -> None:
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    with pytest.raises(jobs.JobFailed, match="no score"):
        run(open_study)


def test_downloading_the_bundle_is_on_record(
    coordinator: Client, finished: Study
) -> None:
    run(finished)
    answer = coordinator.post(url("export-bundle", finished))
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.content[:2] == b"PK"
    assert AccessEntry.objects.filter(study=finished, verb="export").count() == 1


def test_simulated_studies_say_so(coordinator: Client, finished: Study) -> None:
    Study.objects.filter(pk=finished.pk).update(simulated=True)
    run(Study.objects.get(pk=finished.pk))
    assert b"Simulated." in coordinator.get(url("results", finished)).content


def test_the_waiting_page_loads_the_results_as_a_whole_page(
    coordinator: Client, finished: Study
) -> None:
    htmx = {"HX-Request": "true"}
    waiting = coordinator.get(url("results", finished), headers=htmx)
    assert 'id="waiting"' in waiting.content.decode()
    run(finished)
    done = coordinator.get(url("results", finished), headers=htmx)
    assert done.headers["HX-Refresh"] == "true"


def test_the_five_tiers_unfold_in_their_order(
    coordinator: Client, finished: Study
) -> None:
    run(finished)
    text = coordinator.get(url("results", finished)).content.decode()
    heads = ("Primary:", "Sensitivity:", "Agreement:", "Conduct:", "As published:")
    places = [text.index(f"<h3>{head}") for head in heads]
    assert places == sorted(places)
    assert text.index('class="answer"') < places[0]


def test_each_number_explains_itself_on_demand(
    coordinator: Client, finished: Study
) -> None:
    run(finished)
    text = coordinator.get(url("results", finished)).content.decode()
    assert text.count('<details class="explain">') > 25
    assert "Satterthwaite" in text
    assert "Cameron, Gelbach, Miller 2011" in text
    # Explained in a word of HTML: no script is needed for it.
    assert "<script>" not in text


def test_what_cannot_be_given_says_why_on_the_page(
    coordinator: Client, finished: Study
) -> None:
    run(finished)
    text = coordinator.get(url("results", finished)).content.decode()
    assert "Not given: no margin was set before the analysis." in text
    assert "Not given: fewer than six raters" in text


def test_several_questions_have_one_analysis_each_and_state_their_number(
    coordinator: Client, finished: Study
) -> None:
    tables = results.build_tables(finished)
    table = tables["quality"]
    analyses = results.analyse_questions(
        finished, {"quality": table, "shape": table}, report=lambda share, text: None
    )
    multiplicity = analyses["shape"].multiplicity
    assert multiplicity is not None
    assert (multiplicity.n_questions, multiplicity.n_tests) == (2, 2)
    raw = analyses["quality"].comparisons[0].difference.both.p
    assert raw is not None
    assert multiplicity.p_holm[0][1] == pytest.approx(min(1.0, 2 * raw))


def test_the_answer_of_the_page_says_what_is_left_of_it_over_all_questions(
    coordinator: Client, finished: Study
) -> None:
    run(finished)
    (found,) = results.find_runs(finished)
    (arm,) = found.results["analysis"]["comparisons"]
    arm["p_holm"] = 0.03
    found.results["analysis"]["multiplicity"] = {
        "n_questions": 2, "n_tests": 2, "p_holm": [[arm["arm"], 0.06]], "text": "Two.",
    }  # fmt: skip
    found.save()
    page = " ".join(coordinator.get(url("results", finished)).text.split())
    assert "over all 2 questions (Holm), as a claim about one of them needs" in page


def test_a_run_of_an_older_version_is_computed_anew(
    coordinator: Client, finished: Study
) -> None:
    job = results.request(finished)
    results.run_job(job, report=lambda share, text: None, cancelled=lambda: False)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.DONE)
    old = AnalysisRun.objects.get(study=finished)
    old.results["analysis"]["schema"] = "blindfold-results-1"
    old.save()
    assert results.find_runs(finished) == []
    answer = coordinator.get(url("results", finished))
    assert b"under way" in answer.content
    assert finished.jobs.filter(status=Job.Status.QUEUED).count() == 1
    run(finished)
    assert len(results.find_runs(finished)) == 1


def test_progress_goes_forward_and_names_what_is_done(finished: Study) -> None:
    said: list[tuple[float, str]] = []
    results.run_job(
        results.request(finished),
        report=lambda share, text: said.append((share, text)),
        cancelled=lambda: False,
    )
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert any("Analysing" in text for _, text in said)
    assert any("Drawing" in text for _, text in said)


def read_page_of(
    study: Study, tree: dict[str, Any], coordinator: Client, patch: pytest.MonkeyPatch
) -> str:
    """The results page when this stored analysis is the study's."""
    found = AnalysisRun.objects.create(
        study=study, question="quality", data_sha256="0" * 64,
        results={"analysis": tree, "captions": {"forest_per_arm": "Each arm."}},
    )  # fmt: skip
    patch.setattr(results, "find_runs", lambda study: [found])
    return coordinator.get(url("results", study)).content.decode()


def test_a_headline_without_an_interval_says_why(
    coordinator: Client, finished: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = golden.analysis("tiny_allzero_1x6").to_json()
    page = read_page_of(finished, tree, coordinator, monkeypatch)
    assert "No interval and no p: every value is the same" in page
    assert "CI –" not in page
    assert "p = –" not in page


def test_an_interval_of_150_digits_is_written_as_a_power_of_ten(
    coordinator: Client, finished: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = vast.analysis().to_json()
    page = read_page_of(finished, tree, coordinator, monkeypatch)
    text = unescape(re.sub(r"<code>.*?</code>|<[^>]*>", " ", page))
    assert re.findall(r"\d{11,}", text) == []
    assert "× 10¹⁵²" in text


def test_many_arms_are_one_table_and_one_figure_before_they_unfold(
    coordinator: Client, finished: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = json.loads(json.dumps(golden.analysis("arms3_6x20").to_json()))
    tree["comparisons"] *= 2
    page = read_page_of(finished, tree, coordinator, monkeypatch)
    assert page.count('class="table arms"') == 1
    # four tiers with one fold a comparison, and the panel of each of three arms
    assert page.count('class="one-arm"') == 4 * 4 + 3
    assert 'class="figures-row"' not in page
    assert page.count("forest_per_arm.svg") == page.count("forest_per_arm.png") + 1
