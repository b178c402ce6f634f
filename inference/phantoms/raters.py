"""Perturb a true mask the way human raters err."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.phantoms.fields import smooth_field


def perturb_mask(
    *, truth: NDArray[np.uint8], zooms: tuple[float, float, float], seed: int
) -> NDArray[np.uint8]:
    """Return `truth` as a rater might have drawn it.

    Boundaries move by a smooth random amount (about 0.5 mm, up to a bias of 0.4 mm
    outwards or inwards), lesions are missed with a chance that falls with their
    volume, and lesions closer than 5 mm may be drawn as one. `zooms` in mm.
    """
    rng = np.random.default_rng([seed, 7])
    labels, count = ndimage.label(truth, structure=np.ones((3, 3, 3)))
    kept = miss_lesions(labels=labels, count=count, zooms=zooms, rng=rng)
    if rng.uniform() < 0.5:
        kept = merge_lesions(kept, zooms=zooms)
    return shift_boundary(kept, zooms=zooms, rng=rng)


def miss_lesions(
    *,
    labels: NDArray[np.integer[Any]],
    count: int,
    zooms: tuple[float, float, float],
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Drop lesions at random, small ones more often."""
    volumes = np.bincount(labels.ravel(), minlength=count + 1) * np.prod(zooms)
    chance = 0.5 * np.exp(-volumes / 45.0) + 0.03
    missed = rng.uniform(size=count + 1) < chance
    missed[0] = True
    if missed[1:].all() and count:
        missed[1 + int(volumes[1:].argmax())] = False
    return np.asarray(~missed[labels], dtype=bool)


def merge_lesions(
    mask: NDArray[np.bool_], *, zooms: tuple[float, float, float], gap: float = 5.0
) -> NDArray[np.bool_]:
    """Fill the space between lesions less than `gap` mm apart."""
    if not mask.any():
        return mask
    far = ndimage.distance_transform_edt(~mask, sampling=zooms) > gap / 2
    closed = ndimage.distance_transform_edt(~far, sampling=zooms) > gap / 2
    return np.asarray(mask | closed, dtype=bool)


def shift_boundary(
    mask: NDArray[np.bool_],
    *,
    zooms: tuple[float, float, float],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Move the boundary by a bias and a smooth random amount, in mm."""
    if not mask.any():
        return mask.astype(np.uint8)
    outside = ndimage.distance_transform_edt(~mask, sampling=zooms)
    within = ndimage.distance_transform_edt(mask, sampling=zooms)
    distance = np.where(mask, -(within - 0.5 * min(zooms)), outside - 0.5 * min(zooms))
    wobble = smooth_field(shape=mask.shape, zooms=zooms, scale=(3.0, 3.0, 3.0), rng=rng)
    shifted = distance < rng.uniform(-0.4, 0.4) + 0.45 * wobble
    reach = outside <= 2.0
    return np.asarray(shifted & reach, dtype=np.uint8)
