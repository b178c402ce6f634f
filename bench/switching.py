"""How long a rater waits from Confirm to the next case painted, in a real Chromium."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from django.conf import settings
from playwright.sync_api import Browser, Page, sync_playwright

from bench.material import SAGITTAL, Rater, enlarge, open_study, write_scan
from bench.rows import Row, percentile
from bench.site import serve
from tests.frontend.conftest import FLAGS, SCREEN, begin_rating, wait_for_image

COPIES = 5
# A slow line, and a rater who looks at a case for as long as it takes to load the next.
THINK_SECONDS = 8.0
# Without prefetch nothing happens meanwhile, so that nobody need wait.
GLANCE_SECONDS = 0.5
BYTES_PER_SECOND, LATENCY_MS = 2_500_000, 200
GOAL_MS = 100.0
# From the key going down until the frame with the next case has been presented.
STOPWATCH = """
window.waits = [];
let pressed = null;
addEventListener("keydown", (event) => {
  if (event.key === "Enter") pressed = event.timeStamp;
}, true);
const channel = new MessageChannel();
channel.port1.onmessage = () => {
  if (pressed === null) return;
  waits.push(performance.now() - pressed);
  pressed = null;
};
let gone = false;
new MutationObserver(() => {
  const canvas = document.querySelector("canvas");
  if (!canvas) return;
  if (canvas.dataset.ready !== "true") gone = true;
  else if (gone) {
    gone = false;
    requestAnimationFrame(() => channel.port2.postMessage(0));
  }
}).observe(document, {
  subtree: true, childList: true, attributeFilter: ["data-ready"],
});
"""
# The room without its look-ahead: the server seems to tell of no next item.
NO_PREFETCH = """
const ask = window.fetch;
window.fetch = async (...asked) => {
  const response = await ask(...asked);
  if (!response.ok || !String(asked[0]).endsWith("/next")) return response;
  return Response.json({ ...(await response.json()), ahead: null });
};
"""


def run() -> list[Row]:
    path = shutil.which("chromium")
    if path is None:
        print("NOT MEASURED: the case switch, because Chromium is not installed.")
        return []
    with tempfile.TemporaryDirectory() as folder:
        scan = write_scan(Path(folder), seed=SAGITTAL)
        enlarge(scan, thin=18, wide=512)
        scans = [scan] * COPIES
        first, second = open_study(title="Switching", scans=scans, raters=2)
    with serve(settings.DATA_DIR) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        ahead = time_switches(browser, site, first, THINK_SECONDS)
        cold = time_switches(browser, site, second, GLANCE_SECONDS, NO_PREFETCH)
        browser.close()
    return [
        *make_rows(ahead, f"after {THINK_SECONDS:g} s of prefetch", GOAL_MS),
        *make_rows(cold, "without prefetch", None),
    ]


def make_rows(waits: list[float], what: str, goal: float | None) -> list[Row]:
    how = f"{len(waits)} switches, 18×512×512 int16 (9.4 MB), 2.5 MB/s + 200 ms"
    return [
        Row(f"case switch p50, {what}", percentile(waits, 50), "ms", how),
        Row(f"case switch p95, {what}", percentile(waits, 95), "ms", how, goal=goal),
    ]


def time_switches(
    browser: Browser, site: str, rater: Rater, seconds: float, *scripts: str
) -> list[float]:
    context = browser.new_context(viewport=SCREEN)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": rater.cookie, "url": site}
    context.add_cookies([cookie])  # type: ignore[list-item]
    for script in (STOPWATCH, *scripts):
        context.add_init_script(script)
    page = context.new_page()
    throttle(page)
    page.goto(f"{site}/rate/{rater.key}/")
    begin_rating(page)
    page.evaluate("waits.length = 0")
    for _ in range(2 * COPIES - 1):
        switch(page, seconds)
    waits: list[float] = page.evaluate("waits")
    context.close()
    if len(waits) != 2 * COPIES - 1:
        raise RuntimeError(f"{2 * COPIES - 1} switches, but {len(waits)} were timed.")
    return waits


def throttle(page: Page) -> None:
    line = {
        "offline": False,
        "latency": LATENCY_MS,
        "downloadThroughput": BYTES_PER_SECOND,
        "uploadThroughput": BYTES_PER_SECOND,
    }
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", line)


def switch(page: Page, seconds: float) -> None:
    """Look at an item for a while, then rate it; the next is loaded meanwhile."""
    page.wait_for_timeout(1000 * seconds)
    before = page.evaluate("waits.length")
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    page.wait_for_function("(before) => waits.length > before", arg=before)
    wait_for_image(page)
