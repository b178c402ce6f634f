"""Masks for the tests of the comparison, and the plain loop that it must agree with."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ratings.statistics.lesions import BoolVolume
from tests.processes import ROOT

REAL = ROOT.parent / "shared/data/ms-brain"


def draw(*rows: str) -> BoolVolume:
    """A volume of one slice, drawn with # for the mask."""
    flat = np.array([[letter == "#" for letter in row] for row in rows])
    return flat[:, :, None]


def make_pair(
    rng: np.random.Generator, shape: tuple[int, int, int] = (14, 12, 6)
) -> tuple[BoolVolume, BoolVolume]:
    """Two masks of a few blobs that overlap in part; now and then one is empty."""
    noise = ndimage.gaussian_filter(rng.normal(size=shape), 1.0)
    other = ndimage.gaussian_filter(rng.normal(size=shape), 1.0)
    heights = rng.choice([0.15, 0.35, 0.5, 9.0], size=2, p=[0.3, 0.3, 0.25, 0.15])
    mixed = noise * 0.7 + other * 0.5
    reference: BoolVolume = noise > heights[0]
    prediction: BoolVolume = mixed > heights[1]
    return reference, prediction


def compare_by_loop(
    reference: BoolVolume, prediction: BoolVolume, share: float = 0.1
) -> tuple[float, float, float, float]:
    """Dice, recall, PPV and F1 of the published rule, lesion after lesion."""
    common = float((reference & prediction).sum())
    dice = (2 * common + 1) / (reference.sum() + prediction.sum() + 1)
    if not reference.any() and not prediction.any():
        return dice, 1.0, 1.0, 1.0
    found, missed, false = count_by_loop(reference, prediction, share)
    recall = found / (found + missed) if found + missed else 1.0
    if not reference.any() or not prediction.any():
        return dice, recall, 0.0, 0.0
    ppv = found / (found + false) if found + false else 1.0
    return dice, recall, ppv, found / (found + (false + missed) / 2)


def count_by_loop(
    reference: BoolVolume, prediction: BoolVolume, share: float
) -> tuple[int, int, int]:
    found = missed = false = 0
    labels, count = ndimage.label(reference)
    for number in range(1, count + 1):
        lesion = labels == number
        if (lesion & prediction).sum() / lesion.sum() >= share:
            found += 1
        else:
            missed += 1
    labels, count = ndimage.label(prediction)
    for number in range(1, count + 1):
        false += not (reference & (labels == number)).any()
    return found, missed, false


def read_real(name: str) -> npt.NDArray[np.float64]:
    with gzip.open(Path(REAL) / name) as stream:
        image = nib.Nifti1Image.from_bytes(stream.read())
    return np.asarray(image.dataobj, dtype=np.float64)
