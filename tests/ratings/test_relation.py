"""Whether experts' scores follow a metric: by hand, beside SciPy, and on the page."""

from __future__ import annotations

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from scipy.stats import spearmanr

from inference.measuring import run_job
from ratings import measuring, protocol
from ratings.models import Study
from ratings.statistics.relation import correlate, relate
from tests.ratings.conftest import end_collecting
from tests.ratings.test_results import score_all


@pytest.mark.slow
def test_the_correlation_is_that_of_scipy_with_ties() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        x, y = rng.integers(0, 6, (2, 25)).astype(float)
        told = correlate(x, y, seed=3)
        assert told.value == pytest.approx(spearmanr(x, y).statistic)
        assert told.ci is not None
        assert told.ci[0] < spearmanr(x, y).statistic < told.ci[1]


def test_the_interval_is_as_wide_as_theory_says() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=200)
    told = correlate(x, x + rng.normal(size=200), seed=1)
    assert told.ci is not None
    assert told.value is not None
    # Fisher's interval, with the factor of Bonett and Wright (2000) for ranks
    half = 1.96 * np.sqrt((1 + told.value**2 / 2) / 197)
    low, high = np.tanh(np.arctanh(told.value) + np.array([-half, half]))
    assert told.ci == pytest.approx((low, high), abs=0.04)


def test_few_cases_have_a_value_and_say_why_there_is_no_interval() -> None:
    told = correlate(np.arange(5.0), np.arange(5.0) ** 2, seed=1)
    assert told.value == pytest.approx(1)
    assert told.ci is None
    assert told.reason == "too_few_cases_for_bootstrap"
    assert correlate(np.ones(2), np.ones(2), seed=1).reason == "too_few_cases"
    assert correlate(np.ones(12), np.arange(12.0), seed=1).reason == "zero_variance"


def test_each_case_enters_once_with_the_mean_of_its_raters() -> None:
    scores = np.array([[1, 2, np.nan, 5], [3, 2, np.nan, 4]])
    told = relate(
        arm="A", what="score", cases=("C1", "C2", "C3", "C4"),
        metric=np.array([0.9, 0.5, 0.4, 0.1]), scores=scores, seed=1,
    )  # fmt: skip
    assert [(p.case, p.score) for p in told.points] == [
        ("C1", 2.0), ("C2", 2.0), ("C4", 4.5)
    ]  # fmt: skip
    assert told.disagreements[0].case == "C4"
    assert told.disagreements[0].gap == 1
    assert told.disagreements[0].outlying


def test_repeating_every_rater_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    metric = rng.random(15)
    scores = rng.integers(1, 6, (4, 15)).astype(float)
    cases = [f"C{n}" for n in range(15)]
    once, thrice = (
        relate(arm="A", what="score", cases=cases, metric=metric,
               scores=np.tile(scores, (n, 1)), seed=1)
        for n in (1, 3)
    )  # fmt: skip
    assert once.correlation.ci == pytest.approx(thrice.correlation.ci)


@pytest.fixture
def finished(open_study: Study, ada: User) -> Study:
    score_all(open_study)
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    job = measuring.request(open_study, open_study.arms.get(key="manual"))
    run_job(job, report=lambda *_: None, cancelled=lambda: False)
    return open_study


def test_the_page_sets_scores_beside_dice_after_unblinding(
    coordinator: Client, finished: Study
) -> None:
    answer = coordinator.get(reverse("comparison", args=[finished.pk]))
    text = answer.content.decode()
    assert "Do experts’ scores follow Dice?" in text
    assert "score − score of Manual" in text
    (question,) = answer.context["questions"]
    assert question.relations[0].correlation.n == 6
    svg = coordinator.get(
        reverse("comparison-file", args=[finished.pk, "scatter", "svg"])
    )
    assert b"<svg" in svg.content
    name = "scores_and_dice_cases"
    rows = coordinator.get(reverse("comparison-file", args=[finished.pk, name, "csv"]))
    assert len(rows.content.decode().splitlines()) == 1 + 2 * 6
