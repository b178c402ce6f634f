"""Raters in a real browser and on the real server: what they gave is stored."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.frontend.access import find_violations
from tests.frontend.conftest import FLAGS, SCREEN, begin_rating, wait_for_image
from tests.frontend.real_site import Seat, SitDown, run_site, sit_down
from tests.processes import wait_until

__all__ = ["sit_down"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

TWO_QUESTIONS = [
    {"key": "quality", "text": "How good is this segmentation?"},
    {"key": "edges", "text": "How well does it follow the edges?"},
]
PRACTICE = {
    "session_maximum": 3,
    "calibration": [
        {
            "case": "C001", "arm": "manual", "values": {"quality": 4},
            "note": "The upper edge is a little too wide.",
        }
    ],
}  # fmt: skip
SPECS = [
    {"title": "Keyboard", "cases": 5},
    {"title": "Network", "cases": 15},
    {"title": "Crash", "cases": 2},
    {"title": "Expiry", "cases": 2},
    {"title": "Two final", "cases": 2},
    {"title": "Two windows", "cases": 2, "design": {"edit_policy": "revisable"}},
    {
        "title": "Side by side",
        "cases": 3,
        "questions": TWO_QUESTIONS,
        "design": {"mode": "side_by_side", "structured_reasons": True},
    },
    {"title": "In turn", "cases": 2, "design": {"mode": "sequential"}},
    {"title": "Practice", "cases": 3, "design": PRACTICE},
    {"title": "Practice twice", "cases": 3, "design": PRACTICE},
]


@pytest.fixture(scope="module")
def seats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seat]]:
    yield from run_site(tmp_path_factory.mktemp("rated"), SPECS)


def expect_position(page: Page, words: str) -> None:
    expect(page.locator(".position")).to_contain_text(words)


def expect_saved(page: Page) -> None:
    expect(page.locator(".save")).to_have_text("Saved", timeout=30_000)


def test_five_items_are_rated_by_keyboard_alone(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    seat = seats["Keyboard"]
    page = sit_down(seat, begin=False)
    page.wait_for_selector("text=Start rating")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for number, digit in enumerate("24135", start=1):
        expect_position(page, f"{number} / 10")
        wait_for_image(page)
        for key in ("PageUp", "ArrowDown", "m", "m", "o", "i", digit):
            page.keyboard.press(key)
        page.keyboard.press("Enter")
    expect_position(page, "6 / 10")
    expect_saved(page)
    assert seat.values() == [2, 4, 1, 3, 5]
    page.keyboard.press("p")
    expect(page.get_by_text("5 of 10 rated, 5 to go")).to_be_visible()


def test_with_the_network_cut_at_random_moments_it_never_claims_too_much(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    """Offline is switched at 50 random moments; "Saved" means stored, every time."""
    seat, rng = seats["Network"], random.Random(50)
    page = sit_down(seat)
    given: list[int] = []
    toggles, offline = 0, False
    while len(given) < 29 or toggles < 50:
        for _ in range(rng.randint(1, 3)):
            toggles, offline = toggles + 1, not offline
            page.context.set_offline(offline)
            page.wait_for_timeout(rng.randint(0, 120))
            check_claim(page, seat, given)
        if len(given) == 29 or not can_answer(page):
            press_retry(page)
            continue
        given.append(rng.randint(1, 5))
        page.keyboard.press(str(given[-1]))
        page.wait_for_timeout(rng.choice([0, 0, 30]))
        page.keyboard.press("Enter")
        page.wait_for_timeout(rng.randint(0, 150))
        check_claim(page, seat, given)
    page.context.set_offline(False)
    expect_saved(page)
    assert seat.values() == given
    assert len({row.client_key for row in seat.read()}) == 29


def press_retry(page: Page) -> None:
    """As a rater would, where an image could not be loaded without the network."""
    button = page.get_by_role("button", name="Try again")
    if button.count():
        button.click()


def can_answer(page: Page) -> bool:
    return page.locator(".scales fieldset:enabled").count() > 0


def check_claim(page: Page, seat: Seat, given: list[int]) -> None:
    claim = page.locator(".save").inner_text()
    stored = seat.values()
    assert stored == given[: len(stored)]
    if claim == "Saved":
        assert stored == given


def test_a_browser_killed_in_mid_entry_loses_nothing(
    browser: Browser, seats: dict[str, Seat], tmp_path: Path
) -> None:
    """One score confirmed offline, the next one chosen; then the process is killed."""
    seat = seats["Crash"]
    page = open_profile(browser, tmp_path, seat)
    begin_rating(page)
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    expect(page.locator(".save")).to_contain_text("offline")
    wait_for_image(page)
    page.keyboard.press("2")
    page.wait_for_timeout(300)
    assert seat.values() == []
    killed = find_browsers(tmp_path)
    assert killed
    for process in killed:
        os.kill(process, signal.SIGKILL)
    wait_until(
        lambda: not find_browsers(tmp_path), seconds=10, what="The browser's end"
    )
    again = open_profile(browser, tmp_path, seat)
    expect(again.get_by_text("1 of 4 rated")).to_be_visible()
    assert seat.values() == [4]
    begin_rating(again)
    expect(again.get_by_role("radio", name=re.compile("^2"))).to_be_checked()
    again.keyboard.press("Enter")
    expect_saved(again)
    again.context.close()
    assert seat.values() == [4, 2]


def open_profile(browser: Browser, profile: Path, seat: Seat) -> Page:
    """A browser of its own that keeps what it stores in that folder."""
    context = browser.browser_type.launch_persistent_context(
        str(profile), executable_path=shutil.which("chromium"), args=FLAGS,
        viewport=SCREEN,
    )  # fmt: skip
    context.add_cookies(seat.cookies())
    page = context.pages[0]
    page.goto(seat.room)
    return page


def find_browsers(profile: Path) -> list[int]:
    """The living processes that run on that profile."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace")
            if folder.name.isdigit() and f"--user-data-dir={profile}" in words:
                found.append(int(folder.name))
    return found


def test_an_expired_session_keeps_the_draft_and_sends_after_signing_in(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    seat = seats["Expiry"]
    page = sit_down(seat)
    page.wait_for_timeout(500)
    seat.end_session()
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect(page.locator(".save")).to_have_text("Not saved yet: signed out")
    expect_position(page, "2 / 4")
    wait_for_image(page)
    page.keyboard.press("5")
    page.wait_for_timeout(200)
    assert seat.values() == []
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail").fill(seat.email)
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("1 of 4 rated")).to_be_visible()
    assert seat.values() == [3]
    page.get_by_role("button", name="Continue rating").click()
    wait_for_image(page)
    expect(page.get_by_role("radio", name=re.compile("^5"))).to_be_checked()
    page.keyboard.press("Enter")
    expect_saved(page)
    assert seat.values() == [3, 5]


@pytest.mark.parametrize("change", [False, True], ids=["kept", "changed"])
def test_two_answers_from_two_browsers_are_both_shown_and_the_rater_decides(
    seats: dict[str, Seat], sit_down: SitDown, change: bool
) -> None:
    seat = seats["Two windows" if change else "Two final"]
    first, second = sit_down(seat), sit_down(seat)
    first.keyboard.press("4")
    first.keyboard.press("Enter")
    expect_saved(first)
    second.keyboard.press("2")
    second.keyboard.press("Enter")
    sheet = second.get_by_role("dialog", name="Two answers to one item")
    expect(sheet).to_contain_text("Stored4 good")
    expect(sheet).to_contain_text("Here2 poor")
    assert find_violations(second) == []
    assert seat.values() == [4]
    second.reload()
    expect(sheet).to_contain_text("Here2 poor")
    other = sheet.get_by_role("button", name="Change it to the answer here")
    if change:
        other.click()
    else:
        expect(other).to_have_count(0)
        sheet.get_by_role("button", name="Keep what is stored").click()
    expect(sheet).to_have_count(0)
    second.reload()
    expect(second.get_by_text("1 of 4 rated")).to_be_visible()
    expect(sheet).to_have_count(0)
    assert seat.values() == ([4, 2] if change else [4])


def test_side_by_side_both_are_scored_and_move_as_one(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    seat = seats["Side by side"]
    page = sit_down(seat)
    left, right = page.locator(".pane canvas").all()[:2]
    expect(page.locator(".pane-name")).to_have_text(["Left", "Right"])
    expect(right).to_have_attribute("data-ready", "true")
    names = ("data-slice", "data-window", "data-frame")
    before = {name: str(left.get_attribute(name)) for name in names}
    page.keyboard.press("ArrowUp")
    page.keyboard.press("i")
    page.keyboard.press("+")
    for name in names:
        # What a key does is drawn with the screen's next frame, not with the key.
        expect(left).not_to_have_attribute(name, before[name])
        expect(right).to_have_attribute(name, str(left.get_attribute(name)))
    page.keyboard.press("4")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Now the right one")).to_be_visible()
    assert seat.values() == []
    moved = str(left.get_attribute("data-slice"))
    page.keyboard.press("ArrowDown")
    expect(left).not_to_have_attribute("data-slice", moved)
    expect(right).to_have_attribute("data-slice", str(left.get_attribute("data-slice")))
    page.keyboard.press("2")
    page.keyboard.press("5")
    page.keyboard.press("w")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_role("radio", name=re.compile("^4")).first).to_be_checked()
    page.keyboard.press("Enter")
    expect_position(page, "2 / 3")
    expect_saved(page)
    rows = [(row.slot, row.question, row.value) for row in seat.read()]
    assert rows == [
        (0, "edges", 3), (0, "quality", 4), (1, "edges", 5), (1, "quality", 2),
    ]  # fmt: skip


def test_masks_of_a_case_come_in_turn_and_the_view_stays(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    seat = seats["In turn"]
    page = sit_down(seat)
    canvas = page.locator("canvas").first
    expect(canvas).to_have_attribute("data-ready", "true")
    first = str(canvas.get_attribute("data-slice"))
    page.keyboard.press("ArrowUp")
    expect(canvas).not_to_have_attribute("data-slice", first)
    slice = str(canvas.get_attribute("data-slice"))
    expect(page.locator(".items")).to_contain_text("Mask 1 of 2")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator(".items")).to_contain_text("Mask 2 of 2")
    expect_position(page, "1 / 2")
    expect(canvas).to_have_attribute("data-slice", slice)
    expect(page.locator(".scales input:checked")).to_have_count(0)
    expect_saved(page)
    page.reload()
    begin_rating(page)
    expect(page.locator(".items")).to_contain_text("Mask 2 of 2")
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    expect_position(page, "2 / 2")
    expect_saved(page)
    assert [(row.position, row.slot, row.value) for row in seat.read()] == [
        (1, 0, 1), (1, 1, 5),
    ]  # fmt: skip


def test_practice_shows_its_reference_after_the_answer_and_counts_apart(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    seat = seats["Practice"]
    page = sit_down(seat, begin=False)
    expect(page.get_by_text("1 practice item comes first.")).to_be_visible()
    page.get_by_role("button", name="Start rating").click()
    wait_for_image(page)
    expect_position(page, "Practice 1 / 1")
    expect(page.get_by_text("too wide")).to_have_count(0)
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    lesson = page.locator(".lesson")
    expect(lesson).to_contain_text("Reference4 good")
    expect(lesson).to_contain_text("You2 poor")
    expect(lesson).to_contain_text("The upper edge is a little too wide.")
    expect(page.locator(".scales fieldset:enabled")).to_have_count(0)
    page.keyboard.press("Enter")
    page.wait_for_selector(".scales fieldset:enabled")
    expect_position(page, "1 / ")
    expect(lesson).to_be_empty()
    page.keyboard.press("p")
    expect(page.get_by_text("Session 1 of")).to_be_visible()
    expect(page.get_by_role("heading", name="Practice item 1")).to_be_visible()


def test_a_practice_item_answered_in_another_window_too_stops_nobody(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    seat = seats["Practice twice"]
    first, second = sit_down(seat), sit_down(seat)
    first.keyboard.press("2")
    first.keyboard.press("Enter")
    expect(first.locator(".lesson")).to_contain_text("Reference4 good")
    second.keyboard.press("3")
    second.keyboard.press("Enter")
    second.get_by_role("button", name="Keep what is stored").click()
    expect_position(second, "1 / ")
    wait_for_image(second)
    expect(second.locator(".lesson")).to_be_empty()
    second.keyboard.press("5")
    second.keyboard.press("Enter")
    expect_saved(second)
    assert seat.values() == [2, 5]
