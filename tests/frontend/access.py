"""What every page must hold for everybody: axe-core's rules, sizes, visible focus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.services import CI

AXE = Path(__file__).resolve().parents[2] / "frontend/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1280, 375)
SCHEMES = ("dark", "light")
# Two frames later styles and layout are those of the new size and scheme.
SETTLE = (
    "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
)
RUN = "(tags) => axe.run(document, { runOnly: { type: 'tag', values: tags } })"
# Everything that can be pressed, by the box that takes the press.
TARGETS = """
() => [...document.querySelectorAll("button, summary, a[href], input, textarea")]
  .map((one) => one.closest("label") ?? one)
  .filter((one) => one.checkVisibility() && !one.closest("p, .hidden"))
  .map((one) => {
    const { width, height } = one.getBoundingClientRect();
    return { what: one.outerHTML.slice(0, 80), width, height,
      score: one.classList.contains("score") };
  })
"""
# The box that shows where the focus is: the control's own or its label's.
FOCUSED = """
() => {
  const here = document.activeElement;
  if (here === document.body) return null;
  const marks = [here, here.closest("label")].filter(Boolean).map((one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  here.scrollIntoViewIfNeeded?.();
  const box = (here.closest("label") ?? here).getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const label = here.closest("label");
  const free = !top || here.contains(top) || top.contains(here) || label?.contains(top);
  return { what: here.outerHTML.slice(0, 80), marked: marks.some(Boolean), free };
}
"""


def load_axe() -> str:
    if not AXE.exists():
        reason = f"NOT TESTED: {AXE} is absent; run npm ci in frontend/"
        pytest.fail(reason, pytrace=False) if CI else pytest.skip(reason)
    return AXE.read_text()


def find_violations(page: Page) -> list[str]:
    """Axe's complaints in both schemes and at both widths, a line each."""
    source = load_axe()
    found: list[str] = []
    size = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.evaluate(SETTLE)
            if not page.evaluate("'axe' in window"):
                page.evaluate(source)
            answer: dict[str, Any] = page.evaluate(RUN, TAGS)
            found += [
                f"{width} {scheme}: {one['id']}: {node['html'][:120]}"
                for one in answer["violations"]
                for node in one["nodes"]
            ]
    page.set_viewport_size(size or {"width": 1280, "height": 776})
    return found


def find_small_targets(page: Page) -> list[str]:
    """Anything to press under 24 × 24 px, and scores under 44 px."""
    return [
        f"{one['width']:.0f} × {one['height']:.0f}: {one['what']}"
        for one in page.evaluate(TARGETS)
        if one["height"] < (43.9 if one["score"] else 23.9) or one["width"] < 23.9
    ]


def find_hidden_focus(page: Page, *, steps: int = 60) -> list[str]:
    """Walk by Tab until the page begins again; whatever does not show the focus."""
    wrong: list[str] = []
    seen: set[str] = set()
    for _ in range(steps):
        page.keyboard.press("Tab")
        spot = page.evaluate(FOCUSED)
        if spot is None:
            break
        if not spot["marked"] or not spot["free"]:
            wrong.append(spot["what"])
        seen.add(spot["what"])
    assert seen
    return wrong
