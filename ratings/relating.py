"""Sets experts' scores beside the metrics of the same masks, after unblinding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratings import results
from ratings.models import Arm, Study
from ratings.statistics.mask_tables import MaskRow
from ratings.statistics.relation import Relation, relate
from ratings.statistics.sheets import Sheet, Spread
from ratings.statistics.table import ScoreTable


@dataclass(frozen=True)
class Question:
    """What one question's scores say of each arm, alone and against the reference."""

    key: str
    text: str
    relations: tuple[Relation, ...]
    differences: tuple[Relation, ...]


def relate_scores(
    study: Study, *, rows: Sequence[MaskRow], arms: Sequence[Arm], reference: Arm
) -> list[Question]:
    """For each question, whether scores follow Dice; nothing before unblinding."""
    if study.state != Study.State.UNBLINDED or not rows:
        return []
    texts = {question["key"]: question["text"] for question in study.questions}
    found = []
    for key, table in results.build_tables(study).items():
        rivals = [a for a in arms if a != reference and a.key in table.arms]
        seed = results.make_seed(study.pk)
        found.append(
            Question(
                key=key,
                text=texts.get(key, key),
                relations=tuple(of_arm(table, arm, rows, seed) for arm in rivals),
                differences=tuple(
                    of_difference(table, arm, reference, rows, seed)
                    for arm in rivals
                    if reference.key in table.arms
                ),
            )
        )
    return found


def list_dice(table: ScoreTable, arm: Arm, rows: Sequence[MaskRow]) -> np.ndarray:
    """Dice of an arm's masks in the order of the table's cases; NaN if unmeasured."""
    dice = {row.case: row.dice for row in rows if row.arm == arm.label}
    return np.array([dice.get(case, np.nan) for case in table.cases])


def of_arm(table: ScoreTable, arm: Arm, rows: Sequence[MaskRow], seed: int) -> Relation:
    return relate(
        arm=arm.label, what="score", cases=table.cases,
        metric=list_dice(table, arm, rows), scores=table.of_arm(arm.key), seed=seed,
    )  # fmt: skip


def of_difference(
    table: ScoreTable, arm: Arm, reference: Arm, rows: Sequence[MaskRow], seed: int
) -> Relation:
    return relate(
        arm=arm.label, what=f"score − score of {reference.label}", cases=table.cases,
        metric=list_dice(table, arm, rows), seed=seed,
        scores=table.difference(arm=arm.key, reference=reference.key),
    )  # fmt: skip


def table_relations(question: Question) -> Sheet:
    """Every correlation of one question, with its interval or why there is none."""
    lines = []
    for one in (*question.relations, *question.differences):
        r = one.correlation
        low, high = r.ci or (None, None)
        note = "" if r.ci else (r.reason_text or "")
        value = Spread(r.value, None, r.n)
        lines.append((one.arm, one.what, r.n, value.mean, low, high, note))
    return Sheet(
        key="scores_and_dice", title="Do experts’ scores follow Dice?",
        header=("Method", "Scored", "n", "Rank correlation", "95 % from", "to", "Note"),
        rows=tuple(lines), text=2,
        notes=("Spearman’s correlation over cases, each with the mean score of its "
               "raters; the interval resamples whole cases with all their raters. "
               "1: experts rank cases as Dice does; 0: the two have nothing to do "
               "with each other.",),
    )  # fmt: skip


def table_points(question: Question) -> Sheet:
    """Every case behind the scatter."""
    return Sheet(
        key="scores_and_dice_cases", title="Scores and Dice of each case",
        header=("Method", "Scored", "Case", "Dice", "Mean score", "Rank gap"),
        rows=tuple(
            (one.arm, one.what, p.case, p.metric, p.score, p.gap)
            for one in (*question.relations, *question.differences)
            for p in one.points
        ),
        text=3,
    )  # fmt: skip
