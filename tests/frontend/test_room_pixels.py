"""The rating room's canvas shows nibabel's slices, voxel by voxel."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.frontend.canvas import (
    enlarge,
    read_canvas,
    show_bare_voxels,
    show_plane,
    state,
)
from tests.frontend.conftest import OpenRoom, wait_for_image
from tests.frontend.room_server import Case, canonical_case

pytestmark = pytest.mark.browser

# Fits the stage at 8 or 15 screen pixels a millimetre, whole pixels in every plane.
SHAPE, SPACING = (40, 48, 30), (1.0, 1.0, 3.0)
ORANGE = np.array([0xE6, 0x9F, 0x00])
STORAGES = ("RAS", "LAS", "LPS", "PSR", "oblique")
PLANES = ("sagittal", "coronal", "axial")
LETTERS = {"sagittal": "A,P,S,I", "coronal": "R,L,S,I", "axial": "R,L,A,P"}


def world_affine(degrees: float = 0.0) -> NDArray[np.float64]:
    angle = np.deg2rad(degrees)
    turn = np.eye(3)
    turn[0, :2] = np.cos(angle), -np.sin(angle)
    turn[1, :2] = np.sin(angle), np.cos(angle)
    affine = np.eye(4)
    affine[:3, :3] = turn * SPACING
    affine[:3, 3] = -affine[:3, :3] @ (np.array(SHAPE) / 2)
    return affine


def make_voxels(seed: int) -> NDArray[Any]:
    """No symmetry in it: noise, ramps of their own along each axis, one bright cube."""
    rng = np.random.default_rng(seed)
    x, y, z = np.indices(SHAPE)
    voxels = rng.normal(0, 30, SHAPE) + 9 * x + 4 * y + 2 * z
    voxels[30:34, 36:40, 20:24] = 900
    return np.asarray(voxels)


def make_pair(storage: str) -> tuple[nib.Nifti1Image, nib.Nifti1Image]:
    """One anatomy in world space, stored along other axes."""
    seed = STORAGES.index(storage)
    voxels = make_voxels(seed)
    marks = (np.random.default_rng(seed + 50).random(SHAPE) < 0.1).astype(np.uint8)
    if storage == "oblique":
        affine = world_affine(25)
        floats = (voxels / 700 - 0.5).astype(np.float32)
        return nib.Nifti1Image(floats, affine), nib.Nifti1Image(marks, affine)
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(storage)
    )
    affine = world_affine()
    image = nib.Nifti1Image(voxels.astype(np.int16), affine).as_reoriented(turn)
    mask = nib.Nifti1Image(marks, affine).as_reoriented(turn)
    assert "".join(nib.aff2axcodes(image.affine)) == storage
    return image, mask


def radiological_slice(image: nib.Nifti1Image, plane: str, at: int) -> NDArray[Any]:
    """Rows downwards: patient's right or anterior at the left, superior on top."""
    canonical = nib.as_closest_canonical(image)
    axis = PLANES.index(plane)
    cut = np.take(np.asanyarray(canonical.dataobj), at, axis=axis)
    return np.asarray(cut.T[::-1, ::-1])


@pytest.mark.parametrize("storage", STORAGES)
def test_every_pixel_is_nibabels_voxel_in_all_three_planes(
    open_room: OpenRoom, storage: str
) -> None:
    image, mask = make_pair(storage)
    page, _ = open_room([canonical_case(image, mask)])
    show_bare_voxels(page)
    page.keyboard.press("m")
    for plane in PLANES:
        show_plane(page, plane)
        page.keyboard.press("ArrowUp")
        shown = read_canvas(page)
        at = int(state(page, "slice")) - 1
        low, high = (float(part) for part in state(page, "window").split(","))
        voxels = radiological_slice(image, plane, at).astype(np.float64)
        grey = np.clip((voxels - low) / (high - low), 0, 1) * 255
        difference = np.abs(shown - enlarge(grey, shown)[..., None])
        assert at == SHAPE[PLANES.index(plane)] // 2 + 1
        assert state(page, "letters") == LETTERS[plane]
        assert difference.max() <= 1, f"{storage} {plane}"
        # A picture turned over left to right could not have passed.
        assert np.abs(shown - enlarge(grey[:, ::-1], shown)[..., None]).max() > 50


@pytest.mark.parametrize("storage", STORAGES)
def test_what_lies_at_the_patients_right_is_shown_at_the_left(
    open_room: OpenRoom, storage: str
) -> None:
    """A marker placed by its position in mm alone, not by any axis order."""
    image, mask = make_pair(storage)
    voxels = np.zeros(image.shape, np.float32)
    right, anterior, superior = 12, 14, 18
    at = np.linalg.inv(image.affine) @ (right, anterior, superior, 1)
    voxels[tuple(np.rint(at[:3]).astype(int))] = 1000
    marked = nib.Nifti1Image(voxels, image.affine)
    page, _ = open_room([canonical_case(marked, mask)])
    show_bare_voxels(page)
    page.keyboard.press("m")
    for plane, axis in (("axial", 2), ("coronal", 1), ("sagittal", 0)):
        show_plane(page, plane)
        canonical = np.asanyarray(nib.as_closest_canonical(marked).dataobj)
        target = int(np.argwhere(canonical == 1000)[0][axis])
        page.keyboard.press("Home")
        for _ in range(target):
            page.keyboard.press("ArrowUp")
        shown = read_canvas(page)[..., 0]
        rows, columns = np.nonzero(shown == 255)
        height, width = shown.shape
        assert len(rows) > 0
        assert columns.mean() < width / 2, f"{plane}: right and anterior at the left"
        assert rows.mean() < height / 2, f"{plane}: superior and anterior on top"


def flat_case(marks: NDArray[np.uint8]) -> Case:
    """A mask on an image that is black everywhere but in one far corner."""
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[0, 0, 0] = 200
    return Case(voxels, marks, world_affine(), "sagittal")


def marked_rows(shown: NDArray[np.uint8], marks: NDArray[np.uint8]) -> NDArray[Any]:
    picture = marks[SHAPE[0] // 2].T[::-1, ::-1]
    return enlarge(picture, shown).astype(bool)


def test_the_contour_lies_on_voxel_edges_two_crisp_pixels_wide(
    open_room: OpenRoom,
) -> None:
    marks = (np.random.default_rng(3).random(SHAPE) < 0.3).astype(np.uint8)
    page, _ = open_room([flat_case(marks)])
    page.keyboard.press("o")
    shown = read_canvas(page)
    coloured = (shown == ORANGE).all(axis=-1)
    assert coloured.any()
    assert (coloured | (shown == 0).all(axis=-1)).all(), "no half-tone pixel"
    inside = np.pad(marked_rows(shown, marks), 1)
    around = [
        inside[1 + dy : inside.shape[0] - 1 + dy, 1 + dx : inside.shape[1] - 1 + dx]
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    ]
    near_edge = np.any(around, axis=0) & ~np.all(around, axis=0)
    assert np.array_equal(coloured, near_edge)


def test_the_line_keeps_its_width_when_zoomed(open_room: OpenRoom) -> None:
    marks = np.zeros(SHAPE, np.uint8)
    marks[:, 20:28, 12:18] = 1
    page, _ = open_room([flat_case(marks)])
    page.keyboard.press("o")
    for zoom in ("", "+", "+", "-", "-", "-"):
        if zoom:
            page.keyboard.press(zoom)
        line = (read_canvas(page) == ORANGE).all(axis=-1)
        across = np.count_nonzero(line, axis=1)
        assert set(across[across > 0]) <= {4, across.max()}, (
            "two edges, two pixels each"
        )
        assert 4 in across


def test_the_fill_is_exact_and_never_blurred_while_the_image_is_smoothed(
    open_room: OpenRoom,
) -> None:
    marks = (np.random.default_rng(4).random(SHAPE) < 0.3).astype(np.uint8)
    page, _ = open_room([flat_case(marks)])
    smooth = page.get_by_role("button", name="Smooth")
    assert smooth.get_attribute("aria-pressed") == "true"
    page.keyboard.press("o")
    page.keyboard.press("o")
    shown = read_canvas(page)
    inside = marked_rows(shown, marks)
    assert (shown[~inside] == 0).all()
    assert (np.ptp(shown[inside], axis=0) == 0).all()
    assert np.abs(shown[inside][0] - 0.3 * ORANGE).max() <= 1


def test_space_hides_the_mask_while_held_and_m_switches_it(open_room: OpenRoom) -> None:
    marks = np.ones(SHAPE, np.uint8)
    page, _ = open_room([flat_case(marks)])
    page.keyboard.down(" ")
    assert not read_canvas(page).any()
    page.keyboard.up(" ")
    assert read_canvas(page).any()
    page.keyboard.press("m")
    assert not read_canvas(page).any()
    page.keyboard.press("m")
    assert read_canvas(page).any()


def test_the_first_view_depends_on_the_image_alone(open_room: OpenRoom) -> None:
    image, _ = make_pair("LAS")
    voxels = canonical_case(image, image).image
    masks = [np.zeros(SHAPE, np.uint8), np.ones(SHAPE, np.uint8)]
    page, _ = open_room([Case(voxels, mask, world_affine()) for mask in masks])
    page.keyboard.press("m")
    names = ("plane", "slice", "slices", "window", "frame", "letters")
    first = [state(page, name) for name in names], read_canvas(page)
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=2 / 2")
    wait_for_image(page)
    assert read_canvas(page).tobytes() != first[1].tobytes(), "the mask is on again"
    page.keyboard.press("m")
    assert [state(page, name) for name in names] == first[0]
    assert read_canvas(page).tobytes() == first[1].tobytes()


def test_the_picture_is_sharp_and_true_on_a_dense_screen(open_room: OpenRoom) -> None:
    image, mask = make_pair("RAS")
    page, _ = open_room([canonical_case(image, mask)], density=2)
    show_bare_voxels(page)
    page.keyboard.press("m")
    shown = read_canvas(page)
    assert shown.shape[0] == 2 * 720
    voxels = radiological_slice(image, state(page, "plane"), SHAPE[2] // 2)
    low, high = (float(part) for part in state(page, "window").split(","))
    grey = np.clip((voxels - low) / (high - low), 0, 1) * 255
    assert np.abs(shown - enlarge(grey, shown)[..., None]).max() <= 1


def test_dragging_left_windows_and_dragging_right_moves(open_room: OpenRoom) -> None:
    page, _ = open_room([canonical_case(*make_pair("RAS"))])
    low, high = (float(part) for part in state(page, "window").split(","))
    frame = [int(part) for part in state(page, "frame").split(",")]
    page.mouse.move(400, 300)
    page.mouse.down()
    page.mouse.move(600, 300)
    page.mouse.up()
    read_canvas(page)
    wide = [float(part) for part in state(page, "window").split(",")]
    assert wide[1] - wide[0] == pytest.approx(1.5 * (high - low))
    assert sum(wide) == pytest.approx(low + high)
    page.mouse.down(button="right")
    page.mouse.move(570, 340)
    page.mouse.up(button="right")
    read_canvas(page)
    moved = [int(part) for part in state(page, "frame").split(",")]
    assert [moved[0] - frame[0], moved[1] - frame[1]] == [-30, 40]
    page.keyboard.press("r")
    read_canvas(page)
    assert [int(part) for part in state(page, "frame").split(",")] == frame
    assert state(page, "window") == f"{low:g},{high:g}"


def test_the_wheel_scrolls_and_with_ctrl_zooms_to_the_pointer(
    open_room: OpenRoom,
) -> None:
    page, _ = open_room([canonical_case(*make_pair("RAS"))])
    first = int(state(page, "slice"))
    page.mouse.move(480, 388)
    page.mouse.wheel(0, -100)
    read_canvas(page)
    assert int(state(page, "slice")) == first + 1
    page.mouse.wheel(0, 100)
    page.mouse.wheel(0, 100)
    read_canvas(page)
    assert int(state(page, "slice")) == first - 1
    before = [int(part) for part in state(page, "frame").split(",")]
    page.mouse.move(before[0], before[1])
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    read_canvas(page)
    after = [int(part) for part in state(page, "frame").split(",")]
    assert after[2] > before[2]
    assert abs(after[0] - before[0]) <= 1
    assert abs(after[1] - before[1]) <= 1
