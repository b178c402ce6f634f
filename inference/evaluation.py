"""Measure an ensemble, and the best single threshold, on phantoms nobody trained on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from inference.cohort import make_unseen_phantoms
from inference.engine import Settings, predict
from inference.overlap import find_best_threshold_dice, measure_dice, measure_volumes
from inference.phantoms import CONTRASTS, Phantom, write_phantom


@dataclass(frozen=True)
class Measured:
    """One phantom: overlap with the truth, and what a threshold would reach."""

    contrast: str
    acquisition: str
    dice: float
    threshold_dice: float
    volumes: tuple[float, ...]
    seconds: float


def measure_phantom(
    *, phantom: Phantom, ensemble: Path, settings: Settings
) -> Measured:
    """Predict one phantom through the product's own path, file to mask."""
    with TemporaryDirectory() as folder:
        image, truth = Path(folder) / "image.nii.gz", Path(folder) / "truth.nii.gz"
        write_phantom(phantom=phantom, image=image, truth=truth)
        started = time.monotonic()
        predicted = predict(image=image, ensemble=ensemble, settings=settings)
        seconds = time.monotonic() - started
    return Measured(
        contrast=phantom.contrast,
        acquisition=phantom.acquisition,
        dice=measure_dice(predicted.mask, phantom.truth),
        threshold_dice=find_best_threshold_dice(phantom.image, phantom.truth),
        volumes=measure_volumes(phantom.truth, zooms=phantom.zooms),
        seconds=seconds,
    )


def evaluate(
    *,
    ensemble: Path,
    count: int,
    settings: Settings,
    report: Callable[[str], None],
) -> dict[str, Any]:
    """Measure `count` unseen phantoms; return means overall and by kind."""
    rows = []
    for number, phantom in enumerate(make_unseen_phantoms(count), start=1):
        rows.append(
            measure_phantom(phantom=phantom, ensemble=ensemble, settings=settings)
        )
        report(
            f"{number}/{count} {phantom.contrast} {phantom.acquisition}: "
            f"Dice {rows[-1].dice:.3f}, {rows[-1].seconds:.1f} s"
        )
    return summarise(rows=rows, settings=settings)


def time_prediction(
    *, image: Path, ensemble: Path, settings: Settings, repeats: int = 3
) -> float:
    """Return the median seconds from image file to mask, the model being in memory."""
    predict(image=image, ensemble=ensemble, settings=settings)
    seconds = []
    for _ in range(repeats):
        started = time.monotonic()
        predict(image=image, ensemble=ensemble, settings=settings)
        seconds.append(time.monotonic() - started)
    return float(np.median(seconds))


def summarise(*, rows: list[Measured], settings: Settings) -> dict[str, Any]:
    """Return the evaluation as it stands in provenance.json."""
    volumes = [volume for row in rows for volume in row.volumes]
    kinds = sorted({row.acquisition for row in rows})
    return {
        "phantoms": len(rows),
        "settings": asdict(settings),
        "dice": round(float(np.mean([row.dice for row in rows])), 4),
        "by_contrast": {
            name: summarise_group([r for r in rows if r.contrast == name])
            for name in CONTRASTS
            if any(row.contrast == name for row in rows)
        },
        "by_acquisition": {
            name: summarise_group([r for r in rows if r.acquisition == name])
            for name in kinds
        },
        "best_single_threshold_dice": round(
            float(np.mean([row.threshold_dice for row in rows])), 4
        ),
        "lesions": len(volumes),
        "median_lesion_mm3": round(float(np.median(volumes)), 1),
        "seconds_per_case": round(float(np.mean([row.seconds for row in rows])), 2),
        "cases": [
            {
                "contrast": row.contrast,
                "acquisition": row.acquisition,
                "dice": round(row.dice, 4),
                "threshold_dice": round(row.threshold_dice, 4),
            }
            for row in rows
        ],
    }


def summarise_group(rows: list[Measured]) -> dict[str, Any]:
    """Return number, mean and extremes of the Dice of some rows."""
    scores = [row.dice for row in rows]
    return {
        "n": len(rows),
        "dice": round(float(np.mean(scores)), 4),
        "lowest": round(min(scores), 4),
        "highest": round(max(scores), 4),
    }


def format_table(result: dict[str, Any]) -> str:
    """Return the evaluation as a plain text table."""
    lines = [f"{'':12} {'n':>3} {'Dice':>6} {'lowest':>7} {'highest':>8}"]
    groups = {**result["by_contrast"], **result["by_acquisition"]}
    lines += [
        f"{name:12} {g['n']:3d} {g['dice']:6.3f} {g['lowest']:7.3f} {g['highest']:8.3f}"
        for name, g in groups.items()
    ]
    lines.append(f"{'all':12} {result['phantoms']:3d} {result['dice']:6.3f}")
    lines.append(
        f"Best single threshold on the same phantoms: Dice "
        f"{result['best_single_threshold_dice']:.3f}; median lesion "
        f"{result['median_lesion_mm3']:.0f} mm³; "
        f"{result['seconds_per_case']:.1f} s a case."
    )
    return "\n".join(lines)
