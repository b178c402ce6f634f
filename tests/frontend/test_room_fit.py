"""The rating room fits its window, and no question is answered out of sight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.frontend.conftest import wait_for_image
from tests.frontend.real_site import Seat, SitDown, run_site, sit_down

__all__ = ["sit_down"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

WINDOWS = [(1280, 800), (1920, 1080)]
MODES = ("single", "side_by_side", "sequential")
QUESTIONS = [
    {"key": "quality", "text": "How good is this segmentation?"},
    {"key": "found", "text": "How well are the lesions found?"},
    {
        "key": "edges",
        "text": "How well do the boundaries follow the lesions?",
    },
]


def spec(mode: str, count: int) -> dict[str, Any]:
    design = {"mode": mode, "structured_reasons": True}
    return {
        "title": f"{mode} {count}",
        "cases": 2,
        "questions": QUESTIONS[:count],
        "design": design,
    }


@pytest.fixture(scope="module")
def seats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seat]]:
    specs = [spec(mode, count) for mode in MODES for count in (1, 3)]
    yield from run_site(tmp_path_factory.mktemp("fit"), specs)


def reach(page: Page) -> int:
    """How far the page itself can be scrolled, in either direction."""
    return int(
        page.evaluate(
            "() => { const e = document.documentElement; return Math.max("
            "e.scrollHeight - innerHeight, e.scrollWidth - innerWidth); }"
        )
    )


def is_covered(part: Locator) -> bool:
    """Whether something else lies over the middle of it, as Confirm can."""
    return bool(
        part.evaluate(
            """(one) => { const box = one.getBoundingClientRect();
            const x = box.x + box.width / 2, y = box.y + box.height / 2;
            return !one.contains(document.elementFromPoint(x, y)); }"""
        )
    )


def expect_in_sight(part: Locator) -> None:
    expect(part).to_be_in_viewport(ratio=0.99)
    assert not is_covered(part)


@pytest.mark.parametrize(("width", "height"), WINDOWS)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("mode", MODES)
def test_the_page_does_not_scroll_and_the_scale_is_in_sight(
    seats: dict[str, Seat],
    sit_down: SitDown,
    mode: str,
    count: int,
    width: int,
    height: int,
) -> None:
    page = sit_down(seats[f"{mode} {count}"])
    page.set_viewport_size({"width": width, "height": height})
    assert reach(page) == 0
    for score in page.locator(".score").all():
        expect_in_sight(score)
    expect_in_sight(page.get_by_role("button", name="Confirm"))
    if height > 1000:
        expect_in_sight(page.locator(".controls"))
    page.keyboard.press("c")
    page.evaluate("document.querySelectorAll('.fold').forEach((f) => (f.open = true))")
    assert reach(page) == 0


@pytest.mark.parametrize("height", [520, 640, 800])
def test_the_question_that_a_digit_answers_is_marked_and_in_sight(
    seats: dict[str, Seat], sit_down: SitDown, height: int
) -> None:
    page = sit_down(seats["single 3"])
    page.set_viewport_size({"width": 1280, "height": height})
    page.keyboard.press("Backspace")
    for number, digit in enumerate("345"):
        marked = page.locator(".scales fieldset[aria-current=step]")
        expect(marked).to_have_attribute("data-question", QUESTIONS[number]["key"])
        expect_in_sight(marked.locator(".points"))
        page.keyboard.press(digit)
    expect_in_sight(page.locator(".scales fieldset .points").last)
    expect(page.locator(".scales fieldset[aria-current]")).to_have_count(0)
    expect(page.get_by_role("button", name="Confirm")).to_have_attribute(
        "aria-disabled", "false"
    )


def test_the_next_item_begins_at_the_first_question(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    page = sit_down(seats["single 3"])
    page.set_viewport_size({"width": 1280, "height": 520})
    for digit in "345":
        page.keyboard.press(digit)
    page.keyboard.press("Enter")
    expect(page.locator(".position")).to_contain_text("2 / 4")
    wait_for_image(page)
    assert page.locator(".rail-body").evaluate("(one) => one.scrollTop") == 0
    expect_in_sight(page.locator(".scales fieldset").first.locator(".points"))


def test_one_question_left_open_is_shown_by_enter(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    page = sit_down(seats["side_by_side 3"])
    page.set_viewport_size({"width": 1280, "height": 520})
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 questions have no score yet")).to_be_visible()
    expect_in_sight(page.locator("[data-question=found] .points"))
    page.keyboard.press("4")
    page.keyboard.press("b")
    expect(page.locator("[aria-current=step]")).to_have_attribute(
        "data-question", "quality"
    )


def test_each_number_is_read_with_its_word(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    page = sit_down(seats["sequential 3"])
    words = page.locator(".scale-words")
    expect(words).to_contain_text("1 very poor")
    for number in range(3):
        scale = page.locator(".scales fieldset").nth(number)
        expect(scale.get_by_role("radio", name="5 excellent")).to_have_count(1)
