"""The last questions in a real browser; a hidden repeat is fetched like any other."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from tests.frontend.conftest import begin_rating, wait_for_image
from tests.frontend.real_site import Seat, SitDown, run_site, sit_down

__all__ = ["sit_down"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Four masks, one of which comes a second time.
DESIGN = {"guess": "end", "guess_percent": 100, "repeat_percent": 30}
GUESSES = """
SELECT g.guess, g.confidence FROM ratings_guess g
JOIN ratings_item i ON i.id = g.item_id
JOIN ratings_presentation p ON p.id = i.presentation_id
JOIN ratings_session t ON t.id = p.session_id
WHERE t.key = ? ORDER BY g.id
"""


@pytest.fixture(scope="module")
def seats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seat]]:
    specs = [{"title": "Sources", "cases": 2, "design": DESIGN}]
    yield from run_site(tmp_path_factory.mktemp("asked"), specs)


def read_guesses(seat: Seat) -> list[tuple[str, int | None]]:
    with closing(sqlite3.connect(seat.database)) as file:
        return list(file.execute(GUESSES, (seat.key,)))


def follow_masks(page: Page) -> tuple[list[Response], list[str]]:
    """Every mask that comes over the network, and every answer from a cache."""
    masks: list[Response] = []
    cached: list[str] = []
    page.on("response", lambda r: masks.append(r) if r.url.endswith("/mask") else None)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")

    def note(event: dict[str, Any]) -> None:
        answer = event["response"]
        kept = answer.get("fromDiskCache") or answer.get("fromPrefetchCache")
        if "/api/items/" in answer["url"] and kept:
            cached.append(answer["url"])

    network.on("Network.responseReceived", note)
    network.on("Network.requestServedFromCache", lambda e: cached.append(str(e)))
    return masks, cached


def test_a_repeat_is_fetched_anew_and_sources_are_answered_by_keyboard(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    seat = seats["Sources"]
    page = sit_down(seat, begin=False)
    masks, cached = follow_masks(page)
    begin_rating(page)
    for number in range(1, 6):
        expect(page.locator(".position")).to_contain_text(f"{number} / 5")
        wait_for_image(page)
        page.keyboard.press("3")
        page.keyboard.press("Enter")
    check_fetches(page, masks, cached)

    way = page.get_by_role("link", name="Answer 4 short questions")
    way.focus()
    page.keyboard.press("Enter")
    for number, keys in enumerate(("1", "24", "35", "16"), 1):
        expect(page.locator(".position")).to_contain_text(f"Source {number} / 4")
        page.wait_for_selector("canvas[data-ready=true]")
        if number == 1:
            check_view(page)
        page.keyboard.press("Enter")
        expect(page.locator(".hint")).to_have_text("Choose an answer first.")
        for key in ("ArrowUp", "m", "m", *keys, "Enter"):
            page.keyboard.press(key)
    expect(page.get_by_text("One thing is left: your sign-off.")).to_be_visible()
    assert read_guesses(seat) == [
        ("manual", None), ("automatic", 1), ("unsure", 2), ("manual", 3),
    ]  # fmt: skip
    assert seat.values() == [3] * 5


def check_view(page: Page) -> None:
    """The mask asked about is in view, with the room's controls, keys and way out."""
    # G leads to the mask's middle, where the page has opened already
    counter = page.locator(".controls").get_by_role("slider", name="Slice")
    first = str(counter.input_value())
    page.keyboard.press("g")
    expect(counter).to_have_value(first)
    page.get_by_role("button", name="Close-up").click()
    page.get_by_role("button", name="Reset").click()
    counter.fill("1")
    expect(page.locator(".slice-number")).to_contain_text("1 /")
    page.locator(".stage").focus()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("choose what drew the mask")
    expect(sheet).not_to_contain_text("cannot rate")
    page.keyboard.press("Escape")
    reach = "document.documentElement.scrollHeight - innerHeight"
    for width, height in ((1280, 800), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(reach) == 0
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="things are left")).to_be_visible()
    page.get_by_role("link", name="Answer 4 short questions").click()
    page.wait_for_selector("canvas[data-ready=true]")


def check_fetches(page: Page, masks: list[Response], cached: list[str]) -> None:
    """Five addresses, four different files, each once from the server itself."""
    assert cached == []
    assert len({mask.url for mask in masks}) == len(masks) == 5
    assert {mask.headers["cache-control"] for mask in masks} == {"no-store"}
    # The browser keeps no body of a `no-store` answer, so each is asked for once more.
    again = [page.request.get(mask.url).body() for mask in masks]
    times = Counter(hashlib.sha256(body).hexdigest() for body in again)
    assert sorted(times.values()) == [1, 1, 1, 2]
