"""Whatever table of scores comes, the report has numbers, or says why it has none."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ratings import writing
from ratings.statistics.reliability import icc
from ratings.statistics.summary import analyse
from ratings.statistics.table import ScoreRow, ScoreTable, make_table

pytestmark = pytest.mark.slow


def draw_table(seed: int) -> ScoreTable:
    """A small table with holes, repeats, guesses, constant arms, as chance has it."""
    rng = np.random.default_rng(seed)
    raters, cases, arms = (int(rng.integers(1, most)) for most in (7, 9, 5))
    levels, missing = int(rng.choice([2, 3, 5])), rng.choice([0, 0.1, 0.5, 0.9])
    share = rng.dirichlet(np.full(levels, rng.choice([0.1, 1, 5])))

    def score(arm: int) -> int | None:
        if rng.random() < missing:
            return None
        constant = seed % 4 == 0 and arm % 2
        return levels if constant else 1 + int(rng.choice(levels, p=share))

    rows = [
        ScoreRow(
            f"R{rater}", f"C{case}", f"arm{arm}", score(arm), rep=rep,
            contrast=("T1w", "T2w", "")[case % 3],
            position=int(rng.integers(1, 60)) if seed % 2 else None,
            session=int(rng.integers(1, 3)) if seed % 2 else None,
            seconds=float(rng.exponential(20)) if seed % 2 else None,
            guess=str(rng.choice(["arm0", "arm1", "unsure"])) if arms == 2 else "",
        )
        for rater in range(raters)
        for case in range(cases)
        for arm in range(arms)
        for rep in range(1 + int(rng.random() < 0.1))
    ]  # fmt: skip
    return make_table(rows, levels=range(1, levels + 1))


@pytest.mark.parametrize("block", range(8))
def test_any_table_gives_numbers_or_reasons_and_never_an_error(block: int) -> None:
    for seed in range(10 * block, 10 * block + 10):
        table = draw_table(seed)
        found = analyse(table, reference=table.arms[-1], seed=1, margin=0.5)
        assert "NaN" not in json.dumps(found.to_json(), allow_nan=False)
        words = writing.methods([found], version="1", moved=True).split()
        assert not {"nan", "None", "inf"} & set(words)


def test_the_lowest_icc_that_there_is_has_no_interval_of_the_mean() -> None:
    one, mean = icc(np.array([[1.0, 1.0], [2.0, 3.0], [3.0, 1.0]]))
    assert one.ci is not None
    assert one.ci[0] == pytest.approx(-1 / 2)
    assert (mean.ci, mean.reason) == (None, "variance_not_estimable")
