"""Axis orders: what goes to the network and comes back is the same voxel."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel import orientations
from numpy.typing import NDArray

from inference.nnunet.geometry import Scan, orient, restore

CODES = [
    "".join(letters)
    for axes in itertools.permutations(("RL", "AP", "SI"))
    for letters in itertools.product(*axes)
]


def make_scan(code: str, shape: tuple[int, int, int] = (3, 4, 5)) -> Scan:
    voxels = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    return Scan(voxels=voxels, affine=make_affine(code))


def make_affine(code: str) -> NDArray[np.float64]:
    """Return an affine whose stored axes run as `code` says, 1, 2 and 3 mm apart."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for stored, (world, sign) in enumerate(orientations.axcodes2ornt(code)):
        affine[int(world), stored] = sign * (stored + 1.0)
    return affine


@pytest.mark.parametrize("code", CODES)
def test_every_axis_order_comes_back_unchanged(code: str) -> None:
    scan = make_scan(code)
    oriented = orient(scan, orientation="LAS")
    back = restore(oriented.voxels, oriented=oriented, shape=scan.voxels.shape)
    np.testing.assert_array_equal(back, scan.voxels)


@pytest.mark.parametrize("code", CODES)
def test_the_network_sees_superior_anterior_and_right_or_left_in_order(
    code: str,
) -> None:
    """Network axes are (z, y, x) of LAS: each runs the way its letter says."""
    scan = make_scan(code)
    oriented = orient(scan, orientation="LAS")
    world = nib.affines.apply_affine(
        scan.affine, np.argwhere(np.ones(scan.voxels.shape))
    ).reshape(*scan.voxels.shape, 3)
    for axis, (component, sign) in enumerate(((2, 1), (1, 1), (0, -1))):
        position = Scan(world[..., component].astype(np.float32), scan.affine)
        along = np.diff(orient(position, orientation="LAS").voxels, axis=axis)
        assert np.all(sign * along > 0)
        assert oriented.spacing[axis] == pytest.approx(abs(along.ravel()[0]))


@given(
    degrees=st.floats(-30, 30),
    code=st.sampled_from(CODES),
    model=st.sampled_from(["RAS", "LAS", "LPS"]),
)
@settings(max_examples=40, deadline=None)
def test_oblique_scans_come_back_unchanged(
    degrees: float, code: str, model: str
) -> None:
    scan = make_scan(code)
    angle = np.deg2rad(degrees)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    tilted = Scan(scan.voxels, turn @ scan.affine)
    oriented = orient(tilted, orientation=model)
    back = restore(oriented.voxels, oriented=oriented, shape=scan.voxels.shape)
    np.testing.assert_array_equal(back, scan.voxels)
    assert sorted(oriented.spacing) == pytest.approx([1.0, 2.0, 3.0])
