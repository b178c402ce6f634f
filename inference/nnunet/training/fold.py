"""Train one fold, validate it, and keep only what prediction needs."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inference.nnunet.plans import build_network, read_plans
from inference.nnunet.sliding import fold_margin, make_window, predict_margin
from inference.nnunet.training.prepare import CONFIGURATION, PLANS
from inference.nnunet.training.trainer import ShortTrainer, make_trainer
from inference.overlap import measure_dice


def train_fold(
    *, preprocessed: Path, fold: int, iterations: int, seed: int, out: Path
) -> dict[str, Any]:
    """Train and validate one fold; write its checkpoint below `out`.

    Returns the fold's number, validation Dice (mean over cases, on the networks'
    1 mm grid), number of validation cases and seconds.
    """
    torch.set_num_threads(1)
    started = time.monotonic()
    plans = json.loads((preprocessed / f"{PLANS}.json").read_text())
    description = json.loads((preprocessed / "dataset.json").read_text())
    trainer = make_trainer(
        plans=plans,
        configuration=CONFIGURATION,
        fold=fold,
        dataset_json=description,
        iterations=iterations,
        seed=seed + fold,
    )
    trainer.run_training()
    out.mkdir(parents=True, exist_ok=True)
    copy_plans(preprocessed=preprocessed, out=out)
    folder = out / f"fold_{fold}"
    folder.mkdir(exist_ok=True)
    save_checkpoint(trainer=trainer, path=folder / "checkpoint_final.pth")
    scores = validate(trainer=trainer, out=out)
    return {
        "fold": fold,
        "validation_dice": round(float(np.mean(scores)), 4),
        "validation_cases": len(scores),
        "seconds": round(time.monotonic() - started),
    }


def copy_plans(*, preprocessed: Path, out: Path) -> None:
    """Put plans and data set description beside the folds, as nnU-Net does."""
    (out / "plans.json").write_bytes((preprocessed / f"{PLANS}.json").read_bytes())
    (out / "dataset.json").write_bytes((preprocessed / "dataset.json").read_bytes())


def save_checkpoint(*, trainer: ShortTrainer, path: Path) -> None:
    """Write weights in half precision, each shared tensor once, without optimiser.

    A residual encoder names every tensor several times; the copies must stay
    aliases of one storage or the file grows threefold.
    """
    halves: dict[int, torch.Tensor] = {}
    weights = {}
    for name, tensor in trainer.network.state_dict().items():
        key = tensor.data_ptr()
        if key not in halves:
            halves[key] = tensor.detach().half().contiguous().clone()
        weights[name] = halves[key]
    content = {
        "network_weights": weights,
        "init_args": {"configuration": CONFIGURATION, "fold": trainer.fold},
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": trainer.inference_allowed_mirroring_axes,
        "current_epoch": 0,
    }
    torch.save(content, path)


def validate(*, trainer: ShortTrainer, out: Path) -> list[float]:
    """Return the Dice of every validation case of the fold.

    Without mirroring and with tiles a little further apart than in the product,
    which halves the time.
    """
    plans = read_plans(folder=out, configuration=CONFIGURATION)
    network = build_network(plans)
    network.load_state_dict(trainer.network.state_dict())
    fold_margin(network).eval()
    _, cases = trainer.get_tr_and_val_datasets()
    scores = []
    for name in cases.identifiers:
        image, truth, _, _ = cases.load_case(name)
        volume = torch.from_numpy(np.asarray(image[:], dtype=np.float32))
        margin = predict_margin(
            network=network,
            window=make_window(volume, patch=plans.patch, step=0.75),
            device=torch.device("cpu"),
            mirror_axes=(),
            batch=4,
            precision=torch.float32,
        )
        scores.append(measure_dice(margin.numpy() > 0, np.asarray(truth[0])))
    return scores


def main() -> None:
    """Train the fold named on the command line and print its result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preprocessed", type=Path, required=True)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    result = train_fold(**vars(arguments))
    (arguments.out / f"fold_{arguments.fold}" / "result.json").write_text(
        json.dumps(result)
    )


if __name__ == "__main__":
    main()
