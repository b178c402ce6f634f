"""What a pane of the rating room shows, read back from its canvas."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page


def read_canvas(page: Page, pane: int = 0) -> NDArray[np.uint8]:
    """The picture's rectangle of a pane's canvas, height × width × RGB."""
    settle(page)
    address = page.locator("canvas").nth(pane).evaluate("(c) => c.toDataURL()")
    content = base64.b64decode(address.partition(",")[2])
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    left, top, width, height = (
        int(part) for part in state(page, "frame", pane).split(",")
    )
    rows, columns = slice(max(0, top), top + height), slice(max(0, left), left + width)
    return pixels[rows, columns]


def settle(page: Page) -> None:
    """Until what was asked for has been drawn."""
    frame = "new Promise(done => requestAnimationFrame(() => done()))"
    page.evaluate(frame)
    page.evaluate(frame)


def state(page: Page, name: str, pane: int = 0) -> str:
    return str(page.locator("canvas").nth(pane).get_attribute(f"data-{name}"))


def frame_of(page: Page, pane: int = 0) -> list[int]:
    """Left, top, width and height of the picture in canvas pixels."""
    settle(page)
    return [int(part) for part in state(page, "frame", pane).split(",")]


def show_plane(page: Page, plane: str) -> None:
    page.get_by_role("radio", name=plane.capitalize()).check(force=True)
    page.wait_for_selector(f"canvas[data-plane={plane}]")


def show_bare_voxels(page: Page) -> None:
    """No smoothing: a screen pixel is the voxel that it lies in."""
    page.get_by_role("button", name="Smooth").click()


def enlarge(picture: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    rows, columns = (like.shape[i] // picture.shape[i] for i in (0, 1))
    assert (picture.shape[0] * rows, picture.shape[1] * columns) == like.shape[:2]
    return picture.repeat(rows, axis=0).repeat(columns, axis=1)
