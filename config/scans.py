"""Writes the phantom scans of the demo to files; no Django, so that it can spread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import nibabel as nib

from inference import phantoms


@dataclass(frozen=True)
class Scan:
    """The files of one phantom case."""

    image: Path
    masks: dict[str, Path]
    strata: dict[str, str]


def write_phantom(folder: Path, seed: int, arms: dict[str, int]) -> Scan:
    """One scan, and for each arm the truth as erred from with that arm's seed."""
    contrast = phantoms.CONTRASTS[seed % len(phantoms.CONTRASTS)]
    acquisition = phantoms.ACQUISITIONS[seed % len(phantoms.ACQUISITIONS)]
    phantom = phantoms.make_phantom(
        seed=seed, contrast=contrast, acquisition=acquisition
    )
    image = folder / f"phantom-{seed}_{contrast}.nii.gz"
    nib.save(nib.Nifti1Image(phantom.image, phantom.affine), image)
    masks = {}
    for key, error in arms.items():
        mask = phantoms.perturb_mask(
            truth=phantom.truth, zooms=phantom.zooms, seed=error
        )
        masks[key] = folder / f"phantom-{seed}_{contrast}_{key}.nii.gz"
        nib.save(nib.Nifti1Image(mask, phantom.affine), masks[key])
    strata = {"contrast": contrast, "acquisition": acquisition, "site": "phantom"}
    return Scan(image=image, masks=masks, strata=strata)


def write_phantoms(
    *, folder: Path, first: int, arms: list[dict[str, int]], say: Callable[[str], None]
) -> list[Scan]:
    """All scans of a study, on every core; the results don't depend on how many."""
    seeds = range(first, first + len(arms))
    scans = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for scan in pool.map(write_phantom, repeat(folder), seeds, arms):
            scans.append(scan)
            say(f"phantom {len(scans)} of {len(arms)}")
    return scans
