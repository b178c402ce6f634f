"""Bring margins back to the native grid, computing only where there is foreground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from nnunetv2.preprocessing.resampling.default_resampling import (
    determine_do_sep_z_and_axis,
)
from numpy.typing import NDArray

from inference.nnunet.plans import Plans
from inference.nnunet.preprocess import Prepared

Floats = NDArray[np.float64]
Box = tuple[slice, slice, slice]
# Native planes that are brought back at once.
SLAB = 16


@dataclass(frozen=True)
class Stencil:
    """For each native index of one axis: two source indices and the second's weight."""

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    weight: Floats


def make_stencil(*, source: int, target: int, nearest: bool) -> Stencil:
    """Return nnU-Net's interpolation along one axis.

    Half-pixel centres with clamped edges: position (i + ½)·source/target - ½.
    Linear, or the nearest source index (halves go up) for the axis of thick slices.
    """
    position = (np.arange(target) + 0.5) * (source / target) - 0.5
    if nearest:
        index = np.clip(np.floor(position + 0.5), 0, source - 1).astype(np.intp)
        return Stencil(low=index, high=index, weight=np.zeros(target))
    position = np.clip(position, 0.0, source - 1.0)
    low = np.floor(position).astype(np.intp)
    high = np.minimum(low + 1, source - 1)
    return Stencil(low=low, high=high, weight=position - low)


def make_stencils(
    *, shape: tuple[int, ...], prepared: Prepared, plans: Plans
) -> list[Stencil]:
    """Return the stencils from the network's grid to the native cropped grid."""
    separate, axis = determine_do_sep_z_and_axis(
        plans.separate_z, plans.spacing, prepared.spacing
    )
    targets = [part.stop - part.start for part in prepared.box]
    return [
        make_stencil(source=source, target=target, nearest=separate and k == axis)
        for k, (source, target) in enumerate(zip(shape, targets, strict=True))
    ]


def list_reaches(
    positive: NDArray[np.bool_], *, stencils: list[Stencil]
) -> Iterator[Box]:
    """Yield disjoint native boxes that hold every voxel whose stencil touches True.

    Outside of them every interpolated margin is a mean of non-positive values, so the
    answer there is background without computing it. The axis of most voxels is cut
    into slabs, each with a box of its own: lesions far apart do not make all between
    them worth computing.
    """
    axis = int(np.argmax([len(stencil.low) for stencil in stencils]))
    along = stencils[axis]
    # Of each other axis: what is touched where, along the axis of the slabs.
    shadows = {k: project(positive, onto=(axis, k)) for k in range(3) if k != axis}
    for start in range(0, len(along.low), SLAB):
        slab = slice(start, min(start + SLAB, len(along.low)))
        source = slice(int(along.low[slab].min()), int(along.high[slab].max()) + 1)
        sides = {k: find_side(one[source], stencils[k]) for k, one in shadows.items()}
        if all(side.start < side.stop for side in sides.values()):
            sides[axis] = slab
            yield sides[0], sides[1], sides[2]


def project(positive: NDArray[np.bool_], *, onto: tuple[int, int]) -> NDArray[np.bool_]:
    """Return whether a line across two axes, in that order, holds any True."""
    (across,) = set(range(3)) - set(onto)
    shadow = np.asarray(positive.any(axis=across))
    return shadow if onto[0] < onto[1] else shadow.T


def find_side(shadow: NDArray[np.bool_], stencil: Stencil) -> slice:
    """Return the native indices of one axis, first to last, that touch True."""
    line = np.asarray(shadow.any(axis=0))
    touched = np.flatnonzero(line[stencil.low] | line[stencil.high])
    return slice(int(touched[0]), int(touched[-1]) + 1) if touched.size else slice(0, 0)


def interpolate(
    margin: NDArray[np.floating[Any]],
    *,
    stencils: list[Stencil],
    reach: Box,
) -> Floats:
    """Return the margin interpolated on the native voxels of `reach`."""
    sources = [
        slice(int(stencil.low[part].min()), int(stencil.high[part].max()) + 1)
        for stencil, part in zip(stencils, reach, strict=True)
    ]
    result: Floats = margin[tuple(sources)].astype(np.float64)
    for axis, (stencil, part) in enumerate(zip(stencils, reach, strict=True)):
        low = result.take(stencil.low[part] - sources[axis].start, axis=axis)
        high = result.take(stencil.high[part] - sources[axis].start, axis=axis)
        weight = stencil.weight[part].reshape(
            [-1 if k == axis else 1 for k in range(3)]
        )
        result = low + weight * (high - low)
    return result
