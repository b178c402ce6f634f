"""Our folds against nnU-Net's own predictor, the oracle, fold by fold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from nibabel import orientations
from numpy.typing import NDArray
from skimage import transform

from inference.engine import PredictedMask, Settings, predict
from inference.nnunet.resample import interpolate, make_stencil
from inference.overlap import measure_dice
from inference.training import DEMO_ENSEMBLE
from tests.inference.models import write_model
from tests.inference.scans import GEOMETRIES, load, write_scan, write_small

# nnU-Net's own predictor takes seconds a fold on a CPU
pytestmark = pytest.mark.slow

REAL = Path(__file__).parents[3] / "shared/data/spinal-cord/t2_fake_lesion.nii.gz"
PLAIN = Settings(mirroring=False, precision="float32")
FOLDS = 5
STOCK = "nnunetv2.inference.predict_from_raw_data"
LARGEST_SHARE = 1e-3
LARGEST_SHARE_IN_FULL_PRECISION = 1e-4


class FullPrecision:
    """torch as nnU-Net's predictor sees it, but with float32 for its half sums.

    nnU-Net adds up tiles in half precision. Random weights put so many voxels near
    zero that this rounding alone flips one in a thousand; without it the two
    programs must agree almost everywhere.
    """

    half = torch.float32

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


@pytest.fixture
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{STOCK}.torch", FullPrecision())


def vote_with_nnunet(
    *, image: Path, model: Path, folds: int, mirroring: bool, folder: Path
) -> NDArray[np.uint8]:
    """Return the sum of stock nnU-Net's binary masks, one call a fold: as published."""
    masks = [
        predict_with_nnunet(
            image=image, model=model, folds=(fold,), mirroring=mirroring, folder=folder
        )
        for fold in range(folds)
    ]
    votes: NDArray[np.uint8] = np.sum(masks, axis=0, dtype=np.uint8)
    return votes


def predict_with_nnunet(
    *, image: Path, model: Path, folds: tuple[int, ...], mirroring: bool, folder: Path
) -> NDArray[np.uint8]:
    """Return stock nnU-Net's mask from one call, on the image's own axes.

    nnU-Net ignores orientation, so the scan is brought to the model's (the toolbox's
    RPI, nibabel's LAS) and the mask back, as the published pipeline does.
    """
    stored = load(image)
    las = orientations.axcodes2ornt("LAS")
    own = orientations.io_orientation(stored.affine)
    turned = stored.as_reoriented(orientations.ornt_transform(own, las))
    nib.save(turned, folder / "case_0000.nii.gz")
    # Imported late: its import alone takes as long as a third of the fast tests.
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(
        use_mirroring=mirroring, device=torch.device("cpu"), allow_tqdm=False
    )
    predictor.initialize_from_trained_model_folder(str(model), use_folds=folds)
    predictor.predict_from_files_sequential(
        [[str(folder / "case_0000.nii.gz")]], [str(folder / "case")]
    )
    mask = load(folder / "case.nii.gz")
    back = mask.as_reoriented(orientations.ornt_transform(las, own))
    return np.asarray(back.dataobj, np.uint8)


def count_differences(
    ours: NDArray[np.uint8], theirs: NDArray[np.uint8], *, least: int = 300
) -> tuple[int, int]:
    """Return the number of differing votes, and of voxels where either has any."""
    union = int(((ours > 0) | (theirs > 0)).sum())
    assert union > least, "hardly anything was predicted, so nothing was compared"
    return int((ours != theirs).sum()), union


@pytest.mark.usefixtures("full_precision")
@pytest.mark.parametrize(
    ("orientation", "mirroring"), [("RAS", False), ("PSR", True), ("LIP", False)]
)
def test_random_weights_vote_as_in_nnunet(
    tmp_path: Path, orientation: str, mirroring: bool
) -> None:
    model = write_model(tmp_path / "model", folds=1, seed=1, patch=(24, 24, 16))
    image = write_small(tmp_path / "scan.nii.gz", orientation=orientation)
    ours = predict(
        image=image,
        ensemble=model,
        settings=Settings(mirroring=mirroring, precision="float32"),
    )
    theirs = vote_with_nnunet(
        image=image, model=model, folds=1, mirroring=mirroring, folder=tmp_path
    )
    different, union = count_differences(ours.votes, theirs)
    assert different <= LARGEST_SHARE_IN_FULL_PRECISION * union


@pytest.mark.usefixtures("full_precision")
@pytest.mark.parametrize("zooms", [(3.3, 0.6, 0.6), (0.7, 0.7, 4.5), (1.0, 1.0, 1.0)])
def test_thick_slices_vote_as_in_nnunet(
    tmp_path: Path, zooms: tuple[float, float, float]
) -> None:
    model = write_model(tmp_path / "model", folds=1, seed=1, patch=(24, 24, 16))
    image = write_small(
        tmp_path / "scan.nii.gz", orientation="PIR", shape=(12, 40, 44), zooms=zooms
    )
    ours = predict(image=image, ensemble=model, settings=PLAIN)
    theirs = vote_with_nnunet(
        image=image, model=model, folds=1, mirroring=False, folder=tmp_path
    )
    different, union = count_differences(ours.votes, theirs)
    assert different <= LARGEST_SHARE_IN_FULL_PRECISION * union


@pytest.mark.usefixtures("full_precision")
@pytest.mark.parametrize(
    ("shape", "zooms"),
    [((1, 40, 44), (3.0, 1.0, 1.0)), ((30, 34, 5), (1.0, 1.0, 12.0))],
)
def test_one_slice_and_slices_of_12_mm_vote_as_in_nnunet(
    tmp_path: Path, shape: tuple[int, int, int], zooms: tuple[float, float, float]
) -> None:
    model = write_model(tmp_path / "model", folds=1, seed=1, patch=(24, 24, 16))
    image = write_small(tmp_path / "scan.nii.gz", shape=shape, zooms=zooms)
    ours = predict(image=image, ensemble=model, settings=PLAIN)
    theirs = vote_with_nnunet(
        image=image, model=model, folds=1, mirroring=False, folder=tmp_path
    )
    different, union = count_differences(ours.votes, theirs)
    assert different <= LARGEST_SHARE_IN_FULL_PRECISION * union


@pytest.mark.usefixtures("full_precision")
def test_the_rule_nnunet_is_nnunets_own_answer_from_all_folds(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", folds=3, seed=1, patch=(24, 24, 16))
    image = write_small(tmp_path / "scan.nii.gz", orientation="PSR")
    settings = Settings(rule="nnunet", mirroring=False, precision="float32")
    ours = predict(image=image, ensemble=model, settings=settings)
    theirs = predict_with_nnunet(
        image=image, model=model, folds=(0, 1, 2), mirroring=False, folder=tmp_path
    )
    different, union = count_differences(ours.mask, theirs)
    assert different <= LARGEST_SHARE_IN_FULL_PRECISION * union
    majority = predict(image=image, ensemble=model, settings=PLAIN)
    assert np.any(majority.mask != ours.mask)


@dataclass(frozen=True)
class Compared:
    """One image of the test set, three ways."""

    plain: PredictedMask
    brief: PredictedMask
    stock: NDArray[np.uint8]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> list[Compared]:
    """Phantoms of every geometry, and a real scan where the reference data are."""
    folder = tmp_path_factory.mktemp("set")
    images = [
        keep_around_lesions(write_scan(folder / f"{number}.nii.gz", geometry=geometry))
        for number, geometry in enumerate(sorted(GEOMETRIES))
    ]
    if REAL.exists():
        images.append(REAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{STOCK}.torch", FullPrecision())
        return [compare_on(image, folder=folder) for image in images]


def keep_around_lesions(image: Path, *, reach_mm: float = 32.0) -> Path:
    """Cut the phantom down to some tiles: nnU-Net takes minutes for the whole."""
    whole, truth = load(image), load(image.with_name("truth.nii.gz"))
    middle = np.argwhere(np.asarray(truth.dataobj)).mean(axis=0)
    reach = reach_mm / np.array(whole.header.get_zooms())
    low, high = np.maximum(middle - reach, 0).astype(int), (middle + reach).astype(int)
    part = whole.slicer[tuple(map(slice, low, high))]
    nib.save(nib.Nifti1Image(np.asarray(part.dataobj), part.affine, part.header), image)
    return image


def compare_on(image: Path, *, folder: Path) -> Compared:
    plain, brief = (
        predict(
            image=image,
            ensemble=DEMO_ENSEMBLE,
            settings=Settings(mirroring=False, precision=precision),
        )
        for precision in ("float32", "bfloat16")
    )
    stock = vote_with_nnunet(
        image=image, model=DEMO_ENSEMBLE, folds=FOLDS, mirroring=False, folder=folder
    )
    return Compared(plain, brief, stock)


def test_the_demo_ensemble_votes_as_in_nnunet(cohort: list[Compared]) -> None:
    different = sum(int((one.plain.votes != one.stock).sum()) for one in cohort)
    union = sum(int(((one.plain.votes + one.stock) > 0).sum()) for one in cohort)
    assert union > 1000
    assert different <= LARGEST_SHARE * union


def test_the_demo_ensembles_masks_are_nnunets_majority(cohort: list[Compared]) -> None:
    pairs = [(one.plain.mask > 0, one.stock * 2 > FOLDS) for one in cohort]
    different = sum(int((ours != theirs).sum()) for ours, theirs in pairs)
    union = sum(int((ours | theirs).sum()) for ours, theirs in pairs)
    assert union > 300
    assert different <= LARGEST_SHARE_IN_FULL_PRECISION * union


def test_half_the_digits_change_next_to_nothing(cohort: list[Compared]) -> None:
    """bfloat16, which processors compute several times faster than float32."""
    scores = [measure_dice(one.brief.mask, one.plain.mask) for one in cohort]
    assert {one.brief.provenance["precision"] for one in cohort} == {"bfloat16"}
    assert np.mean(scores) >= 0.99


@pytest.mark.parametrize(
    ("source", "target"), [(48, 96), (50, 37), (7, 7), (11, 64), (1, 5)]
)
def test_interpolation_equals_the_resize_that_nnunet_uses(
    source: int, target: int
) -> None:
    rng = np.random.default_rng(source)
    volume = rng.standard_normal((source, 6, 5))
    resize: Any = transform.resize
    expected = resize(volume, (target, 9, 3), 1, mode="edge", anti_aliasing=False)
    stencils = [
        make_stencil(source=a, target=b, nearest=False)
        for a, b in zip(volume.shape, expected.shape, strict=True)
    ]
    everything = (slice(0, target), slice(0, 9), slice(0, 3))
    ours = interpolate(volume, stencils=stencils, reach=everything)
    np.testing.assert_allclose(ours, expected, atol=1e-12)
