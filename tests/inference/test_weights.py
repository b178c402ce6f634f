"""Weights re-saved without their pickle: the same numbers, and nothing that can run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from inference.engine import Settings, predict
from inference.errors import ModelError
from inference.nnunet.bundle import convert_model, list_folds, load_fold
from inference.training import DEMO_ENSEMBLE
from tests.inference.models import write_checkpoint, write_model
from tests.inference.scans import write_small


def test_resaved_weights_are_the_checkpoints_numbers(tmp_path: Path) -> None:
    convert_model(source=DEMO_ENSEMBLE, target=tmp_path / "demo")
    for fold in list_folds(DEMO_ENSEMBLE):
        before = load_fold(fold / "checkpoint_final.pth")
        after = load_fold(
            tmp_path / "demo" / fold.name / "checkpoint_final.safetensors"
        )
        assert set(after.weights) == set(before.weights)
        for name, tensor in before.weights.items():
            assert torch.equal(after.weights[name], tensor)
        assert (after.digest, after.mirror_axes) == (before.digest, before.mirror_axes)
        assert after.configuration == before.configuration


def test_a_tensor_with_several_names_is_written_once(tmp_path: Path) -> None:
    convert_model(source=DEMO_ENSEMBLE, target=tmp_path / "demo")
    sizes = [
        (folder / "fold_0" / f"checkpoint_final{suffix}").stat().st_size
        for folder, suffix in (
            (DEMO_ENSEMBLE, ".pth"),
            (tmp_path / "demo", ".safetensors"),
        )
    ]
    assert sizes[1] < 1.1 * sizes[0]


@pytest.mark.slow
def test_both_kinds_of_file_predict_the_same(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", folds=2, patch=(24, 24, 16))
    write_checkpoint(
        model,
        1,
        load_fold(model / "fold_0" / "checkpoint_final.pth").weights,
        name="checkpoint_best.pth",
    )
    convert_model(source=model, target=tmp_path / "resaved")
    image = write_small(tmp_path / "scan.nii.gz", shape=(14, 26, 30))
    one, two = (
        predict(image=image, ensemble=folder, settings=Settings(mirroring=False))
        for folder in (model, tmp_path / "resaved")
    )
    np.testing.assert_array_equal(one.votes, two.votes)
    np.testing.assert_array_equal(one.soft, two.soft)
    for fact in ("model_digest", "fold_digests", "checkpoints", "output_digest"):
        assert one.provenance[fact] == two.provenance[fact]
    assert two.provenance["checkpoints"] == {"fold_0": "final", "fold_1": "best"}


def test_damaged_weights_are_refused_with_their_name(tmp_path: Path) -> None:
    convert_model(
        source=write_model(tmp_path / "model", folds=1), target=tmp_path / "a"
    )
    path = tmp_path / "a" / "fold_0" / "checkpoint_final.safetensors"
    content = path.read_bytes()
    for damage in (content[:100], content[: len(content) // 2], b"", b"\xff" * 64):
        path.write_bytes(damage)
        with pytest.raises(
            ModelError, match=r"fold_0/checkpoint_final\.safetensors is"
        ):
            load_fold(path)


def test_folds_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("fold_10", "fold_2", "fold_all", "fold_0", "fold_x", "notes"):
        (tmp_path / name).mkdir()
    names = [fold.name for fold in list_folds(tmp_path)]
    assert names == ["fold_0", "fold_2", "fold_10", "fold_all"]
