"""Describes how a mask looks, in a few numbers that an eye could pick up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ratings.statistics.lesions import BoolVolume, find_lesions
from ratings.statistics.surface import find_box

FEATURES = {
    "volume": "volume (log mm³)",
    "components": "number of lesions (log)",
    "specks": "share of lesions of a single voxel",
    "surface": "surface to volume (per mm)",
    "continuity": "overlap from slice to slice",
    "jaggedness": "jaggedness of the outline within slices",
    "edge": "share of voxels at the image's edge",
    "outside": "share outside the cord mask",
}


def describe_mask(
    mask: BoolVolume, *, spacing: Sequence[float], cord: BoolVolume | None = None
) -> dict[str, float]:
    """The features of one mask [x, y, z] with voxels of `spacing` mm.

    Of an empty mask all are 0. `outside` is there only with a cord mask. Lesions are
    26-connected; slices lie across the thickest direction; jaggedness is perimeter
    over 4√area, 1 for a square, the mean over slices.
    """
    told = dict.fromkeys(FEATURES, 0.0)
    if cord is None:
        del told["outside"]
    if not mask.any():
        return told
    lesions = find_lesions(mask, connectivity=26)
    inner = np.pad(mask[find_box(mask)], 1)
    voxel, count = float(np.prod(spacing)), len(lesions.voxels)
    told |= {
        "volume": float(np.log1p(count * voxel)),
        "components": float(np.log1p(lesions.count)),
        "specks": float((lesions.sizes == 1).mean()),
        "surface": measure_faces(inner, spacing) / (count * voxel),
        "continuity": measure_continuity(inner, spacing),
        "jaggedness": measure_jaggedness(inner, spacing),
        "edge": count_at_edge(mask) / count,
    }
    if cord is not None:
        told["outside"] = float((mask & ~cord).sum() / count)
    return told


def measure_faces(mask: BoolVolume, spacing: Sequence[float]) -> float:
    """Area in mm² of all voxel faces on the outside; a margin lies around the mask."""
    voxel = float(np.prod(spacing))
    faces = [int(np.diff(mask, axis=axis).sum()) for axis in range(3)]
    return sum(n * voxel / size for n, size in zip(faces, spacing, strict=True))


def find_slices(mask: BoolVolume, spacing: Sequence[float]) -> BoolVolume:
    """The mask with its slices first: across the thickest direction."""
    return np.moveaxis(mask, int(np.argmax(spacing)), 0)


def measure_continuity(mask: BoolVolume, spacing: Sequence[float]) -> float:
    """Mean IoU of neighbouring slices where either is marked; 0 for one slice."""
    slices = find_slices(mask, spacing)[1:-1]
    both = (slices[1:] & slices[:-1]).sum(axis=(1, 2))
    either = (slices[1:] | slices[:-1]).sum(axis=(1, 2))
    marked = either > 0
    return float((both[marked] / either[marked]).mean()) if marked.any() else 0.0


def measure_jaggedness(mask: BoolVolume, spacing: Sequence[float]) -> float:
    """Perimeter / (4 √area), in mm, the mean over slices that are marked."""
    slices = find_slices(mask, spacing)
    across = [size for axis, size in enumerate(spacing) if axis != np.argmax(spacing)]
    perimeter = np.diff(slices, axis=1).sum(axis=(1, 2)) * across[1]
    perimeter = perimeter + np.diff(slices, axis=2).sum(axis=(1, 2)) * across[0]
    area = slices.sum(axis=(1, 2)) * across[0] * across[1]
    marked = area > 0
    return float((perimeter[marked] / (4 * np.sqrt(area[marked]))).mean())


def count_at_edge(mask: BoolVolume) -> int:
    inner = mask[tuple(slice(1, n - 1) for n in mask.shape)]
    return int(mask.sum() - inner.sum())
