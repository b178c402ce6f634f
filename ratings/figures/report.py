"""Which figures an analysis has, in which order and in which folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ratings.figures.bars import (
    likert_overall,
    likert_per_rater,
    preference_per_arm,
    preference_per_rater,
)
from ratings.figures.blinding import blinding_guesses
from ratings.figures.canvas import Figure
from ratings.figures.conduct import (
    has_order,
    has_time,
    order_effects,
    time_per_item,
)
from ratings.figures.differences import difference_map
from ratings.figures.forest import forest_per_arm, forest_per_rater, forest_strata
from ratings.figures.heatmap import kappa_heatmap
from ratings.figures.histogram import histogram_per_rater
from ratings.figures.transition import transition_matrix
from ratings.figures.violin import violin_overall, violin_per_rater
from ratings.statistics.agreement import Weighting
from ratings.statistics.comparison import Comparison
from ratings.statistics.summary import Analysis
from ratings.statistics.table import ScoreTable

KAPPAS: tuple[Weighting, ...] = ("quadratic", "linear", "unweighted")


def draw_all(
    *, table: ScoreTable, analysis: Analysis, simulated: bool = False
) -> Iterator[Figure]:
    """Draw every figure, one after another.

    With several comparisons those of a comparison are named `<number>_<figure>`,
    numbered as in the analysis, because arm names are not always file names.
    """
    yield violin_overall(table=table, analysis=analysis, simulated=simulated)
    yield likert_overall(analysis=analysis, simulated=simulated)
    yield from of_conduct(table=table, simulated=simulated)
    if not analysis.comparisons:
        yield from _of_one_arm(analysis, simulated)
    if len(analysis.comparisons) > 1:
        yield preference_per_arm(analysis=analysis, simulated=simulated)
        yield forest_per_arm(analysis=analysis, simulated=simulated)
    for i, comparison in enumerate(analysis.comparisons, 1):
        prefix = f"{i:02d}_" if len(analysis.comparisons) > 1 else ""
        for figure in of_comparison(
            table=table, analysis=analysis, comparison=comparison, simulated=simulated
        ):
            yield replace(figure, name=prefix + figure.name)


def of_conduct(*, table: ScoreTable, simulated: bool = False) -> Iterator[Figure]:
    """How the rating went, as far as positions and times were kept."""
    if has_order(table):
        yield order_effects(table=table, simulated=simulated)
    if has_time(table):
        yield time_per_item(table=table, simulated=simulated)


def of_comparison(
    *,
    table: ScoreTable,
    analysis: Analysis,
    comparison: Comparison,
    simulated: bool = False,
) -> Iterator[Figure]:
    """The figures of one arm against the reference."""
    arms = {summary.arm: summary for summary in analysis.arms}
    pair = (arms[comparison.reference], arms[comparison.arm])
    yield violin_per_rater(table=table, comparison=comparison, simulated=simulated)
    yield histogram_per_rater(table=table, comparison=comparison, simulated=simulated)
    yield likert_per_rater(arms=pair, levels=analysis.levels, simulated=simulated)
    yield transition_matrix(table=table, comparison=comparison, simulated=simulated)
    yield difference_map(table=table, comparison=comparison, simulated=simulated)
    yield preference_per_rater(comparison=comparison, simulated=simulated)
    yield forest_per_rater(
        comparison=comparison, margin=analysis.margin, simulated=simulated
    )
    if comparison.sensitivity.strata:
        yield forest_strata(comparison=comparison, simulated=simulated)
    for found in analysis.conduct.arms:
        if found.arm == comparison.arm and found.blinding is not None:
            yield blinding_guesses(found=found.blinding, simulated=simulated)
    if len(analysis.raters) > 1:
        agreements = (*(arm.agreement for arm in pair), *comparison.agreement)
        for weighting in KAPPAS:
            yield kappa_heatmap(
                agreements=agreements,
                raters=analysis.raters,
                weighting=weighting,
                simulated=simulated,
            )


def _of_one_arm(analysis: Analysis, simulated: bool) -> Iterator[Figure]:
    yield likert_per_rater(
        arms=analysis.arms, levels=analysis.levels, simulated=simulated
    )
    if len(analysis.raters) > 1:
        for weighting in KAPPAS:
            yield kappa_heatmap(
                agreements=(analysis.arms[0].agreement,),
                raters=analysis.raters,
                weighting=weighting,
                simulated=simulated,
            )
