"""The lean network answers as the network it was made of, in every shape of U-Net."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from dynamic_network_architectures.architectures.unet import (
    PlainConvUNet,
    ResidualEncoderUNet,
)
from torch import nn

from inference.nnunet import lean, narrow, transposed

pytestmark = pytest.mark.skipif(
    not lean.is_possible(), reason="this build of torch has no oneDNN"
)
COMMON: dict[str, Any] = {
    "input_channels": 1,
    "conv_op": nn.Conv3d,
    "num_classes": 2,
    "conv_bias": True,
    "norm_op": nn.InstanceNorm3d,
    "norm_op_kwargs": {"eps": 1e-5, "affine": True},
    "nonlin": nn.LeakyReLU,
    "nonlin_kwargs": {"inplace": True},
}


def make_residual(*, anisotropic: bool = False) -> nn.Module:
    strides = [1, [1, 2, 2], 2] if anisotropic else [1, 2, 2]
    network: nn.Module = ResidualEncoderUNet(
        n_stages=3, features_per_stage=[8, 12, 40], strides=strides,
        kernel_sizes=[[1, 3, 3], 3, 3] if anisotropic else 3,
        n_blocks_per_stage=[1, 2, 2], n_conv_per_stage_decoder=[1, 1], **COMMON,
    )  # fmt: skip
    return network


def make_plain() -> nn.Module:
    network: nn.Module = PlainConvUNet(
        n_stages=3, features_per_stage=[4, 8, 16], strides=[1, 2, 2], kernel_sizes=3,
        n_conv_per_stage=[2, 2, 2], n_conv_per_stage_decoder=[2, 2], **COMMON,
    )  # fmt: skip
    return network


NETWORKS = {
    "residual": make_residual,
    "anisotropic": lambda: make_residual(anisotropic=True),
    "plain": make_plain,
}


def make_trained(name: str) -> nn.Module:
    """A network whose norms scale and shift, as training leaves them."""
    torch.manual_seed(7)
    network = NETWORKS[name]().eval()
    for step in network.modules():
        if isinstance(step, nn.InstanceNorm3d):
            nn.init.uniform_(step.weight, 0.5, 1.5)
            nn.init.uniform_(step.bias, -0.5, 0.5)
    return network


@torch.inference_mode()
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("count", [1, 3])
def test_a_lean_network_answers_as_before(name: str, count: int) -> None:
    network = make_trained(name)
    inputs = torch.randn(count, 1, 8, 24, 20)
    before = network(inputs)
    after = lean.make_lean(network, precision=torch.float32)(inputs)
    assert after.shape == before.shape
    assert float((after - before).abs().max()) < 1e-5 * float(before.abs().max()) + 1e-5


@torch.inference_mode()
@pytest.mark.skipif(
    not lean.is_possible(torch.bfloat16), reason="this processor has no bfloat16"
)
@pytest.mark.parametrize("name", NETWORKS)
def test_in_bfloat16_it_is_as_near_as_autocast(name: str) -> None:
    network = make_trained(name)
    inputs = torch.randn(1, 1, 8, 24, 20)
    exact = network(inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        usual = network(inputs).float()
        leaner = lean.make_lean(network, precision=torch.bfloat16)(inputs).float()
    usual_error = float((usual - exact).square().mean().sqrt())
    error = float((leaner - exact).square().mean().sqrt())
    assert 0 < error < 1.5 * usual_error


@pytest.mark.parametrize("name", NETWORKS)
def test_every_step_that_can_be_is_replaced_under_each_of_its_names(name: str) -> None:
    network = lean.make_lean(make_trained(name), precision=torch.float32)
    left = {type(step) for step in network.modules()}
    assert not left & {
        nn.Conv3d, nn.ConvTranspose3d, nn.InstanceNorm3d, nn.AvgPool3d
    }  # fmt: skip


def test_what_onednn_is_not_asked_for_stays() -> None:
    odd = nn.Sequential(
        nn.Conv3d(4, 4, 3, groups=2), nn.Conv3d(4, 4, 3, dilation=2),
        nn.Conv3d(4, 4, 3, padding=1, padding_mode="reflect"),
        nn.ConvTranspose3d(4, 4, 3, stride=2),
    )  # fmt: skip
    lean.make_lean(odd, precision=torch.float32)
    assert [type(step) for step in odd] == [nn.Conv3d] * 3 + [nn.ConvTranspose3d]


@torch.inference_mode()
@pytest.mark.parametrize("channels", [(1, 8), (8, 8), (16, 8), (2, 1), (5, 7)])
@pytest.mark.parametrize("shape", [(4, 5, 6), (3, 4, 7), (1, 1, 1), (2, 2, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_pairs_of_voxels_give_the_same_convolution(
    channels: tuple[int, int], shape: tuple[int, int, int], bias: bool
) -> None:
    torch.manual_seed(5)
    conv = nn.Conv3d(*channels, 3, padding=1, bias=bias)
    assert narrow.is_narrow(conv)
    x = torch.randn(2, channels[0], *shape)
    found = narrow.Narrow(conv, precision=torch.float32)(x)
    torch.testing.assert_close(found, conv(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "conv",
    [nn.Conv3d(8, 16, 3, padding=1),
     nn.Conv3d(24, 8, 3, padding=1), nn.Conv3d(8, 8, 3, padding=1, stride=2),
     nn.Conv3d(8, 8, 3), nn.Conv3d(8, 8, (1, 3, 3), padding=(0, 1, 1))],
)  # fmt: skip
def test_other_convolutions_are_not_paired(conv: nn.Conv3d) -> None:
    assert not narrow.is_narrow(conv)


@torch.inference_mode()
@pytest.mark.parametrize("block", [(2, 2, 2), (1, 2, 2), (3, 1, 2)])
@pytest.mark.parametrize("shape", [(4, 5, 6), (1, 1, 1)])
@pytest.mark.parametrize("bias", [True, False])
def test_blocks_apart_give_the_same_transposed_convolution(
    block: tuple[int, int, int], shape: tuple[int, int, int], bias: bool
) -> None:
    torch.manual_seed(5)
    conv = nn.ConvTranspose3d(6, 5, block, stride=block, bias=bias)
    assert transposed.is_apart(conv)
    x = torch.randn(2, 6, *shape)
    found = transposed.Apart(conv, precision=torch.float32)(x)
    torch.testing.assert_close(found, conv(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "conv",
    [nn.ConvTranspose3d(4, 4, 3, stride=2),
     nn.ConvTranspose3d(4, 4, 2, stride=2, groups=2),
     nn.ConvTranspose3d(4, 4, 2, stride=2, dilation=2),
     nn.ConvTranspose3d(4, 4, 2, stride=2, padding=1),
     nn.ConvTranspose3d(4, 4, 2, stride=2, output_padding=1)],
)  # fmt: skip
def test_blocks_that_overlap_or_lie_askew_are_left(conv: nn.ConvTranspose3d) -> None:
    assert not transposed.is_apart(conv)


@torch.inference_mode()
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 2), (3, 5, 7), (8, 8, 6)])
@pytest.mark.parametrize("channels", [1, 3, 8, 200])
def test_a_norm_is_that_of_the_definition(
    shape: tuple[int, int, int], channels: int
) -> None:
    torch.manual_seed(3)
    norm = nn.InstanceNorm3d(channels, affine=True)
    nn.init.uniform_(norm.weight, 0.5, 1.5)
    nn.init.uniform_(norm.bias, -0.5, 0.5)
    # Far from zero, where moments taken together lose digits.
    x = torch.randn(2, channels, *shape) + 50
    mean = x.mean((2, 3, 4), keepdim=True)
    spread = (x - mean).square().mean((2, 3, 4), keepdim=True)
    scale, shift = (one.view(1, -1, 1, 1, 1) for one in (norm.weight, norm.bias))
    expected = (x - mean) / torch.sqrt(spread + norm.eps) * scale + shift
    found = lean.Norm(norm)(x.contiguous(memory_format=torch.channels_last_3d))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@torch.inference_mode()
def test_a_norm_without_scale_and_shift_only_normalises() -> None:
    x = torch.randn(1, 4, 6, 6, 6)
    norm = nn.InstanceNorm3d(4)
    torch.testing.assert_close(lean.Norm(norm)(x), norm(x), rtol=1e-4, atol=1e-5)
