"""Predict one scan with every fold of a model and combine them by a named rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.nnunet.folds import choose_running_precision, run_folds
from inference.nnunet.geometry import Oriented, Scan, orient, restore
from inference.nnunet.memory import Rung
from inference.nnunet.model import Model
from inference.nnunet.plans import Plans
from inference.nnunet.preprocess import Prepared, prepare
from inference.nnunet.resample import (
    Box,
    Stencil,
    interpolate,
    list_reaches,
    make_stencils,
)


@dataclass(frozen=True)
class Ready:
    """A scan brought to the model's axes and to what the networks see."""

    oriented: Oriented
    prepared: Prepared
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Maps:
    """Results on the scan's own grid, and how they came about.

    Votes 0..n, soft 0..1, mask in {0, 1}. `rung` is the way that fitted into memory,
    `seconds` how long the networks and the way back to the scan's grid took.
    """

    votes: NDArray[np.uint8]
    soft: NDArray[np.float32]
    mask: NDArray[np.uint8]
    rung: Rung
    precision: str
    tiles: int
    seconds: dict[str, float]


def make_ready(*, scan: Scan, plans: Plans) -> Ready:
    """Bring a scan to the model's axes, its spacing and its intensities."""
    oriented = orient(scan, orientation=plans.orientation)
    prepared = prepare(oriented, plans=plans)
    return Ready(oriented, prepared, scan.voxels.shape)


def predict_ready(
    *,
    ready: Ready,
    model: Model,
    rule: str,
    threshold: float,
    mirroring: bool,
    step: float,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Maps:
    """Return votes, soft map and mask on exactly the scan's grid and axis order."""
    started = time.monotonic()
    margins, rung, tiles = run_folds(
        prepared=ready.prepared,
        model=model,
        mirror_axes=model.mirror_axes if mirroring else (),
        step=step,
        progress=progress,
        cancelled=cancelled,
    )
    finished = time.monotonic()
    votes, soft, mask = combine_ready(
        margins=margins,
        ready=ready,
        plans=model.plans,
        rule=rule,
        threshold=threshold,
    )
    seconds = {"network": finished - started, "restore": time.monotonic() - finished}
    precision = str(choose_running_precision(model, rung)).removeprefix("torch.")
    return Maps(votes, soft, mask, rung, precision, tiles, seconds)


def combine_ready(
    *,
    margins: list[NDArray[np.float32]],
    ready: Ready,
    plans: Plans,
    rule: str,
    threshold: float,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
    """Return votes, soft map and mask on the scan's own grid and axis order."""
    native = combine(
        margins=margins,
        prepared=ready.prepared,
        plans=plans,
        rule=rule,
        threshold=threshold,
    )
    back = np.argsort(plans.transpose)
    votes, soft, mask = (
        restore(array.transpose(back), oriented=ready.oriented, shape=ready.shape)
        for array in native
    )
    return votes, soft, mask


def combine(
    *,
    margins: list[NDArray[np.float32]],
    prepared: Prepared,
    plans: Plans,
    rule: str,
    threshold: float,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
    """Return votes, soft map and mask on the native grid, along the network's axes.

    A fold votes for a voxel where its own native margin is above 0. The soft map is
    the mean over folds of the foreground probability where that fold votes, else 0.
    Rules "paper" and "sct": votes/n > threshold, strictly. Rule "nnunet": the mean
    of the folds' logits, resampled, foreground where it is the larger.
    """
    votes = np.zeros(prepared.full, dtype=np.uint8)
    soft = np.zeros(prepared.full, dtype=np.float32)
    mask = np.zeros(prepared.full, dtype=np.uint8)
    stencils = make_stencils(shape=margins[0].shape, prepared=prepared, plans=plans)
    for margin in margins:
        for place, value in bring_back(margin, prepared=prepared, stencils=stencils):
            voted = value > 0
            votes[place] += voted
            chance = 1 / (1 + np.exp(-value[voted]))
            soft[place][voted] += (chance / len(margins)).astype(np.float32)
    if rule == "nnunet":
        mean = np.asarray(np.mean(margins, axis=0, dtype=np.float64), np.float32)
        for place, value in bring_back(mean, prepared=prepared, stencils=stencils):
            mask[place] = value > 0
    else:
        exceeds = np.arange(len(margins) + 1) / len(margins) > threshold
        mask = exceeds.astype(np.uint8)[votes]
    return votes, soft, mask


def bring_back(
    margin: NDArray[np.float32], *, prepared: Prepared, stencils: list[Stencil]
) -> Iterator[tuple[Box, NDArray[np.float64]]]:
    """Yield places on the native grid and the margin there, all that are above 0."""
    for reach in list_reaches(margin > 0, stencils=stencils):
        a, b, c = (
            slice(box.start + part.start, box.start + part.stop)
            for box, part in zip(prepared.box, reach, strict=True)
        )
        yield (a, b, c), interpolate(margin, stencils=stencils, reach=reach)
