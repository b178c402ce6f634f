"""Assemble one phantom: anatomy, lesions, scanner, storage order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from inference.phantoms.acquisition import (
    ACQUISITIONS,
    ORIENTATIONS,
    Grid,
    draw_affine,
    make_grid,
    scan,
    shade,
    split_slices,
    store,
)
from inference.phantoms.anatomy import (
    Body,
    draw_body,
    follow_cord,
    paint_skin,
    paint_soft_tissue,
)
from inference.phantoms.contrast import CONTRASTS, SIGNALS, Signal
from inference.phantoms.cord import Lesion, draw_lesions, paint_cord, paint_lesions
from inference.phantoms.fields import Array, smooth_field
from inference.phantoms.spine import (
    paint_arches,
    paint_column,
    paint_sac,
    paint_sides,
)


@dataclass(frozen=True)
class Phantom:
    """A synthetic scan and the mask of its lesions, on one grid."""

    image: NDArray[Any]
    truth: NDArray[np.uint8]
    affine: NDArray[np.float64]
    zooms: tuple[float, float, float]
    contrast: str
    acquisition: str
    seed: int


@dataclass(frozen=True)
class Texture:
    """The random fields that make tissue uneven, drawn once for a phantom."""

    muscle: Array
    bone: Array
    flow: Array
    cord: Array


def make_phantom(*, seed: int, contrast: str, acquisition: str) -> Phantom:
    """Return the phantom fully determined by the three arguments.

    The image is int16 (PSIR: signed) in arbitrary units, the truth uint8 in {0, 1},
    both stored in one of the axis orders that published data mix.
    Raises ValueError for an unknown contrast or acquisition.
    """
    if contrast not in CONTRASTS:
        raise ValueError(
            f"No phantom contrast is named {contrast!r}; choose one of {CONTRASTS}."
        )
    if acquisition not in ACQUISITIONS:
        raise ValueError(
            f"No acquisition is named {acquisition!r}; choose one of {ACQUISITIONS}."
        )
    stream = [seed, CONTRASTS.index(contrast), ACQUISITIONS.index(acquisition)]
    rng = np.random.default_rng(stream)
    grid = make_grid(acquisition=acquisition, rng=rng)
    body, signal = draw_body(rng), SIGNALS[contrast]
    clean, cover = render(grid=grid, body=body, signal=signal, rng=rng)
    clean = shade(clean, grid=grid, bias=signal.bias, rng=rng)
    image = scan(clean, grid=grid, contrast=contrast, signal=signal, rng=rng)
    voxels = quantise(image, contrast=contrast, air=clean, rng=rng)
    truth = (cover > 0.5).astype(np.uint8)
    affine = draw_affine(grid=grid, rng=rng)
    orientation = str(rng.choice(ORIENTATIONS[acquisition]))
    stored, affine = store((voxels, truth), affine=affine, orientation=orientation)
    zooms = nib.affines.voxel_sizes(affine)
    return Phantom(
        image=stored[0],
        truth=stored[1].astype(np.uint8),
        affine=affine,
        zooms=(float(zooms[0]), float(zooms[1]), float(zooms[2])),
        contrast=contrast,
        acquisition=acquisition,
        seed=seed,
    )


def render(
    *, grid: Grid, body: Body, signal: Signal, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the noise-free image and the part of each voxel filled by lesion.

    Lesions are drawn again where thick slices would leave less than 50 mm³ of truth.
    """
    texture = draw_texture(grid=grid, rng=rng)
    height = grid.shape[2] * grid.zooms[2]
    while True:
        lesions = draw_lesions(body=body, height=height, rng=rng)
        parts = [
            render_part(
                grid=part, body=body, lesions=lesions, signal=signal, texture=texture
            )
            for part in split_slices(grid)
        ]
        images, covers = zip(*parts, strict=True)
        cover = np.mean(covers, axis=0)
        if (cover > 0.5).sum() * np.prod(grid.zooms) >= 50.0:
            return np.mean(images, axis=0), cover


def draw_texture(*, grid: Grid, rng: np.random.Generator) -> Texture:
    """Draw the unevenness of muscle, bone, fluid and cord."""
    scales = ((5.0, 5.0, 22.0), (2.0, 2.0, 2.0), (4.0, 3.0, 9.0), (2.2, 2.2, 4.0))
    fields = [
        smooth_field(shape=grid.shape, zooms=grid.zooms, scale=scale, rng=rng)
        for scale in scales
    ]
    return Texture(*fields)


def render_part(
    *,
    grid: Grid,
    body: Body,
    lesions: list[Lesion],
    signal: Signal,
    texture: Texture,
) -> tuple[Array, Array]:
    """Paint all tissues on one grid of thin slices, from the outside inwards."""
    frame = follow_cord(body=body, grid=grid)
    image = np.zeros(grid.shape, dtype=np.float32)
    paint_soft_tissue(
        image, frame=frame, body=body, signal=signal, texture=texture.muscle
    )
    paint_sides(image, frame=frame, body=body, signal=signal, texture=texture.bone)
    paint_arches(image, frame=frame, body=body, signal=signal, texture=texture.bone)
    paint_column(image, frame=frame, body=body, signal=signal, texture=texture.bone)
    paint_sac(image, frame=frame, body=body, signal=signal, flow=texture.flow)
    cord = paint_cord(
        image, frame=frame, body=body, signal=signal, texture=texture.cord
    )
    cover = paint_lesions(
        image,
        frame=frame,
        cord=cord,
        lesions=lesions,
        signal=signal,
        texture=texture.cord,
    )
    paint_skin(image, grid=grid, frame=frame, body=body, signal=signal)
    return image, cover


def quantise(
    image: Array, *, contrast: str, air: Array, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Store integers as a scanner does, UNIT1 with random values in air."""
    if contrast == "UNIT1":
        salt = rng.uniform(0, 1.0, image.shape).astype(np.float32)
        image = np.where(np.abs(air) < 0.03, salt, np.clip(image, 0, 1.05))
        return np.asarray(np.rint(image * 3900), dtype=np.int16)
    return np.asarray(np.rint(image * rng.uniform(350, 900)), dtype=np.int16)


def write_phantom(*, phantom: Phantom, image: Path, truth: Path) -> None:
    """Write image and truth as NIfTI files with equal geometry."""
    for array, path in ((phantom.image, image), (phantom.truth, truth)):
        file = nib.Nifti1Image(array, phantom.affine)
        file.set_sform(phantom.affine, code=1)
        file.set_qform(phantom.affine, code=1)
        file.header.set_xyzt_units("mm")
        nib.save(file, path)
