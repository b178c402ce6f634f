"""Find a trained model's files, and load or re-save its weights without its code."""

from __future__ import annotations

import _codecs
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import save_file

from inference.errors import ModelError

FOLD = re.compile(r"fold_(\d{1,3}|all)$")
PREFERENCES = {"best": ("best", "final"), "final": ("final", "best")}
MOST_FOLDS = 255
FORMAT = "1"
# The function numpy's scalars are rebuilt with, wherever this version keeps it.
SCALAR = np.float64(0).__reduce__()[0]
# All that a genuine nnU-Net checkpoint names beside tensors.
SAFE: list[Any] = [
    SCALAR,
    (SCALAR, "numpy.core.multiarray.scalar"),
    np.dtype,
    np.dtypes.Float32DType,
    np.dtypes.Float64DType,
    np.dtypes.Int64DType,
    _codecs.encode,
]
# What torch raises on a file that is damaged, or that holds more than it may.
REFUSALS = (
    UnpicklingError, RuntimeError, EOFError, OSError, LookupError, TypeError,
    ValueError, AttributeError, ImportError,
)  # fmt: skip


@dataclass(frozen=True)
class Fold:
    """The weights of one cross-validation fold.

    `digest` is the SHA-256 of the checkpoint that nnU-Net's training wrote, also
    after the weights were re-saved; `checkpoint` is "best" or "final".
    """

    name: str
    checkpoint: str
    weights: dict[str, torch.Tensor]
    configuration: str
    mirror_axes: tuple[int, ...]
    digest: str


def find_model_folder(path: Path) -> Path:
    """Return the folder with plans.json: `path` itself or its only such child."""
    if (path / "plans.json").is_file():
        return path
    found = sorted(child.parent for child in path.glob("*/plans.json"))
    if len(found) != 1:
        raise ModelError(
            f"{path} holds {len(found)} trained models; name the folder that contains "
            "plans.json, dataset.json and the fold_* folders."
        )
    return found[0]


def list_folds(folder: Path) -> list[Path]:
    """Return the folders of the folds by their number."""
    folds = [path for path in folder.iterdir() if FOLD.match(path.name)]
    if not folds:
        raise ModelError(f"{folder} holds no fold_* folder; copy the trained folds.")
    if len(folds) > MOST_FOLDS:
        raise ModelError(f"{folder} holds more than {MOST_FOLDS} folds.")
    return sorted(folds, key=lambda path: (path.name == "fold_all", number(path)))


def number(fold: Path) -> int:
    digits = fold.name.removeprefix("fold_")
    return int(digits) if digits.isdigit() else 0


def list_weights(*, folder: Path, prefers: str, suffix: str) -> list[Path]:
    """Return one file of weights a fold, "best" or "final" as preferred.

    `suffix` is .safetensors for a model that was taken in here, .pth for one as
    nnU-Net's training wrote it.
    """
    chosen = []
    for fold in list_folds(folder):
        paths = [fold / f"checkpoint_{name}{suffix}" for name in PREFERENCES[prefers]]
        present = [path for path in paths if path.is_file()]
        if not present:
            raise ModelError(
                f"{fold.name} holds no checkpoint_final{suffix} or _best{suffix}."
            )
        chosen.append(present[0])
    return chosen


def find_suffix(folder: Path) -> str:
    """Return the kind of weights in a model folder; re-saved ones come first."""
    resaved = any(folder.glob("fold_*/checkpoint_*.safetensors"))
    return ".safetensors" if resaved else ".pth"


def load_fold(path: Path) -> Fold:
    """Load one file of weights of either kind."""
    resaved = path.suffix == ".safetensors"
    return open_weights(path) if resaved else load_checkpoint(path)


def load_checkpoint(path: Path) -> Fold:
    """Load a checkpoint of nnU-Net's, refusing every pickle that could run code."""
    try:
        with torch.serialization.safe_globals(SAFE):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except REFUSALS as problem:
        raise ModelError(
            f"{say(path)} is damaged or holds more than weights, so it was not opened; "
            "export the model again from nnU-Net."
        ) from problem
    try:
        weights = {
            str(key).removeprefix("module."): value
            for key, value in content["network_weights"].items()
        }
        configuration = str(content["init_args"]["configuration"])
    except (KeyError, TypeError, AttributeError) as problem:
        raise ModelError(
            f"{say(path)} is no nnU-Net checkpoint: {problem} is missing."
        ) from problem
    if not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise ModelError(f"{say(path)} is no nnU-Net checkpoint: not all are tensors.")
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Fold(
        name=path.parent.name,
        checkpoint=read_kind(path),
        weights=weights,
        configuration=configuration,
        mirror_axes=read_axes(content.get("inference_allowed_mirroring_axes")),
        digest=digest,
    )


def say(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def read_kind(path: Path) -> str:
    return path.stem.removeprefix("checkpoint_")


def read_axes(given: Any) -> tuple[int, ...]:
    """Return the mirrored axes, each once."""
    axes = given if isinstance(given, (tuple, list)) else ()
    return tuple(sorted({int(axis) for axis in axes if axis in (0, 1, 2)}))


def save_weights(*, fold: Fold, path: Path) -> None:
    """Write a fold's weights as safetensors, equal tensors once.

    A residual encoder names every tensor three or four times; the other names are
    kept in the file's own description, as are configuration, axes and digest.
    """
    kept: dict[str, torch.Tensor] = {}
    owners: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for name, tensor in sorted(fold.weights.items()):
        owner = owners.setdefault(identify(tensor), name)
        if owner == name:
            kept[name] = tensor.detach().contiguous().clone()
        else:
            aliases[name] = owner
    description = {
        "format": FORMAT,
        "configuration": fold.configuration,
        "mirror_axes": json.dumps(fold.mirror_axes),
        "source_sha256": fold.digest,
        "aliases": json.dumps(aliases, sort_keys=True),
    }
    save_file(kept, path, metadata=description)


def identify(tensor: torch.Tensor) -> str:
    """Return what two equal tensors have in common."""
    values = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()
    facts = f"{tensor.dtype}{tuple(tensor.shape)}".encode()
    return hashlib.sha256(facts + values.tobytes()).hexdigest()


def open_weights(path: Path) -> Fold:
    """Open weights that `save_weights` wrote; nothing in such a file can run."""
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            described = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        aliases = json.loads(described["aliases"])
        weights |= {name: weights[owner] for name, owner in aliases.items()}
        return Fold(
            name=path.parent.name,
            checkpoint=read_kind(path),
            weights=weights,
            configuration=described["configuration"],
            mirror_axes=read_axes(json.loads(described["mirror_axes"])),
            digest=described["source_sha256"],
        )
    except (safetensors.SafetensorError, OSError, KeyError, ValueError) as problem:
        raise ModelError(
            f"{say(path)} is damaged; register the model again."
        ) from problem


def convert_model(*, source: Path, target: Path) -> None:
    """Re-save a trained model folder as one that predictions open.

    Both JSON files are copied; every best and final checkpoint becomes safetensors
    under the same name. `target` must not exist.
    """
    root = find_model_folder(source)
    target.mkdir(parents=True)
    for name in ("dataset.json", "plans.json"):
        if not (root / name).is_file():
            raise ModelError(f"{name} is missing in {root}.")
        shutil.copyfile(root / name, target / name)
    for fold in list_folds(root):
        found = [fold / f"checkpoint_{kind}.pth" for kind in PREFERENCES]
        present = [path for path in found if path.is_file()]
        if not present:
            raise ModelError(f"{fold.name} holds no checkpoint_final.pth or _best.pth.")
        (target / fold.name).mkdir()
        for path in present:
            resaved = target / fold.name / f"{path.stem}.safetensors"
            save_weights(fold=load_checkpoint(path), path=resaved)
