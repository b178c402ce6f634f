"""Model folders that tests write: real plans, seeded random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch

from inference.nnunet.plans import build_network, read_plans
from inference.training import DEMO_ENSEMBLE

CONFIGURATION = "3d_fullres"


def write_model(
    folder: Path,
    *,
    folds: int = 2,
    seed: int = 0,
    mirror_axes: tuple[int, ...] | None = (2,),
    orientation: str | None = "RPI",
    patch: tuple[int, int, int] | None = None,
) -> Path:
    """Write a trained model folder with random weights, cut in tiles of `patch`."""
    folder.mkdir(parents=True, exist_ok=True)
    content = json.loads((DEMO_ENSEMBLE / "plans.json").read_text())
    if patch is not None:
        content["configurations"][CONFIGURATION]["patch_size"] = list(patch)
    (folder / "plans.json").write_text(json.dumps(content))
    description = json.loads((DEMO_ENSEMBLE / "dataset.json").read_text())
    description.pop("image_orientation")
    if orientation is not None:
        description["image_orientation"] = orientation
    (folder / "dataset.json").write_text(json.dumps(description))
    for fold in range(folds):
        torch.manual_seed(seed + fold)
        network = build_network(read_plans(folder=folder, configuration=CONFIGURATION))
        write_checkpoint(folder, fold, network.state_dict(), mirror_axes)
    return folder


def write_checkpoint(
    folder: Path,
    fold: int,
    weights: dict[str, torch.Tensor],
    mirror_axes: tuple[int, ...] | None = (2,),
    name: str = "checkpoint_final.pth",
) -> Path:
    """Write one checkpoint as nnU-Net lays it out."""
    path = folder / f"fold_{fold}" / name
    path.parent.mkdir(exist_ok=True)
    torch.save(
        {
            "network_weights": weights,
            "init_args": {"configuration": CONFIGURATION, "fold": fold},
            "trainer_name": "nnUNetTrainer",
            "inference_allowed_mirroring_axes": mirror_axes,
        },
        path,
    )
    return path


def copy_demo(folder: Path) -> Path:
    """Copy the demo ensemble, so that a test may change it."""
    shutil.copytree(DEMO_ENSEMBLE, folder)
    return folder
