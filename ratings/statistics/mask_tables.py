"""Sets the arms' masks side by side: the tables of metrics that a paper prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from ratings.statistics.paired import holm, signed_rank
from ratings.statistics.sheets import Sheet, SheetCell, Spread, spread
from ratings.statistics.table import natural

METRICS = {"dice": "Dice", "recall": "Recall", "ppv": "PPV", "f1": "F1"}
NOT_GIVEN = "not given"
LEVELS = ((0.001, 3), (0.01, 2), (0.05, 1))


@dataclass(frozen=True, kw_only=True)
class MaskRow:
    """What was measured of one case's mask of one arm against the reference.

    The fields are those of `segmentation.Comparison` and of `SurfaceDistance`;
    `soft_mm3` is the partial volume of the arm's soft map, None without one.
    """

    case: str
    arm: str
    dice: float
    dice_plain: float
    recall: float
    ppv: float
    f1: float
    found: int
    missed: int
    false: int
    reference_lesions: int
    prediction_lesions: int
    reference_mm3: float
    prediction_mm3: float
    reference_empty: bool
    prediction_empty: bool
    hd95: float | None = None
    average_distance: float | None = None
    soft_mm3: float | None = None
    strata: Mapping[str, str] = field(default_factory=dict)

    @property
    def any_empty(self) -> bool:
        return self.reference_empty or self.prediction_empty

    def metric(self, name: str) -> float:
        value: float = getattr(self, name)
        return value


@dataclass(frozen=True)
class PairTest:
    """The paired signed-rank test of one metric between two arms."""

    metric: str
    arm: str
    other: str
    n: int
    difference: float | None
    p: float | None
    p_bonferroni: float | None = None
    p_holm: float | None = None


def group(
    rows: Iterable[MaskRow], key: Callable[[MaskRow], str]
) -> dict[str, list[MaskRow]]:
    """Rows by a key, the keys in natural order."""
    found: dict[str, list[MaskRow]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return {name: found[name] for name in sorted(found, key=natural)}


def of_stratum(name: str) -> Callable[[MaskRow], str]:
    return lambda row: row.strata.get(name) or NOT_GIVEN


def count_empty(rows: Sequence[MaskRow]) -> int:
    return sum(row.any_empty for row in rows)


def measures(rows: Sequence[MaskRow]) -> tuple[Spread, ...]:
    return tuple(spread(row.metric(name) for row in rows) for name in METRICS)


EMPTY_NOTE = (
    "Mean ± SD over cases. Where a mask is empty, the values are conventions: both "
    "empty, all 1; only the reference empty, recall 1, PPV and F1 0; only the "
    "prediction empty, all three 0. Dice is then 1 / (n + 1) for the n voxels of the "
    "other mask. n_empty, where the table has it, counts such cases."
)


def table_by_set(rows: Sequence[MaskRow], *, by: str) -> Sheet:
    """Table 2: the four metrics of each arm in each set, or any other stratum."""
    lines: list[tuple[SheetCell, ...]] = []
    for arm, own in group(rows, lambda row: row.arm).items():
        parts = group(own, of_stratum(by)) if any(by in r.strata for r in own) else {}
        for name, part in [*parts.items(), ("all", own)]:
            lines.append((arm, name, len(part), count_empty(part), *measures(part)))
    return Sheet(
        key="by_set",
        title=f"Agreement with the reference by {by.replace('_', ' ')}",
        header=("Method", by.replace("_", " ").capitalize(), "n", "n_empty",
                *METRICS.values()),
        rows=tuple(lines), notes=(EMPTY_NOTE,), text=2,
    )  # fmt: skip


def table_dice_by_contrast(rows: Sequence[MaskRow]) -> Sheet:
    """Table 3: Dice of each arm for each contrast, with its number of cases."""
    arms = list(group(rows, lambda row: row.arm))
    lines: list[tuple[SheetCell, ...]] = []
    for contrast, part in [*group(rows, of_stratum("contrast")).items(), ("all", rows)]:
        own = group(part, lambda row: row.arm)
        lines.append(
            (contrast, len({row.case for row in part}),
             *(spread(row.dice for row in own.get(arm, [])) for arm in arms))
        )  # fmt: skip
    return Sheet(
        key="dice_by_contrast", title="Dice by contrast",
        header=("Contrast", "n", *arms), rows=tuple(lines), notes=(EMPTY_NOTE,),
    )  # fmt: skip


def table_methods_by_contrast(rows: Sequence[MaskRow]) -> Sheet:
    """Table 5: every method's metrics in every contrast."""
    contrasts = list(group(rows, of_stratum("contrast")))
    lines: list[tuple[SheetCell, ...]] = []
    for arm, own in group(rows, lambda row: row.arm).items():
        parts = group(own, of_stratum("contrast"))
        for name, label in METRICS.items():
            cells = [
                spread(r.metric(name) for r in parts.get(c, [])) for c in contrasts
            ]
            lines.append((arm, label, *cells, spread(r.metric(name) for r in own)))
    return Sheet(
        key="methods_by_contrast", title="Methods by contrast",
        header=("Method", "Metric", *contrasts, "All"), rows=tuple(lines),
        notes=(EMPTY_NOTE,), text=2,
    )  # fmt: skip


def compare_arms(rows: Sequence[MaskRow]) -> tuple[PairTest, ...]:
    """Each pair of arms in each metric, on the cases that both have.

    Two-sided signed-rank tests, zeros dropped (Wilcoxon 1945), exact up to 500 untied
    pairs. Both corrections are over all tests that have a p-value.
    """
    arms = group(rows, lambda row: row.arm)
    tests = [
        compare_pair(metric, one, other, arms[one], arms[other])
        for one, other in combinations(arms, 2)
        for metric in METRICS
    ]
    p_values = [test.p for test in tests]
    size = sum(p is not None for p in p_values)
    return tuple(
        replace(
            test, p_holm=adjusted,
            p_bonferroni=None if test.p is None else min(1.0, test.p * size),
        )
        for test, adjusted in zip(tests, holm(p_values), strict=True)
    )  # fmt: skip


def compare_pair(
    metric: str, one: str, other: str, mine: list[MaskRow], theirs: list[MaskRow]
) -> PairTest:
    values = {row.case: row.metric(metric) for row in mine}
    against = {row.case: row.metric(metric) for row in theirs}
    common = sorted(values.keys() & against.keys())
    d = np.array([values[case] - against[case] for case in common])
    result = signed_rank(d, zeros="wilcox", scope="for cases like these")
    mean = float(d.mean()) if len(d) else None
    return PairTest(metric, one, other, len(d), mean, result.p)


def stars(p: float | None, symbol: str) -> str:
    """One to three symbols for p below 0.05, 0.01 and 0.001."""
    if p is None:
        return ""
    return symbol * next((count for limit, count in LEVELS if p < limit), 0)


def table_methods(rows: Sequence[MaskRow], *, baseline: str) -> Sheet:
    """Table 4: the methods side by side, marked where they differ from one of them."""
    tests = {
        (test.metric, *sorted((test.arm, test.other))): test
        for test in compare_arms(rows)
    }
    lines: list[tuple[SheetCell, ...]] = []
    for arm, own in group(rows, lambda row: row.arm).items():
        cells = []
        for (name, _), cell in zip(METRICS.items(), measures(own), strict=True):
            test = tests.get((name, *sorted((arm, baseline))))
            marks = "" if test is None else stars(test.p_bonferroni, "*")
            marks += "" if test is None else stars(test.p_holm, "†")
            cells.append(replace(cell, marks=marks))
        lines.append(
            (
                arm,
                len(own),
                count_empty(own),
                *cells,
                spread(r.hd95 for r in own),
                sum(r.hd95 is not None for r in own),
            )
        )
    tested = sum(test.p is not None for test in tests.values())
    marks_note = (
        f"Paired signed-rank tests against {baseline}: * p < 0.05, ** p < 0.01, "
        "*** p < 0.001 after Bonferroni, † likewise after Holm, over all "
        f"{tested} tests of all pairs of methods and metrics."
    )
    return Sheet(
        key="methods", title="Methods side by side",
        header=("Method", "n", "n_empty", *METRICS.values(), "HD95 (mm)", "n (HD95)"),
        rows=tuple(lines), notes=(marks_note, EMPTY_NOTE) if tested else (EMPTY_NOTE,),
    )  # fmt: skip


def table_tests(rows: Sequence[MaskRow]) -> Sheet:
    """The tests behind the marks of Table 4, every pair of methods."""
    return Sheet(
        key="tests", title="Paired comparisons of the methods",
        header=("Method", "Against", "Metric", "n", "Mean difference", "p",
                "p (Bonferroni)", "p (Holm)"),
        rows=tuple(
            (t.arm, t.other, METRICS[t.metric], t.n, t.difference, t.p,
             t.p_bonferroni, t.p_holm)
            for t in compare_arms(rows)
        ),
        notes=("Two-sided signed-rank test, zeros dropped; a dash where every pair is "
               "tied.",),
        text=3,
    )  # fmt: skip


def table_volumes(rows: Sequence[MaskRow]) -> Sheet:
    """Volumes, lesion counts and distances of each arm beside the reference."""
    return Sheet(
        key="volumes", title="Volumes, lesions and surface distances",
        header=("Method", "n", "Reference (mm³)", "Prediction (mm³)",
                "Partial volume (mm³)", "Lesions, reference", "Lesions, prediction",
                "Found", "Missed", "False", "HD95 (mm)", "Average distance (mm)"),
        rows=tuple(
            (arm, len(own), spread((r.reference_mm3 for r in own), digits=0),
             spread((r.prediction_mm3 for r in own), digits=0),
             spread((r.soft_mm3 for r in own), digits=0),
             spread((float(r.reference_lesions) for r in own), digits=1),
             spread((float(r.prediction_lesions) for r in own), digits=1),
             sum(r.found for r in own), sum(r.missed for r in own),
             sum(r.false for r in own), spread(r.hd95 for r in own),
             spread(r.average_distance for r in own))
            for arm, own in group(rows, lambda row: row.arm).items()
        ),
        notes=("Found, missed and false lesions are totals over cases. Distances are "
               "over the cases in which neither mask is empty. Partial volumes are "
               "over the cases with a soft map, predicted here or uploaded.",),
    )  # fmt: skip


CASE_COLUMNS = (
    "case", "arm", "dice", "dice_plain", "recall", "ppv", "f1", "found", "missed",
    "false", "reference_lesions", "prediction_lesions", "reference_mm3",
    "prediction_mm3", "soft_mm3", "hd95", "average_distance", "reference_empty",
    "prediction_empty",
)  # fmt: skip


def table_cases(rows: Sequence[MaskRow]) -> Sheet:
    """Every number of every case, for whoever computes on."""
    names = sorted({name for row in rows for name in row.strata})
    return Sheet(
        key="cases", title="Metrics of each case",
        header=(*CASE_COLUMNS, *names),
        rows=tuple(
            (*(plain_cell(getattr(row, name)) for name in CASE_COLUMNS),
             *(row.strata.get(name, "") for name in names))
            for row in sorted(rows, key=lambda r: (natural(r.case), natural(r.arm)))
        ),
        text=2,
    )  # fmt: skip


def plain_cell(value: object) -> SheetCell:
    if isinstance(value, bool):
        return int(value)
    assert value is None or isinstance(value, str | int | float)
    return value


def make_tables(
    rows: Sequence[MaskRow], *, by: str = "set", baseline: str = ""
) -> tuple[Sheet, ...]:
    """All tables of metrics, in the order of the published evaluation."""
    arms = list(group(rows, lambda row: row.arm))
    several = len(arms) > 1
    chosen = baseline if baseline in arms else (arms or [""])[0]
    return (
        table_by_set(rows, by=by),
        table_dice_by_contrast(rows),
        table_methods(rows, baseline=chosen),
        *((table_tests(rows),) if several else ()),
        table_methods_by_contrast(rows),
        table_volumes(rows),
    )
