"""Without any effect the primary test keeps its level, and the pooled one does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ratings.statistics.crossed import crossed_mean
from ratings.statistics.paired import asymptotic_p, rank_sums
from ratings.statistics.table import FloatArray

STUDIES, RATERS, CASES = 4000, 8, 40
CASE_SD, RATER_SD, RESIDUAL = 1.0, 0.5, 0.8
CASE_ARM, RATER_ARM = 0.7, 0.3
THRESHOLDS = (-2.0, -1.0, 0.0, 1.0)
# Standard deviations of case × arm and rater × arm, and the pooled test's false alarms.
SCENARIOS = {
    "none": (0.0, 0.0, 0.049),
    "case": (CASE_ARM, 0.0, 0.301),
    "both": (CASE_ARM, RATER_ARM, 0.422),
    "rater": (0.0, RATER_ARM, 0.380),
}


def simulate(case_arm: float, rater_arm: float, *, studies: int) -> FloatArray:
    """Differences [B, R, C] of two arms of equal quality on a five-point scale."""
    rng = np.random.default_rng(2026)
    shape = (studies, RATERS, CASES, 2)
    latent = RESIDUAL * rng.standard_normal(shape, dtype=np.float32)
    latent += CASE_SD * rng.standard_normal((studies, 1, CASES, 1))
    latent += RATER_SD * rng.standard_normal((studies, RATERS, 1, 1))
    latent += case_arm * rng.standard_normal((studies, 1, CASES, 2))
    latent += rater_arm * rng.standard_normal((studies, RATERS, 1, 2))
    scores = np.searchsorted(THRESHOLDS, latent).astype(float)
    d: FloatArray = scores[..., 1] - scores[..., 0]
    return d


def primary_p(d: FloatArray) -> FloatArray:
    """The primary test of every study at once; a test below holds it to the product."""
    r, c = d.shape[1:]
    mean, rater, case = d.mean((1, 2)), d.mean(2), d.mean(1)
    ms_rater = c * ((rater - mean[:, None]) ** 2).sum(1) / (r - 1)
    ms_case = r * ((case - mean[:, None]) ** 2).sum(1) / (c - 1)
    error = d - rater[:, :, None] - case[:, None, :] + mean[:, None, None]
    ms_error = (error**2).sum((1, 2)) / ((r - 1) * (c - 1))
    both = ms_rater + ms_case - ms_error
    spread = ms_rater**2 / (r - 1) + ms_case**2 / (c - 1)
    spread += ms_error**2 / ((r - 1) * (c - 1))
    raters = ms_rater >= ms_case
    larger = np.maximum(ms_rater, ms_case)
    variance = np.where(both > 0, both, larger) / (r * c)
    df = np.where(both > 0, both**2 / spread, np.where(raters, r - 1, c - 1))
    p: FloatArray = 2 * stats.t.sf(np.abs(mean) / np.sqrt(variance), df)
    return p


def pooled_p(d: FloatArray) -> FloatArray:
    """Wilcoxon's test with all pairs as if independent, zeros dropped."""
    flat = d.reshape(len(d), -1)
    sizes = np.arange(1, 5)
    up = (flat[:, :, None] == sizes).sum(1)
    down = (flat[:, :, None] == -sizes).sum(1)
    n = up + down
    ranks = np.cumsum(n, 1) - (n - 1) / 2
    z = ((up - down) * ranks).sum(1) / np.sqrt((n * ranks**2).sum(1))
    p: FloatArray = 2 * stats.norm.sf(np.abs(z))
    return p


def test_the_simulated_tests_are_those_of_the_product() -> None:
    d = simulate(CASE_ARM, RATER_ARM, studies=25)
    ours = [crossed_mean(one, what="d").both.p for one in d]
    assert primary_p(d) == pytest.approx(np.array(ours, dtype=float), abs=1e-9)
    pooled = [
        asymptotic_p(rank_sums(one.ravel(), zeros="wilcox").ranks)[1] for one in d
    ]
    assert pooled_p(d) == pytest.approx(np.array(pooled), abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_level_holds_where_the_pooled_test_loses_it(scenario: str) -> None:
    case_arm, rater_arm, published = SCENARIOS[scenario]
    d = simulate(case_arm, rater_arm, studies=STUDIES)
    primary = float((primary_p(d) < 0.05).mean())
    pooled = float((pooled_p(d) < 0.05).mean())
    print(f"{scenario}: primary {primary:.3f}, pooled {pooled:.3f} ({published})")
    assert 0.015 <= primary <= 0.07
    assert pooled == pytest.approx(published, abs=0.03)
