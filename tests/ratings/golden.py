"""Load the reference data sets and their reference values."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from ratings.statistics.summary import Analysis, analyse
from ratings.statistics.table import ScoreTable, read_scores

FOLDER = Path(__file__).resolve().parents[1] / "data" / "golden"
# Two sets have one arm only.
REFERENCES = {"paradox_2x100": "pred"}
DATASETS = sorted(path.stem for path in FOLDER.glob("*.csv"))


def path(name: str) -> Path:
    return FOLDER / f"{name}.csv"


@cache
def values(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


@cache
def table(name: str) -> ScoreTable:
    return read_scores(path(name), scale=(1, 5), reference=reference(name))


@cache
def analysis(name: str) -> Analysis:
    return analyse(table(name), reference=reference(name), seed=20261122)


def reference(name: str) -> str:
    return REFERENCES.get(name, "manual")


def brute(name: str) -> Any:
    return values("golden_bruteforce")[name]


def having(section: str) -> list[str]:
    """The data sets for which the reference has this section."""
    return [name for name in DATASETS if section in brute(name)]
