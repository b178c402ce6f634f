"""The bench's figures are shown and stored as they were measured."""

from __future__ import annotations

import importlib
import json

import pytest

from bench.__main__ import find_benches, main
from bench.rows import Row, format_table, percentile


def test_a_ratio_is_our_figure_over_the_peers() -> None:
    row = Row("predict", 3.0, "s", "one case", peer="nnU-Net", peer_value=6.0)
    assert row.ratio == 0.5
    assert row.cells() == ("predict", "3 s", "", "nnU-Net 6 s", "0.5 ×", "one case")
    assert json.loads(json.dumps(row.to_json()))["ratio"] == 0.5


def test_a_figure_without_a_peer_has_no_ratio() -> None:
    assert Row("save", 12.0, "ms", "8 raters", goal=50).ratio is None


def test_a_table_has_a_line_for_each_row_and_aligned_columns() -> None:
    rows = [Row("save", 12.345, "ms", "8 raters"), Row("switch", 1234.5, "ms", "x")]
    heading, save, switch = format_table(rows).split("\n")
    assert heading.index("measured") == save.index("12.3 ms") == switch.index("1234 ms")


@pytest.mark.parametrize(("percent", "expected"), [(50, 50.5), (95, 95.05)])
def test_percentiles_are_those_of_the_measurements(
    percent: int, expected: float
) -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, percent) == pytest.approx(expected)
    assert percentile([7.0], percent) == 7.0


def test_an_unknown_bench_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["nothing"]) == 2
    assert "starting" in capsys.readouterr().out


def test_every_file_of_the_folder_but_the_frame_is_a_bench() -> None:
    assert "starting" in find_benches()
    for name in find_benches():
        assert callable(importlib.import_module(f"bench.{name}").run)
