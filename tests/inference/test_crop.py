"""Only a part of the image is predicted; every map comes back to the whole of it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.engine import AROUND_CORD, Crop, Margins, Settings, predict
from inference.errors import ImageError
from inference.nnunet.geometry import Scan
from inference.scans import cut, find_box, put_back, read_scan, widen
from inference.settings import Box
from tests.inference.models import write_model
from tests.inference.scans import load, write_small

BOX: Box = ((6, 22), (4, 22), (3, 21))
ORIENTATIONS = ("RAS", "PSR", "LIP", "ASL")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    return write_model(folder, folds=2, seed=1, patch=(24, 24, 16))


def write_mask(path: Path, *, like: Path, box: Box) -> Path:
    """Mark a box along the stored axes of an image."""
    file = load(like)
    voxels = np.zeros(file.shape, np.uint8)
    voxels[tuple(slice(a, b) for a, b in box)] = 1
    nib.save(nib.Nifti1Image(voxels, file.affine), path)
    return path


@pytest.mark.parametrize("orientation", ["RAS", "PSR"])
def test_a_cropped_prediction_is_that_of_the_cropped_file(
    tmp_path: Path, model: Path, orientation: str
) -> None:
    image = write_small(
        tmp_path / "whole.nii.gz", orientation=orientation, shape=(26, 32, 24)
    )
    part = tuple(slice(a, b) for a, b in BOX)
    nib.save(load(image).slicer[part], tmp_path / "part.nii.gz")
    chosen = Settings(mirroring=False, crop=Crop(box=BOX))
    whole = predict(image=image, ensemble=model, settings=chosen)
    alone = predict(
        image=tmp_path / "part.nii.gz",
        ensemble=model,
        settings=Settings(mirroring=False),
    )
    for name in ("mask", "votes", "soft"):
        ours, theirs = getattr(whole, name), getattr(alone, name)
        assert ours.shape == load(image).shape
        np.testing.assert_array_equal(ours[part], theirs)
        assert ours.sum() == pytest.approx(theirs.sum()), "something lies outside"
    assert whole.soft.max() > 0.5
    assert whole.provenance["box"] == BOX


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_margins_reach_towards_the_sides_they_name(
    tmp_path: Path, orientation: str
) -> None:
    """Whatever the order of storage, 4 mm of superior margin lie above the cord."""
    image = write_small(
        tmp_path / "scan.nii.gz", orientation=orientation, shape=(26, 32, 24)
    )
    marked = write_mask(
        tmp_path / "cord.nii.gz", like=image, box=((9, 12), (9, 12), (9, 12))
    )
    scan = read_scan(image)
    plain = find_box(scan=scan, crop=Crop(), region=marked)
    assert plain == ((9, 12), (9, 12), (9, 12))
    for side, step in (
        ("right", (1, 0, 0)), ("left", (-1, 0, 0)), ("anterior", (0, 1, 0)),
        ("posterior", (0, -1, 0)), ("superior", (0, 0, 1)), ("inferior", (0, 0, -1)),
    ):  # fmt: skip
        crop = Crop(margins=Margins(**{side: 4.0}))
        wide = cut(scan, box=find_box(scan=scan, crop=crop, region=marked))
        there, here = locate(wide), locate(cut(scan, box=plain))
        grown = np.abs(there - here).max(axis=0)
        assert np.count_nonzero(grown > 0.1) == 1, side
        assert np.dot((there - here).sum(axis=0), step) >= 4.0, side


def locate(scan: Scan) -> np.ndarray:
    """Return the lowest and highest world coordinates of a scan's voxels."""
    far = np.array(scan.voxels.shape) - 1
    corners = nib.affines.apply_affine(scan.affine, np.array([[0, 0, 0], far]))
    return np.sort(corners, axis=0)


@given(
    start=st.tuples(*[st.integers(0, 9)] * 3),
    size=st.tuples(*[st.integers(1, 9)] * 3),
    margin=st.floats(0, 40),
)
@settings(max_examples=60, deadline=None)
def test_any_box_with_any_margin_stays_inside_and_comes_back(
    start: tuple[int, int, int], size: tuple[int, int, int], margin: float
) -> None:
    rng = np.random.default_rng(1)
    scan = Scan(
        voxels=rng.random((18, 18, 18), np.float32), affine=np.diag([1.0, -2, 0.5, 1])
    )
    (a, b, c), (i, j, k) = start, size
    box = ((a, a + i), (b, b + j), (c, c + k))
    sides = Margins(margin, margin, margin, margin, margin, margin)
    wide = widen(box, scan=scan, margins=sides)
    for (outer_start, outer_stop), (inner_start, inner_stop) in zip(
        wide, box, strict=True
    ):
        assert 0 <= outer_start <= inner_start < inner_stop <= outer_stop <= 18
    if np.prod([y - x for x, y in wide]) > 1:
        back = put_back(cut(scan, box=wide).voxels, box=wide, shape=(18, 18, 18))
        inside = tuple(slice(x, y) for x, y in wide)
        np.testing.assert_array_equal(back[inside], scan.voxels[inside])


def test_the_toolboxs_margins_are_at_hand() -> None:
    assert (AROUND_CORD.superior, AROUND_CORD.inferior) == (40.0, 100.0)
    assert AROUND_CORD.left == AROUND_CORD.posterior == 20.0


def test_what_cannot_be_cropped_to_is_refused_with_its_reason(
    tmp_path: Path, model: Path
) -> None:
    image = write_small(tmp_path / "scan.nii.gz", shape=(14, 26, 30))
    other = write_small(tmp_path / "other.nii.gz", shape=(12, 26, 30))
    empty = write_mask(
        tmp_path / "empty.nii.gz", like=image, box=((0, 0), (0, 0), (0, 0))
    )
    foreign = write_mask(
        tmp_path / "foreign.nii.gz", like=other, box=((1, 4), (1, 4), (1, 4))
    )
    outside: Box = ((0, 9), (0, 9), (0, 31))
    for crop, region, words in (
        (Crop(), None, "this image has none"),
        (Crop(), empty, r"empty\.nii\.gz marks nothing"),
        (Crop(), foreign, r"foreign\.nii\.gz: the mask has 12×26×30 voxels"),
        (Crop(), image, "looks like an image"),
        (Crop(box=outside), None, "does not lie inside the image of 14×26×30"),
    ):
        chosen = Settings(mirroring=False, crop=crop)
        with pytest.raises(ImageError, match=words):
            predict(image=image, ensemble=model, settings=chosen, region=region)


def test_a_region_without_content_is_refused(tmp_path: Path, model: Path) -> None:
    image = write_small(tmp_path / "scan.nii.gz", shape=(14, 26, 30))
    file = load(image)
    voxels = np.asarray(file.dataobj).copy()
    voxels[:5] = 0
    nib.save(nib.Nifti1Image(voxels, file.affine), image)
    chosen = Settings(crop=Crop(box=((0, 4), (0, 9), (0, 9))))
    with pytest.raises(ImageError, match="only one value inside the region"):
        predict(image=image, ensemble=model, settings=chosen)
