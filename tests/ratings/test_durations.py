from __future__ import annotations

import pytest

from ratings.templatetags.durations import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (-3, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (80, "1 min 20 s"),
        (600, "10 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_spans_read_as_people_say_them(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words
