"""Writes the cells of a table of metrics."""

from __future__ import annotations

from django import template

from ratings.statistics.sheets import SheetCell, show
from ratings.terms import COLUMNS, RULES

register = template.Library()


@register.filter
def cell(value: SheetCell) -> str:
    return show(value)


@register.filter
def words(name: str) -> str:
    """A stratum's key as words: field_strength → field strength."""
    return name.replace("_", " ")


@register.filter
def heading(name: str) -> str:
    """A column's name as people read it; the files keep their own."""
    return "n empty" if name == "n_empty" else name


@register.filter
def meaning(name: str) -> str:
    """What the column means; nothing for the name of an arm or a stratum."""
    return COLUMNS.get(name, "")


@register.filter
def rule_in_words(name: str) -> str:
    return RULES[name]
