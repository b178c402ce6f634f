"""The same voxels give the same served bytes, whoever wrote them and however."""

from __future__ import annotations

import hashlib
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

from ratings import images
from tests.ratings.writers import WRITERS, reorient
from tests.volumes import make_affine, make_image, make_lesion, save

SHAPE = (11, 9, 7)
AFFINES = {
    "straight": make_affine((0.7, 0.7, 3.0)),
    "oblique": make_affine((0.6, 0.8, 2.5), degrees=17),
    "flipped": make_affine((0.6, 0.6, 4.0), flips=(-1, 1, 1)),
}
AXES = [
    "".join(letter)
    for pairs in permutations(("RL", "AP", "IS"))
    for letter in product(*pairs)
]


def encode(path: Path, grid: images.Grid) -> str:
    volume = images.read_mask(path=path, name=path.name)
    mask = images.place_mask(mask=volume, grid=grid, name=path.name)
    return hashlib.sha256(images.encode_mask(mask=mask, grid=grid)).hexdigest()


@pytest.mark.parametrize("kind", AFFINES)
def test_nine_writers_give_one_digest(tmp_path: Path, kind: str) -> None:
    rng, affine = np.random.default_rng(3), AFFINES[kind]
    image = save(tmp_path / "image.nii.gz", make_image(SHAPE, rng), affine)
    grid = images.read_image(path=image, name="image").grid
    marks = make_lesion(SHAPE, rng)
    files, digests = set(), set()
    for name, write in WRITERS.items():
        path = tmp_path / f"{name}.nii.gz"
        write(path, marks, affine, "CANARY")
        files.add(hashlib.sha256(path.read_bytes()).hexdigest())
        digests.add(encode(path, grid))
    assert len(files) == len(WRITERS)
    assert len(digests) == 1


def test_every_order_of_axes_and_label_gives_one_digest(tmp_path: Path) -> None:
    rng, affine = np.random.default_rng(4), AFFINES["straight"]
    image = save(tmp_path / "image.nii.gz", make_image(SHAPE, rng), affine)
    grid = images.read_image(path=image, name="image").grid
    marks = make_lesion(SHAPE, rng)
    digests = set()
    for code, label in product(AXES, (1, 255)):
        turned, own = reorient(marks, affine, code)
        path = save(tmp_path / "mask.nii.gz", turned * np.uint8(label), own)
        digests.add(encode(path, grid))
    assert len(AXES) == 48
    assert len(digests) == 1


def test_the_length_depends_on_the_image_alone(tmp_path: Path) -> None:
    image = save(
        tmp_path / "i.nii.gz", make_image(SHAPE, np.random.default_rng(5)),
        AFFINES["straight"],
    )  # fmt: skip
    grid = images.read_image(path=image, name="image").grid
    empty, full = np.zeros(SHAPE, np.bool_), np.ones(SHAPE, np.bool_)
    lengths = {len(images.encode_mask(mask=m, grid=grid)) for m in (empty, full)}
    assert lengths == {352 + -(-11 * 9 * 7 // 8)}
