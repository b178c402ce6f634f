"""Exact sign tests: does a feature of an item go with its arm, or with time?

Pure. A feature is compared within pairs; ties say nothing and are left out. With many
features the level is divided among them (Bonferroni), so that a sound study is hardly
ever accused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import comb

LEVEL = 1e-3
CHARACTERS = 16
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def sign_test(less: int, more: int) -> float:
    """Two-sided exact binomial p of `less` against `more`, probability one half."""
    n, k = less + more, min(less, more)
    if not n:
        return 1.0
    tail = sum(comb(n, i) for i in range(k + 1))
    return min(1.0, float(Fraction(2 * tail, 2**n)))


def find_leaks(
    pairs: Mapping[str, Iterable[tuple[float, float]]], level: float = LEVEL
) -> dict[str, float]:
    """The features whose pairs lean to one side, with their p-values."""
    leaks = {}
    for name, values in pairs.items():
        listed = list(values)
        p = sign_test(sum(a < b for a, b in listed), sum(a > b for a, b in listed))
        if p < level / len(pairs):
            leaks[name] = p
    return leaks


def compare_tokens(
    pairs: Sequence[tuple[str, str]],
) -> dict[str, list[tuple[float, float]]]:
    """Features of two tokens: which is first in order, and each early character."""
    features = {
        f"character {place + 1} of the token": [
            (float(ord(a[place])), float(ord(b[place]))) for a, b in pairs
        ]
        for place in range(CHARACTERS)
    }
    features["order of the tokens"] = [
        (0.0, 1.0) if a < b else (1.0, 0.0) for a, b in pairs
    ]
    return features
