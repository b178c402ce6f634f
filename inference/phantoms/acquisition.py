"""The voxel grids, storage orders and scanner imperfections of the phantoms."""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from inference.phantoms.contrast import Signal
from inference.phantoms.fields import Array, smooth_field

ACQUISITIONS = ("sagittal", "axial", "isotropic")

# Stored axis order, as nibabel's letters; published data mix them likewise.
ORIENTATIONS = {
    "sagittal": ("PSR", "ASR", "LAS", "PIR"),
    "axial": ("LAS", "RAS", "LPS", "RPS"),
    "isotropic": ("LAS", "RAS", "PSR", "LIP", "ASR"),
}


@dataclass(frozen=True)
class Grid:
    """A sampling grid along right, anterior and superior, before storage."""

    shape: tuple[int, int, int]
    zooms: tuple[float, float, float]
    thick: int | None
    x: Array
    y: Array
    z: Array


def make_grid(*, acquisition: str, rng: np.random.Generator) -> Grid:
    """Draw voxel size and field of view for one acquisition."""
    scale = rng.uniform(0.95, 1.06)
    thick: int | None
    match acquisition:
        case "sagittal":
            shape = (int(rng.integers(13, 17)), 176, 216)
            zooms = (rng.uniform(2.8, 3.3), 0.6 * scale, 0.6 * scale)
            thick = 0
        case "axial":
            shape = (176, 176, int(rng.integers(16, 23)))
            zooms = (0.5 * scale, 0.5 * scale, rng.uniform(3.6, 4.4))
            thick = 2
        case _:
            shape = (64, 100, 128)
            zooms = (1.0, 1.0, 1.0)
            thick = None
    return locate_voxels(shape=shape, zooms=zooms, thick=thick)


def locate_voxels(
    *,
    shape: tuple[int, int, int],
    zooms: tuple[float, float, float],
    thick: int | None,
    offset: float = 0.0,
) -> Grid:
    """Return the grid; `offset` shifts it along its thick axis, in slices."""
    axes: list[Array] = []
    for axis, (count, zoom) in enumerate(zip(shape, zooms, strict=True)):
        index = np.arange(count) - (count - 1) / 2
        if axis == thick:
            index = index + offset
        axes.append((index * zoom).astype(np.float32))
    x, y, z = np.ix_(*axes)
    return Grid(shape=shape, zooms=zooms, thick=thick, x=x, y=y, z=z)


def split_slices(grid: Grid, *, parts: int = 2) -> list[Grid]:
    """Return the sub-slices whose mean is one thick slice."""
    if grid.thick is None:
        return [grid]
    offsets = (np.arange(parts) + 0.5) / parts - 0.5
    return [
        locate_voxels(
            shape=grid.shape, zooms=grid.zooms, thick=grid.thick, offset=float(offset)
        )
        for offset in offsets
    ]


def shade(image: Array, *, grid: Grid, bias: float, rng: np.random.Generator) -> Array:
    """Multiply by the coil's sensitivity: strongest behind the neck, then uneven."""
    uneven = smooth_field(
        shape=grid.shape, zooms=grid.zooms, scale=(45.0, 45.0, 45.0), rng=rng
    )
    fall = np.exp(-grid.y / 60.0 * bias)
    return np.asarray(image * fall * (1 + 0.22 * bias * uneven), dtype=np.float32)


def scan(
    image: Array, *, grid: Grid, contrast: str, signal: Signal, rng: np.random.Generator
) -> Array:
    """Add noise and the finite resolution, ringing and ghosts of Fourier sampling."""
    axes = [axis for axis in range(3) if axis != grid.thick]
    amount = signal.noise * rng.uniform(0.7, 1.4)
    noise = rng.standard_normal((2, *grid.shape), dtype=np.float32) * amount
    spectrum = fft.fftn(image + noise[0] + 1j * noise[1], axes=axes)
    for axis in axes:
        window = truncate(count=grid.shape[axis], keep=rng.uniform(0.78, 0.95))
        spectrum *= window.reshape([-1 if a == axis else 1 for a in range(3)])
    received = fft.ifftn(spectrum, axes=axes)
    ghost = np.roll(received, grid.shape[axes[-1]] // 2, axis=axes[-1])
    received += rng.uniform(0.0, 0.025) * ghost
    if contrast == "PSIR":
        return np.asarray(received.real, dtype=np.float32)
    return np.asarray(np.abs(received), dtype=np.float32)


def truncate(*, count: int, keep: float) -> Array:
    """Return the k-space window that keeps the fraction `keep` of frequencies."""
    frequency = np.abs(fft.fftfreq(count)) * 2 / keep
    roll_off = 0.5 + 0.5 * np.cos(np.pi * np.clip((frequency - 0.7) / 0.3, 0, 1))
    return np.where(frequency <= 1, 0.4 + 0.6 * roll_off, 0).astype(np.float32)


def draw_affine(*, grid: Grid, rng: np.random.Generator) -> NDArray[np.float64]:
    """Place the grid in the scanner, turned by a few degrees as patients lie."""
    angles = rng.normal(0.0, np.deg2rad([5.0, 2.5, 2.5]))
    rotation = np.eye(3)
    for axis, angle in enumerate(angles):
        i, j = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[[i, j], [i, j]] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        rotation = rotation @ turn
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.diag(grid.zooms)
    centre = (np.array(grid.shape) - 1) / 2
    affine[:3, 3] = rng.normal(0.0, 20.0, 3) - affine[:3, :3] @ centre
    return affine


def store(
    arrays: tuple[NDArray[np.generic], ...],
    *,
    affine: NDArray[np.float64],
    orientation: str,
) -> tuple[list[NDArray[np.generic]], NDArray[np.float64]]:
    """Reorder right-anterior-superior arrays to the axes named by `orientation`."""
    change = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"),
        nib.orientations.axcodes2ornt(orientation),
    )
    stored = [
        np.ascontiguousarray(nib.orientations.apply_orientation(a, change))
        for a in arrays
    ]
    return stored, affine @ nib.orientations.inv_ornt_aff(change, arrays[0].shape)
