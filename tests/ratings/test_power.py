"""The power of a planned study: right where it is known, and honest about its error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from ratings.figures.power import power_curve
from ratings.models import Study
from ratings.statistics.crossed import crossed_mean
from ratings.statistics.power import PowerPlan, _analyse, _draw, curve, simulate

PAPER = PowerPlan()


def test_the_published_size_has_the_power_of_the_reference_simulation() -> None:
    found = simulate(PAPER, seed=1, budget=10**7)
    assert found.difference == pytest.approx(0.37, abs=0.05)
    assert found.points == pytest.approx(0.33, abs=0.05)
    assert found.difference_se == pytest.approx(
        (found.difference * (1 - found.difference) / found.studies) ** 0.5
    )


def test_without_an_effect_the_test_keeps_its_level() -> None:
    found = simulate(replace(PAPER, effect=0.0), seed=2, budget=10**7)
    assert 0.015 <= found.difference <= 0.075


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_each_simulated_study_is_analysed_as_a_real_one(missing: float) -> None:
    rng = np.random.default_rng(3)
    d = _draw(PowerPlan(raters=5, cases=12, missing=missing), rng, 20)
    mean, se, df = _analyse(d)
    for i, one in enumerate(d):
        real = crossed_mean(one, what="d").both
        assert mean[i] == pytest.approx(real.value, abs=1e-12)
        assert se[i] == pytest.approx(real.se, abs=1e-12)
        assert df[i] == pytest.approx(real.detail["df"], abs=1e-6)


def test_raters_matter_as_much_as_cases() -> None:
    cases = simulate(replace(PAPER, cases=80), seed=4, budget=10**7).difference
    raters = simulate(replace(PAPER, raters=16), seed=4, budget=10**7).difference
    base = simulate(PAPER, seed=4, budget=10**7).difference
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
    figure = power_curve(lines=lines, raters=3, cases=8, chosen=0.2)
    assert figure.csv.count("\n") == 1 + sum(len(line) for _, line in lines)


def test_too_small_a_study_is_refused() -> None:
    with pytest.raises(ValueError, match="two raters and three cases"):
        simulate(replace(PAPER, raters=1), seed=1)


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
