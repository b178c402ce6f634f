"""Trees of a test set as three layouts have them, with faults planted at will."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tests.volumes import make_affine, make_image, make_lesion, save

SHAPE = (12, 10, 6)
AFFINE = make_affine((0.7, 0.7, 3.0))
CONTRASTS = ("T2w", "T2star", "PSIR")
PLANTED = 5


def write_image(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, make_image(SHAPE, np.random.default_rng(seed)), AFFINE)


def write_mask(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, make_lesion(SHAPE, np.random.default_rng(seed)), AFFINE)


def write_bids(
    folder: Path, count: int, *, bare: bool = False
) -> list[tuple[Path, Path]]:
    """sub-…/anat with sidecars; masks and predictions under derivatives.

    A bare set holds images and manual masks alone.
    """
    made = []
    for n in range(count):
        person, contrast = f"sub-amu{n:03d}", CONTRASTS[n % 3]
        name = f"{person}_acq-ax_{contrast}"
        image = folder / person / "anat" / f"{name}.nii.gz"
        labels = folder / "derivatives/labels" / person / "anat"
        mask = labels / f"{name}_lesion-manual.nii.gz"
        write_image(image, n)
        write_mask(mask, n)
        if not bare:
            write_mask(labels / f"{name}_seg-manual.nii.gz", n + 500)
            net = folder / "derivatives/SCT 6.5" / person / "anat"
            write_mask(net / f"{name}_desc-lesion_mask.nii.gz", n + 900)
        told = {"MagneticFieldStrength": 3, "PatientName": "CANARY^ANNA"}
        image.with_name(f"{name}.json").write_text(json.dumps(told))
        made.append((image, mask))
    return made


def write_nnunet(
    folder: Path, count: int, *, bare: bool = False
) -> list[tuple[Path, Path]]:
    made = []
    for n in range(count):
        case = f"case_{n:03d}_{CONTRASTS[n % 3]}"
        image = folder / "imagesTs" / f"{case}_0000.nii.gz"
        mask = folder / "labelsTs" / f"{case}.nii.gz"
        write_image(image, n)
        write_mask(mask, n)
        if not bare:
            write_mask(folder / "predictionsTs" / f"{case}.nii.gz", n + 900)
        made.append((image, mask))
    (folder / "dataset.json").write_text(json.dumps({"labels": {"lesion": 1}}))
    return made


def write_decathlon(
    folder: Path, count: int, *, bare: bool = True
) -> list[tuple[Path, Path]]:
    """The layout has no place for anything but images and labels."""
    assert bare
    made, rows = [], []
    for n in range(count):
        image, mask = (folder / part / f"cord_{n:03d}.nii.gz" for part in PARTS)
        write_image(image, n)
        write_mask(mask, n)
        rows.append({key: f"./{p.relative_to(folder)}" for key, p in
                     (("image", image), ("label", mask))})  # fmt: skip
        made.append((image, mask))
    (folder / "dataset.json").write_text(json.dumps({"training": rows, "test": []}))
    return made


PARTS = ("imagesTr", "labelsTr")
WRITERS = {"bids": write_bids, "nnunet": write_nnunet, "decathlon": write_decathlon}


def plant_faults(pairs: list[tuple[Path, Path]]) -> set[str]:
    """Five cases at fault, each in its own way; the names of the faulty files."""
    cut, series, labels, shifted, garbage = (pairs[n] for n in (3, 11, 24, 40, 55))
    cut[0].write_bytes(cut[0].read_bytes()[:-200])
    save(series[0], np.zeros((*SHAPE, 3), np.int16), AFFINE)
    two = make_lesion(SHAPE, np.random.default_rng(1))
    two[0, 0, 0] = 2
    save(labels[1], two, AFFINE)
    moved = AFFINE.copy()
    moved[0, 3] += 1.4
    save(shifted[1], make_lesion(SHAPE, np.random.default_rng(2)), moved)
    garbage[1].write_bytes(b"Dear colleague, the mask follows by post. " * 9)
    faulty = (cut[0], series[0], labels[1], shifted[1], garbage[1])
    return {path.name for path in faulty}
