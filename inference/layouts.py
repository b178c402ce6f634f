"""Finds the images that a person names, and where the mask of each is to be written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENDINGS = (".nii.gz", ".nii")
CHANNEL = re.compile(r"(.+)_(\d{4})$")
ENTITIES = re.compile(r"(sub-[A-Za-z0-9]+(?:_[a-z]+-[A-Za-z0-9]+)*)_([A-Za-z0-9]+)$")
MADE = ("_mask", "_soft", "_votes", "_seg", "_dseg", "_probseg")


class LayoutRefused(Exception):
    """Why images or their masks' places can't be told; a sentence with the remedy."""


@dataclass(frozen=True)
class Wish:
    """One image, and the files that a prediction of it is to write."""

    name: str
    image: Path
    mask: Path
    soft: Path
    votes: Path

    @property
    def sidecar(self) -> Path:
        return self.mask.with_name(split_ending(self.mask.name)[0] + ".json")


def plan(*, inputs: list[Path], out: Path) -> list[Wish]:
    """The wishes for files, folders of files (also as nnU-Net names them) and BIDS.

    `out` is the mask of a single image, or else a folder. Raises LayoutRefused.
    """
    for path in inputs:
        if not path.exists():
            raise LayoutRefused(f"There is no file or folder {path}.")
    if names_image(out):
        return [plan_single(inputs, out)]
    if out.exists() and not out.is_dir():
        raise LayoutRefused(f"{out} is no folder, and does not end in .nii.gz.")
    wishes = [wish for path in inputs for wish in plan_input(path, out)]
    taken = Counter(wish.mask for wish in wishes)
    for wish in wishes:
        if taken[wish.mask] > 1:
            raise LayoutRefused(
                f"{taken[wish.mask]} images would be written to {wish.mask}: predict "
                "them one at a time, or into different folders."
            )
    return wishes


def names_image(path: Path) -> bool:
    return path.name.endswith(ENDINGS)


def split_ending(name: str) -> tuple[str, str]:
    """A file's name without .nii or .nii.gz, and that ending."""
    ending = next((e for e in ENDINGS if name.endswith(e)), "")
    return name[: len(name) - len(ending)], ending


def plan_single(inputs: list[Path], out: Path) -> Wish:
    if len(inputs) != 1 or inputs[0].is_dir():
        raise LayoutRefused(
            f"{out} names one file, but there may be several images: name a folder."
        )
    if not out.parent.is_dir():
        raise LayoutRefused(f"The folder {out.parent} does not exist; make it first.")
    return make_wish(inputs[0], out)


def make_wish(image: Path, mask: Path, *, soft: str = "", votes: str = "") -> Wish:
    stem, ending = split_ending(mask.name)
    base = stem.removesuffix("_mask")
    return Wish(
        name=split_ending(image.name)[0],
        image=image,
        mask=mask,
        soft=mask.with_name(soft or f"{base}_soft{ending}"),
        votes=mask.with_name(votes or f"{base}_votes{ending}"),
    )


def plan_input(path: Path, out: Path) -> list[Wish]:
    if path.is_file():
        return [make_wish(path, out / f"{split_ending(path.name)[0]}_mask.nii.gz")]
    if path.resolve() == out.resolve():
        raise LayoutRefused(
            f"Masks would be written between the images in {path}: name another folder."
        )
    found = list(plan_bids(path, out)) if is_bids(path) else plan_folder(path, out)
    if not found:
        raise LayoutRefused(f"There is no NIfTI image (.nii.gz or .nii) in {path}.")
    return found


def is_bids(folder: Path) -> bool:
    return (folder / "dataset_description.json").is_file() or any(
        path.is_dir() for path in folder.glob("sub-*")
    )


def plan_bids(folder: Path, out: Path) -> Iterator[Wish]:
    """Anatomical images of each subject, to masks named as BIDS derivatives."""
    for image in sorted(folder.glob("sub-*/**/anat/*")):
        stem, ending = split_ending(image.name)
        found = ENTITIES.fullmatch(stem)
        if not ending or stem.endswith(MADE) or found is None:
            continue
        base = f"{found[1]}_label-lesion_desc-{found[2]}"
        place = out / image.parent.relative_to(folder)
        yield make_wish(
            image,
            place / f"{base}_mask.nii.gz",
            soft=f"{base}_probseg.nii.gz",
            votes=f"{base}Votes_dseg.nii.gz",
        )


def plan_folder(folder: Path, out: Path) -> list[Wish]:
    """All images directly in a folder; those that nnU-Net named keep its names."""
    images = [path for path in sorted(folder.iterdir()) if names_image(path)]
    stems = [split_ending(path.name)[0] for path in images]
    if images and all(CHANNEL.fullmatch(stem) for stem in stems):
        return [plan_channel(path, out) for path in images]
    return [
        make_wish(path, out / f"{stem}_mask.nii.gz")
        for path, stem in zip(images, stems, strict=True)
        if not stem.endswith(MADE)
    ]


def plan_channel(image: Path, out: Path) -> Wish:
    found = CHANNEL.fullmatch(split_ending(image.name)[0])
    assert found is not None
    if found[2] != "0000":
        raise LayoutRefused(
            f"{image.name} is a further channel of a case; only models of one channel "
            "can be run here. Leave the files _0001 and on out of the folder."
        )
    return make_wish(image, out / f"{found[1]}.nii.gz")
