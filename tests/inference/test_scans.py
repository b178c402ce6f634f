"""What is wrong with an image is said in a sentence; the rest is predicted rightly."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from inference.engine import PredictedMask, Settings, predict, write_mask
from inference.errors import ImageError, ModelError
from inference.scans import read_scan
from ratings import images
from tests.inference.models import write_model
from tests.inference.scans import load, make_smooth, write_small
from tests.inference.test_model_files import change_json

SETTINGS = Settings(mirroring=False, precision="float32")
RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    return write_model(folder, folds=1, seed=1, patch=(32, 32, 24))


def save(path: Path, voxels: Any, *, zooms: tuple[float, ...] = (1, 1, 1)) -> Path:
    nib.save(nib.Nifti1Image(voxels, np.diag([*zooms[:3], 1.0])), path)
    return path


def write_nan(path: Path) -> None:
    voxels = np.ones((8, 8, 8), np.float32)
    voxels[2:4] = np.nan
    save(path, voxels)


def write_infinite(path: Path) -> None:
    voxels = np.ones((8, 8, 8), np.float64)
    voxels[2:4] = 1e300
    save(path, voxels)


def write_colours(path: Path) -> None:
    kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    save(path, np.zeros((6, 6, 6), dtype=kind))


def write_bomb(path: Path) -> None:
    """A small file whose header promises more voxels than are allowed."""
    save(path, np.zeros((4, 4, 4), np.uint8))
    content = bytearray(path.read_bytes())
    struct.pack_into("<4h", content, 40, 3, 20_000, 20_000, 20_000)
    path.write_bytes(content)


def write_flat_affine(path: Path) -> None:
    voxels = np.arange(64, dtype=np.float32).reshape(4, 4, 4)
    file = nib.Nifti1Image(voxels, np.eye(4))
    file.header.set_sform(np.diag([1.0, 0.0, 1.0, 1.0]), code=1)
    file.header.set_qform(None, code=0)
    file.to_filename(path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<12f", content, 280, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0)
    path.write_bytes(content)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_bytes(b"not an image"), "not a NIfTI-1 file"),
    "cut short": (
        lambda path: path.write_bytes(
            save(path, RNG.random((9, 9, 9))).read_bytes()[:900]
        ),
        "ends before its last voxel",
    ),
    "a series": (
        lambda path: save(path, RNG.random((6, 6, 6, 3), np.float32)),
        r"4-D series \(6×6×6×3\)",
    ),
    "a picture": (lambda path: save(path, RNG.random((6, 6))), "three dimensions"),
    "colours": (write_colours, "RGB voxels"),
    "not numbers": (write_nan, "values that are not numbers"),
    "beyond numbers": (write_infinite, "values that are not numbers"),
    "nothing": (lambda path: save(path, np.zeros((8, 8, 8), np.int16)), "is empty"),
    "one value": (lambda path: save(path, np.full((8, 8, 8), 7, np.int16)), "is empty"),
    "promises": (write_bomb, "more than the limit"),
    "no place": (write_flat_affine, "orientation matrix is not usable"),
    "astronomical": (
        lambda path: save(path, RNG.random((4, 4, 4)), zooms=(90, 1, 1)),
        "voxels of 90 mm",
    ),
    "far too coarse": (
        lambda path: save(path, make_smooth((150, 150, 40), RNG), zooms=(12, 12, 12)),
        "480×1800×1800 voxels, too many to predict",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_an_unusable_image_is_refused_with_its_reason(
    tmp_path: Path, model: Path, name: str
) -> None:
    path = tmp_path / "scan.nii"
    write, words = BAD[name]
    write(path)
    with pytest.raises(ImageError, match=words) as refusal:
        predict(image=path, ensemble=model, settings=SETTINGS)
    if name != "far too coarse":
        assert "scan.nii" in str(refusal.value)


def test_an_absent_image_is_named(tmp_path: Path, model: Path) -> None:
    with pytest.raises(ImageError, match=r"absent\.nii\.gz cannot be read"):
        predict(image=tmp_path / "absent.nii.gz", ensemble=model, settings=SETTINGS)


def test_a_model_of_two_channels_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "two", folds=1)
    image = write_small(tmp_path / "scan.nii.gz", shape=(14, 26, 30))
    change_json(
        model / "dataset.json",
        lambda content: content.update(channel_names={"0": "T2", "1": "T1"}),
    )
    with pytest.raises(ModelError, match="2 image channels"):
        predict(image=image, ensemble=model, settings=SETTINGS)


def predict_and_gate(image: Path, model: Path) -> PredictedMask:
    """Predict, and put the written mask through the gate of any upload."""
    result = predict(image=image, ensemble=model, settings=SETTINGS)
    out = image.with_name("mask.nii.gz")
    write_mask(array=result.mask, like=image, out=out)
    mask = images.read_mask(path=out, name=out.name)
    grid = images.read_volume(path=image, name=image.name).grid
    placed = images.place_mask(mask=mask, grid=grid, name=out.name)
    assert placed.sum() == result.mask.sum()
    return result


ODD: dict[str, tuple[tuple[int, int, int], tuple[float, float, float]]] = {
    "a single slice": ((40, 44, 1), (1, 1, 4)),
    "a single slice of a sagittal stack": ((1, 44, 40), (3.3, 1, 1)),
    "two thousand slices": ((12, 14, 2000), (1, 1, 0.2)),
    "slices of 12 mm": ((40, 44, 4), (1, 1, 12)),
    "voxels of 12 mm": ((5, 5, 4), (12, 12, 12)),
    "fewer voxels than a tile": ((5, 4, 3), (1, 1, 1)),
    "finer than the model": ((60, 64, 30), (0.3, 0.3, 0.5)),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_image_gets_a_mask_on_its_own_grid_that_the_gate_accepts(
    tmp_path: Path, model: Path, name: str
) -> None:
    shape, zooms = ODD[name]
    image = save(tmp_path / "scan.nii.gz", make_smooth(shape, RNG), zooms=zooms)
    result = predict_and_gate(image, model)
    assert result.mask.shape == shape
    assert 0 < result.votes.sum() < result.votes.size


@pytest.mark.parametrize("orientation", ["RAS", "PSR", "LIP"])
def test_a_mask_has_every_field_of_place_of_its_image(
    tmp_path: Path, model: Path, orientation: str
) -> None:
    image = write_small(
        tmp_path / "scan.nii.gz", orientation=orientation, shape=(14, 26, 30)
    )
    file = load(image)
    file.set_qform(file.affine, code=2)
    file.header["descrip"] = b"scanner 7"
    nib.save(file, image)
    predict_and_gate(image, model)
    ours, mask = load(image), load(tmp_path / "mask.nii.gz")
    fields = (
        "dim", "pixdim", "qform_code", "sform_code", "xyzt_units", "quatern_b",
        "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z",
        "srow_x", "srow_y", "srow_z",
    )  # fmt: skip
    for field in fields:
        np.testing.assert_array_equal(mask.header[field], ours.header[field], field)
    assert mask.get_data_dtype() == np.uint8
    assert bytes(mask.header["descrip"]).strip(b"\0") == b""


def test_scaled_integers_are_read_as_their_values(tmp_path: Path) -> None:
    file = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
    file.header.set_slope_inter(0.5, -3)
    nib.save(file, tmp_path / "scaled.nii.gz")
    expected = load(tmp_path / "scaled.nii.gz").get_fdata(dtype=np.float32)
    np.testing.assert_array_equal(
        read_scan(tmp_path / "scaled.nii.gz").voxels, expected
    )
