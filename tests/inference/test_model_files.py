"""Model folders: what is accepted, what is refused, and that no code of theirs runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.errors import ModelError
from inference.nnunet.bundle import find_model_folder, list_weights, load_fold
from inference.nnunet.model import load_model
from inference.nnunet.plans import read_plans
from inference.nnunet.sliding import fold_margin
from inference.settings import Settings
from tests.inference.models import CONFIGURATION, write_checkpoint, write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", folds=1)


def change_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def change_network(model: Path, **arguments: Any) -> None:
    def change(plans: dict[str, Any]) -> None:
        architecture = plans["configurations"][CONFIGURATION]["architecture"]
        architecture["arch_kwargs"].update(arguments)

    change_json(model / "plans.json", change)


def test_a_model_is_loaded_with_its_orientation_and_mirror_axes(model: Path) -> None:
    loaded = load_model(folder=model, prefers="best", device="cpu")
    assert loaded.plans.orientation == "LAS"
    assert loaded.mirror_axes == (2,)
    assert len(loaded.networks) == 1
    assert loaded.precision in (torch.float32, torch.bfloat16)


@pytest.mark.parametrize(
    ("toolbox", "nibabel"),
    [("RPI", "LAS"), ("LPI", "RAS"), ("RAI", "LPS"), ("AIL", "PSR"), (None, "RAS")],
)
def test_the_toolboxs_letters_are_translated(
    tmp_path: Path, toolbox: str | None, nibabel: str
) -> None:
    folder = write_model(tmp_path / "model", folds=0, orientation=toolbox)
    plans = read_plans(folder=folder, configuration=CONFIGURATION)
    assert plans.orientation == nibabel


def test_the_margin_is_the_difference_of_the_two_logits(model: Path) -> None:
    loaded = load_model(folder=model, prefers="best", device="cpu", precision="float32")
    plans = read_plans(folder=model, configuration=CONFIGURATION)
    from inference.nnunet.plans import build_network

    network = build_network(plans).eval()
    network.load_state_dict(
        load_fold(model / "fold_0" / "checkpoint_final.pth").weights
    )
    tile = torch.randn(2, 1, 16, 16, 16)
    with torch.inference_mode():
        logits = network(tile)
        margin = loaded.networks[0](tile)
    assert margin.shape == (2, 1, 16, 16, 16)
    torch.testing.assert_close(
        margin[:, 0], logits[:, 1] - logits[:, 0], atol=1e-4, rtol=1e-4
    )
    assert fold_margin(network)(tile).shape[1] == 1


def test_the_paper_takes_the_best_checkpoint_and_the_toolbox_the_final_one(
    model: Path,
) -> None:
    weights = load_fold(model / "fold_0" / "checkpoint_final.pth").weights
    write_checkpoint(model, 0, weights, name="checkpoint_best.pth")
    names = {
        rule: list_weights(
            folder=model, prefers=Settings(rule=rule).prefers, suffix=".pth"
        )[0].name
        for rule in ("paper", "sct", "nnunet")
    }
    assert names == {
        "paper": "checkpoint_best.pth",
        "sct": "checkpoint_final.pth",
        "nnunet": "checkpoint_final.pth",
    }


def test_the_one_model_inside_a_folder_is_found(model: Path) -> None:
    assert find_model_folder(model.parent) == model
    write_model(model.parent / "second", folds=0)
    with pytest.raises(ModelError, match="holds 2 trained models"):
        find_model_folder(model.parent)


class Payload:
    """A pickle that makes a folder when it is opened."""

    def __init__(self, target: str) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.target,)


def test_a_checkpoint_that_would_run_code_is_not_opened(
    model: Path, tmp_path: Path
) -> None:
    path = model / "fold_0" / "checkpoint_final.pth"
    torch.save({"network_weights": Payload(str(tmp_path / "ran"))}, path)
    with pytest.raises(ModelError, match=r"fold_0/checkpoint_final\.pth .*not opened"):
        load_model(folder=model, prefers="best")
    assert not (tmp_path / "ran").exists()


def test_a_network_named_by_another_module_is_never_imported(
    model: Path, tmp_path: Path
) -> None:
    (model / "hubconf.py").write_text(f"import os; os.mkdir({str(tmp_path / 'ran')!r})")

    def change(plans: dict[str, Any]) -> None:
        architecture = plans["configurations"][CONFIGURATION]["architecture"]
        architecture["network_class_name"] = "torch.hub.load"
        architecture["arch_kwargs"] = {"repo_or_dir": str(model), "source": "local"}

    change_json(model / "plans.json", change)
    with pytest.raises(ModelError, match=r"'torch\.hub\.load'"):
        load_model(folder=model, prefers="best")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"conv_op": "os.system"}, "layer 'os.system'"),
        ({"n_stages": 40}, "40 network stages"),
        ({"features_per_stage": [8, 16, 24, 10**6]}, "from 1 to 1024"),
        ({"block": "evil"}, "unknown arguments: block"),
        ({"norm_op_kwargs": {"num_features": 3}}, "norm_op arguments"),
    ],
)
def test_network_arguments_outside_the_table_are_refused(
    model: Path, arguments: dict[str, Any], words: str
) -> None:
    change_network(model, **arguments)
    with pytest.raises(ModelError, match=words):
        load_model(folder=model, prefers="best")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("patch_size", [512, 512, 512], "too large"),
        ("spacing", [0.0, 1.0, 1.0], "three numbers"),
        ("patch_size", [64, 64], "3D"),
        ("normalization_schemes", ["os.system"], "normalisation 'os.system'"),
        ("resampling_fn_data", "evil", "resampling 'evil'"),
    ],
)
def test_plans_outside_the_bounds_are_refused(
    tmp_path: Path, field: str, value: Any, words: str
) -> None:
    folder = write_model(tmp_path / "model", folds=0)

    def change(plans: dict[str, Any]) -> None:
        plans["configurations"][CONFIGURATION][field] = value

    change_json(folder / "plans.json", change)
    with pytest.raises(ModelError, match=words):
        read_plans(folder=folder, configuration=CONFIGURATION)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"channel_names": {"0": "T1", "1": "T2"}}, "2 image channels"),
        ({"labels": {"background": 0, "a": 1, "b": 2}}, "labels 0"),
        ({"image_orientation": "XYZ"}, "no orientation"),
    ],
)
def test_data_set_descriptions_we_cannot_honour_are_refused(
    model: Path, change: dict[str, Any], words: str
) -> None:
    change_json(model / "dataset.json", lambda content: content.update(change))
    with pytest.raises(ModelError, match=words):
        load_model(folder=model, prefers="best")


def test_missing_and_foreign_files_are_named(model: Path) -> None:
    checkpoint = model / "fold_0" / "checkpoint_final.pth"
    write_checkpoint(model, 0, {"other": torch.zeros(1)})
    with pytest.raises(ModelError, match="fold_0 does not fit"):
        load_model(folder=model, prefers="best")
    torch.save({"state": {}}, checkpoint)
    with pytest.raises(ModelError, match="no nnU-Net checkpoint"):
        load_model(folder=model, prefers="best")
    checkpoint.unlink()
    with pytest.raises(ModelError, match="fold_0 holds no checkpoint"):
        load_model(folder=model, prefers="best")
    (model / "plans.json").write_text("{")
    with pytest.raises(ModelError, match=r"plans\.json is not valid JSON"):
        read_plans(folder=model, configuration=CONFIGURATION)
