"""Carry arrays between an image's own axes and the order a network expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from nibabel import orientations
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scan:
    """One 3D image as stored: voxels and affine (mm)."""

    voxels: NDArray[np.float32]
    affine: NDArray[np.float64]


@dataclass(frozen=True)
class Oriented:
    """Voxels in the network's order (z, y, x of the model's orientation).

    `spacing` is in mm along the same axes; `change` reorders the stored axes to
    the model's, and is undone by `restore`.
    """

    voxels: NDArray[np.float32]
    spacing: tuple[float, float, float]
    change: NDArray[np.float64]


def orient(scan: Scan, *, orientation: str) -> Oriented:
    """Bring a scan to the model's axis order, without interpolation."""
    change = orientations.ornt_transform(
        orientations.io_orientation(scan.affine),
        orientations.axcodes2ornt(orientation),
    )
    turned = orientations.apply_orientation(scan.voxels, change)
    sizes = nib.affines.voxel_sizes(scan.affine)
    spacing = [0.0, 0.0, 0.0]
    for stored, (axis, _) in enumerate(change):
        spacing[int(axis)] = float(sizes[stored])
    return Oriented(
        voxels=np.ascontiguousarray(turned.transpose(2, 1, 0)),
        spacing=(spacing[2], spacing[1], spacing[0]),
        change=change,
    )


def restore(
    array: NDArray[Any], *, oriented: Oriented, shape: tuple[int, ...]
) -> NDArray[Any]:
    """Return an array on the oriented grid to the stored axis order of `shape`."""
    unchanged = orientations.axcodes2ornt("RAS")
    back = orientations.ornt_transform(unchanged, oriented.change)
    turned = orientations.apply_orientation(array.transpose(2, 1, 0), back)
    if turned.shape != shape:
        raise AssertionError(f"restored {turned.shape}, expected {shape}")
    return np.ascontiguousarray(turned)
