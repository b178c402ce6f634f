"""Small NIfTI volumes that tests write to real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray


def make_affine(
    zooms: tuple[float, float, float],
    *,
    degrees: float = 0.0,
    flips: tuple[int, int, int] = (1, 1, 1),
) -> NDArray[np.float64]:
    """Diagonal affine in mm, turned about the first axis, axes flipped at will."""
    angle = np.deg2rad(degrees)
    turn = np.array(
        [
            [1, 0, 0],
            [0, np.cos(angle), -np.sin(angle)],
            [0, np.sin(angle), np.cos(angle)],
        ]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(np.array(zooms) * flips)
    affine[:3, 3] = (-10.0, 20.0, 5.0)
    return affine


def make_image(
    shape: tuple[int, int, int], rng: np.random.Generator
) -> NDArray[np.int16]:
    return rng.integers(0, 900, shape).astype(np.int16)


def make_lesion(
    shape: tuple[int, int, int], rng: np.random.Generator
) -> NDArray[np.uint8]:
    mask = np.zeros(shape, np.uint8)
    x, y, z = (int(rng.integers(2, n - 3)) for n in shape)
    mask[x - 1 : x + 2, y - 1 : y + 2, z] = 1
    return mask


def save(
    path: Path, voxels: NDArray[Any], affine: NDArray[np.float64], **header: Any
) -> Path:
    image = nib.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, path)
    return path


def load(path: Path) -> nib.Nifti1Image:
    image = nib.load(path)
    assert isinstance(image, nib.Nifti1Image)
    return image
