"""The scans that benches measure with have clinical sizes and the phantom's content."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from bench.material import enlarge
from config.scans import Scan
from tests.volumes import load, make_affine, make_lesion, save


def write_small(folder: Path) -> Scan:
    rng = np.random.default_rng(3)
    affine = make_affine((0.6, 0.6, 3.0))
    shape = (10, 12, 6)
    image = np.full(shape, 400, np.int16)
    return Scan(
        image=save(folder / "image.nii.gz", image, affine),
        masks={"manual": save(folder / "mask.nii.gz", make_lesion(shape, rng), affine)},
        strata={},
    )


def test_an_enlarged_scan_covers_the_same_body_with_more_voxels(tmp_path: Path) -> None:
    scan = write_small(tmp_path)
    before = load(scan.masks["manual"])
    enlarge(scan, thin=8, wide=48)
    image, mask = load(scan.image), load(scan.masks["manual"])
    assert image.shape == mask.shape == (48, 48, 8)
    np.testing.assert_array_equal(image.affine, mask.affine)
    extent = nib.affines.voxel_sizes(mask.affine) * mask.shape
    np.testing.assert_allclose(extent, np.multiply((0.6, 0.6, 3.0), (10, 12, 6)))
    assert np.asarray(mask.dataobj).mean() > 0.5 * np.asarray(before.dataobj).mean()


def test_noise_is_for_the_image_alone(tmp_path: Path) -> None:
    scan = enlarge(write_small(tmp_path), thin=6, wide=12)
    image = np.asarray(load(scan.image).dataobj)
    assert image.dtype == np.int16
    assert image.std() > 1
    assert set(np.unique(np.asarray(load(scan.masks["manual"]).dataobj))) == {0, 1}
