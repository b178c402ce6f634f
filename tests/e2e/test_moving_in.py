"""A table too large for a request goes through the real worker to its results."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RATERS, CASES = 12, 2000  # 48,000 rows, twice what is read at once


def write_table(path: Path) -> None:
    """Every rater's scores of two arms, with all that a long table can say of them."""
    rng = np.random.default_rng(3)
    quality = rng.normal(3, 0.7, CASES)
    lines = ["rater,case,arm,score,contrast,site,position,seconds"]
    for rater in range(RATERS):
        order = rng.permutation(2 * CASES)
        for case in range(CASES):
            for a, arm in enumerate(("manual", "model")):
                score = int(
                    np.clip(round(quality[case] + 0.3 * a + rng.normal()), 1, 5)
                )
                lines.append(
                    f"R{rater},sub-{case:04d},{arm},{score},T{1 + case % 2}w,"
                    f"site{case % 5},{order[2 * case + a] + 1},{10 + case % 40}.5"
                )
    path.write_text("\n".join(lines) + "\n")


def test_a_large_table_is_read_moved_analysed_and_drawn_by_the_worker(
    desk: Page, tmp_path: Path
) -> None:
    path = tmp_path / "scores.csv"
    write_table(path)
    desk.goto(desk.url.rstrip("/") + "/moves/new")
    desk.get_by_label("Name of the study").fill("A large table")
    desk.locator("input#files").set_input_files(path)
    desk.get_by_role("button", name="Read the files").click()
    expect(desk.get_by_text("48000 scores read: 48000 usable")).to_be_visible(
        timeout=120_000
    )
    desk.get_by_role("button", name="Import the scores").click()
    answer = desk.locator(".answer")
    expect(answer).to_contain_text("higher than manual on average", timeout=240_000)
    for picture in ("violin_per_rater", "difference_map", "order_effects"):
        image = desk.locator(f"img[src*='/{picture}.svg']").first
        address = image.get_attribute("src")
        assert address is not None
        drawn = desk.request.get(site_of(desk) + address)
        assert drawn.ok
        assert len(drawn.body()) < 2 * 2**20


def site_of(page: Page) -> str:
    found = re.match(r"https?://[^/]+", page.url)
    assert found is not None
    return found[0]
