"""Slide a network over a volume in batches of overlapping tiles."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from acvl_utils.cropping_and_padding.padding import pad_nd_image
from nnunetv2.inference.sliding_window_prediction import (
    compute_gaussian,
    compute_steps_for_sliding_window,
)
from torch import nn

from inference.errors import Cancelled
from inference.nnunet.lean import Lean

Tile = tuple[slice, slice, slice]
Piece = tuple[Tile, tuple[int, ...]]


def fold_margin(network: nn.Module) -> nn.Module:
    """Make a two-class network give one map: foreground minus background logit.

    The difference is folded into the last 1x1x1 convolution, so it costs nothing
    and halves all that follows; foreground is where the margin is above 0.
    """
    layers: Any = network.decoder.seg_layers  # type: ignore[union-attr]
    last = layers[-1]
    margin = nn.Conv3d(last.in_channels, 1, 1, 1, 0, bias=True)
    with torch.no_grad():
        margin.weight.copy_(last.weight[1:2] - last.weight[0:1])
        margin.bias.copy_(last.bias[1:2] - last.bias[0:1])  # type: ignore[union-attr]
    layers[-1] = margin
    return network


def list_tiles(
    *, shape: tuple[int, int, int], patch: tuple[int, int, int], step: float
) -> list[Tile]:
    """Return the tiles of nnU-Net's sliding window over a padded volume."""
    starts = compute_steps_for_sliding_window(shape, patch, step)
    return [
        (
            slice(a, a + patch[0]),
            slice(b, b + patch[1]),
            slice(c, c + patch[2]),
        )
        for a, b, c in itertools.product(*starts)
    ]


def list_flips(axes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the combinations of mirrored axes of (1, z, y, x), the empty one first."""
    return [
        tuple(axis + 1 for axis in chosen)
        for count in range(len(axes) + 1)
        for chosen in itertools.combinations(axes, count)
    ]


@dataclass(frozen=True)
class Window:
    """A volume padded for tiles, and the tiles, shared by all folds.

    `padded` is (1, z, y, x), `weight` nnU-Net's Gaussian over one tile, `norm` the
    sum of the weights at each voxel; `inner` cuts the padding off again.
    """

    padded: torch.Tensor
    inner: tuple[slice, ...]
    tiles: list[Tile]
    weight: torch.Tensor
    norm: torch.Tensor


def make_window(
    volume: torch.Tensor, *, patch: tuple[int, int, int], step: float
) -> Window:
    """Return the window over a volume (1, z, y, x), on the volume's device."""
    padded, inner = pad_nd_image(volume, patch, "constant", {"value": 0}, True, None)
    weight = compute_gaussian(
        patch, sigma_scale=1.0 / 8, value_scaling_factor=10, device=padded.device
    ).float()
    a, b, c = padded.shape[1:]
    tiles = list_tiles(shape=(a, b, c), patch=patch, step=step)
    norm = torch.zeros((a, b, c), dtype=torch.float32, device=padded.device)
    for tile in tiles:
        norm[tile] += weight
    return Window(padded, tuple(inner[1:]), tiles, weight, norm)


@torch.inference_mode()
def predict_margin(
    *,
    network: nn.Module,
    window: Window,
    device: torch.device,
    mirror_axes: tuple[int, ...],
    batch: int,
    precision: torch.dtype,
    advance: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> torch.Tensor:
    """Return the margin (float32, shape of the volume without channel) of one network.

    Up to `batch` tiles and mirrored copies of tiles go through the network on
    `device` at once; the weighted sums are float32, where the window lies. `advance`
    is told the inputs done; raises Cancelled when `cancelled` says so between batches.
    """
    flips = list_flips(mirror_axes)
    total = torch.zeros_like(window.norm)
    weight = window.weight / len(flips)
    work = [(tile, axes) for tile in window.tiles for axes in flips]
    for group in split(work, batch):
        if cancelled is not None and cancelled():
            raise Cancelled
        margins = run_group(
            network=network,
            inputs=[flip(window.padded[(slice(None), *tile)], axes)
                    for tile, axes in group],
            device=device,
            precision=precision,
        ).to(total.device)  # fmt: skip
        for (tile, axes), margin in zip(group, margins, strict=True):
            total[tile] += flip(margin, axes)[0] * weight
        if advance is not None:
            advance(len(group))
    return (total / window.norm)[window.inner]


def flip(tensor: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    return torch.flip(tensor, axes) if axes else tensor


def run_group(
    *,
    network: nn.Module,
    inputs: list[torch.Tensor],
    device: torch.device,
    precision: torch.dtype,
) -> torch.Tensor:
    """Return the margins (n, 1, z, y, x) of n inputs (1, z, y, x), in one pass."""
    stack = torch.stack(inputs).to(device)
    slow = precision == torch.float32 and device.type == "cpu" and len(inputs) == 1
    if slow and not isinstance(network, Lean):
        # A batch of one takes a slow path on processors, four times the time of two.
        stack = stack.repeat(2, 1, 1, 1, 1)
    with torch.autocast(
        device.type, dtype=precision, enabled=precision != torch.float32
    ):
        outputs: torch.Tensor = network(stack)
    return outputs[: len(inputs)].float()


def split(work: list[Piece], most: int) -> Iterator[list[Piece]]:
    """Yield groups of at most `most` that differ in size by one at the most."""
    count = -(-len(work) // most)
    bounds = [len(work) * part // count for part in range(count + 1)]
    for start, stop in itertools.pairwise(bounds):
        yield work[start:stop]
