"""Crop, normalise and resample one volume exactly as nnU-Net does before a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nnunetv2.preprocessing.cropping.cropping import crop_to_nonzero
from nnunetv2.preprocessing.normalization import default_normalization_schemes
from nnunetv2.preprocessing.resampling.default_resampling import (
    compute_new_shape,
    resample_data_or_seg_to_shape,
)
from numpy.typing import NDArray

from inference.errors import ImageError
from inference.nnunet.geometry import Oriented
from inference.nnunet.plans import Plans

# A cube of 64 cm at 1 mm; every step of the way holds several copies of it.
MOST_VOXELS = 2**28


@dataclass(frozen=True)
class Prepared:
    """The network's input (1, z, y, x) and what is needed to come back.

    `full` is the transposed native shape, `box` the part of it that was kept,
    `spacing` its voxel size in mm, all along the network's axes.
    """

    volume: NDArray[np.float32]
    full: tuple[int, int, int]
    box: tuple[slice, slice, slice]
    spacing: tuple[float, float, float]


def prepare(oriented: Oriented, *, plans: Plans) -> Prepared:
    """Return the volume the network sees.

    The order is nnU-Net's: transpose, crop to the non-zero box, normalise, resample.
    Its resampling of an empty segmentation is left out; nothing reads it.
    """
    volume = oriented.voxels.transpose(plans.transpose)[None].astype(np.float32)
    sizes = [oriented.spacing[axis] for axis in plans.transpose]
    full = volume.shape[1:]
    volume, outside, bounds = crop(volume, filled=plans.use_mask)
    volume = np.ascontiguousarray(volume)
    volume[0] = normalize(volume[0], outside=outside[0], plans=plans)
    shape = np.maximum(compute_new_shape(volume.shape[1:], sizes, plans.spacing), 1)
    check_size(shape, plans=plans)
    resampled = resample_data_or_seg_to_shape(
        volume,
        shape,
        sizes,
        plans.spacing,
        is_seg=False,
        order=plans.image_order,
        order_z=plans.image_order_z,
        force_separate_z=plans.separate_z,
    )
    a, b, c = (slice(int(low), int(high)) for low, high in bounds)
    return Prepared(
        volume=np.asarray(resampled, dtype=np.float32),
        full=(full[0], full[1], full[2]),
        box=(a, b, c),
        spacing=(sizes[0], sizes[1], sizes[2]),
    )


def crop(
    volume: NDArray[np.float32], *, filled: bool
) -> tuple[NDArray[np.float32], NDArray[np.int8], list[list[int]]]:
    """Return nnU-Net's crop to the non-zero box: volume, what is outside (-1), box.

    `filled` asks for the outside, whose holes take nnU-Net long to fill; the box is
    the same without.
    """
    if filled:
        inside, outside, bounds = crop_to_nonzero(volume)
        return inside, outside, bounds
    marked = volume[0] != 0
    bounds = []
    for axis in range(3):
        others = tuple(k for k in range(3) if k != axis)
        (line,) = np.nonzero(marked.any(axis=others))
        bounds.append([int(line[0]), int(line[-1]) + 1])
    inside = volume[(slice(None), *(slice(a, b) for a, b in bounds))]
    return inside, np.zeros((1, 1, 1, 1), dtype=np.int8), bounds


def check_size(shape: NDArray[np.int64], *, plans: Plans) -> None:
    """Refuse a volume that would fill the memory at the model's voxel size."""
    if int(np.prod(shape, dtype=np.int64)) > MOST_VOXELS:
        size, spacing = (
            "×".join(f"{part:g}" for part in parts) for parts in (shape, plans.spacing)
        )
        raise ImageError(
            f"At the model's voxel size of {spacing} mm this image would have {size} "
            "voxels, too many to predict. Check the voxel size in its header, or crop "
            "it."
        )


def normalize(
    volume: NDArray[np.float32], *, outside: NDArray[np.int8], plans: Plans
) -> NDArray[np.float32]:
    """Apply the plan's intensity normalisation."""
    scheme = getattr(default_normalization_schemes, plans.normalization)
    method = scheme(
        use_mask_for_norm=plans.use_mask, intensityproperties=plans.intensities
    )
    return np.asarray(method.run(volume, outside), dtype=np.float32)
