"""Writes the cells of a table of metrics."""

from __future__ import annotations

from django import template

from ratings.statistics.sheets import SheetCell, show

register = template.Library()


@register.filter
def cell(value: SheetCell) -> str:
    return show(value)


@register.filter
def words(name: str) -> str:
    """A stratum's key as words: field_strength → field strength."""
    return name.replace("_", " ")
