"""Smooth random fields and soft shapes, the brushes all tissues are painted with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def interpolate_axis(*, count: int, knots: int) -> Array:
    """Return the (count, knots) matrix of uniform cubic B-spline weights."""
    position = np.linspace(1.0, knots - 2.0001, count)
    left = np.floor(position).astype(int)
    t = position - left
    weights = np.stack(
        [
            (1 - t) ** 3,
            3 * t**3 - 6 * t**2 + 4,
            -3 * t**3 + 3 * t**2 + 3 * t + 1,
            t**3,
        ],
        axis=1,
    )
    matrix = np.zeros((count, knots), dtype=np.float32)
    for offset in range(4):
        matrix[np.arange(count), left - 1 + offset] += weights[:, offset] / 6
    return matrix


def smooth_field(
    *,
    shape: tuple[int, ...],
    zooms: tuple[float, ...],
    scale: tuple[float, ...],
    rng: np.random.Generator,
) -> Array:
    """Return a zero-mean, unit-variance random field of `shape`.

    `zooms` and `scale` are the voxel size and the distance between independent
    values along each axis, in mm.
    """
    knots = [
        max(4, int(np.ceil(count * zoom / length)) + 3)
        for count, zoom, length in zip(shape, zooms, scale, strict=True)
    ]
    field = rng.standard_normal(knots).astype(np.float32)
    for axis, count in enumerate(shape):
        matrix = interpolate_axis(count=count, knots=knots[axis])
        field = np.moveaxis(np.tensordot(matrix, field, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray((field - field.mean()) / (field.std() + 1e-6))


def inside(distance: Array, *, edge: float) -> Array:
    """Turn a signed distance in mm (negative inside) into coverage from 0 to 1."""
    cover = distance * np.float32(-1 / edge)
    cover += np.float32(0.5)
    np.maximum(cover, 0, out=cover)
    np.minimum(cover, 1, out=cover)
    return cover


def paint(image: Array, cover: Array, value: Array | float) -> None:
    """Blend `value` into `image`, in place, where `cover` is above 0."""
    change = value - image
    change *= cover
    image += change


def ellipse(u: Array, v: Array, *, a: Array | float, b: Array | float) -> Array:
    """Return the approximate signed distance in mm to an ellipse."""
    radius = (u / a) ** 2 + (v / b) ** 2
    np.sqrt(radius, out=radius)
    radius -= 1
    radius *= np.minimum(a, b, dtype=np.float32)
    return radius


def box(u: Array, v: Array, *, a: Array | float, b: Array | float) -> Array:
    """Return the approximate signed distance in mm to a box with round corners."""
    radius: Array = np.square(np.square(u / a)) + np.square(np.square(v / b))
    np.sqrt(np.sqrt(radius, out=radius), out=radius)
    radius -= 1
    radius *= np.minimum(a, b, dtype=np.float32)
    return radius
