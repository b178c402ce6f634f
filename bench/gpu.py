"""How long a full-size network takes on a GPU, beside stock nnU-Net, if there is one.

The network is nnU-Net's large residual encoder with tiles of 192³ voxels and random
weights, which take the same time as trained ones.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import stock
from bench.prediction import ORIENTATION, write_clinical
from bench.rows import Row
from config.demo import DEMO_ENSEMBLE
from inference import engine
from inference.engine import PredictedMask, Settings

CONFIGURATION = "3d_fullres"
FOLDS = (0, 1, 2, 3, 4)
PEER = "stock, five folds in one call"


@dataclass(frozen=True)
class Size:
    """How large a network is: its tile, the features of each stage and its blocks."""

    patch: tuple[int, int, int] = (192, 192, 192)
    features: tuple[int, ...] = (32, 64, 128, 256, 320, 320)
    blocks: tuple[int, ...] = (1, 3, 4, 6, 6, 6)


def run(part: str | None = None) -> list[Row]:
    import torch

    if not torch.cuda.is_available():
        print(
            "gpu: no CUDA device is at hand, so nothing was measured", file=sys.stderr
        )
        return []
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        model = write_model(Path(folder) / "model", size=Size(), folds=FOLDS)
        for name in ("sagittal", "axial") if part is None else (part,):
            (home := Path(folder) / name).mkdir()
            image = write_clinical(name, home)
            for mirroring in (False, True):
                rows += measure(
                    name, image, model=model, mirroring=mirroring, device="cuda"
                )
    return rows


def write_model(folder: Path, *, size: Size, folds: tuple[int, ...]) -> Path:
    """A trained model folder as nnU-Net lays it out, its weights random."""
    import torch

    from inference.nnunet.plans import build_network, read_plans

    folder.mkdir(parents=True)
    plans = json.loads((DEMO_ENSEMBLE / "plans.json").read_text())
    change_plans(plans["configurations"][CONFIGURATION], size=size)
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_bytes((DEMO_ENSEMBLE / "dataset.json").read_bytes())
    for fold in folds:
        torch.manual_seed(fold)
        network = build_network(read_plans(folder=folder, configuration=CONFIGURATION))
        (folder / f"fold_{fold}").mkdir()
        content = {
            "network_weights": network.state_dict(),
            "init_args": {"configuration": CONFIGURATION, "fold": fold},
            "trainer_name": "nnUNetTrainer",
            "inference_allowed_mirroring_axes": (0, 1, 2),
        }
        torch.save(content, folder / f"fold_{fold}" / "checkpoint_final.pth")
    return folder


def change_plans(configuration: dict[str, Any], *, size: Size) -> None:
    stages = len(size.features)
    configuration["patch_size"] = list(size.patch)
    configuration["architecture"]["arch_kwargs"].update(
        n_stages=stages,
        features_per_stage=list(size.features),
        kernel_sizes=[[3, 3, 3]] * stages,
        strides=[[1, 1, 1]] + [[2, 2, 2]] * (stages - 1),
        n_blocks_per_stage=list(size.blocks),
        n_conv_per_stage_decoder=[1] * (stages - 1),
    )


def measure(
    name: str, image: Path, *, model: Path, mirroring: bool, device: str
) -> list[Row]:
    """Time, memory and cases an hour; the first prediction chooses algorithms."""
    settings = Settings(mirroring=mirroring, device=device)
    result = predict(image, model=model, settings=settings)
    reset_peak(device)
    seconds = stock.timed(lambda: predict(image, model=model, settings=settings))
    memory = read_peak(device)
    turned = stock.turn(image, orientation=ORIENTATION)
    predictor = stock.load_predictor(
        model, folds=FOLDS, device=device, mirroring=mirroring
    )
    stock.time_sequential(predictor, turned)
    reset_peak(device)
    theirs = stock.time_sequential(predictor, turned)
    how = describe(result, mirroring=mirroring)
    return [
        Row(f"{name}: large network, file to file", seconds, "s", how,
            peer=PEER, peer_value=theirs),
        Row(f"{name}: large network, cases an hour", 3600 / seconds, "/h", how,
            peer=PEER, peer_value=3600 / theirs),
        Row(f"{name}: large network, most memory", memory, "GiB", how,
            peer=PEER, peer_value=read_peak(device)),
    ]  # fmt: skip


def predict(image: Path, *, model: Path, settings: Settings) -> PredictedMask:
    result = engine.predict(image=image, ensemble=model, settings=settings)
    engine.write_mask(array=result.mask, like=image, out=image.with_name("ours.nii.gz"))
    return result


def reset_peak(device: str) -> None:
    import torch

    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()


def read_peak(device: str) -> float:
    """GiB that the GPU held at most since the last reset."""
    import torch

    if device == "cpu":
        return 0.0
    return float(torch.cuda.max_memory_allocated()) / 2**30


def describe(result: PredictedMask, *, mirroring: bool) -> str:
    facts = result.provenance
    return (
        f"{facts['device_name']}, {facts['precision']}, {facts['tiles']} tiles, "
        f"{facts['folds']} folds, mirroring {'on' if mirroring else 'off'}, "
        f"memory {facts['memory']}"
    )
