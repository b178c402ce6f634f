"""“What is this?” beside a number: formula, reference and why this one."""

from __future__ import annotations

from typing import Any

from django import template

from ratings.statistics.explanations import EXPLANATIONS

register = template.Library()


@register.inclusion_tag("ratings/results/explanation.html")
def explain(about: str) -> dict[str, Any]:
    """The unfolding explanation of a number; nothing for an empty name."""
    return {"about": EXPLANATIONS[about] if about else None}
