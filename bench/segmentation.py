"""How long two large masks take to be compared, beside a loop over their lesions."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from bench.rows import Row
from ratings.statistics.lesions import BoolVolume
from ratings.statistics.segmentation import compare_masks

SHAPE, LESIONS = (192, 512, 512), 40


def run() -> list[Row]:
    reference, prediction = make_masks()
    told = compare_masks(
        reference=reference, prediction=prediction, spacing=(1.0, 1.0, 1.0)
    )
    found: list[tuple[int, int, int]] = []
    peer = clock(lambda: found.append(count_by_loop(reference, prediction)))
    if found[0] != (told.found, told.missed, told.false):
        raise ValueError(f"The loop found {found[0]}: the two do not agree.")
    seconds = min(
        clock(
            lambda: compare_masks(
                reference=reference, prediction=prediction, spacing=(1.0, 1.0, 1.0)
            )
        )
        for _ in range(3)
    )
    return [
        Row(
            what="compare two masks, 192×512×512, 40 lesions",
            value=seconds,
            unit="s",
            goal=peer / 30,
            peer="a loop over lesions",
            peer_value=peer,
            how="all metrics and lesions; the loop counts lesions once, in this run",
        )
    ]


def make_masks() -> tuple[BoolVolume, BoolVolume]:
    """Forty separate blobs, and the same moved a little with some left out."""
    rng = np.random.default_rng(40)
    reference = np.zeros(SHAPE, dtype=bool)
    prediction = np.zeros(SHAPE, dtype=bool)
    places = [(x, y, z) for x in (40, 90, 140) for y in range(60, 460, 100)
              for z in range(60, 460, 100)][:LESIONS]  # fmt: skip
    for number, place in enumerate(places):
        x, y, z = (int(c + rng.integers(-8, 9)) for c in place)
        r = int(rng.integers(3, 8))
        reference[x - r : x + r, y - r : y + r, z - r : z + r] = True
        if number % 5:
            prediction[x - r : x + r, y - r + 2 : y + r + 2, z - r : z + r] = True
    return reference, prediction


def count_by_loop(
    reference: BoolVolume, prediction: BoolVolume
) -> tuple[int, int, int]:
    """Found, missed and false lesions, one array of the whole volume for each."""
    found = missed = false = 0
    labels, count = ndimage.label(reference)
    for number in range(1, count + 1):
        lesion = labels == number
        share = (lesion & prediction).sum() / lesion.sum()
        found, missed = found + (share >= 0.1), missed + (share < 0.1)
    labels, count = ndimage.label(prediction)
    for number in range(1, count + 1):
        false += not (reference & (labels == number)).any()
    return int(found), int(missed), int(false)


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
