"""Run the folds one after another, with smaller steps when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.errors import TooLittleMemory
from inference.nnunet.memory import Rung, is_out_of_memory, make_ladder, release
from inference.nnunet.model import Model, choose_precision
from inference.nnunet.preprocess import Prepared
from inference.nnunet.sliding import Window, list_flips, make_window, predict_margin

# Voxels of a batch beyond which a device gains nothing, and the most inputs of it.
BATCH_VOXELS = {"cpu": 2**18, "cuda": 2**24}
MOST_INPUTS = {"cpu": 16, "cuda": 16}
# Below it, a tile of a GPU is so large that one keeps it as busy as two or three.
FEWEST_INPUTS = {"cpu": 1, "cuda": 4}


def choose_batch(*, patch: tuple[int, int, int], device: torch.device) -> int:
    """Return how many inputs of one pass a device makes good use of."""
    worth = BATCH_VOXELS[device.type] // int(np.prod(patch))
    few = worth < FEWEST_INPUTS[device.type]
    return 1 if few else min(MOST_INPUTS[device.type], worth)


def run_folds(
    *,
    prepared: Prepared,
    model: Model,
    mirror_axes: tuple[int, ...],
    step: float,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[list[NDArray[np.float32]], Rung, int]:
    """Return each fold's margin on the network's grid, the last rung, and the tiles.

    Where memory runs out, the fold at hand begins again one rung further down;
    folds that are finished stay. Raises TooLittleMemory when the last rung is too much.
    """
    ladder = iter(plan_ladder(model))
    rung, window = next(ladder), None
    count = len(model.networks)
    margins: list[NDArray[np.float32]] = []
    report = make_report(count=count, progress=progress)
    while len(margins) < count:
        try:
            window = window or place_window(
                prepared=prepared, model=model, rung=rung, step=step
            )
            margin = run_fold(
                model=model, fold=len(margins), window=window, rung=rung,
                mirror_axes=mirror_axes, report=report, cancelled=cancelled,
            )  # fmt: skip
            margins.append(margin)
            continue
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Only here, outside of the handler, does the failed pass let go of its memory.
        window = None
        release(rung.device)
        rung = step_down(ladder)
    tiles = 0 if window is None else len(window.tiles)
    return margins, rung, tiles


def plan_ladder(model: Model) -> list[Rung]:
    return make_ladder(
        device=model.device,
        batch=choose_batch(patch=model.plans.patch, device=model.device),
        least=1,
        folds=len(model.networks),
    )


def step_down(ladder: Iterator[Rung]) -> Rung:
    """Return the next rung, or give up with a sentence."""
    try:
        return next(ladder)
    except StopIteration:
        raise TooLittleMemory from None


def place_window(
    *, prepared: Prepared, model: Model, rung: Rung, step: float
) -> Window:
    """Put the volume where its tiles are added up."""
    volume = torch.from_numpy(prepared.volume).to(rung.sums)
    return make_window(volume, patch=model.plans.patch, step=step)


def make_report(
    *, count: int, progress: Callable[[float, str], None] | None
) -> Callable[[int, float], None]:
    """Return a function for the part done of a fold; what it reports never falls."""
    reached = 0.0

    def report(fold: int, part: float) -> None:
        nonlocal reached
        reached = max(reached, (fold + part) / count)
        if progress is not None:
            progress(reached, f"fold {fold + 1} of {count}")

    return report


def run_fold(
    *,
    model: Model,
    fold: int,
    window: Window,
    rung: Rung,
    mirror_axes: tuple[int, ...],
    report: Callable[[int, float], None],
    cancelled: Callable[[], bool] | None,
) -> NDArray[np.float32]:
    """Return one fold's margin in main memory."""
    total = len(window.tiles) * len(list_flips(mirror_axes))
    done = 0

    def advance(inputs: int) -> None:
        nonlocal done
        done += inputs
        report(fold, done / total)

    with at_hand(model, fold=fold, rung=rung) as network:
        margin = predict_margin(
            network=network,
            window=window,
            device=rung.device,
            mirror_axes=mirror_axes,
            batch=rung.batch,
            precision=choose_running_precision(model, rung),
            advance=advance,
            cancelled=cancelled,
        )
    result: NDArray[np.float32] = margin.cpu().numpy()
    return result


def choose_running_precision(model: Model, rung: Rung) -> torch.dtype:
    """Return the model's precision, or the processor's own where it has none such."""
    if rung.device.type == model.device.type or model.precision != torch.float16:
        return model.precision
    return choose_precision(rung.device)


@contextmanager
def at_hand(model: Model, *, fold: int, rung: Rung) -> Iterator[nn.Module]:
    """Have one fold on the rung's device, beside the others or instead of them."""
    if model.device.type != "cpu":
        place_networks(model, fold=fold, rung=rung)
    # The size of tiles is fixed, so it pays to let CUDA measure its algorithms once.
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=True, allow_tf32=model.precision != torch.float32
    ):
        yield model.networks[fold]


def place_networks(model: Model, *, fold: int, rung: Rung) -> None:
    """Move the networks to where the rung wants them."""
    for number, network in enumerate(model.networks):
        here = rung.resident or number == fold
        network.to(rung.device if here else torch.device("cpu"))
    if not rung.resident:
        release(rung.device)
