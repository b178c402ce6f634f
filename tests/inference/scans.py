"""Scans of awkward geometry that tests write: anisotropic, oblique, permuted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel import orientations
from numpy.typing import NDArray

from inference.phantoms import make_phantom, write_phantom

GEOMETRIES = {
    "anisotropic sagittal": ("T2w", "sagittal"),
    "anisotropic axial": ("T2star", "axial"),
    "isotropic": ("PSIR", "isotropic"),
}


def load(path: Path | str) -> Any:
    """Read an image; nibabel declares too little of what it returns."""
    return nib.load(path)


def write_scan(path: Path, *, geometry: str, seed: int = 3) -> Path:
    """Write a small phantom of the geometry named; all are oblique and permuted."""
    contrast, acquisition = GEOMETRIES[geometry]
    phantom = make_phantom(seed=seed, contrast=contrast, acquisition=acquisition)
    write_phantom(phantom=phantom, image=path, truth=path.with_name("truth.nii.gz"))
    return path


def write_small(
    path: Path,
    *,
    orientation: str = "RAS",
    shape: tuple[int, int, int] = (26, 34, 40),
    zooms: tuple[float, float, float] = (1.0, 1.3, 0.8),
    seed: int = 0,
) -> Path:
    """Write smooth random voxels in any axis order; shape and zooms are along RAS."""
    rng = np.random.default_rng(seed)
    voxels = make_smooth(shape, rng)
    affine = np.diag([*zooms, 1.0])
    affine[:3, 3] = (-7.0, 11.0, -5.0)
    change = orientations.ornt_transform(
        orientations.axcodes2ornt("RAS"), orientations.axcodes2ornt(orientation)
    )
    file = nib.Nifti1Image(voxels, affine).as_reoriented(change)
    file.set_sform(file.affine, code=1)
    file.set_qform(file.affine, code=1)
    file.header.set_xyzt_units("mm")
    nib.save(file, path)
    return path


def make_smooth(
    shape: tuple[int, int, int], rng: np.random.Generator
) -> NDArray[np.int16]:
    """Return blobs, so that a network has structure to answer to."""
    from scipy import ndimage

    noise = ndimage.gaussian_filter(rng.standard_normal(shape), 2.0)
    return np.asarray(noise / noise.std() * 200 + 500, dtype=np.int16)
