"""The one function: rules, maps, geometry, progress, cancelling, provenance."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from django.conf import settings

from inference.engine import PredictedMask, Settings, predict, write_mask, write_soft
from inference.errors import Cancelled, ImageError, ModelError
from tests.inference.models import write_model
from tests.inference.scans import load, write_small

SMALL = (24, 24, 16)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"), folds=3, seed=1, patch=SMALL)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "scan.nii.gz"
    return write_small(path, orientation="PSR", shape=(14, 26, 30))


@pytest.fixture(scope="module")
def predicted(model: Path, scan: Path) -> PredictedMask:
    return predict(image=scan, ensemble=model, settings=Settings(mirroring=False))


def test_maps_lie_on_exactly_the_images_grid(
    predicted: PredictedMask, scan: Path
) -> None:
    image = load(scan)
    for array in (predicted.mask, predicted.votes, predicted.soft):
        assert array.shape == image.shape
    np.testing.assert_array_equal(predicted.affine, image.affine)
    kinds = [array.dtype.name for array in (predicted.mask, predicted.votes)]
    assert kinds == ["uint8", "uint8"]
    assert predicted.soft.dtype.name == "float32"


def test_the_mask_is_where_more_than_half_of_the_folds_vote(
    predicted: PredictedMask,
) -> None:
    assert set(np.unique(predicted.votes)) >= {1, 2, 3}
    np.testing.assert_array_equal(predicted.mask, predicted.votes * 2 > 3)


def test_the_soft_map_is_above_zero_exactly_where_a_fold_votes(
    predicted: PredictedMask,
) -> None:
    np.testing.assert_array_equal(predicted.soft > 0, predicted.votes > 0)
    lowest = predicted.votes * 0.5 / 3
    assert np.all(predicted.soft >= lowest - 1e-6)
    assert np.all(predicted.soft <= predicted.votes / 3 + 1e-6)


def test_ties_of_an_even_number_of_folds_are_background(
    tmp_path: Path, scan: Path
) -> None:
    model = write_model(tmp_path / "two", folds=2, seed=1, patch=SMALL)
    result = predict(image=scan, ensemble=model, settings=Settings(mirroring=False))
    assert (result.votes == 1).any()
    np.testing.assert_array_equal(result.mask, result.votes == 2)


@pytest.mark.parametrize(("threshold", "least"), [(0.0, 1), (0.34, 2), (0.7, 3)])
def test_the_threshold_must_be_exceeded(
    model: Path, scan: Path, predicted: PredictedMask, threshold: float, least: int
) -> None:
    result = predict(
        image=scan,
        ensemble=model,
        settings=Settings(threshold=threshold, mirroring=False),
    )
    np.testing.assert_array_equal(result.mask, predicted.votes >= least)


def test_the_mean_of_logits_is_another_mask_than_the_majority(
    model: Path, scan: Path, predicted: PredictedMask
) -> None:
    result = predict(
        image=scan, ensemble=model, settings=Settings(rule="nnunet", mirroring=False)
    )
    np.testing.assert_array_equal(result.votes, predicted.votes)
    assert np.any(result.mask != predicted.mask)
    assert np.all(result.mask[result.votes == 3] == 1)
    assert np.all(result.mask[result.votes == 0] == 0)


def test_mirroring_follows_the_rule_and_the_axes_of_the_model(
    model: Path, scan: Path, predicted: PredictedMask
) -> None:
    paper = predict(image=scan, ensemble=model, settings=Settings())
    toolbox = predict(image=scan, ensemble=model, settings=Settings(rule="sct"))
    assert paper.provenance["settings"]["mirror_axes"] == [2]
    assert toolbox.provenance["settings"]["mirror_axes"] == []
    np.testing.assert_array_equal(toolbox.votes, predicted.votes)
    assert np.any(paper.soft != predicted.soft)


def test_the_answer_does_not_depend_on_the_order_of_storage(
    tmp_path: Path, model: Path, scan: Path, predicted: PredictedMask
) -> None:
    """The same anatomy stored in another axis order gives the same voxels."""
    other = write_small(
        tmp_path / "other.nii.gz", orientation="LIP", shape=(14, 26, 30)
    )
    result = predict(image=other, ensemble=model, settings=Settings(mirroring=False))
    one = nib.as_closest_canonical(nib.Nifti1Image(predicted.votes, predicted.affine))
    two = nib.as_closest_canonical(nib.Nifti1Image(result.votes, result.affine))
    np.testing.assert_array_equal(one.dataobj, two.dataobj)


def test_the_models_own_orientation_is_used(
    tmp_path: Path, scan: Path, predicted: PredictedMask
) -> None:
    """A model trained on the toolbox's default axes sees left and right exchanged."""
    default = write_model(
        tmp_path / "lpi", folds=3, seed=1, orientation=None, patch=SMALL
    )
    result = predict(image=scan, ensemble=default, settings=Settings(mirroring=False))
    assert np.any(result.votes != predicted.votes)


def test_progress_rises_to_one_and_names_the_fold(model: Path, scan: Path) -> None:
    heard: list[tuple[float, str]] = []
    predict(
        image=scan,
        ensemble=model,
        settings=Settings(mirroring=False),
        progress=lambda part, words: heard.append((part, words)),
    )
    parts = [part for part, _ in heard]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0.0, 1.0)
    assert heard[-1][1] == "fold 3 of 3"
    assert len(heard) >= 4


def test_cancelling_stops_at_the_next_batch(model: Path, scan: Path) -> None:
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(len(asked) >= 2)
        return asked[-1]

    with pytest.raises(Cancelled):
        predict(image=scan, ensemble=model, settings=Settings(), cancelled=cancelled)
    assert asked == [False, False, True]


def test_provenance_is_strict_json_and_names_what_was_used(
    predicted: PredictedMask,
) -> None:
    record = json.loads(json.dumps(predicted.provenance, allow_nan=False))
    assert record["folds"] == 3
    assert sorted(record["fold_digests"]) == ["fold_0", "fold_1", "fold_2"]
    assert len(record["model_digest"]) == len(record["input_digest"]) == 64
    assert record["settings"]["rule"] == "paper"
    assert record["settings"]["threshold"] == 0.5
    assert set(record["versions"]) >= {"torch", "nnunetv2"}
    assert record["blindfold"] == settings.VERSION
    assert record["seconds"] > 0


def test_the_same_input_gives_the_same_output_digest(
    model: Path, scan: Path, predicted: PredictedMask
) -> None:
    again = predict(image=scan, ensemble=model, settings=Settings(mirroring=False))
    for name in ("input_digest", "output_digest", "model_digest"):
        assert again.provenance[name] == predicted.provenance[name]


def test_the_written_mask_has_the_images_geometry_and_no_text(
    tmp_path: Path, scan: Path, predicted: PredictedMask
) -> None:
    write_mask(array=predicted.mask, like=scan, out=tmp_path / "mask.nii.gz")
    image, mask = load(scan), load(tmp_path / "mask.nii.gz")
    np.testing.assert_array_equal(mask.dataobj, predicted.mask)
    np.testing.assert_array_equal(mask.affine, image.affine)
    for kind in ("qform", "sform"):
        ours, code = getattr(mask, f"get_{kind}")(coded=True)
        theirs, wanted = getattr(image, f"get_{kind}")(coded=True)
        assert code == wanted
        np.testing.assert_array_equal(ours, theirs)
    assert mask.header.get_xyzt_units() == image.header.get_xyzt_units()
    assert mask.get_data_dtype().name == "uint8"
    assert bytes(mask.header["descrip"]).strip(b"\0") == b""


def test_the_soft_map_keeps_its_fractions(
    tmp_path: Path, scan: Path, predicted: PredictedMask
) -> None:
    write_soft(array=predicted.soft, like=scan, out=tmp_path / "soft.nii.gz")
    soft = load(tmp_path / "soft.nii.gz")
    np.testing.assert_array_equal(np.asarray(soft.dataobj), predicted.soft)


def test_a_mask_of_another_grid_is_not_written(tmp_path: Path, scan: Path) -> None:
    out = tmp_path / "mask.nii.gz"
    with pytest.raises(ImageError, match="does not fit"):
        write_mask(array=np.zeros((2, 2, 2), np.uint8), like=scan, out=out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rule": "mean"}, "rule 'mean'"),
        ({"threshold": 1.0}, "threshold 1.0"),
        ({"step": 0.0}, "step 0.0"),
    ],
)
def test_settings_without_meaning_are_refused(
    given: dict[str, str | float], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(**given)  # type: ignore[arg-type]


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, scan: Path) -> None:
    with pytest.raises(ModelError, match="holds 0 trained models"):
        predict(image=scan, ensemble=tmp_path, settings=Settings())
    with pytest.raises(ModelError, match="is no folder"):
        predict(image=scan, ensemble=tmp_path / "absent", settings=Settings())


def test_importing_the_engine_loads_neither_torch_nor_django() -> None:
    """The web process may import the engine; only a prediction needs torch."""
    code = (
        "import sys, inference.engine; "
        "sys.exit(bool({'torch', 'nnunetv2', 'django'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
