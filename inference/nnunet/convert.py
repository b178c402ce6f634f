"""The short-lived program that opens an untrusted model and re-saves its weights.

Run as `python -m inference.nnunet.convert SOURCE TARGET` within limits; it writes the
model's plans, description and weights (safetensors) below TARGET, and report.json.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

from inference.errors import ModelError
from inference.nnunet import intake
from inference.nnunet.bundle import Fold, load_fold, save_weights
from inference.nnunet.plans import Plans, build_network, read_plans

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def convert(*, source: Path, target: Path) -> dict[str, Any]:
    """Take, check and re-save a model; what it is, for the register."""
    originals = target / "originals"
    originals.mkdir()
    digests = intake.take(source=source, target=originals)
    names = sorted(name for name in digests if name.endswith(".pth"))
    kinds = set()
    for name in names:
        fold = load_fold(originals / name)
        plans = read_plans(folder=originals, configuration=fold.configuration)
        keep(fold, plans=plans, name=name, target=target)
        kinds.add((fold.configuration, fold.mirror_axes))
    if len(kinds) != 1:
        raise ModelError(
            "The folds were trained in different configurations or with different "
            "mirroring; copy all files from one training."
        )
    for name in ("dataset.json", "plans.json"):
        shutil.copyfile(originals / name, target / name)
    shutil.rmtree(originals)
    return {
        "sources": digests,
        "folds": sorted({name.split("/")[0] for name in names}),
        "configuration": plans.configuration,
        "spacing_mm": list(plans.spacing),
        "patch": list(plans.patch),
        "network": plans.network,
        "orientation": plans.orientation,
        "mirror_axes": list(fold.mirror_axes),
    }


def keep(fold: Fold, *, plans: Plans, name: str, target: Path) -> None:
    """Prove that the weights fit the network, then write them anew."""
    check_weights(fold.weights, name=name)
    network = build_network(plans)
    try:
        network.load_state_dict(fold.weights)
    except RuntimeError as problem:
        raise ModelError(
            f"{fold.name} does not fit the network of plans.json; copy all files "
            "from one training."
        ) from problem
    path = (target / name).with_suffix(".safetensors")
    path.parent.mkdir(exist_ok=True)
    save_weights(fold=fold, path=path)


def check_weights(weights: dict[str, torch.Tensor], *, name: str) -> None:
    """Refuse what can't be the weights of a network."""
    for key, tensor in weights.items():
        if tensor.dtype not in FLOATS or tensor.is_sparse or tensor.is_meta:
            raise ModelError(f"{name}: {key} is no plain tensor of real numbers.")
        if not torch.isfinite(tensor).all():
            raise ModelError(f"{name}: {key} holds values that are not numbers.")


def main(arguments: list[str]) -> None:
    source, target = map(Path, arguments)
    try:
        report = convert(source=source, target=target)
    except ModelError as problem:
        report = {"refused": str(problem)}
    (target / "report.json").write_text(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1:])
