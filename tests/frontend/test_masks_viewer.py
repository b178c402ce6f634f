"""The desk's viewer in a browser without WebGL: linked panes, soft map, keys."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Site, answers
from tests.frontend.conftest import SCREEN
from tests.frontend.real_site import LISTEN, start
from tests.processes import ROOT, environment, free_port, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# How many pixels of the laid-over canvas are not clear.
PAINTED = """canvas => { const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let n = 0; for (let i = 3; i < data.length; i += 4) if (data[i]) n++; return n; }"""


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The address of a study's wall of cases, and a coordinator's cookie."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    folder = tmp_path_factory.mktemp("looked-at")
    env = environment(folder, PORT=str(port), SITE_URL=address)
    for command in (
        ["manage.py", "migrate"],
        ["manage.py", "createcachetable"],
        ["-m", "tests.frontend.looked_at"],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=env, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    seat = json.loads(done.stdout)
    server = start(env, port)
    try:
        site = Site(address, env)
        wait_until(lambda: answers(site), seconds=60, what="The site's first answer")
        yield {"site": address, "url": address + seat["path"], **seat}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)


@pytest.fixture
def page(browser: Browser, wall: dict[str, str]) -> Iterator[Page]:
    """The viewer, opened from the wall; at the end nothing went wrong."""
    context = browser.new_context(viewport=SCREEN)
    cookie = {"name": "sessionid", "value": wall["cookie"], "url": wall["site"]}
    context.add_cookies([cookie])  # type: ignore[list-item]
    context.add_init_script(LISTEN)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(wall["url"])
    page.get_by_role("link", name="C001").click()
    page.wait_for_selector("canvas.heat")
    yield page
    assert errors == []
    assert page.evaluate("window.violations") == []
    context.close()


def slices(page: Page) -> list[str]:
    canvases = page.locator(".stage canvas[data-slice]")
    return [c.get_attribute("data-slice") or "" for c in canvases.all()]


def test_four_panes_are_linked_and_open_at_the_lesion(page: Page) -> None:
    words = page.locator(".pane-name").all_inner_texts()
    assert words == ["Image", "Manual · 48 mm³", "model · 48 mm³", "Soft map of model"]
    assert slices(page) == ["7"] * 4
    page.keyboard.press("ArrowDown")
    expect(page.locator(".stage canvas[data-slice='6']")).to_have_count(4)
    frames = {
        c.get_attribute("data-frame")
        for c in page.locator(".stage canvas[data-slice]").all()
    }
    page.keyboard.press("+")
    for canvas in page.locator(".stage canvas[data-slice]").all():
        for frame in frames:
            expect(canvas).not_to_have_attribute("data-frame", str(frame))


def test_the_threshold_hides_what_lies_below_it(page: Page) -> None:
    heat = page.locator("canvas.heat")
    whole = heat.evaluate(PAINTED)
    assert whole > 0
    expect(page.get_by_text("Above 0: 51 mm³")).to_be_visible()
    for _ in range(10):
        page.keyboard.press("t")
    expect(page.get_by_text("From 0.50 on: 48 mm³")).to_be_visible()
    lesion = heat.evaluate(PAINTED)
    assert lesion == pytest.approx(whole * 16 / 17, rel=0.02)
    for _ in range(4):
        page.keyboard.press("t")
    assert heat.evaluate(PAINTED) == 0


def test_the_soft_map_follows_into_all_three_planes(page: Page) -> None:
    page.get_by_text("All", exact=True).click()
    expect(page.locator("canvas.heat")).to_have_count(3)
    for canvas in page.locator("canvas.heat").all():
        assert canvas.evaluate(PAINTED) > 0
