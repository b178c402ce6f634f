"""The validation table of the statistics page is what the code gives now."""

from __future__ import annotations

from tests.ratings.validation import make_table, read_table, rows


def test_the_table_in_the_page_is_true() -> None:
    assert read_table() == make_table(), (
        "run: python -m tests.ratings.validation, and look at what changed"
    )


def test_no_difference_is_larger_than_its_tolerance() -> None:
    for what, _, ours, theirs, source in rows():
        assert ours is not None
        tolerance = 1e-3 * abs(theirs) if "clmm" in source else 1e-6
        assert abs(ours - theirs) < tolerance, what
