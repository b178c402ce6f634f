"""One place validates: what is accepted, what is refused, and the canonical bytes."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratings import images
from ratings.images import Grid, Verdict, judge
from tests.volumes import load, make_affine, make_image, make_lesion, save

SHAPE = (12, 10, 6)
AFFINE = make_affine((0.7, 0.7, 3.0))


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def image_file(folder: Path, name: str = "scan.nii.gz", **header: Any) -> Path:
    return save(folder / name, make_image(SHAPE, rng()), AFFINE, **header)


def refuse(path: Path, kind: str = "image", grid: Grid | None = None) -> Verdict:
    verdict = judge(path=path, name=path.name, kind=kind, grid=grid)
    assert verdict.verdict == "reject"
    assert path.name in verdict.message
    return verdict


def test_a_good_image_and_mask_are_accepted(tmp_path: Path) -> None:
    image = image_file(tmp_path)
    mask = save(tmp_path / "m.nii.gz", make_lesion(SHAPE, rng()), AFFINE)
    grid = images.read_image(path=image, name="i").grid
    assert judge(path=image, name="i", kind="image").verdict == "accept"
    assert judge(path=mask, name="m", kind="mask", grid=grid).verdict == "accept"


def test_a_file_that_is_not_nifti_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.nii.gz"
    path.write_bytes(b"%PDF-1.7" + bytes(2000))
    assert refuse(path).code == "not_nifti"


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.99])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: float, suffix: str) -> None:
    path = image_file(tmp_path, f"cut{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    assert refuse(path).code in {"truncated", "damaged", "not_nifti"}


def test_a_flipped_bit_is_noticed_by_the_checksum(tmp_path: Path) -> None:
    path = image_file(tmp_path)
    data = bytearray(path.read_bytes())
    data[-6] ^= 1
    path.write_bytes(data)
    assert refuse(path).code == "damaged"


def test_a_series_is_refused_but_one_trailing_dimension_of_one_is_not(
    tmp_path: Path,
) -> None:
    series = save(tmp_path / "s.nii.gz", np.zeros((*SHAPE, 3), np.int16), AFFINE)
    assert refuse(series).code == "not_3d"
    single = make_image(SHAPE, rng())[..., None]
    path = save(tmp_path / "one.nii.gz", single, AFFINE)
    assert judge(path=path, name="one", kind="image").verdict == "accept"


def test_colour_and_complex_voxels_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "c.nii.gz", np.zeros(SHAPE, np.complex64), AFFINE)
    assert refuse(path).code == "data_type"


@pytest.mark.parametrize(
    ("field", "at", "value", "code"),
    [
        ("<f", 108, 0.0, "vox_offset"),
        ("<i", 344, 0x0031696E, "not_single_file"),
        ("<b", 123, 1, "units"),
        ("<h", 42, 0, "not_3d"),
        ("<h", 42, 999, "truncated"),
    ],
)
def test_headers_that_lie_are_refused(
    tmp_path: Path, field: str, at: int, value: float, code: str
) -> None:
    path = image_file(tmp_path, "lie.nii")
    data = bytearray(path.read_bytes())
    struct.pack_into(field, data, at, value)
    path.write_bytes(data)
    assert refuse(path).code == code


def test_an_affine_that_places_nothing_is_refused(tmp_path: Path) -> None:
    path = image_file(tmp_path, "flat.nii")
    data = bytearray(path.read_bytes())
    struct.pack_into("<4f", data, 280, 0, 0, 0, 0)
    struct.pack_into("<h", data, 252, 0)
    path.write_bytes(data)
    assert refuse(path).code == "bad_affine"


def test_a_volume_beyond_the_limit_is_refused_from_its_header(
    tmp_path: Path, settings: Any
) -> None:
    settings.VOXEL_LIMIT = 100
    assert refuse(image_file(tmp_path)).code == "too_large"


def test_data_after_the_last_voxel_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "more.nii.gz"
    plain = gzip.decompress(image_file(tmp_path).read_bytes())
    path.write_bytes(gzip.compress(plain + b"patient name"))
    assert refuse(path).code == "trailing_data"


def test_soft_and_multi_label_masks_are_refused(tmp_path: Path) -> None:
    soft = rng().random(SHAPE).astype(np.float32)
    path = save(tmp_path / "soft.nii.gz", soft, AFFINE)
    assert refuse(path, "mask").code == "mask_labels"
    labels = make_lesion(SHAPE, rng())
    labels[0, 0, 0] = 2
    path = save(tmp_path / "labels.nii.gz", labels, AFFINE)
    assert "1, 2" in refuse(path, "mask").message
    almost = make_lesion(SHAPE, rng()) * np.float32(0.9999)
    path = save(tmp_path / "almost.nii.gz", almost, AFFINE)
    assert refuse(path, "mask").code == "mask_value"


def test_an_empty_mask_is_accepted_with_a_warning(tmp_path: Path) -> None:
    path = save(tmp_path / "empty.nii.gz", np.zeros(SHAPE, np.uint8), AFFINE)
    verdict = judge(path=path, name="empty", kind="mask")
    assert (verdict.verdict, verdict.code) == ("warn", "empty_mask")


def test_a_mask_on_another_grid_is_refused_with_the_distance(tmp_path: Path) -> None:
    grid = images.read_image(path=image_file(tmp_path), name="i").grid
    smaller = save(tmp_path / "s.nii.gz", np.zeros((12, 10, 5), np.uint8), AFFINE)
    assert "12×10×5" in refuse(smaller, "mask", grid).message
    shifted = AFFINE.copy()
    shifted[0, 3] += 0.35
    path = save(tmp_path / "shift.nii.gz", make_lesion(SHAPE, rng()), shifted)
    assert "0.50 voxels" in refuse(path, "mask", grid).message


@pytest.mark.parametrize(("fraction", "accepted"), [(0.009, True), (0.011, False)])
def test_the_tolerance_is_a_hundredth_of_a_voxel(
    tmp_path: Path, fraction: float, accepted: bool
) -> None:
    grid = images.read_image(path=image_file(tmp_path), name="i").grid
    moved = AFFINE.copy()
    moved[0, 3] += 0.7 * fraction
    path = save(tmp_path / "m.nii.gz", make_lesion(SHAPE, rng()), moved)
    verdict = judge(path=path, name="m", kind="mask", grid=grid)
    assert (verdict.verdict != "reject") is accepted


def reorient(voxels: Any, affine: Any, codes: str) -> nib.Nifti1Image:
    image = nib.Nifti1Image(voxels, affine)
    start = nib.io_orientation(image.affine)
    target = nib.orientations.axcodes2ornt(tuple(codes))
    turned: nib.Nifti1Image = image.as_reoriented(
        nib.orientations.ornt_transform(start, target)
    )
    return turned


@pytest.mark.parametrize("codes", ["RAS", "LAS", "LPS", "PSR", "ASL", "IRP"])
@pytest.mark.parametrize("label", [1, 255])
@pytest.mark.parametrize("dtype", ["u1", ">i2", "f8"])
def test_the_same_voxels_from_any_writer_give_the_same_bytes(
    tmp_path: Path, codes: str, label: int, dtype: str
) -> None:
    lesion = make_lesion(SHAPE, rng())
    image = images.read_image(path=image_file(tmp_path), name="i")
    plain = images.encode_mask(mask=lesion.astype(bool), grid=image.grid)
    written = reorient(lesion * label, AFFINE, codes)
    data = np.asarray(written.dataobj).astype(dtype)
    path = save(tmp_path / "w.nii.gz", data, written.affine, descrip=b"FSL 6.0")
    mask = images.read_mask(path=path, name="w")
    placed = images.place_mask(mask=mask, grid=image.grid, name="w")
    assert images.encode_mask(mask=placed, grid=image.grid) == plain


def test_the_length_of_a_mask_depends_on_the_grid_alone(tmp_path: Path) -> None:
    grid = images.read_image(path=image_file(tmp_path), name="i").grid
    masks = (np.zeros(SHAPE), np.ones(SHAPE), make_lesion(SHAPE, rng()))
    lengths = {len(images.encode_mask(mask=m.astype(bool), grid=grid)) for m in masks}
    assert lengths == {352 + (12 * 10 * 6 + 7) // 8}


def test_no_text_of_the_file_survives(tmp_path: Path) -> None:
    path = image_file(tmp_path, descrip=b"CANARY 1961-02-03", aux_file=b"CANARY")
    data = images.encode_image(images.read_image(path=path, name="CANARY"))
    assert b"CANARY" not in gzip.decompress(data)
    assert data[3:9] == bytes([0, 0, 0, 0, 0, 0])


def test_a_stored_image_reads_in_nibabel_as_the_original_in_ras(tmp_path: Path) -> None:
    voxels = make_image(SHAPE, rng())
    turned = reorient(voxels, make_affine((0.7, 0.7, 3.0), degrees=20), "PSR")
    path = save(tmp_path / "o.nii.gz", np.asarray(turned.dataobj), turned.affine)
    stored = tmp_path / "stored.nii.gz"
    stored.write_bytes(images.encode_image(images.read_image(path=path, name="o")))
    expected = nib.as_closest_canonical(load(path))
    again = load(stored)
    np.testing.assert_array_equal(again.get_fdata(), expected.get_fdata())
    np.testing.assert_allclose(again.affine, expected.affine, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.integers(1, 9)] * 3),
    st.integers(0, 2**32 - 1),
)
def test_encoding_a_mask_and_decoding_it_gives_it_back(
    shape: tuple[int, int, int], seed: int
) -> None:
    mask = np.random.default_rng(seed).random(shape) < 0.3
    affine = make_affine((0.5, 1.0, 4.0)).astype(np.float32)
    grid = Grid(shape=shape, affine=images.freeze(affine))
    decoded, back = images.decode_mask(images.encode_mask(mask=mask, grid=grid))
    np.testing.assert_array_equal(decoded, mask)
    assert back == grid


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "f4", "i4", "f8"])
def test_encoding_an_image_keeps_every_value(tmp_path: Path, dtype: str) -> None:
    voxels = make_image(SHAPE, rng()) // (4 if dtype == "u1" else 1)
    path = save(tmp_path / "d.nii.gz", voxels.astype(dtype), AFFINE)
    volume = images.read_image(path=path, name="d")
    back = images.decode_image(images.encode_image(volume))
    np.testing.assert_array_equal(back.voxels, voxels)
    assert back.grid == volume.grid


def test_voxels_that_are_not_numbers_are_replaced_and_said(tmp_path: Path) -> None:
    voxels = make_image(SHAPE, rng()).astype(np.float32)
    voxels[0, 0, 0] = np.nan
    path = save(tmp_path / "nan.nii.gz", voxels, AFFINE)
    volume = images.read_image(path=path, name="nan")
    assert "not_finite" in volume.warnings
    assert np.isfinite(volume.voxels).all()


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    path = image_file(tmp_path, "scaled.nii")
    data = bytearray(path.read_bytes())
    struct.pack_into("<2f", data, 112, 2.0, 7.0)
    path.write_bytes(data)
    volume = images.read_image(path=path, name="scaled")
    np.testing.assert_array_equal(volume.voxels, make_image(SHAPE, rng()) * 2.0 + 7)
