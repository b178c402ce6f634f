"""What to do when a device runs out of memory, and to keep what the next pass needs."""

from __future__ import annotations

import ctypes
import gc
import os
from contextlib import suppress
from dataclasses import dataclass

import torch

# How the allocators of processors, of CUDA and of their libraries say it.
WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "alloc_failed",
    "bad_alloc",
    "could not create a memory object",
    "could not create a primitive",
    "could not allocate",
)

# glibc's numbers of what can be set, and the most that its first setting takes.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_FROM_HEAP = 2**25
KEPT_FREE = 2**29


@dataclass(frozen=True)
class Rung:
    """One way to run the folds; every next one needs less memory and more time.

    `batch` is the number of network inputs, mirrored copies counted, in one pass;
    `sums` is where tiles are added up; `resident` whether all folds stay on the
    device.
    """

    name: str
    batch: int
    device: torch.device
    sums: torch.device
    resident: bool = True


def make_ladder(
    *, device: torch.device, batch: int, least: int, folds: int
) -> list[Rung]:
    """Return the ways to try in order, without those that would change nothing.

    `least` is the smallest batch the device should be given.
    """
    cpu = torch.device("cpu")
    rungs = [Rung("as planned", batch, device, device)]
    if max(batch // 2, least) < batch:
        rungs.append(Rung("half the batch", max(batch // 2, least), device, device))
    if least < rungs[-1].batch:
        rungs.append(Rung("mirrored copies in sequence", least, device, device))
    if device.type == "cpu":
        return rungs
    rungs.append(Rung("sums in main memory", least, device, cpu))
    if folds > 1:
        rungs.append(Rung("one fold resident", least, device, cpu, resident=False))
    rungs.append(Rung("on the processor", 2, cpu, cpu))
    return rungs


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, whoever noticed it."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(word in text for word in WORDS)


def release(device: torch.device) -> None:
    """Give back what a failed attempt still holds."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def keep_freed() -> None:
    """Let this process keep up to half a gigabyte that it freed, for the next pass.

    By default glibc gives a large tensor back to the system and fetches it again for
    the next layer, page by page: an eighth of the time. Who set MALLOC_… knows better.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    # Other C libraries have no such function.
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGEST_FROM_HEAP)
        mallopt(M_TRIM_THRESHOLD, KEPT_FREE)
