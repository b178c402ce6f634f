"""One measured figure, and how a table and a file show many."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

HEADINGS = ("what", "measured", "goal", "peer", "ratio to peer", "how")


@dataclass(frozen=True)
class Row:
    """A figure; where a named peer does the same work, its figure beside it."""

    what: str
    value: float
    unit: str
    how: str
    goal: float | None = None
    peer: str = ""
    peer_value: float | None = None

    @property
    def ratio(self) -> float | None:
        """Our figure over the peer's: below 1, we take less."""
        return self.value / self.peer_value if self.peer_value else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio}

    def cells(self) -> tuple[str, ...]:
        peer = f"{self.peer} {show(self.peer_value, self.unit)}" if self.peer else ""
        return (
            self.what,
            show(self.value, self.unit),
            show(self.goal, self.unit),
            peer,
            show(self.ratio, "×"),
            self.how,
        )


def show(value: float | None, unit: str) -> str:
    """Three significant digits, or nothing."""
    if value is None:
        return ""
    digits = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{digits} {unit}"


def format_table(rows: Sequence[Row]) -> str:
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of the measurements do not exceed."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
