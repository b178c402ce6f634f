"""Load every fold of a trained model onto a device, and choose device and precision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from inference.errors import ModelError
from inference.nnunet import interleaved, lean
from inference.nnunet.bundle import (
    find_model_folder,
    find_suffix,
    list_weights,
    load_fold,
)
from inference.nnunet.memory import keep_freed
from inference.nnunet.plans import Plans, build_network, read_plans
from inference.nnunet.sliding import fold_margin
from inference.nnunet.trial import choose_by_trial

PRECISIONS = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


@dataclass(frozen=True)
class Model:
    """The networks of all folds, resident on one device.

    `folds` gives the SHA-256 of each fold's checkpoint, `checkpoints` whether it is
    the best or the final one.
    """

    plans: Plans
    networks: tuple[nn.Module, ...]
    mirror_axes: tuple[int, ...]
    folds: dict[str, str]
    checkpoints: dict[str, str]
    device: torch.device
    precision: torch.dtype


def choose_device(name: str) -> torch.device:
    """Return the device named, or the fastest one for "auto"."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as problem:
        raise ModelError(
            f"There is no device {name!r}; choose auto, cpu, cuda or cuda:1."
        ) from problem
    if device.type not in ("cpu", "cuda"):
        raise ModelError(
            f"The device {name!r} is not supported; choose auto, cpu or cuda."
        )
    count = torch.cuda.device_count() if device.type == "cuda" else 0
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ModelError(
            f"The CUDA device {name!r} is not available: this machine shows {count}. "
            "Choose the device 'cpu', or run the worker where the GPU is."
        )
    return device


def choose_precision(device: torch.device, name: str = "auto") -> torch.dtype:
    """Return the precision named; "auto" is the one that the device should be best at.

    That is half precision on CUDA, bfloat16 on processors with it, else float32.
    """
    if name != "auto":
        if name == "float16" and device.type == "cpu":
            raise ModelError(
                "The precision float16 needs a CUDA device; choose float32 or bfloat16."
            )
        return PRECISIONS[name]
    if device.type == "cuda":
        return torch.float16
    has_bfloat16 = (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )
    return torch.bfloat16 if has_bfloat16 else torch.float32


def load_model(
    *, folder: Path, prefers: str, device: str = "auto", precision: str = "auto"
) -> Model:
    """Load every fold of a trained model folder, best or final as preferred.

    Raises ModelError when a file is missing, unsafe or not supported.
    """
    place = choose_device(device)
    root = find_model_folder(folder)
    paths = list_weights(folder=root, prefers=prefers, suffix=find_suffix(root))
    folds = [load_fold(path) for path in paths]
    plans = read_plans(folder=root, configuration=folds[0].configuration)
    networks = []
    for fold in folds:
        network = build_network(plans)
        try:
            network.load_state_dict(fold.weights)
        except RuntimeError as problem:
            raise ModelError(
                f"{fold.name} does not fit the network of plans.json; copy all files "
                "from one training."
            ) from problem
        networks.append(fold_margin(network).float().eval())
    chosen = choose_precision(place, precision)
    if place.type == "cuda" and interleaved.is_worth_it(plans.patch):
        networks = [interleaved.interleave(one) for one in networks]
    if place.type == "cpu":
        keep_freed()
    if precision == "auto" and chosen == torch.bfloat16:
        chosen = choose_by_trial()
    if place.type == "cpu" and lean.is_possible(chosen):
        networks = [lean.make_lean(one, precision=chosen) for one in networks]
    return Model(
        plans=plans,
        networks=tuple(networks),
        mirror_axes=folds[0].mirror_axes,
        folds={fold.name: fold.digest for fold in folds},
        checkpoints={fold.name: fold.checkpoint for fold in folds},
        device=place,
        precision=chosen,
    )


def name_gpu(device: str) -> str:
    """Return the name that a CUDA device gives itself."""
    return str(torch.cuda.get_device_name(device))
