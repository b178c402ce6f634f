"""The rater × case × arm table of scores that every statistic starts from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache, partial
from operator import attrgetter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ratings.statistics.rows import (
    ScoreFileError,
    ScoreRow,
    parse_scale,
    read_rows,
)

__all__ = [
    "FloatArray",
    "ScoreFileError",
    "ScoreRow",
    "ScoreTable",
    "make_table",
    "parse_scale",
    "read_scores",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
STRATA = ("contrast", "site", "acquisition")
# In the order that hashes were made of; `astuple` copies each cell, 20 times slower.
cells_of = attrgetter(*(field.name for field in fields(ScoreRow)))


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores of one question by every rater, of every case, in every arm.

    Attributes:
        raters, cases, arms: labels in natural order (R2 before R10), so that
            neither the order of rows nor of files changes any result.
        levels: every score the protocol allows, used or not.
        scores: [rater, case, arm], NaN where a mask was not rated; main ratings
            (rep 0) only.
        strata: per case labels, for example {"contrast": ("T2w", ...)}.
        repeats: hidden repeat ratings (rep > 0), which no primary result uses.
        rows: every row as given, for export and for the data hash.
        unused_columns: columns of the file that nothing reads.
        every_place: whether each score that was asked for has a row, given or not; else
            every rater is taken to have been asked about every case in every arm.
        withdrawn: rows of cases that were withdrawn after the lock, which enter no
            result and no hash and are only counted.
    """

    raters: tuple[str, ...]
    cases: tuple[str, ...]
    arms: tuple[str, ...]
    levels: tuple[int, ...]
    scores: FloatArray
    strata: Mapping[str, tuple[str, ...]]
    repeats: tuple[ScoreRow, ...]
    rows: tuple[ScoreRow, ...]
    question: str = ""
    unused_columns: tuple[str, ...] = ()
    every_place: bool = False
    withdrawn: tuple[ScoreRow, ...] = ()

    @cached_property
    def expected(self) -> BoolArray:
        """[rater, case, arm]: where a main rating was asked for."""
        if not self.every_place:
            return np.ones(self.scores.shape, dtype=bool)
        axes = (self.raters, self.cases, self.arms)
        at = [{label: i for i, label in enumerate(axis)} for axis in axes]
        found = np.zeros(self.scores.shape, dtype=bool)
        for row in self.rows:
            if row.rep == 0:
                found[at[0][row.rater], at[1][row.case], at[2][row.arm]] = True
        return found

    def expected_of(self, arm: str) -> BoolArray:
        """[rater, case] of one arm: where a main rating was asked for."""
        found: BoolArray = self.expected[:, :, self.arms.index(arm)]
        return found

    @property
    def silent(self) -> tuple[str, ...]:
        """Raters who were asked and gave no score at all."""
        missing = np.isnan(self.scores)
        return tuple(r for n, r in enumerate(self.raters) if missing[n].all())

    def of_arm(self, arm: str) -> FloatArray:
        """Scores [rater, case] of one arm."""
        return self.scores[:, :, self.arms.index(arm)]

    def difference(self, *, arm: str, reference: str) -> FloatArray:
        """Paired differences [rater, case], arm − reference; NaN if either lacks."""
        return self.of_arm(arm) - self.of_arm(reference)

    def data_hash(self) -> str:
        """SHA-256 of levels and rows, the same whatever the order of the rows."""
        lines = sorted(map(_spell, self.rows))
        text = "\n".join([json.dumps(self.levels), *lines])
        return hashlib.sha256(text.encode()).hexdigest()


def _spell(row: ScoreRow) -> str:
    """One spelling for equal rows; a column that came later counts only where it says
    something, so that the hashes of earlier tables stay as they were printed."""
    cells = cells_of(row)
    return json.dumps(cells if row.conflict is not None else cells[:-1])


def read_scores(
    path: Path,
    *,
    scale: tuple[int, int],
    reference: str,
    score_column: str = "score",
    question: str | None = None,
    every_place: bool = False,
    withdrawn: Path | None = None,
) -> ScoreTable:
    """Read a long CSV of scores (columns: `rows.COLUMNS`) into a table.

    `withdrawn` is a file of the same columns with the scores of withdrawn cases.

    Raises:
        ScoreFileError: in one sentence with file, line, rule and remedy.
    """
    read = partial(read_rows, scale=scale, score_column=score_column, question=question)
    file = read(path)
    apart = read(withdrawn).rows if withdrawn else ()
    try:
        table = make_table(
            file.rows,
            levels=range(scale[0], scale[1] + 1),
            unused_columns=file.unused_columns,
            every_place=every_place,
            withdrawn=apart,
        )
    except ValueError as error:
        raise ScoreFileError(f"{path.name}: {error}") from error
    if reference not in table.arms:
        raise ScoreFileError(
            f"{path.name}: no row has the reference arm “{reference}”; "
            f"choose one of {', '.join(table.arms)}."
        )
    return table


def make_table(
    rows: Iterable[ScoreRow],
    *,
    levels: Sequence[int],
    unused_columns: Sequence[str] = (),
    every_place: bool = False,
    withdrawn: Iterable[ScoreRow] = (),
) -> ScoreTable:
    """Arrange rows of one question as a table; a combination not in them is NaN.

    Args:
        rows: main ratings and repeats in any order.
        levels: consecutive whole numbers, lowest first.
        every_place: whether `rows` has one for each score that was asked for.
        withdrawn: rows of withdrawn cases, kept apart.

    Raises:
        ValueError: a rating given twice, a case with two strata labels, or one that
            is withdrawn and among the rows all the same.
    """
    rows, withdrawn = tuple(rows), tuple(withdrawn)
    _refuse_both(rows, withdrawn)
    raters, cases, arms = (
        tuple(sorted({getattr(row, key) for row in rows}, key=natural))
        for key in ("rater", "case", "arm")
    )
    return ScoreTable(
        raters=raters,
        cases=cases,
        arms=arms,
        levels=tuple(levels),
        scores=_arrange(rows, (raters, cases, arms)),
        strata={name: _stratum(rows, cases, name) for name in STRATA},
        repeats=tuple(row for row in rows if row.rep > 0),
        rows=rows,
        question=rows[0].question if rows else "",
        unused_columns=tuple(unused_columns),
        every_place=every_place,
        withdrawn=withdrawn,
    )


def _arrange(rows: Iterable[ScoreRow], axes: tuple[tuple[str, ...], ...]) -> FloatArray:
    """Scores [rater, case, arm] of the main ratings; NaN where there is none."""
    scores = np.full([len(axis) for axis in axes], np.nan)
    at = [{label: i for i, label in enumerate(axis)} for axis in axes]
    seen: set[tuple[int, int, int, int]] = set()
    for row in rows:
        r, c, a = at[0][row.rater], at[1][row.case], at[2][row.arm]
        if (r, c, a, row.rep) in seen:
            raise ValueError(
                f"rater {row.rater} scored case {row.case}, arm {row.arm} twice; "
                "keep one of the two."
            )
        seen.add((r, c, a, row.rep))
        if row.rep == 0 and row.score is not None:
            scores[r, c, a] = row.score
    scores.setflags(write=False)
    return scores


def _refuse_both(rows: tuple[ScoreRow, ...], withdrawn: tuple[ScoreRow, ...]) -> None:
    apart = {row.case for row in withdrawn}
    both = {row.case for row in rows if row.case in apart} if apart else None
    if both:
        raise ValueError(
            f"case {min(both, key=natural)} is among the withdrawn ones and among the "
            "analysed ones; keep its scores in one of the two files."
        )


@lru_cache(maxsize=2**16)
def natural(label: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which R2 comes before R10."""
    parts = re.split(r"(\d+)", label)
    return tuple(
        (0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts
    )


def _stratum(
    rows: tuple[ScoreRow, ...], cases: tuple[str, ...], name: str
) -> tuple[str, ...]:
    labels: dict[str, str] = {}
    for row in rows:
        label = getattr(row, name)
        if label and labels.setdefault(row.case, label) != label:
            raise ValueError(
                f"case {row.case} has two values of {name} ({labels[row.case]} and "
                f"{label}); give every row of a case the same."
            )
    return tuple(labels.get(case, "") for case in cases)
