"""How results are written: estimate, interval, p, or why there is none."""

from __future__ import annotations

from typing import Any

from django import template

from ratings.statistics.primary import TESTS
from ratings.statistics.result import number as written
from ratings.statistics.result import tell_excess

register = template.Library()
Result = dict[str, Any]


@register.filter
def value(result: Result | None, digits: int = 2) -> str:
    """The estimate alone; a dash where there is none."""
    if not result or result.get("value") is None:
        return "–"
    return written(result["value"], digits=digits)


@register.filter
def interval(result: Result | None, digits: int = 2) -> str:
    if not result or not result.get("ci"):
        return "–"
    low, high = result["ci"]
    return f"{written(low, digits=digits)} to {written(high, digits=digits)}"


@register.filter
def excess(difference: Result | None, levels: list[int]) -> str:
    """What an interval of a difference is worth that goes beyond the scale."""
    ci = difference.get("ci") if difference else None
    span = levels[-1] - levels[0]
    return tell_excess(ci and (ci[0], ci[1]), low=-span, high=span)


@register.filter
def p_value(p: float | None) -> str:
    """p to two significant digits, never as zero."""
    if p is None:
        return "–"
    if p < 0.0001:
        return "< 0.0001"
    return f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


@register.filter
def p_phrase(p: float | None) -> str:
    """p within a sentence, without “p = < 0.0001”."""
    text = p_value(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


@register.filter
def number(x: float | None, digits: int = 2) -> str:
    return "–" if x is None else written(x, digits=digits)


@register.filter
def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


@register.filter
def kind_name(kind: str) -> str:
    """What a kappa was computed on, in words."""
    names = {"all": "both arms", "sign": "sign of the difference"}
    return names.get(kind, kind)


@register.filter
def verdict(word: str) -> str:
    """A non-inferiority verdict in words."""
    return {
        "not_worse": "Not worse by more than the margin",
        "inferior": "Worse by more than the margin",
        "inconclusive": "Inconclusive",
    }.get(word, word)


@register.filter
def test_name(key: str) -> str:
    """A primary test in prose."""
    return TESTS[key].name


@register.filter
def arm_tail(many: bool, arm: str) -> str:
    """Which arm a row is about, where a table has rows of many."""
    return f", {arm}" if many else ""
