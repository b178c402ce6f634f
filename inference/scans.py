"""Read an image for a prediction, and cut out the part that the network is to see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from inference.errors import ImageError
from inference.nnunet.geometry import Scan
from inference.settings import Box, Crop, Margins
from ratings.nifti import ImageRefused, RawVolume, read_nifti

# As many as an upload may have by default; the product hands over its own setting.
VOXEL_LIMIT = 400_000_000


def read_scan(path: Path, *, voxel_limit: int = VOXEL_LIMIT) -> Scan:
    """Read a 3D NIfTI image through the gate of any upload.

    Raises ImageError with one sentence naming the file and the rule, also for
    volumes that hold no numbers or only one value.
    """
    raw = read_raw(path, voxel_limit=voxel_limit)
    with np.errstate(over="ignore"):
        voxels = np.asarray(raw.voxels, dtype=np.float32)
    if not np.isfinite(voxels).all():
        raise ImageError(
            f"{path.name} holds values that are not numbers; replace them with 0."
        )
    if voxels.min() == voxels.max():
        raise ImageError(f"{path.name} is empty: every voxel has the same value.")
    return Scan(voxels=voxels, affine=raw.affine)


def read_raw(path: Path, *, voxel_limit: int) -> RawVolume:
    try:
        return read_nifti(path=path, name=path.name, voxel_limit=voxel_limit)
    except ImageRefused as refusal:
        raise ImageError(refusal.message) from refusal
    except OSError as problem:
        raise ImageError(
            f"{path.name} cannot be read ({problem.strerror}); check that it is there."
        ) from problem


def find_box(*, scan: Scan, crop: Crop, region: Path | None) -> Box:
    """The part of the scan to predict, along its stored axes, margins included.

    Raises ImageError when the box lies outside the image or the region, a mask on
    the image's grid, is missing or marks nothing.
    """
    if crop.box is not None:
        check_inside(box=crop.box, shape=scan.voxels.shape)
        return widen(crop.box, scan=scan, margins=crop.margins)
    if region is None:
        raise ImageError(
            "The settings ask for a crop to a mask of the cord, and this image has "
            "none; upload one, or predict without the crop."
        )
    marked = read_region(region, scan=scan)
    if not marked.any():
        raise ImageError(
            f"{region.name} marks nothing, so there is no region to crop to."
        )
    box = []
    for axis in range(3):
        others = tuple(k for k in range(3) if k != axis)
        (line,) = np.nonzero(marked.any(axis=others))
        box.append((int(line[0]), int(line[-1]) + 1))
    return widen((box[0], box[1], box[2]), scan=scan, margins=crop.margins)


def check_inside(*, box: Box, shape: tuple[int, ...]) -> None:
    if any(stop > size for (_, stop), size in zip(box, shape, strict=True)):
        raise ImageError(
            f"The box {box} does not lie inside the image of "
            f"{'×'.join(map(str, shape))} voxels."
        )


def read_region(path: Path, *, scan: Scan) -> NDArray[np.bool_]:
    """A mask on the scan's grid along the scan's stored axes, as an upload is read."""
    from ratings import images

    raw = read_raw(path, voxel_limit=scan.voxels.size)
    stored = RawVolume(scan.voxels, scan.affine, scaled=False, warnings=())
    try:
        mask = images.prepare_mask(volume=images.canonicalise(raw), name=path.name)
        placed = images.place_mask(
            mask=mask, grid=images.canonicalise(stored).grid, name=path.name
        )
    except ImageRefused as refusal:
        raise ImageError(refusal.message) from refusal
    ours = nib.io_orientation(scan.affine)
    back = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), ours)
    return np.asarray(nib.orientations.apply_orientation(placed, back), dtype=np.bool_)


def widen(box: Box, *, scan: Scan, margins: Margins) -> Box:
    """The box with its margins, rounded up to whole voxels and cut at the edges."""
    sides = (
        (margins.left, margins.right),
        (margins.posterior, margins.anterior),
        (margins.inferior, margins.superior),
    )
    sizes = nib.affines.voxel_sizes(scan.affine)
    wide = []
    for axis, (world, sign) in enumerate(nib.io_orientation(scan.affine)):
        low, high = sides[int(world)][:: int(sign)]
        before, after = (int(np.ceil(mm / sizes[axis] - 1e-6)) for mm in (low, high))
        start, stop = box[axis]
        size = scan.voxels.shape[axis]
        wide.append((max(0, start - before), min(size, stop + after)))
    return wide[0], wide[1], wide[2]


def cut(scan: Scan, *, box: Box) -> Scan:
    """The scan inside the box, in its right place in space."""
    parts = tuple(slice(start, stop) for start, stop in box)
    voxels = np.ascontiguousarray(scan.voxels[parts])
    if voxels.min() == voxels.max():
        raise ImageError(
            "The image holds only one value inside the region to predict; check that "
            "the region belongs to this image."
        )
    affine = scan.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [start for start, _ in box]
    return Scan(voxels=voxels, affine=affine)


def put_back(array: NDArray[Any], *, box: Box, shape: tuple[int, ...]) -> NDArray[Any]:
    """The array in its place in a whole image, 0 outside."""
    whole = np.zeros(shape, dtype=array.dtype)
    whole[tuple(slice(start, stop) for start, stop in box)] = array
    return whole
