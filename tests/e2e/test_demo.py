"""The demo of a first start: a finished study to read, and one to lock and rate."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import walk
from tests.e2e.conftest import Site, keep_screenshot, watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TRY, DONE = "Try rating", "Completed example (simulated)"


@pytest.fixture(scope="module")
def logins(site: Site) -> dict[str, str]:
    """Load the demo into the running site; the passwords it made."""
    printed = site.manage("demo")
    kept = Path(site.env["DATA_DIR"]) / "demo_logins.txt"
    assert kept.stat().st_mode & 0o777 == 0o600
    found = dict(line.split() for line in kept.read_text().splitlines())
    assert len(found) == len(set(found.values())) == 3
    assert all(password in printed for password in found.values())
    assert "already loaded" in site.manage("demo")
    return found


def sign_in(browser: Browser, site: Site, email: str, password: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    page.goto(site.address)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


def test_the_demo_can_be_read_locked_and_rated(
    site: Site, browser: Browser, logins: dict[str, str]
) -> None:
    coordinator, rater, _ = logins
    desk = sign_in(browser, site, coordinator, logins[coordinator])
    faults = watch(desk, site.address)
    read_finished_study(desk)
    lock_study(desk, site, logins[coordinator])
    desk.context.close()
    rate_a_little(browser, site, rater, logins[rater])
    assert faults == []


def read_finished_study(desk: Page) -> None:
    desk.get_by_role("link", name=DONE).click()
    walk.open_step(desk, "Results")
    expect(desk.get_by_text("Primary: the difference")).to_be_visible(timeout=180_000)
    expect(desk.get_by_text("Simulated.", exact=True)).to_be_visible()
    expect(desk.locator(".answer")).to_contain_text("8 raters, 40 cases, 320 pairs")
    desk.wait_for_load_state("networkidle")
    keep_screenshot(desk, "results")


def lock_study(desk: Page, site: Site, password: str) -> None:
    desk.goto(site.address)
    desk.get_by_role("link", name=TRY).click()
    walk.open_step(desk, "Predictions")
    done = desk.locator(".tally").get_by_text("10 / 10 predicted")
    expect(done).to_be_visible(timeout=900_000)
    keep_screenshot(desk, "predictions")
    walk.open_step(desk, "Cases")
    desk.wait_for_load_state("networkidle")
    keep_screenshot(desk, "cases")
    walk.lock(desk, title=TRY, password=password)


def rate_a_little(browser: Browser, site: Site, email: str, password: str) -> None:
    page = sign_in(browser, site, email, password)
    faults = watch(page, site.address)
    page.get_by_role("link", name=re.compile("Start rating")).click()
    walk.begin(page)
    walk.score(page, 4, position=1, total=22)
    expect(page.locator(".position")).to_contain_text("2 / 22")
    walk.wait_for_item(page)
    page.keyboard.press("3")
    keep_screenshot(page, "rating")
    page.context.close()
    assert faults == []
