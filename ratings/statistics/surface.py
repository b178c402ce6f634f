"""Measures how far the surfaces of two masks lie apart, in mm.

Surface voxels are those with a face on the outside; distances between voxel centres
come from SciPy's k-d tree, which gives what a distance transform gives but needs no
array of the whole volume.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratings.statistics.lesions import BoolVolume

Spacing = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class SurfaceDistance:
    """Distances in mm between two surfaces; all None where a mask is empty.

    Attributes:
        hd95: the greater of the two directed 95th percentiles.
        hausdorff: the greatest distance of all.
        average: the mean over all surface voxels of both masks.
    """

    hd95: float | None
    hausdorff: float | None
    average: float | None


NONE = SurfaceDistance(hd95=None, hausdorff=None, average=None)


def measure_surface(
    *, reference: BoolVolume, prediction: BoolVolume, spacing: Spacing
) -> SurfaceDistance:
    """Surface distances of two masks [x, y, z] of one grid.

    Undefined (None) when either mask is empty; two empty masks too, since a distance
    of 0 would reward a mean for cases in which nothing was measured.
    """
    # Here and not above: a web process that only shows tables pays nothing for it.
    from scipy.spatial import KDTree

    ours, theirs = find_surface(reference), find_surface(prediction)
    if not len(ours) or not len(theirs):
        return NONE
    size = np.asarray(spacing, dtype=np.float64)
    here = np.asarray(KDTree(theirs * size).query(ours * size)[0])
    there = np.asarray(KDTree(ours * size).query(theirs * size)[0])
    return SurfaceDistance(
        hd95=float(max(np.percentile(here, 95), np.percentile(there, 95))),
        hausdorff=float(max(here.max(), there.max())),
        average=float((here.sum() + there.sum()) / (len(here) + len(there))),
    )


def find_surface(mask: BoolVolume) -> npt.NDArray[np.int64]:
    """Positions [n, 3] of the voxels of a mask that have a face on the outside."""
    from scipy import ndimage

    if not mask.any():
        return np.zeros((0, 3), dtype=np.int64)
    box = find_box(mask)
    inner = mask[box]
    surface = np.argwhere(inner & ~ndimage.binary_erosion(inner))
    return surface + np.array([part.start for part in box], dtype=np.int64)


def find_box(mask: BoolVolume) -> tuple[slice, ...]:
    """The smallest box that holds all of a mask that is not empty."""
    box = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        seen = np.flatnonzero(mask.any(axis=others))
        box.append(slice(int(seen[0]), int(seen[-1]) + 1))
    return tuple(box)
