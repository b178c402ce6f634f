"""Whether this processor computes faster in bfloat16, found out once in a process."""

from __future__ import annotations

import time
from functools import cache

import torch

from inference.nnunet.lean import CHANNELS_LAST, Convolution, is_possible

# bfloat16 is coarser, so it has to be worth it.
WORTH_IT = 1.25
# A typical convolution, and how often it is timed.
CHANNELS = 32
SPACE = (32, 32, 32)
TRIALS = 4


@cache
def choose_by_trial() -> torch.dtype:
    """Return bfloat16 where a convolution really is faster in it on this processor.

    Some processors have its instructions and are slower for them. The trial counts
    the processor seconds of one thread, in turn, so that whatever else the machine
    does makes no difference: all workers on it compute alike.
    """
    if not is_possible(torch.bfloat16):
        return torch.float32
    inputs = torch.zeros((1, CHANNELS, *SPACE))
    weight = torch.ones((CHANNELS, CHANNELS, 3, 3, 3))
    steps = {
        precision: Convolution(
            weight=weight, bias=None, stride=(1, 1, 1), padding=(1, 1, 1),
            precision=precision,
        )
        for precision in (torch.float32, torch.bfloat16)
    }  # fmt: skip
    least = dict.fromkeys(steps, float("inf"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(TRIALS):
            for precision, step in steps.items():
                least[precision] = min(least[precision], time_step(step, inputs=inputs))
    finally:
        torch.set_num_threads(threads)
    pays = least[torch.float32] > WORTH_IT * least[torch.bfloat16]
    return torch.bfloat16 if pays else torch.float32


@torch.inference_mode()
def time_step(step: Convolution, *, inputs: torch.Tensor) -> float:
    """Return the processor seconds that this thread spends on one convolution."""
    laid_out = inputs.to(step.weight.dtype).contiguous(memory_format=CHANNELS_LAST)
    started = time.thread_time()
    step(laid_out)
    return time.thread_time() - started
