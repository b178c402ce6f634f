"""The rating room for everybody: every state, dark and light, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.frontend.access import find_hidden_focus, find_small_targets, find_violations
from tests.frontend.conftest import OpenRoom, wait_for_image
from tests.frontend.real_site import Seat, SitDown, run_site, sit_down
from tests.frontend.room_server import Case

__all__ = ["sit_down"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

OPEN_ALL = "document.querySelectorAll('.fold').forEach((fold) => (fold.open = true))"
DESIGN: dict[str, Any] = {
    "edit_policy": "revisable",
    "change_reason": True,
    "structured_reasons": True,
}
REFERENCE = {"case": "C001", "arm": "other", "values": {"quality": 4}, "note": "Fine."}
SPECS = [
    {"title": "One", "cases": 2, "design": DESIGN},
    {
        "title": "Ended",
        "cases": 1,
        "design": {**DESIGN, "guess": "end", "guess_percent": 100},
    },
    {"title": "Learning", "cases": 2, "design": {"calibration": [REFERENCE]}},
    {
        "title": "Pairs",
        "cases": 2,
        "design": {**DESIGN, "mode": "side_by_side"},
    },
]


@pytest.fixture(scope="module")
def seats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seat]]:
    yield from run_site(tmp_path_factory.mktemp("access"), SPECS)


def check(page: Page) -> None:
    assert find_violations(page) == []
    assert find_small_targets(page) == []


def rate(page: Page, keys: str) -> None:
    wait_for_image(page)
    for key in keys:
        page.keyboard.press(key)
    page.keyboard.press("Enter")


def test_start_item_folds_and_sheets(seats: dict[str, Seat], sit_down: SitDown) -> None:
    page = sit_down(seats["One"], begin=False)
    expect(page.get_by_role("button", name="Start rating")).to_be_visible()
    check(page)
    assert find_hidden_focus(page) == []
    page.get_by_role("button", name="Start rating").click()
    wait_for_image(page)
    check(page)
    page.keyboard.press("4")
    for key in ("w", "n", "c"):
        page.keyboard.press(key)
        page.keyboard.press("Escape")
        page.evaluate(
            "document.querySelectorAll('.fold').forEach((f) => f.open = true)"
        )
    check(page)
    page.evaluate("document.querySelector('.stage').focus()")
    assert find_hidden_focus(page) == []
    for key, name in (("?", "Keys"), ("f", "Ask or report")):
        page.evaluate("document.querySelector('.stage').focus()")
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        check(page)
        page.keyboard.press("Escape")


def test_offline_signed_out_and_a_failed_image(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    page = sit_down(seats["One"])
    page.wait_for_timeout(400)
    page.context.set_offline(True)
    rate(page, "4")
    expect(page.locator(".save")).to_contain_text("offline")
    check(page)
    rate(page, "3")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    check(page)
    page.context.set_offline(False)
    expect(page.locator(".save")).to_have_text("Saved", timeout=20_000)
    wait_for_image(page)
    page.wait_for_load_state("networkidle")
    seats["One"].end_session()
    rate(page, "2")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    check(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert find_violations(page) == []


def test_long_sittings_closed_studies_and_servers_out_of_reach(
    open_room: OpenRoom,
) -> None:
    ramp = np.indices((24, 20, 8)).sum(axis=0).astype(np.int16)
    plain = Case(ramp, (ramp > 30).astype(np.uint8), np.diag([1.0, 1.0, 3.0, 1.0]))
    page, study = open_room([replace(plain, second=plain)] * 2)
    study.signed_in_for = 200
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.get_by_role("radio", name="All", exact=True).check(force=True)
    expect(page.locator("canvas")).to_have_count(6)
    expect(page.get_by_role("button", name="Stay signed in")).to_be_visible()
    check(page)
    page.context.set_offline(True)
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="could not be opened")).to_be_visible()
    check(page)
    page.context.set_offline(False)
    study.state = "closed"
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("This study is closed.")).to_be_visible()
    check(page)
    study.signed_in = False
    page.reload()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    check(page)


def test_scale_and_confirm_stay_in_sight_on_a_small_hospital_screen(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    """1366 × 768 leaves about 640 px for a page; Confirm stays when there is more."""
    page = sit_down(seats["Learning"])
    page.set_viewport_size({"width": 1366, "height": 640})
    page.evaluate(OPEN_ALL)
    confirm = page.get_by_role("button", name="Confirm")
    for part in (*page.locator(".score").all(), confirm):
        expect(part).to_be_in_viewport(ratio=1)
    assert find_hidden_focus(page) == []


def test_practice_and_its_reference(seats: dict[str, Seat], sit_down: SitDown) -> None:
    page = sit_down(seats["Learning"])
    rate(page, "2")
    expect(page.get_by_text("Reference")).to_be_visible()
    check(page)
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="Practice item 1")).to_be_visible()
    check(page)


def test_two_images_side_by_side(seats: dict[str, Seat], sit_down: SitDown) -> None:
    page = sit_down(seats["Pairs"])
    check(page)
    page.keyboard.press("4")
    page.keyboard.press("b")
    check(page)
    assert find_hidden_focus(page) == []


def test_review_change_sign_off_and_the_end(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    page = sit_down(seats["Ended"])
    rate(page, "4")
    rate(page, "2")
    expect(page.get_by_role("heading", name="Sign off")).to_be_visible()
    check(page)
    assert find_hidden_focus(page) == []
    page.get_by_role("button", name="Look again at item 1").click()
    wait_for_image(page)
    check(page)
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Say why you change it")).to_be_visible()
    page.keyboard.type("Saw the lower part only now")
    page.get_by_role("button", name="Confirm the change").click()
    expect(page.get_by_text("5 excellent (changed)")).to_be_visible()
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign off this session").click()
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    check(page)
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Sign off this session").click()
    expect(page.get_by_role("heading", name="Sign off")).to_have_count(0)
    check(page)
    page.get_by_role("link", name="Answer 2 short questions").click()
    page.wait_for_selector("canvas[data-ready=true]")
    check(page)
    for number in (1, 2):
        expect(page.get_by_text(f"Source {number} / 2")).to_be_visible()
        page.get_by_role("radio").first.check(force=True)
        page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Thank you: that was all.")).to_be_visible()
    check(page)


def test_nothing_shakes_where_less_motion_is_wanted(
    seats: dict[str, Seat], sit_down: SitDown
) -> None:
    page = sit_down(seats["Pairs"], reduced_motion="reduce")
    page.keyboard.press("9")
    scales = page.locator(".scales.shake")
    expect(scales).to_have_css("animation-name", "none")
    page.emulate_media(reduced_motion="no-preference")
    expect(scales).to_have_css("animation-name", "shake")
