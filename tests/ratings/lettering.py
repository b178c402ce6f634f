"""Finds words of a figure that lie on one another or leave its page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import pytest
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from ratings.figures import canvas as drawing

POINT = drawing.DPI / 72
# Boxes hold the height of tall letters, which words seldom have at both edges.
SPARE_WIDTH, SPARE_HEIGHT, SPARE_EDGE = 0.5 * POINT, 1.5 * POINT, 0.5 * POINT


@contextmanager
def read_along() -> Iterator[list[str]]:
    """What is wrong with the words of each figure that is drawn meanwhile."""
    faults: list[str] = []
    drawn: dict[int, Text] = {}
    draw, as_png = Text.draw, drawing._as_png

    def note(text: Text, *more: Any, **options: Any) -> None:
        if text.get_visible() and text.get_text().strip():
            drawn[id(text)] = text
        draw(text, *more, **options)

    def look(page: Canvas) -> bytes:
        drawn.clear()
        png = as_png(page)
        faults.extend(find_faults(page, list(drawn.values())))
        return png

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", note)
        patch.setattr(drawing, "_as_png", look)
        yield faults


def find_faults(page: Canvas, texts: list[Text]) -> list[str]:
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    level = [(t.get_text(), t.get_window_extent()) for t in texts if is_level(t)]
    cut = [f"“{word}” is cut off" for word, box in boxes if leaves(box, page.bbox)]
    return cut + [
        f"“{one}” lies on “{other}”"
        for (one, a), (other, b) in combinations(level, 2)
        if touch(a, b)
    ]


def is_level(text: Text) -> bool:
    """Whether the box of a text is no larger than the text: slanted ones have room."""
    return bool(text.get_rotation() % 90 == 0)


def leaves(box: Bbox, page: Any) -> bool:
    beyond = (page.x0 - box.x0, page.y0 - box.y0, box.x1 - page.x1, box.y1 - page.y1)
    return bool(max(beyond) > SPARE_EDGE)


def touch(a: Bbox, b: Bbox) -> bool:
    wide = min(a.x1, b.x1) - max(a.x0, b.x0)
    high = min(a.y1, b.y1) - max(a.y0, b.y0)
    return bool(wide > SPARE_WIDTH and high > SPARE_HEIGHT)
