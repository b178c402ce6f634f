"""The same network with its channels side by side, for GPUs and large tiles."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import nn
from torch.nn import functional

CHANNELS_LAST = torch.channels_last_3d
# Voxels of a tile from which it was measured to be worth it.
LARGE = 96**3


def is_worth_it(patch: tuple[int, int, int]) -> bool:
    return patch[0] * patch[1] * patch[2] >= LARGE


class Norm(nn.Module):
    """Instance normalisation of one input as a batch normalisation of it alone.

    CUDA normalises each channel of an instance in one of its many processors, so that
    few channels leave most of them idle, and only where a channel lies in one piece.
    """

    def __init__(self, norm: nn.InstanceNorm3d) -> None:
        super().__init__()
        self.eps = norm.eps
        self.weight, self.bias = norm.weight, norm.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) == 1:
            return self.normalise(x)
        return torch.cat([self.normalise(one) for one in torch.split(x, 1)])

    def normalise(self, x: torch.Tensor) -> torch.Tensor:
        return functional.batch_norm(
            x, None, None, self.weight, self.bias, training=True, eps=self.eps
        )


def interleave(network: nn.Module) -> nn.Module:
    """Return the network with its steps replaced, in place; equal but for rounding."""
    for module in list(network.modules()):
        if isinstance(module, nn.Sequential):
            drop_biases(module)
            merge_pooling(module)
    made: dict[nn.Module, nn.Module] = {}
    for parent in list(network.modules()):
        # A U-Net names each step several times; every name has to get the new one.
        for name, child in list(parent._modules.items()):
            if isinstance(child, nn.InstanceNorm3d):
                setattr(parent, name, made.setdefault(child, Norm(child)))
    network.to(memory_format=CHANNELS_LAST)  # type: ignore[call-overload]
    return network


def drop_biases(steps: nn.Sequential) -> None:
    """A normalisation takes off whatever was added to a whole channel before it."""
    for step, following in itertools.pairwise(steps):
        if isinstance(step, nn.Conv3d) and isinstance(following, nn.InstanceNorm3d):
            step.bias = None


def merge_pooling(steps: nn.Sequential) -> None:
    """Let a 1x1x1 convolution behind a mean over blocks take the mean itself.

    CUDA's mean wants its channels apart.
    """
    if len(steps) != 2 or not isinstance(steps[0], nn.AvgPool3d):
        return
    step: Any = steps[1]
    conv = getattr(step, "conv", None)
    block = spread(steps[0].kernel_size)
    if not isinstance(conv, nn.Conv3d) or conv.kernel_size != (1, 1, 1):
        return
    if spread(steps[0].stride) != block or any(spread(steps[0].padding)):
        return
    weight = (conv.weight / torch.tensor(block).prod()).expand(-1, -1, *block)
    conv.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
    conv.kernel_size, conv.stride = block, block
    steps[0] = nn.Identity()


def spread(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size,) * 3 if isinstance(size, int) else tuple(size)
