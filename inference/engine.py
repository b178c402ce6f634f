"""Predict one image with one ensemble: the one function that everything calls."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inference import scans
from inference.errors import ModelError, TooLittleMemory
from inference.nnunet.geometry import Scan
from inference.resident import Ahead, Shelf
from inference.settings import (
    AROUND_CORD,
    PRECISIONS,
    Box,
    Crop,
    Margins,
    Settings,
    read_settings,
)
from inference.version import read_version
from inference.writing import write_like, write_mask, write_soft

if TYPE_CHECKING:
    from inference.nnunet.ensemble import Maps, Ready
    from inference.nnunet.model import Model

__all__ = [
    "AROUND_CORD",
    "PRECISIONS",
    "Crop",
    "Margins",
    "PredictedMask",
    "Settings",
    "apply_threshold",
    "digest_image",
    "load_resident_model",
    "predict",
    "prefetch",
    "read_settings",
    "write_like",
    "write_mask",
    "write_soft",
]
# Named in every provenance: counts up when the same input may give another output.
REVISION = 4


@dataclass(frozen=True)
class PredictedMask:
    """Results on exactly the input image's grid and axis order.

    `mask` in {0, 1}, `votes` from 0 to the number of folds, `soft` the mean over
    folds of the lesion probability where that fold says lesion; affine in mm.
    """

    mask: NDArray[np.uint8]
    votes: NDArray[np.uint8]
    soft: NDArray[np.float32]
    affine: NDArray[np.float64]
    provenance: dict[str, Any]


@dataclass(frozen=True)
class Loaded:
    """An image as read, the part of it that is predicted, and that part prepared."""

    scan: Scan
    box: Box | None
    ready: Ready
    seconds: dict[str, float]
    ahead: bool = False


MODEL: Shelf[Model] = Shelf()
AHEAD: Ahead[Loaded] = Ahead()


def predict(
    *,
    image: Path,
    ensemble: Path,
    settings: Settings,
    region: Path | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> PredictedMask:
    """Predict the lesion mask of one NIfTI image with a trained nnU-Net folder.

    `region` is a mask on the image's grid, for settings that crop to one. `progress`
    receives the part done, 0 to 1, and a few words after every batch of tiles;
    `cancelled` is asked before each. Raises ImageError or ModelError with one
    sentence each, and Cancelled.
    """
    from inference.nnunet.ensemble import predict_ready

    started = time.monotonic()
    model = load_resident_model(ensemble=ensemble, settings=settings)
    if progress is not None:
        progress(0.0, "preparing the image")
    loaded = fetch_image(
        image=image, ensemble=ensemble, settings=settings, region=region
    )
    maps = predict_ready(
        ready=loaded.ready,
        model=model,
        rule=settings.rule,
        threshold=settings.threshold,
        mirroring=settings.mirrors,
        step=settings.step,
        progress=progress,
        cancelled=cancelled,
    )
    mask, votes, soft = (
        restore(array, loaded=loaded) for array in (maps.mask, maps.votes, maps.soft)
    )
    seconds = {**loaded.seconds, **maps.seconds, "total": time.monotonic() - started}
    facts = describe(model=model, maps=maps, settings=settings, seconds=seconds)
    facts |= {
        "box": loaded.box,
        "read_ahead": loaded.ahead,
        "input_digest": digest_arrays(loaded.scan.voxels, loaded.scan.affine),
        "output_digest": digest_arrays(votes, mask),
    }
    return PredictedMask(mask, votes, soft, loaded.scan.affine, facts)


def prefetch(
    *, image: Path, ensemble: Path, settings: Settings, region: Path | None = None
) -> bool:
    """Begin to read and prepare the image that is predicted next, in one thread.

    Whether it was begun: only for the model in memory, and one image at a time. The
    next `predict` with the same arguments takes it, errors included.
    """
    key = identify_model(ensemble=ensemble, settings=settings)
    model = MODEL.peek(key)
    if model is None:
        return False
    return AHEAD.start(
        (key, stamp(image), stamp(region), settings.crop),
        lambda: load_image(image=image, region=region, model=model, crop=settings.crop),
    )


def fetch_image(
    *, image: Path, ensemble: Path, settings: Settings, region: Path | None
) -> Loaded:
    """Return the image prepared, ahead of time where `prefetch` was asked."""
    key = identify_model(ensemble=ensemble, settings=settings)
    begun = AHEAD.take((key, stamp(image), stamp(region), settings.crop))
    if begun is not None:
        loaded = begun.result()
        return replace(loaded, ahead=True)
    model = load_resident_model(ensemble=ensemble, settings=settings)
    return load_image(image=image, region=region, model=model, crop=settings.crop)


def load_image(
    *, image: Path, region: Path | None, model: Model, crop: Crop | None
) -> Loaded:
    """Read an image, cut out what is to be predicted, and prepare that."""
    started = time.monotonic()
    try:
        scan = scans.read_scan(image)
        read = time.monotonic()
        box, ready = cut_and_prepare(scan=scan, region=region, model=model, crop=crop)
    except MemoryError as error:
        raise TooLittleMemory from error
    seconds = {"read": read - started, "prepare": time.monotonic() - read}
    return Loaded(scan, box, ready, seconds)


def cut_and_prepare(
    *, scan: Scan, region: Path | None, model: Model, crop: Crop | None
) -> tuple[Box | None, Ready]:
    """Return the box that is to be predicted, if there is one, and what is in it."""
    from inference.nnunet.ensemble import make_ready

    box = None if crop is None else scans.find_box(scan=scan, crop=crop, region=region)
    seen = scan if box is None else scans.cut(scan, box=box)
    return box, make_ready(scan=seen, plans=model.plans)


def restore(array: NDArray[Any], *, loaded: Loaded) -> NDArray[Any]:
    """Return a map of what was predicted to the grid of the whole image."""
    if loaded.box is None:
        return array
    return scans.put_back(array, box=loaded.box, shape=loaded.scan.voxels.shape)


def apply_threshold(
    *, votes: NDArray[np.uint8], folds: int, threshold: float
) -> NDArray[np.uint8]:
    """Return the mask of the rules "paper" and "sct" at another threshold.

    A voxel is marked where votes / folds exceeds the threshold, strictly: from
    stored votes, every threshold follows without running a network again.
    """
    return np.asarray(votes / folds > threshold, dtype=np.uint8)


def load_resident_model(*, ensemble: Path, settings: Settings) -> Model:
    """Return the model, kept in memory until another one is asked for."""
    from inference.nnunet.model import load_model

    return MODEL.get(
        identify_model(ensemble=ensemble, settings=settings),
        lambda: load_model(
            folder=ensemble,
            prefers=settings.prefers,
            device=settings.device,
            precision=settings.precision,
        ),
    )


def identify_model(*, ensemble: Path, settings: Settings) -> Hashable:
    """Return what changes when another model, or the same otherwise, is meant."""
    if not ensemble.is_dir():
        raise ModelError(f"{ensemble} is no folder; name a trained nnU-Net model.")
    kinds = ("*.pth", "*.safetensors", "*.json")
    files = sorted(path for kind in kinds for path in ensemble.glob(f"**/{kind}"))
    chosen = (settings.prefers, settings.device, settings.precision)
    return ensemble, chosen, tuple(stamp(path) for path in files)


def stamp(path: Path | None) -> Hashable:
    """Return what changes with a file's content."""
    if path is None or not path.is_file():
        return path
    facts = path.stat()
    return path, facts.st_size, facts.st_mtime_ns


def describe(
    *, model: Model, maps: Maps, settings: Settings, seconds: dict[str, float]
) -> dict[str, Any]:
    """Return what is needed to know how a mask came about, as strict JSON types."""
    names = ("torch", "nnunetv2", "numpy", "scipy", "scikit-image", "nibabel")
    return {
        "revision": REVISION,
        "blindfold": read_version(),
        "model_digest": digest_model(plans=model.plans.digest, folds=model.folds),
        "plans_digest": model.plans.digest,
        "fold_digests": model.folds,
        "checkpoints": model.checkpoints,
        "folds": len(model.folds),
        "orientation": model.plans.orientation,
        "spacing_mm": list(model.plans.spacing),
        "settings": {
            **settings.resolve().to_json(),
            "mirror_axes": list(model.mirror_axes) if settings.mirrors else [],
        },
        "versions": {name: version(name) for name in names},
        "python": platform.python_version(),
        "device": str(maps.rung.device),
        "device_name": name_device(str(maps.rung.device)),
        "precision": maps.precision,
        "memory": maps.rung.name,
        "batch": maps.rung.batch,
        "tiles": maps.tiles,
        "seconds": round(seconds.pop("total"), 3),
        "stages": {name: round(value, 3) for name, value in seconds.items()},
    }


def name_device(device: str) -> str:
    """Return the name of a GPU, or the kind of processor."""
    if device == "cpu":
        return platform.processor() or platform.machine()
    import inference.nnunet.model as models

    return models.name_gpu(device)


def digest_image(image: Path) -> str:
    """Return the input digest that a prediction of this file would record."""
    scan = scans.read_scan(image)
    return digest_arrays(scan.voxels, scan.affine)


def digest_model(*, plans: str, folds: dict[str, str]) -> str:
    """Return the SHA-256 that names a model: its plans and its sorted fold digests."""
    text = "\n".join([plans, *sorted(folds.values())])
    return hashlib.sha256(text.encode()).hexdigest()


def digest_arrays(*arrays: NDArray[Any]) -> str:
    """Return the SHA-256 of decoded values, so that compression does not matter."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
