"""Chance from a secret seed: SHA-256 in counter mode, repeatable in any language."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
Pick = Callable[[int], int]


def draw_numbers(seed: str, label: str) -> Iterator[int]:
    """64-bit numbers: SHA-256(seed ‖ "/" ‖ label ‖ "/" ‖ counter), big-endian."""
    counter = 0
    while True:
        block = hashlib.sha256(f"{seed}/{label}/{counter}".encode()).digest()
        for start in range(0, 32, 8):
            yield int.from_bytes(block[start : start + 8], "big")
        counter += 1


def make_picker(seed: str, label: str) -> Pick:
    """A function that draws uniformly from 0 … n-1, by rejection."""
    numbers = draw_numbers(seed, label)

    def pick(n: int) -> int:
        limit = 2**64 - 2**64 % n
        return next(number for number in numbers if number < limit) % n

    return pick


def shuffle(values: Sequence[T], pick: Pick) -> list[T]:
    """Fisher–Yates from the end."""
    result = list(values)
    for i in range(len(result) - 1, 0, -1):
        j = pick(i + 1)
        result[i], result[j] = result[j], result[i]
    return result
