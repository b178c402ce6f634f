"""The power of a planned study: right where it is known, and honest about its error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from ratings import checklist, training
from ratings.figures.power import power_curve
from ratings.models import Arm, Study
from ratings.statistics.crossed import crossed_mean
from ratings.statistics.crossed_many import decide
from ratings.statistics.paired import holm
from ratings.statistics.power import PowerPlan, _draw, curve, simulate
from ratings.statistics.power_notes import list_notes
from ratings.statistics.table import FloatArray
from ratings.views.power import fill_in
from tests.ratings.conftest import AddCases
from tests.ratings.script import Script

PAPER = PowerPlan()
Sent = dict[str, str | int]
FLAT = PowerPlan(
    raters=3, cases=10, effect=2.0, sd_case=0, sd_rater=0, sd_residual=0.05,
    middle=3.0, sd_all_cases=0, sd_all_raters=0,
)  # fmt: skip


def find_power(plan: PowerPlan, *, seed: int) -> float:
    share = simulate(plan, seed=seed, budget=10**7).difference
    assert share is not None
    return share


def test_the_published_size_has_the_power_of_the_reference_simulation() -> None:
    found = simulate(PAPER, seed=1, budget=10**7)
    share = find_power(PAPER, seed=1)
    assert found.difference == share == pytest.approx(0.37, abs=0.05)
    assert found.points == pytest.approx(0.33, abs=0.05)
    assert found.difference_se == pytest.approx(
        (share * (1 - share) / found.studies) ** 0.5
    )


def test_without_an_effect_the_test_keeps_its_level() -> None:
    assert 0.015 <= find_power(replace(PAPER, effect=0.0), seed=2) <= 0.075


PLANS = [
    PowerPlan(raters=5, cases=12),
    PowerPlan(raters=5, cases=12, missing=0.1),
    PowerPlan(raters=2, cases=3, missing=0.6, effect=0.0),
    PowerPlan(raters=2, cases=5, missing=0.3),
    PowerPlan(raters=2, cases=8, missing=0.5, effect=0.0),
    PowerPlan(raters=3, cases=5, missing=0.4, effect=0.0),
    PowerPlan(raters=3, cases=10, missing=0.3, effect=0.8),
    replace(FLAT, sd_residual=0.3),
    FLAT,
]


NONE = [np.nan] * 3
BY_HAND = np.array(
    [
        [[1, -1, 0], [-1, 0, 1], [0, 1, -1]],
        [[1, 2, 4], NONE, NONE],
        [[1, 1, 1], NONE, NONE],
        [[1, np.nan, 2], [0, np.nan, 1], NONE],
        [[1, np.nan, np.nan], [0, np.nan, np.nan], NONE],
        [NONE, NONE, NONE],
    ]
)
DRAWN = [_draw(plan, np.random.default_rng(1), 300) for plan in PLANS]


@pytest.mark.parametrize("drawn", [BY_HAND, *DRAWN])
@pytest.mark.filterwarnings("error")
def test_each_simulated_study_is_decided_as_a_real_one(drawn: FloatArray) -> None:
    found = decide(drawn)
    real = [crossed_mean(one, what="d").both for one in drawn]
    for i, one in enumerate(real):
        mean = np.nan if one.value is None else one.value
        assert found.mean[i] == pytest.approx(mean, abs=1e-12, nan_ok=True)
        assert found.p[i] == pytest.approx(1.0 if one.p is None else one.p, abs=1e-9)
        low = one.ci[0] if one.ci else -np.inf
        assert found.low[i] == pytest.approx(low, rel=1e-9, abs=1e-9)
        assert (found.few[i] or found.flat[i]) == (one.p is None), one.reason


def test_the_plans_that_are_compared_have_every_reason_for_no_test() -> None:
    reasons = {
        crossed_mean(one, what="d").both.reason
        for drawn in (BY_HAND, *DRAWN)
        for one in drawn
    }
    assert reasons == {
        None, "no_pairs", "single_case", "too_few_cases", "zero_variance",
        "variance_not_estimable",
    }  # fmt: skip


def test_a_study_without_a_test_shows_nothing_and_is_counted() -> None:
    plan = PowerPlan(raters=2, cases=3, missing=0.6, effect=0.0, margin=0.5)
    found = simulate(plan, seed=1)
    assert found.difference == 0.0
    assert found.not_worse is not None
    assert found.not_worse < 0.01
    assert 0.95 < found.untested / found.studies < 1
    (note,) = list_notes(plan, found)
    assert f"{found.few} for fewer than 3 cases" in note
    assert "count as not showing anything" in note


def test_a_plan_that_can_never_be_tested_says_why_and_gives_no_number() -> None:
    gone = replace(FLAT, missing=1.0, margin=0.5, comparisons=3)
    for plan, cause in ((FLAT, "do not vary"), (gone, "fewer than 3 cases")):
        found = simulate(plan, seed=1, budget=20_000)
        shares = (found.difference, found.corrected, found.not_worse, found.points)
        assert shares[:3] == (None, None, None)
        assert shares[3] == (2.0 if plan is FLAT else None)
        (note,) = list_notes(plan, found)
        assert "No power can be given" in note
        assert cause in note
        lines = [(plan.raters, [(plan.cases, found)])]
        figure = power_curve(
            lines=lines, raters=3, cases=10, comparisons=1, chosen=found
        )
        assert figure.csv.count("\n") == 2


def draw_arms(rng: np.random.Generator, effects: Sequence[float]) -> list[FloatArray]:
    """Arm − reference [rater, case], of arms that share reference, raters and cases."""
    common = 3.3 + rng.normal(0, 0.9, (1, 40)) + rng.normal(0, 0.4, (8, 1))

    def score(shift: float) -> FloatArray:
        own = rng.normal(0, 0.7, (1, 40)) + rng.normal(0, 0.3, (8, 1))
        latent = common + shift + own + rng.normal(0, 0.8, (8, 40))
        return np.clip(np.rint(latent), 1, 5)

    reference = score(-0.2)
    return [score(effect - 0.2) - reference for effect in effects]


def test_under_holm_one_of_four_arms_has_at_least_the_corrected_power() -> None:
    found = simulate(replace(PAPER, comparisons=4), seed=1, budget=10**7)
    alone, least = find_power(PAPER, seed=1), found.corrected
    assert least is not None
    assert alone == found.difference
    rng = np.random.default_rng(1)
    for effects, expected in (((0.4, 0, 0, 0), least), ((0.4,) * 4, least + 0.04)):
        studies = [draw_arms(rng, effects) for _ in range(400)]
        tested = [[crossed_mean(d, what="d").both.p for d in one] for one in studies]
        first = [holm(p_values)[0] for p_values in tested]
        share = np.mean([p is not None and p < 0.05 for p in first])
        assert least - 0.05 < share < alone
        assert share == pytest.approx(expected, abs=0.06)
    assert simulate(PAPER, seed=1).corrected is None


def test_raters_matter_as_much_as_cases() -> None:
    cases = find_power(replace(PAPER, cases=80), seed=4)
    raters = find_power(replace(PAPER, raters=16), seed=4)
    base = find_power(PAPER, seed=4)
    assert min(cases, raters) > base + 0.04


def test_a_wide_margin_is_easier_to_keep_than_a_narrow_one() -> None:
    plans = [replace(PAPER, effect=0.0, margin=m) for m in (0.2, 0.5)]
    narrow, wide = (simulate(plan, seed=5).not_worse for plan in plans)
    assert narrow is not None
    assert wide is not None
    assert narrow < wide
    assert simulate(PAPER, seed=5).not_worse is None


def test_the_same_seed_gives_the_same_answer_and_the_curve_shows_it() -> None:
    small = replace(PAPER, raters=3, cases=8)
    assert simulate(small, seed=6) == simulate(small, seed=6)
    lines = curve(small, seed=6)
    assert [raters for raters, _ in lines] == [2, 3, 6]
    chosen = simulate(small, seed=6)
    figure = power_curve(lines=lines, raters=3, cases=8, comparisons=1, chosen=chosen)
    assert figure.csv.count("\n") == 1 + sum(len(line) for _, line in lines)
    assert "at 5 %" in figure.caption


def test_too_small_a_study_is_refused() -> None:
    with pytest.raises(ValueError, match="two raters and three cases"):
        simulate(replace(PAPER, raters=1), seed=1)
    with pytest.raises(ValueError, match="one comparison"):
        simulate(replace(PAPER, comparisons=0), seed=1)


def test_the_page_answers_and_names_what_is_wrong(
    coordinator: Client, study: Study
) -> None:
    url = reverse("power", args=[study.pk])
    page = coordinator.get(url).content.decode()
    assert "% of such studies" in page
    assert "Raters matter as much as cases" in page
    assert coordinator.get(url + "?raters=1").status_code == 422
    curve_url = reverse("power-curve", args=[study.pk])
    assert coordinator.get(curve_url)["Content-Type"] == "image/svg+xml"
    assert coordinator.get(curve_url + "?raters=x").status_code == 404
    assert url in coordinator.get(reverse("design", args=[study.pk])).content.decode()


FEW: Sent = {
    "raters": 2, "cases": 3, "effect": "0.4", "sd_case": "0.7", "sd_rater": "0.3",
    "sd_residual": "0.8", "missing": 60,
}  # fmt: skip


def read_page(coordinator: Client, study: Study, sent: Sent) -> str:
    page = coordinator.get(reverse("power", args=[study.pk]), sent)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_page_curve_and_call_answer_plans_that_mostly_have_no_test(
    coordinator: Client, script: Script, study: Study
) -> None:
    text = read_page(coordinator, study, FEW)
    assert not re.search(r"\bnan\b", text)
    assert "simulated studies had no test" in text
    curve_url = reverse("power-curve", args=[study.pk])
    assert coordinator.get(curve_url, FEW).status_code == 200
    call = f"studies/{study.pk}/power"
    told = script.post(call, {**FEW, "curve": True})
    assert told.status_code == 200, told.content
    found = told.json()
    assert found["untested"] > 0.9 * found["studies"]
    assert "no test" in found["notes"][0]
    told_of = {**vars(FLAT), "margin": 0.5, "missing": 0}
    del told_of["levels"]
    sent: Sent = {name: str(value) for name, value in told_of.items()}
    none = script.post(call, {**sent, "curve": True}).json()
    assert (none["difference"], none["not_worse"], none["points"]) == (None, None, 2.0)
    assert {point["power"] for point in none["curve"]} == {None}
    text = read_page(coordinator, study, sent)
    assert "Shows a difference No power can be given" in text
    assert "% of such studies" not in text


@pytest.mark.parametrize("value", ["NaN", "1e999", "null", '"inf"', '"x"'])
def test_a_number_that_is_none_is_refused_by_name(
    script: Script, study: Study, value: str
) -> None:
    told = script.client.post(
        f"/api/studies/{study.pk}/power", f'{{"effect": {value}}}',
        content_type="application/json", headers=script.headers,
    )  # fmt: skip
    assert told.status_code == 400


def test_the_comparisons_that_the_results_correct_are_counted_and_told(
    coordinator: Client, script: Script, study: Study
) -> None:
    for key in ("manual", "a", "b", "c", "d"):
        Arm.objects.create(study=study, key=key, label=key.upper(), kind="upload")
    Arm.objects.create(study=study, key="bad", label="Bad", kind="control")
    assert fill_in(study)["comparisons"] == "4"
    study.questions = [{"key": key, "text": f"{key}?"} for key in ("quality", "edges")]
    study.save()
    assert fill_in(study)["comparisons"] == "8"
    paper = {**FEW, "raters": 8, "cases": 40, "missing": 0, "margin": "0.5"}
    text = read_page(coordinator, study, paper)
    assert "for one comparison alone, uncorrected" in text
    assert "As one of 8 comparisons at least" in text
    assert "The results correct 8 comparisons together (Holm)" in text
    assert "do not correct “not worse”" in text
    found = script.post(f"studies/{study.pk}/power", paper).json()
    assert found["corrected"] < 0.6 * found["difference"]
    assert len(found["notes"]) == 2
    assert found["plan"]["comparisons"] == 8
    alone = {**paper, "comparisons": 1, "curve": True}
    bare = script.post(f"studies/{study.pk}/power", alone).json()
    assert (bare["corrected"], bare["notes"]) == (None, [])
    assert bare["difference"] == found["difference"]
    assert {point["corrected"] for point in bare["curve"]} == {None}
    assert "uncorrected" not in read_page(coordinator, study, {**paper, **alone})


def test_practice_cases_are_not_counted_as_cases_to_rate(
    study: Study, add_cases: AddCases
) -> None:
    add_cases(8)
    labels = sorted(study.cases.values_list("label", flat=True))
    study.design = {
        "primary": "case_flips",
        "calibration": [
            {"case": label, "arm": "manual", "values": {"quality": 3}, "note": ""}
            for label in labels[:3]
        ],
    }
    study.save()
    assert training.count_rated(study) == 5
    assert fill_in(study)["cases"] == "5"
    assert any("fewer than 6 cases" in s for s in checklist.list_test_remarks(study))
