"""Paints small pictures of a slice with its masks, for coordinators only."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ratings.images import Grid

ORANGE = (230, 159, 0)
# Of the arms in their order, the first as the reference has it in the figures.
COLOURS = (
    (86, 180, 233),
    ORANGE,
    (0, 158, 115),
    (204, 121, 167),
    (240, 228, 66),
)
SIZE = 192
LARGE = 320
LINE = 2


def choose_axis(grid: Grid) -> int:
    """The through-plane axis: the coarsest if clearly coarser, else left–right."""
    zooms = grid.zooms
    return int(np.argmax(zooms)) if max(zooms) / min(zooms) > 1.3 else 0


def choose_slice(shape: tuple[int, ...], axis: int, mask: NDArray[np.bool_]) -> int:
    others = tuple(i for i in range(3) if i != axis)
    marked = mask.sum(axis=others)
    return int(np.argmax(marked)) if marked.any() else shape[axis] // 2


def take_slice(
    voxels: NDArray[np.generic], axis: int, index: int
) -> NDArray[np.generic]:
    """Rows from superior (or anterior) down, columns from the patient's right
    (or anterior) on: the radiological view."""
    plane = np.moveaxis(voxels, axis, 0)[index].T
    return np.asarray(plane[::-1, ::-1])


def paint_slice(
    *, voxels: NDArray[np.generic], grid: Grid, masks: list[NDArray[np.bool_]]
) -> bytes:
    """A PNG of at most 192 pixels a side, true aspect, one colour a mask."""
    axis = choose_axis(grid)
    union = np.any(masks, axis=0) if masks else np.zeros(voxels.shape, np.bool_)
    index = choose_slice(voxels.shape, axis, union)
    picture = window_slice(take_slice(voxels, axis, index))
    for mask, colour in zip(masks, COLOURS, strict=False):
        inside = take_slice(mask, axis, index).astype(bool)
        picture[inside] = 0.45 * picture[inside] + 0.55 * np.array(colour)
    return encode_png(picture.astype(np.uint8), grid, axis)


def window_slice(grey: NDArray[np.generic]) -> NDArray[np.float64]:
    """Grey values 0 to 255 in three equal channels, by the slice's own range."""
    level = grey.astype(np.float64)
    low, high = np.percentile(level, (2, 98))
    level = np.clip((level - low) / max(high - low, 1e-9), 0, 1) * 255
    return np.repeat(level[..., None], 3, axis=2)


def paint_outline(
    *, voxels: NDArray[np.generic], grid: Grid, mask: NDArray[np.bool_]
) -> bytes:
    """A PNG of the slice with most of the mask, at most 320 pixels a side.

    The outline lies around the mask, at the picture's own size, and hides none of it.
    """
    # Here and not above: a web process that only shows tables pays nothing for it.
    from scipy import ndimage

    axis = choose_axis(grid)
    index = choose_slice(voxels.shape, axis, mask)
    grey = window_slice(take_slice(voxels, axis, index)).astype(np.uint8)
    size = fit(grey.shape, grid, axis, LARGE)
    picture = np.array(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR))
    inside = Image.fromarray(take_slice(mask, axis, index).astype(np.uint8))
    large = np.array(inside.resize(size, Image.Resampling.NEAREST), dtype=bool)
    around = ndimage.binary_dilation(large, iterations=LINE) & ~large
    picture[around] = ORANGE
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def fit(shape: tuple[int, ...], grid: Grid, axis: int, side: int) -> tuple[int, int]:
    """Width and height in pixels, true to the voxels' size, within a square."""
    across, up = (z for i, z in enumerate(grid.zooms) if i != axis)
    height, width = shape[0] * up, shape[1] * across
    factor = side / max(height, width)
    return (max(1, round(width * factor)), max(1, round(height * factor)))


def encode_png(picture: NDArray[np.uint8], grid: Grid, axis: int) -> bytes:
    size = fit(picture.shape, grid, axis, SIZE)
    stream = io.BytesIO()
    Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR).save(stream, "PNG")
    return stream.getvalue()
