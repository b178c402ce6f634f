"""The one shape of every number reported, with its reason when there is none."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Plain = Any  # what json.dumps takes: dict, list, str, int, float, bool or None

REASONS: dict[str, str] = {
    "no_pairs": "no rater scored the same case in both arms",
    "no_scores": "there is no score in this arm",
    "single_case": "one case says nothing about how cases differ",
    "too_few_cases": "an interval needs at least three cases",
    "too_few_cases_for_bootstrap": "a bootstrap interval needs at least ten cases",
    "single_rater": "agreement needs at least two raters",
    "zero_variance": "every value is the same, so no standard error can be estimated",
    "variance_not_estimable": "no variance component could be estimated above zero",
    "unbalanced_design": "this form needs every rater to score every case",
    "all_differences_zero": "every pair is tied, so there is nothing to test",
    "both_constant_same": "both raters gave one and the same score throughout",
    "no_common_cases": "the two raters have no case in common",
    "no_defined_pairs": "no pair of raters has a defined kappa",
    "incomplete_data": "the published analysis needs every rater to score every case",
    "bootstrap_unstable": "more than 5 % of the resamples were undefined",
    "constant_resamples": "every resample gives the same value, so they show no spread",
    "not_tested": "this statistic is an estimate; no test belongs to it",
    "single_value": "a standard deviation needs at least two scores",
    "p_only": "this test gives a p-value and no interval",
    "no_margin": "no margin was set before the analysis",
    "too_few_raters": "fewer than six raters: their resamples or sign patterns are "
    "too few for this",
    "n_too_small": "fewer than six pairs: no set of them reaches 95 % confidence",
    "too_few_informative_cases": "fewer than two cases differ between the arms",
    "not_identified": "the scores do not determine this model (an arm, or all scores, "
    "lie in one category)",
    "not_converged": "the fit did not converge",
    "too_large": "too many raters and cases for this model",
    "no_variation": "every score is the same, so agreement beyond chance is undefined",
    "no_items_with_two_scores": "no case was scored by two raters",
    "too_few_complete_cases": "fewer than two cases were scored by every rater",
    "degenerate": "all guesses are alike, so they have no spread to estimate from",
    "no_guesses": "no guess of the source that could be right or wrong",
    "no_own_cases": "no rater scored a case of which they or their site drew a mask",
    "no_repeats": "no case was shown twice to the same rater",
    "no_positions": "the order of the ratings was not kept",
    "no_times": "the time per item was not kept",
    "one_session": "every rater had one session",
    "no_order_of_arms": "for no case is it known which arm came first",
    "two_arms_only": "this needs more than two arms",
    "no_complete_blocks": "fewer than two cases were scored by every rater in every "
    "arm",
    "nothing_missing": "no score is missing",
    "all_looked": "no score was given without looking",
    "none_left": "no pair of scores is left",
    "small_stratum": "an interval of a group needs at least five cases",
    "one_stratum": "all cases belong to one group",
    "too_few_clusters": "this approximation needs at least fifteen clusters",
}

VAST = 1e7

WARNINGS: dict[str, str] = {
    "single_rater_no_generalisation": (
        "One rater only: the result says nothing about other raters."
    ),
    "single_rater_left": "Only one rater has usable pairs.",
    "negative_variance_truncated": (
        "The variance estimate was not positive; the larger one-way estimate is used."
    ),
    "hardly_any_freedom": (
        "Less than one degree of freedom: the variance can hardly be told from zero, "
        "so the interval is wider than it is of use."
    ),
    "few_raters_unbalanced": (
        "With missing ratings the interval is reliable only from four raters on."
    ),
    "many_missing": "More than 30 % of the ratings are missing.",
    "p_cannot_reach_0.05": (
        "With five or fewer untied pairs the exact p-value can never fall below 0.05."
    ),
    "asymptotic": "More than 500 untied pairs: the p-value is a normal approximation.",
    "one_rater_constant": (
        "One rater gave the same score throughout, which makes kappa 0 by formula."
    ),
    "few_cases": "Fewer than ten cases: the standard error is rough.",
    "kappa_paradox": (
        "Raw agreement is high and kappa low, because one score dominates; "
        "read both together."
    ),
    "cases_enter_twice": (
        "Each case enters once per arm; the standard error takes these rows as "
        "independent."
    ),
    "undefined_pairs": "Some pairs of raters have no defined kappa and are left out.",
    "pseudo_replication": (
        "Counts every rating as independent although raters and cases repeat; with "
        "no true difference it can be significant far more often than 5 % of the time."
    ),
    "small_sample": "Fewer than ten pairs: the normal approximation is rough.",
    "few_informative_cases": (
        "Fewer than six cases differ between the arms: the p-value cannot be small."
    ),
    "monte_carlo": "The p-value is from random sign patterns, not from all of them.",
    "few_raters_wald": (
        "Fewer than ten raters: the Wald test of the model is somewhat too eager."
    ),
    "boundary": "A standard deviation of the model was estimated as zero.",
    "undefined_resamples": "Some resamples had no value and are left out.",
    "complete_cases_only": "Only the cases that every rater scored enter.",
    "never_alone": (
        "This index is close to 1 whenever one score dominates: never read it alone."
    ),
    "few_raters": "Fewer than six raters: the interval over raters is rough.",
    "dependent_guesses": (
        "Guesses of one rater, or on one case, are not independent: the analytic "
        "interval is too narrow; read the resampled one."
    ),
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """A number with everything needed to read it.

    Attributes:
        value: the estimate or the test statistic; None when impossible.
        se, ci, p: standard error, 95 % interval, two-sided p-value; None where
            they do not exist.
        n: observations used. n_excluded: observations expected but not used.
        method: the name of the procedure. scope: for whom the result holds.
        warnings: codes of `WARNINGS`. reason: the code of `REASONS` that explains
            what is None.
        detail: further numbers of the same procedure (df, counts, variances).
        what: the quantity in plain words; `method` stands for it where it is empty.
    """

    value: float | None
    n: int
    method: str
    scope: str
    se: float | None = None
    ci: tuple[float, float] | None = None
    p: float | None = None
    n_excluded: int = 0
    warnings: tuple[str, ...] = ()
    reason: str | None = None
    detail: Mapping[str, float | int | str | None] = field(default_factory=dict)
    what: str = ""

    def __post_init__(self) -> None:
        numbers = [self.value, self.se, self.p, *(self.ci or ())]
        numbers += [x for x in self.detail.values() if isinstance(x, float)]
        if any(x is not None and not math.isfinite(x) for x in numbers):
            raise ValueError(f"{self.method}: a result must be finite or None")
        unknown = set(self.warnings) - set(WARNINGS)
        if unknown or (self.reason is not None and self.reason not in REASONS):
            raise ValueError(f"{self.method}: unknown code {unknown or self.reason}")
        if self.value is None and self.reason is None:
            raise ValueError(f"{self.method}: an impossible result needs its reason")

    @property
    def reason_text(self) -> str | None:
        """Why something is None, in words."""
        return None if self.reason is None else REASONS[self.reason]

    @property
    def sentence(self) -> str:
        """The number in a plain sentence, with whom it holds for."""
        what = self.what or self.method
        what = what[:1].upper() + what[1:]
        if self.value is None:
            return f"{what} cannot be given: {self.reason_text}."
        text = f"{what}: {number(self.value)}"
        inner = [] if self.ci is None else [f"95 % CI {interval_text(self.ci)}"]
        inner += [] if self.p is None else [p_text(self.p)]
        text += f" ({', '.join(inner)})" if inner else ""
        return f"{text}; this holds {self.scope}." if self.scope else f"{text}."

    @property
    def warning_texts(self) -> tuple[str, ...]:
        """The warnings, each a sentence."""
        return tuple(WARNINGS[code] for code in self.warnings)


def number(value: float, *, digits: int = 2) -> str:
    """A number for prose, with a real minus sign and never “−0.00”."""
    if abs(value) >= VAST:
        return powers_of_ten(value)
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def powers_of_ten(value: float) -> str:
    """Ends of a useless interval have a hundred digits: 1.5 × 10¹⁴ says as much."""
    share, power = f"{value:.1e}".split("e")
    raised = str(int(power)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{share} × 10{raised}".replace("-", "−")


def p_text(p: float) -> str:
    """A p-value for prose: “p = 0.017”, “p = 0.22”, “p < 0.001”."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def interval_text(ci: tuple[float, float]) -> str:
    """Both ends of an interval for prose."""
    return f"{number(ci[0])} to {number(ci[1])}"


def tell_excess(ci: tuple[float, float] | None, *, low: float, high: float) -> str:
    """What an interval beyond the possible range is worth; "" where it lies within."""
    if ci is None or (low <= ci[0] and ci[1] <= high):
        return ""
    span = f"{number(low, digits=0)} to {number(high, digits=0)}"
    if ci[0] <= low and high <= ci[1]:
        return (
            f"The interval is wider than all that is possible ({span}), so these "
            "scores cannot tell."
        )
    return f"The interval goes beyond what is possible ({span}); read it up to there."


def finite(number: float) -> float | None:
    """A Python float, or None for NaN and infinities."""
    return float(number) if math.isfinite(number) else None


def plain(thing: object) -> Plain:
    """Turn a tree of dataclasses into what strict JSON can hold."""
    if isinstance(thing, Result):
        return _plain_result(thing)
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        fields = dataclasses.fields(thing)
        return {f.name: plain(getattr(thing, f.name)) for f in fields}
    if isinstance(thing, Mapping):
        return {str(key): plain(value) for key, value in thing.items()}
    if isinstance(thing, tuple | list):
        return [plain(item) for item in thing]
    if thing is None or isinstance(thing, str | bool | int | float):
        return thing
    raise TypeError(f"{type(thing).__name__} has no plain form")


def _plain_result(result: Result) -> dict[str, Plain]:
    return {
        "value": result.value,
        "se": result.se,
        "ci": None if result.ci is None else list(result.ci),
        "p": result.p,
        "n": result.n,
        "n_excluded": result.n_excluded,
        "method": result.method,
        "scope": result.scope,
        "warnings": list(result.warnings),
        "warning_texts": list(result.warning_texts),
        "reason": result.reason,
        "reason_text": result.reason_text,
        "detail": dict(result.detail),
        "what": result.what,
        "sentence": result.sentence,
    }
