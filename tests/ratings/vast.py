"""Scores of two raters and three cases that leave hardly any degrees of freedom."""

from __future__ import annotations

from functools import cache

from ratings.statistics.summary import Analysis, analyse
from ratings.statistics.table import ScoreRow, ScoreTable, make_table

# By arm and rater: the differences are −4, −4, 0 and 3, 4, −4, and the ends of their
# interval have 150 digits.
SCORES = {"manual": ((5, 5, 3), (1, 1, 5)), "model": ((1, 1, 3), (4, 5, 1))}


@cache
def table() -> ScoreTable:
    rows = [
        ScoreRow(f"R{rater}", f"C{case}", arm, score, contrast="T2w")
        for arm, raters in SCORES.items()
        for rater, scores in enumerate(raters)
        for case, score in enumerate(scores)
    ]
    return make_table(rows, levels=range(1, 6))


@cache
def analysis() -> Analysis:
    return analyse(table(), reference="manual", seed=1)
