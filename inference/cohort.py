"""Write phantoms as an nnU-Net raw data set, in the orientation of the networks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib

from inference.phantoms import ACQUISITIONS, CONTRASTS, Phantom, make_phantom

DATASET = 1
NAME = "Dataset001_SyntheticCord"
# The published cohort was stored in the toolbox's RPI, which nibabel calls LAS.
IMAGE_ORIENTATION = "RPI"
FIRST_UNSEEN_SEED = 900_000


def list_training_phantoms(
    *, repeats: int, seed: int
) -> Iterator[tuple[str, int, str, str]]:
    """Yield name, seed, contrast and acquisition of each training phantom."""
    for repeat in range(repeats):
        for contrast in CONTRASTS:
            for acquisition in ACQUISITIONS:
                name = f"{contrast}_{acquisition}_{repeat:03d}"
                yield name, seed * 1000 + repeat, contrast, acquisition


def list_unseen_phantoms(count: int) -> list[tuple[int, str, str]]:
    """Return seed, contrast and acquisition of phantoms that no training uses."""
    kinds, ways = len(CONTRASTS), len(ACQUISITIONS)
    return [
        (
            FIRST_UNSEEN_SEED + index,
            CONTRASTS[index % kinds],
            ACQUISITIONS[(index // kinds + index % kinds) % ways],
        )
        for index in range(count)
    ]


def make_unseen_phantoms(count: int) -> Iterator[Phantom]:
    """Yield phantoms no training uses, contrasts and acquisitions in turn."""
    for seed, contrast, acquisition in list_unseen_phantoms(count):
        yield make_phantom(seed=seed, contrast=contrast, acquisition=acquisition)


def write_cohort(*, raw: Path, repeats: int, seed: int) -> int:
    """Write the training phantoms below `raw`; return how many there are."""
    folder = raw / NAME
    (folder / "imagesTr").mkdir(parents=True)
    (folder / "labelsTr").mkdir()
    phantoms = list(list_training_phantoms(repeats=repeats, seed=seed))
    for name, number, contrast, acquisition in phantoms:
        write_reoriented(
            phantom=make_phantom(
                seed=number, contrast=contrast, acquisition=acquisition
            ),
            image=folder / "imagesTr" / f"{name}_0000.nii.gz",
            label=folder / "labelsTr" / f"{name}.nii.gz",
        )
    description = {
        "channel_names": {"0": "MRI"},
        "labels": {"background": 0, "lesion": 1},
        "numTraining": len(phantoms),
        "file_ending": ".nii.gz",
        "image_orientation": IMAGE_ORIENTATION,
        "description": "Synthetic spinal cord MRI; not for clinical use.",
    }
    (folder / "dataset.json").write_text(json.dumps(description, indent=1))
    return len(phantoms)


def write_reoriented(*, phantom: Phantom, image: Path, label: Path) -> None:
    """Write a phantom in the orientation the networks are trained in."""
    change = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(phantom.affine),
        nib.orientations.axcodes2ornt("LAS"),
    )
    for array, path in ((phantom.image, image), (phantom.truth, label)):
        file = nib.Nifti1Image(array, phantom.affine).as_reoriented(change)
        nib.save(file, path)
