"""The network laid out for GPUs answers as the network it was made of."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from inference.nnunet import interleaved
from inference.nnunet.folds import choose_batch
from tests.inference.test_lean import NETWORKS, make_trained

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@torch.inference_mode()
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("count", [1, 3])
def test_an_interleaved_network_answers_as_before(name: str, count: int) -> None:
    network = make_trained(name)
    inputs = torch.randn(count, 1, 8, 24, 20)
    before = network(inputs)
    after = interleaved.interleave(network)(inputs)
    assert after.shape == before.shape
    assert float((after - before).abs().max()) < 1e-5 * float(before.abs().max()) + 1e-5


@torch.inference_mode()
@pytest.mark.parametrize("name", NETWORKS)
def test_under_autocast_it_is_as_near_as_the_plain_one(name: str) -> None:
    network = make_trained(name)
    inputs = torch.randn(1, 1, 8, 24, 20)
    exact = network(inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        usual = network(inputs).float()
        other = interleaved.interleave(network)(inputs).float()
    usual_error = float((usual - exact).square().mean().sqrt())
    error = float((other - exact).square().mean().sqrt())
    assert 0 < error < 1.5 * usual_error


@pytest.mark.parametrize("name", NETWORKS)
def test_no_step_is_left_that_wants_its_channels_apart(name: str) -> None:
    network = interleaved.interleave(make_trained(name))
    left = {type(step) for step in network.modules()}
    assert not left & {nn.InstanceNorm3d, nn.AvgPool3d}
    weights = [step.weight for step in network.modules() if isinstance(step, nn.Conv3d)]
    assert all(
        weight.is_contiguous(memory_format=torch.channels_last_3d) for weight in weights
    )


@torch.inference_mode()
def test_a_bias_is_dropped_only_where_a_norm_follows_at_once() -> None:
    torch.manual_seed(3)
    steps = nn.Sequential(
        nn.Conv3d(1, 4, 3), nn.InstanceNorm3d(4, affine=True),
        nn.Conv3d(4, 4, 3), nn.LeakyReLU(), nn.InstanceNorm3d(4, affine=True),
    )  # fmt: skip
    inputs = torch.randn(1, 1, 9, 9, 9)
    before = steps(inputs)
    after = interleaved.interleave(steps)
    torch.testing.assert_close(after(inputs), before, rtol=1e-4, atol=1e-4)
    assert isinstance(steps[0], nn.Conv3d)
    assert isinstance(steps[2], nn.Conv3d)
    assert steps[0].bias is None
    assert steps[2].bias is not None


def test_a_mean_of_blocks_that_overlap_stays() -> None:
    pool = nn.AvgPool3d(3, stride=2)
    step = nn.Module()
    step.conv = nn.Conv3d(4, 4, 1)
    steps = nn.Sequential(pool, step)
    interleaved.merge_pooling(steps)
    assert steps[0] is pool


@pytest.mark.parametrize(
    ("side", "inputs"), [(192, 1), (160, 4), (128, 8), (96, 16), (32, 16)]
)
def test_a_gpu_gets_one_large_tile_at_a_time_and_many_small_ones(
    side: int, inputs: int
) -> None:
    assert choose_batch(patch=(side, side, side), device=GPU) == inputs
    assert interleaved.is_worth_it((side, side, side)) == (side >= 96)


@pytest.mark.parametrize(("patch", "inputs"), [((64, 64, 48), 1), ((48, 48, 48), 2)])
def test_a_processor_gets_as_many_as_fill_its_cache(
    patch: tuple[int, int, int], inputs: int
) -> None:
    assert choose_batch(patch=patch, device=CPU) == inputs
