"""A finished study as pilot: its variances are right, and none is taken unseen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.formula.api as smf
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from statsmodels.stats.anova import anova_lm

from ratings.models import AccessEntry, Enrolment, Study
from ratings.statistics.components import estimate_components
from ratings.statistics.power import PowerPlan, simulate
from tests.ratings import golden
from tests.ratings.test_moving_pages import move


def draw(*, raters: int, cases: int, arms: int = 2, seed: int = 0) -> np.ndarray:
    """Scores without rounding whose six variances are known."""
    rng = np.random.default_rng(seed)
    y = np.zeros((raters, cases, arms)) + np.arange(arms)
    for sd, shape in (
        (0.4, (raters, 1, 1)), (0.9, (1, cases, 1)), (0.5, (raters, cases, 1)),
        (0.3, (raters, 1, arms)), (0.7, (1, cases, arms)), (0.8, y.shape),
    ):  # fmt: skip
        y = y + sd * rng.standard_normal(shape)
    return y


def test_the_variances_are_those_the_scores_were_drawn_with() -> None:
    found = [
        estimate_components(draw(raters=20, cases=60, seed=s)).components
        for s in range(60)
    ]
    truth = {
        "rater": 0.16, "case": 0.81, "rater_case": 0.25,
        "rater_arm": 0.09, "case_arm": 0.49, "residual": 0.64,
    }  # fmt: skip
    for name, variance in truth.items():
        mean = np.mean([getattr(one, name) for one in found])
        assert mean == pytest.approx(variance, rel=0.1), name


def test_mean_squares_are_those_of_the_analysis_of_variance() -> None:
    import pandas as pd

    y = draw(raters=4, cases=6, arms=3, seed=9)
    r, c, a = np.indices(y.shape)
    frame = pd.DataFrame(
        {"y": y.ravel(), "r": r.ravel(), "c": c.ravel(), "a": a.ravel()}
    )
    fit = smf.ols("y ~ C(r)*C(c) + C(r)*C(a) + C(c)*C(a)", frame).fit()
    ms = anova_lm(fit)["sum_sq"] / anova_lm(fit)["df"]
    part = estimate_components(y).components
    assert part is not None
    rest = ms["Residual"]
    assert part.residual == pytest.approx(rest)
    assert part.rater_arm == pytest.approx(max((ms["C(r):C(a)"] - rest) / 6, 0))
    assert part.case_arm == pytest.approx(max((ms["C(c):C(a)"] - rest) / 4, 0))
    assert part.rater_case == pytest.approx(max((ms["C(r):C(c)"] - rest) / 3, 0))
    case = ms["C(c)"] - ms["C(r):C(c)"] - ms["C(c):C(a)"] + rest
    assert part.case == pytest.approx(max(case / 12, 0))


def test_a_negative_estimate_is_zero_and_said() -> None:
    rng = np.random.default_rng(1)
    case = rng.standard_normal((1, 12, 1))
    y = case + np.array([1.0, -1.0])[None, None, :] * np.arange(12)[None, :, None] % 3
    y = y + rng.standard_normal((5, 12, 2)) * 0.5
    y -= y.mean(1, keepdims=True)  # raters agree on the arms more than chance lets them
    found = estimate_components(y)
    assert found.components is not None
    assert found.components.rater_arm == 0
    assert "rater_arm" in found.negative


def test_gaps_leave_the_larger_complete_table() -> None:
    y = draw(raters=5, cases=10)
    one_case = y.copy()
    one_case[2, 3, 0] = np.nan
    found = estimate_components(one_case)
    assert (found.n_raters, found.n_cases, found.of_cases) == (5, 9, 10)
    one_rater = y.copy()
    one_rater[4, 1:, 1] = np.nan
    found = estimate_components(one_rater)
    assert (found.n_raters, found.n_cases, found.of_raters) == (4, 10, 5)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (draw(raters=3, cases=5, arms=1), "one_arm"),
        (draw(raters=1, cases=9), "too_few_complete"),
        (draw(raters=4, cases=2), "too_few_complete"),
        (np.full((3, 4, 2), np.nan), "too_few_complete"),
        (np.full((3, 4, 2), 3.0), "no_variation"),
    ],
)
def test_what_cannot_be_estimated_says_why(scores: np.ndarray, reason: str) -> None:
    found = estimate_components(scores)
    assert (found.components, found.reason) == (None, reason)
    assert found.reason_text


def test_a_plan_with_the_variances_of_a_study_spreads_like_that_study() -> None:
    """The difference's standard error, from components and from the real analysis."""
    table = golden.table("paper_8x40")
    part = estimate_components(table.scores).components
    assert part is not None
    variance = 2 * (part.rater_arm / 8 + part.case_arm / 40 + part.residual / 320)
    both = golden.analysis("paper_8x40").comparisons[0].difference.both
    assert variance**0.5 == pytest.approx(both.se, rel=1e-9)


def test_scores_near_the_end_of_the_scale_show_less() -> None:
    plan = PowerPlan(raters=6, cases=20)
    middle = simulate(replace(plan, middle=3.0), seed=1).points
    end = simulate(replace(plan, middle=4.8), seed=1).points
    assert middle is not None
    assert end is not None
    assert end < 0.8 * middle


def pick(study: Study) -> dict[str, str]:
    return {
        "raters": "8", "cases": "40", "effect": "0.4", "missing": "0",
        "sd_case": "0.7", "sd_rater": "0.3", "sd_residual": "0.8",
        "pilot": f"{study.pk}/{study.questions[0]['key']}", "take": "1",
    }  # fmt: skip


def test_a_moved_study_gives_its_variances_and_the_look_is_on_record(
    coordinator: Client, ada: User
) -> None:
    pilot = move(coordinator)
    new = Study.objects.create(title="Next", created_by=ada)
    new.enrolments.create(user=ada, role=Enrolment.Role.COORDINATOR)
    url = reverse("power", args=[new.pk])
    assert "Old study" in coordinator.get(url).content.decode()
    page = coordinator.get(url, pick(pilot)).content.decode()
    assert "now hold the values of “Old study”" in page
    assert "3 raters × 4 cases × 2 arms" in page
    unnamed = coordinator.get(url, pick(pilot) | {"pilot": ""}).content.decode()
    assert "No pilot study is chosen" in unnamed, "the button does not just do nothing"
    assert 'name="sd_case" value="0.7"' not in page
    entry = AccessEntry.objects.get(study=pilot, verb="read_results")
    assert entry.payload == {"as_pilot_for": str(new.pk)}


def test_a_study_still_blind_or_of_others_is_no_pilot(
    coordinator: Client, study: Study, ada: User, outsider: Client
) -> None:
    new = Study.objects.create(title="Next", created_by=ada)
    new.enrolments.create(user=ada, role=Enrolment.Role.COORDINATOR)
    url = reverse("power", args=[new.pk])
    answer = coordinator.get(url, pick(study))
    assert answer.status_code == 422
    assert "no unblinded study of yours" in answer.content.decode()
    assert outsider.get(url, pick(study)).status_code == 404


def test_another_scale_is_refused_in_words(coordinator: Client, ada: User) -> None:
    pilot = move(coordinator)
    scale = [{"value": n, "anchor": str(n)} for n in range(11)]
    new = Study.objects.create(title="Next", created_by=ada, scale=scale)
    new.enrolments.create(user=ada, role=Enrolment.Role.COORDINATOR)
    page = coordinator.get(reverse("power", args=[new.pk]), pick(pilot))
    text = page.content.decode()
    assert "its scale has 5 points and this study&#x27;s 11" in text
    assert 'name="sd_case" value="0.7"' in text
