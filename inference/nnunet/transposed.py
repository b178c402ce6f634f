"""A transposed convolution whose blocks do not overlap, as one product of matrices."""

from __future__ import annotations

import torch
from torch import nn


def is_apart(conv: nn.ConvTranspose3d) -> bool:
    """Whether every voxel makes a block of its own, so that `Apart` can do it."""
    return (
        conv.kernel_size == conv.stride
        and conv.groups == 1
        and set(conv.dilation) == {1}
        and not any(map(int, conv.padding))
        and not any(conv.output_padding)
    )


class Apart(nn.Module):
    """A transposed convolution that makes of each voxel a block of its own.

    torch has a slow way for it in float32, whose result lies in another layout.
    """

    def __init__(self, conv: nn.ConvTranspose3d, *, precision: torch.dtype) -> None:
        super().__init__()
        self.block = tuple(conv.kernel_size)
        channels = conv.in_channels
        rows = conv.weight.detach().permute(0, 2, 3, 4, 1).reshape(channels, -1)
        self.weight = nn.Parameter(rows.to(precision), requires_grad=False)
        bias = torch.zeros(conv.out_channels) if conv.bias is None else conv.bias
        every = bias.detach().repeat(rows.shape[1] // conv.out_channels).to(precision)
        self.bias = nn.Parameter(every, requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the result (n, out, z·a, y·b, x·c) for an input (n, in, z, y, x)."""
        n, channels, *space = x.shape
        rows = x.to(self.weight.dtype).permute(0, 2, 3, 4, 1).reshape(-1, channels)
        blocks = torch.addmm(self.bias, rows, self.weight)
        # A voxel of the input and one of its block alternate along each axis.
        laid_out = blocks.view(n, *space, *self.block, -1).permute(
            0, 1, 4, 2, 5, 3, 6, 7
        )
        larger = [size * side for size, side in zip(space, self.block, strict=True)]
        return laid_out.reshape(n, *larger, -1).permute(0, 4, 1, 2, 3)
