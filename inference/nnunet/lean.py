"""The same network in fewer steps, for processors: convolutions, norms and pooling."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from inference.nnunet.narrow import Narrow, is_narrow
from inference.nnunet.transposed import Apart, is_apart

CHANNELS_LAST = torch.channels_last_3d
# Values side by side that fill a processor's vectors in a normalisation.
WIDE = 128


class Convolution(nn.Module):
    """A convolution by oneDNN with its weights laid out and rounded beforehand.

    torch itself sends a float32 batch of one to a path that takes twice the time.
    """

    def __init__(
        self,
        *,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        precision: torch.dtype,
    ) -> None:
        super().__init__()
        laid_out = weight.detach().to(precision).contiguous(memory_format=CHANNELS_LAST)
        self.weight = nn.Parameter(laid_out, requires_grad=False)
        self.bias = None
        if bias is not None:
            self.bias = nn.Parameter(bias.detach().to(precision), requires_grad=False)
        self.stride, self.padding = stride, padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = torch.ops.aten.mkldnn_convolution(
            x.to(self.weight.dtype), self.weight, self.bias,
            self.padding, self.stride, (1, 1, 1), 1,
        )  # fmt: skip
        return result


class Norm(nn.Module):
    """Instance normalisation of channels that lie side by side.

    Few channels leave a processor's vectors half empty; several neighbouring voxels
    taken as one with more channels fill them, and their moments are put together.
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(self, norm: nn.InstanceNorm3d) -> None:
        super().__init__()
        self.eps = norm.eps
        size = norm.num_features
        scale = norm.weight.detach() if norm.affine else torch.ones(size)
        shift = norm.bias.detach() if norm.affine else torch.zeros(size)
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self.wide: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) == 1:
            return self.normalise(x)
        return torch.cat([self.normalise(one) for one in torch.split(x, 1)])

    def normalise(self, x: torch.Tensor) -> torch.Tensor:
        """Return one input (1, channels, z, y, x) normalised."""
        _, channels, *space = x.shape
        side = count_side_by_side(channels=channels, voxels=x.numel() // channels)
        rows = x.permute(0, 2, 3, 4, 1).reshape(-1, side * channels)
        means, variances = (
            moment.float().view(side, channels)
            for moment in torch.batch_norm_update_stats(rows, None, None, 0.0)
        )
        between, mean = torch.var_mean(means, dim=0, correction=0)
        variance = variances.mean(0) + between
        out = functional.batch_norm(
            rows, spread_out(mean, side), spread_out(variance, side),
            *self.widen(side), training=False, eps=self.eps,
        )  # fmt: skip
        return out.view(1, *space, channels).permute(0, 4, 1, 2, 3)

    def widen(self, side: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scale and shift for that many voxels taken as one."""
        if side not in self.wide:
            self.wide[side] = (
                spread_out(self.scale, side),
                spread_out(self.shift, side),
            )
        return self.wide[side]


def spread_out(values: torch.Tensor, side: int) -> torch.Tensor:
    """Return the channels' values for each of the voxels taken as one."""
    return values.expand(side, len(values)).reshape(-1)


def count_side_by_side(*, channels: int, voxels: int) -> int:
    """Return how many neighbouring voxels to take as one: a power of two."""
    side = 1
    while side * channels < WIDE and voxels % (2 * side) == 0:
        side *= 2
    return side


class Lean(nn.Module):
    """A network made lean, given inputs in the layout that its steps want."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.network(x.contiguous(memory_format=CHANNELS_LAST))
        return result


def is_possible(precision: torch.dtype = torch.float32) -> bool:
    """Whether torch here has the convolutions that `make_lean` relies on.

    Those in bfloat16 need a processor with the instructions; autocast does without.
    """
    if not torch._C._has_mkldnn:
        return False
    if precision != torch.bfloat16:
        return True
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def make_lean(network: nn.Module, *, precision: torch.dtype) -> nn.Module:
    """Return the network with its steps replaced, in place; equal but for rounding."""
    made: dict[nn.Module, nn.Module] = {}
    for parent in list(network.modules()):
        if isinstance(parent, nn.Sequential):
            merge_pooling(parent, made=made, precision=precision)
    for parent in list(network.modules()):
        # A U-Net names each step several times; every name has to get the new one.
        for name, child in list(parent._modules.items()):
            if child is not None:
                setattr(parent, name, replace(child, made=made, precision=precision))
    # Whatever is left is to have the same layout.
    network.to(memory_format=CHANNELS_LAST)  # type: ignore[call-overload]
    return Lean(network)


def replace(
    step: nn.Module, *, made: dict[nn.Module, nn.Module], precision: torch.dtype
) -> nn.Module:
    """Return the leaner step in a step's place, or itself where there is none."""
    if step not in made:
        if isinstance(step, nn.Conv3d) and is_plain(step) and is_narrow(step):
            made[step] = Narrow(step, precision=precision)
        elif isinstance(step, nn.Conv3d) and is_plain(step):
            made[step] = Convolution(
                weight=step.weight, bias=step.bias, stride=step.stride,
                padding=tuple(map(int, step.padding)), precision=precision,
            )  # fmt: skip
        elif isinstance(step, nn.ConvTranspose3d) and is_apart(step):
            made[step] = Apart(step, precision=precision)
        elif isinstance(step, nn.InstanceNorm3d):
            made[step] = Norm(step)
    return made.get(step, step)


def is_plain(conv: nn.Conv3d) -> bool:
    return (
        conv.groups == 1
        and set(conv.dilation) == {1}
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
    )


def merge_pooling(
    steps: nn.Sequential, *, made: dict[nn.Module, nn.Module], precision: torch.dtype
) -> None:
    """Let a 1x1x1 convolution behind a mean over blocks take the mean itself."""
    if len(steps) != 2 or not isinstance(steps[0], nn.AvgPool3d):
        return
    conv = getattr(steps[1], "conv", None)
    block = tuple(spread(steps[0].kernel_size))
    strides = tuple(spread(steps[0].stride))
    if not isinstance(conv, nn.Conv3d) or conv.kernel_size != (1, 1, 1):
        return
    if strides != block or any(spread(steps[0].padding)) or not is_plain(conv):
        return
    size = block[0] * block[1] * block[2]
    made[conv] = Convolution(
        weight=(conv.weight / size).expand(-1, -1, *block), bias=conv.bias,
        stride=block, padding=(0, 0, 0), precision=precision,
    )  # fmt: skip
    steps[0] = nn.Identity()


def spread(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size,) * 3 if isinstance(size, int) else tuple(size)
