"""A convolution of few channels, in which two neighbouring voxels are taken as one."""

from __future__ import annotations

import torch
from torch import nn

# Half of the float32 numbers of a wide vector; with more, pairs gain nothing.
FEW = 8
MANY = 16


def is_narrow(conv: nn.Conv3d) -> bool:
    """Whether `Narrow` can do a convolution, and in less time than it takes itself."""
    return (
        conv.in_channels <= MANY
        and conv.out_channels <= FEW
        and conv.kernel_size == (3, 3, 3)
        and set(conv.stride) == {1}
        and conv.padding == (1, 1, 1)
    )


class Narrow(nn.Module):
    """A 3x3x3 convolution with unit steps and zeros around, of at most 8 channels.

    oneDNN fills its vectors with channels, and 8 of them leave half empty. Channels
    last, a row of n voxels with c channels is in memory a row of n/2 pairs with 2c.
    A pair of results depends on the voxel before, the pair and the voxel after: with
    one zero before the row these are two pairs, so that a kernel of two is enough.
    """

    def __init__(self, conv: nn.Conv3d, *, precision: torch.dtype) -> None:
        super().__init__()
        weight = pair_up(conv.weight.detach()).to(precision)
        self.weight = nn.Parameter(
            weight.contiguous(memory_format=torch.channels_last_3d), requires_grad=False
        )
        self.bias = None
        if conv.bias is not None:
            bias = conv.bias.detach().repeat(2).to(precision)
            self.bias = nn.Parameter(bias, requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the result (n, out, z, y, x) for an input (n, in, z, y, x)."""
        n, channels, depth, height, width = x.shape
        odd = width % 2
        rows = x.to(self.weight.dtype).permute(0, 2, 3, 4, 1)
        # As torch's own padding, which writes its zeros everywhere first.
        padded = rows.new_empty((n, depth, height, width + odd + 2, channels))
        padded[..., 0, :] = padded[..., width + 1 :, :] = 0
        padded[..., 1 : width + 1, :] = rows
        pairs = padded.view(n, depth, height, (width + odd) // 2 + 1, 2 * channels)
        result: torch.Tensor = torch.ops.aten.mkldnn_convolution(
            pairs.permute(0, 4, 1, 2, 3), self.weight, self.bias,
            (1, 1, 0), (1, 1, 1), (1, 1, 1), 1,
        )  # fmt: skip
        rows = result.permute(0, 2, 3, 4, 1).reshape(
            n, depth, height, width + odd, result.shape[1] // 2
        )
        return rows[..., :width, :].permute(0, 4, 1, 2, 3)


def pair_up(weight: torch.Tensor) -> torch.Tensor:
    """Return the kernel (2 out, 2 in, 3, 3, 2) on pairs for one (out, in, 3, 3, 3).

    Result `second` of a pair takes offset k from voxel second + k of the two pairs.
    """
    out, into = weight.shape[:2]
    pairs = weight.new_zeros((2, out, 2, into, 3, 3, 2))
    for second in range(2):
        for offset in range(3):
            pair, voxel = divmod(second + offset, 2)
            pairs[second, :, voxel, :, :, :, pair] = weight[..., offset]
    return pairs.reshape(2 * out, 2 * into, 3, 3, 2)
