"""What a rater can do to see: touch, windows, planes, sides, marked parts, series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from tests.frontend.canvas import (
    frame_of,
    read_canvas,
    settle,
    show_bare_voxels,
    show_plane,
    state,
)
from tests.frontend.conftest import OpenRoom, wait_for_image
from tests.frontend.room_server import Case, canonical_case

pytestmark = pytest.mark.browser

SHAPE, SPACING = (40, 48, 30), (1.0, 1.0, 3.0)
AFFINE = np.diag([*SPACING, 1.0])


def make_case(
    *boxes: tuple[slice, slice, slice], second: Case | None = None, zoom_mm: int = 0
) -> Case:
    """Noise and a ramp, marked in some boxes."""
    rng = np.random.default_rng(8)
    voxels = rng.normal(300, 30, SHAPE) + 9 * np.indices(SHAPE)[0]
    marks = np.zeros(SHAPE, np.uint8)
    for box in boxes:
        marks[box] = 1
    return Case(voxels.astype(np.int16), marks, AFFINE, "axial", zoom_mm, second)


def box(x: int, y: int, z: int, size: int = 3) -> tuple[slice, slice, slice]:
    return slice(x, x + size), slice(y, y + size), slice(z, z + 1)


Touch = Callable[..., None]


def fingers_on(page: Page) -> Touch:
    """Fingers as the browser gets them from a screen."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        where = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        event = {"type": f"touch{kind}", "touchPoints": where}
        session.send("Input.dispatchTouchEvent", event)

    return touch


def test_a_pinch_zooms_about_its_middle(open_room: OpenRoom) -> None:
    page, _ = open_room([make_case()], touch=True)
    touch = fingers_on(page)
    before = frame_of(page)
    touch("Start", (380, 300), (420, 300))
    touch("Move", (360, 300), (440, 300))
    touch("Move", (320, 300), (480, 300))
    touch("End")
    after = frame_of(page)
    assert after[2] / before[2] == pytest.approx(4, rel=0.02)
    assert after[0] - 400 == pytest.approx(4 * (before[0] - 400), abs=4)
    assert after[1] - 300 == pytest.approx(4 * (before[1] - 300), abs=4)


def test_two_fingers_move_the_image_and_leave_slice_and_window(
    open_room: OpenRoom,
) -> None:
    page, _ = open_room([make_case()], touch=True)
    touch = fingers_on(page)
    before, names = frame_of(page), ("slice", "window")
    kept = [state(page, name) for name in names]
    touch("Start", (300, 300), (400, 300))
    touch("Move", (330, 260), (430, 260))
    touch("End")
    after = frame_of(page)
    assert [b - a for a, b in zip(before, after, strict=True)] == [30, -40, 0, 0]
    assert [state(page, name) for name in names] == kept


def test_one_finger_swipes_through_the_slices_and_windows_nothing(
    open_room: OpenRoom,
) -> None:
    page, _ = open_room([make_case()], touch=True)
    touch = fingers_on(page)
    first, window = int(state(page, "slice")), state(page, "window")
    touch("Start", (300, 300))
    for y in (285, 270, 255):
        touch("Move", (300, y))
    touch("End")
    settle(page)
    assert int(state(page, "slice")) == first + 3
    assert state(page, "window") == window


def test_g_goes_from_one_marked_part_to_the_next_and_round(open_room: OpenRoom) -> None:
    page, _ = open_room([make_case(box(5, 5, 4), box(20, 30, 17), box(9, 9, 25))])
    expect(page.get_by_text("3 marked parts")).to_be_visible()
    seen = []
    for _ in range(4):
        page.keyboard.press("g")
        settle(page)
        seen.append(int(state(page, "slice")) - 1)
    assert seen == [17, 25, 4, 17]
    expect(page.get_by_text("Marked part 2 of 3")).to_be_visible()
    page.keyboard.press("Shift+G")
    settle(page)
    assert state(page, "slice") == "5"
    page.get_by_role("button", name="Next marked part").click()
    settle(page)
    assert state(page, "slice") == "18"


def test_zoomed_in_a_jump_brings_the_part_to_the_middle(open_room: OpenRoom) -> None:
    page, _ = open_room([make_case(box(5, 40, 4))])
    for _ in range(6):
        page.keyboard.press("+")
    page.keyboard.press("g")
    left, top, width, height = frame_of(page)
    part = (40 - 6.5) / 40 * width + left, (48 - 41.5) / 48 * height + top
    assert part == pytest.approx((480, 388), abs=2)


def test_an_empty_mask_looks_like_any_other_but_for_its_words(
    open_room: OpenRoom,
) -> None:
    page, _ = open_room([make_case(), make_case(box(5, 5, 4))])
    layout = (
        "(e) => [...e.querySelectorAll('*')].map("
        "(x) => [x.tagName, x.offsetLeft, x.offsetTop, x.offsetWidth, x.offsetHeight])"
    )
    first = page.locator(".controls > .step").bounding_box()
    expect(page.get_by_text("No voxels marked")).to_be_visible()
    empty = page.locator(".controls").evaluate(layout)
    slice = state(page, "slice")
    page.keyboard.press("g")
    settle(page)
    assert state(page, "slice") == slice
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=2 / 2")
    wait_for_image(page)
    expect(page.get_by_text("1 marked part")).to_be_visible()
    assert page.locator(".controls > .step").bounding_box() == first
    assert page.locator(".controls").evaluate(layout) == empty


def test_neurological_puts_the_patients_left_at_the_left(open_room: OpenRoom) -> None:
    page, _ = open_room([make_case(box(5, 5, 15))])
    show_bare_voxels(page)
    usual = read_canvas(page)
    page.get_by_text("Display").click()
    page.get_by_text("Neurological").click()
    assert np.array_equal(read_canvas(page), usual[:, ::-1])
    assert state(page, "letters") == "L,R,A,P"
    show_plane(page, "sagittal")
    assert state(page, "letters") == "A,P,S,I"


def test_windows_follow_the_presets_and_invert_turns_grey_over(
    open_room: OpenRoom,
) -> None:
    page, _ = open_room([make_case()])
    widths = {}
    for name in ("Narrow", "Standard", "Wide"):
        page.get_by_role("radio", name=name).check(force=True)
        settle(page)
        low, high = (float(part) for part in state(page, "window").split(","))
        widths[name] = high - low
    assert widths["Narrow"] < widths["Standard"] < widths["Wide"]
    page.keyboard.press("r")
    show_bare_voxels(page)
    usual = read_canvas(page).astype(int)
    page.keyboard.press("Shift+V")
    assert np.abs(255 - usual - read_canvas(page)).max() <= 1
    page.keyboard.press("r")
    assert np.array_equal(read_canvas(page), usual)


def test_the_colour_of_the_mask_stays_with_the_rater(open_room: OpenRoom) -> None:
    whole = (slice(0, 40), slice(0, 48), slice(0, 30))
    page, _ = open_room([make_case(whole), make_case(whole)])
    page.get_by_text("Display").click()
    page.get_by_role("radio", name="Sky blue").check(force=True)
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=2 / 2")
    wait_for_image(page)
    assert (read_canvas(page)[0, 0] == (0x56, 0xB4, 0xE9)).all()
    page.reload()
    page.get_by_role("button", name="rating").click()
    wait_for_image(page)
    assert (read_canvas(page)[0, 0] == (0x56, 0xB4, 0xE9)).all()


def test_the_protocols_square_is_shown_first_and_z_shows_all(
    open_room: OpenRoom,
) -> None:
    page, _ = open_room([make_case(zoom_mm=10)])
    close = frame_of(page)
    assert close[2] / 40 * 10 == pytest.approx(776 - 56, abs=2)
    assert close[0] + close[2] / 2 == pytest.approx(480, abs=1)
    page.keyboard.press("z")
    assert frame_of(page)[3] == 720
    page.keyboard.press("r")
    assert frame_of(page) == close


def test_a_click_in_one_of_three_planes_leads_the_others_there(
    open_room: OpenRoom,
) -> None:
    page, _ = open_room([make_case()])
    page.keyboard.press("x")
    page.wait_for_function("document.querySelectorAll('canvas').length === 3")
    settle(page)
    planes = [state(page, "plane", pane) for pane in range(3)]
    assert planes == ["sagittal", "coronal", "axial"]
    left, top, width, height = frame_of(page, 2)
    target = page.locator("canvas").nth(2)
    # patient's right is at the left: column 3 of 40 is voxel 36, row 10 of 48 voxel 37
    at = {"x": left + 3.5 * width / 40, "y": top + 10.5 * height / 48}
    target.click(position=at)  # type: ignore[arg-type]
    settle(page)
    assert [state(page, "slice", pane) for pane in (0, 1, 2)] == ["37", "38", "16"]


def second_series() -> tuple[Case, tuple[int, int, int]]:
    """Twice as coarse, begun elsewhere, stored along other axes; one bright voxel."""
    shape, affine = (30, 30, 20), np.diag([2.0, 2.0, 4.0, 1.0])
    affine[:3, 3] = -10, -6, -8
    voxels = np.zeros(shape, np.float32)
    voxels[0, 0, 0] = 10
    marker = (20, 21, 12)
    voxels[marker] = 1000
    image = nib.Nifti1Image(voxels, affine)
    turned = image.as_reoriented(np.array([[1, -1], [0, 1], [2, -1]]))
    return canonical_case(turned, turned), marker


def test_a_second_series_is_shown_at_the_same_place_in_mm(open_room: OpenRoom) -> None:
    second, marker = second_series()
    world = np.array(marker) * (2, 2, 4) + (-10, -6, -8)
    here = tuple(int(v) for v in np.rint(world / SPACING))
    case = make_case(second=second)
    case.image[here] = 9000
    page, _ = open_room([case])
    assert page.locator("canvas").count() == 2
    expect(page.get_by_text("Other series")).to_be_visible()
    show_bare_voxels(page)
    page.keyboard.press("Home")
    for _ in range(here[2]):
        page.keyboard.press("ArrowUp")
    for zoom in ("", "+", "+"):
        if zoom:
            page.keyboard.press(zoom)
        spots = [brightest(page, pane) for pane in (0, 1)]
        scale = frame_of(page)[2] / 40
        assert np.abs(np.subtract(*spots)).max() <= scale, "within a voxel of the image"
    page.mouse.move(200, 300)
    page.mouse.down(button="right")
    page.mouse.move(230, 280)
    page.mouse.up(button="right")
    moved = [brightest(page, pane) for pane in (0, 1)]
    for before, after in zip(spots, moved, strict=True):
        assert np.subtract(after, before) == pytest.approx((30, -20), abs=1)


def brightest(page: Page, pane: int) -> NDArray[np.float64]:
    """Where in its pane the brightest spot lies, in pixels across and down."""
    picture = read_canvas(page, pane)[..., 0]
    left, top, _, _ = (max(0, v) for v in frame_of(page, pane))
    rows, columns = np.nonzero(picture == picture.max())
    assert picture.max() > 200
    return np.array([columns.mean() + left, rows.mean() + top])


def test_equal_voxels_stored_by_two_programs_give_the_same_pixels(
    open_room: OpenRoom,
) -> None:
    """One mask as int16 in RAS, one as float64 along other axes with other values."""
    first = make_case(box(5, 5, 15), box(20, 20, 15, 6))
    stored: Any = nib.Nifti1Image(first.mask.astype(np.float64) * 7, AFFINE)
    stored = stored.as_reoriented(np.array([[1, -1], [0, 1], [2, -1]]))
    image = nib.Nifti1Image(first.image, AFFINE)
    second = canonical_case(image, stored, "axial")
    page, _ = open_room([first, second])
    settle(page)
    shot = page.locator(".panes").screenshot()
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=2 / 2")
    wait_for_image(page)
    settle(page)
    assert page.locator(".panes").screenshot() == shot


def test_without_webgl_everything_is_there_and_nothing_else_is_asked_of_the_network(
    open_room: OpenRoom,
) -> None:
    page, study = open_room([make_case(box(5, 5, 15))])
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    made = "(kind) => document.createElement('canvas').getContext(kind)"
    assert page.evaluate(f"!({made})('webgl') && !({made})('webgl2')")
    for key in ("g", "x", "x", "v", "o", "z", "PageUp", "Shift+V", "+", "m"):
        page.keyboard.press(key)
        settle(page)
    assert read_canvas(page).any()
    origin = page.url.split("/rate/")[0]
    assert all(url.startswith(origin) for url in seen)
    assert study.reports == [], "nothing that the security policy had to stop"
