"""How long a case takes from image file to mask file, beside stock nnU-Net.

`python -m bench prediction:scan` measures the small scan alone, `prediction:sagittal`
and `prediction:axial` one of the clinical sizes; without a part, all three.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile
from statistics import median
from typing import Any

import nibabel as nib
import numpy as np

from bench import stock
from bench.material import AXIAL, ISOTROPIC, SAGITTAL, enlarge, write_scan
from bench.rows import Row
from config.demo import DEMO_ENSEMBLE
from inference import engine, registering
from inference.engine import PredictedMask, Settings

REAL = Path(__file__).parents[2] / "shared/data/spinal-cord/t2_fake_lesion.nii.gz"
ORIENTATION = "LAS"
FOLDS = (0, 1, 2, 3, 4)
# Voxels on the thin and the wide axes, and their sizes in mm.
CLINICAL = {
    "sagittal": (SAGITTAL, (18, 512), (3.3, 0.45)),
    "axial": (AXIAL, (40, 512), (3.5, 0.35)),
}
PUBLISHED = "stock, one call a fold"
SEQUENTIAL = "stock, five folds in one call"
EXPORT = "stock export, five folds"


@dataclass(frozen=True)
class Task:
    """One image, for both programs, and how often ours is repeated."""

    name: str
    image: Path
    turned: Path
    repeats: int
    every_call: bool


def run(part: str | None = None) -> list[Row]:
    parts = ["scan", *CLINICAL] if part is None else [part]
    model = registering.store(DEMO_ENSEMBLE).folder
    rows = []
    for name in parts:
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(make_task(name, Path(folder)), model=model)
    return rows


def make_task(name: str, folder: Path) -> Task:
    small = name not in CLINICAL
    image = write_small(folder) if small else write_clinical(name, folder)
    turned = stock.turn(image, orientation=ORIENTATION)
    return Task(name, image, turned, 5 if small else 3, every_call=small)


def write_small(folder: Path) -> Path:
    """The real scan of the reference data, else a phantom."""
    if not REAL.exists():
        return write_scan(folder, seed=ISOTROPIC, arms={}).image
    return Path(copyfile(REAL, folder / "scan.nii.gz"))


def write_clinical(name: str, folder: Path) -> Path:
    """A phantom with the matrix and the field of view of a clinical scan."""
    seed, (thin, wide), (thick, fine) = CLINICAL[name]
    scan = enlarge(write_scan(folder, seed=seed, arms={}), thin=thin, wide=wide)
    file: Any = nib.load(scan.image)
    zooms = [thick if size == thin else fine for size in file.shape]
    affine = file.affine.copy()
    affine[:3, :3] *= np.divide(zooms, nib.affines.voxel_sizes(affine))
    nib.save(nib.Nifti1Image(np.asarray(file.dataobj), affine), scan.image)
    return scan.image


def measure(task: Task, *, model: Path) -> list[Row]:
    """All rows of one image, ours and stock in turn."""
    exact = Settings(mirroring=False, precision="float32")
    fast = replace(exact, precision="auto")
    seconds, predicted = time_ours(task, model=model, settings=fast)
    fp32, exactly = time_ours(task, model=model, settings=exact)
    ahead = time_ahead(task, model=model, settings=fast)
    device = str(predicted.provenance["device"])
    how, exact_how = describe(predicted), describe(exactly)
    predictor = stock.load_predictor(DEMO_ENSEMBLE, folds=FOLDS, device=device)
    together = stock.time_sequential(predictor, task.turned)
    published, calls = time_published(task, device=device)
    ours_back, stock_back = time_way_back(task, model=model, predictor=predictor)
    title = f"{task.name}: image file to mask file"
    return [
        row(title, seconds, f"{how}; {calls}", 20 if task.every_call else 8,
            PUBLISHED, published),
        row(title, seconds, how, 5, SEQUENTIAL, together),
        row(f"{title}, float32", fp32, exact_how, 2, SEQUENTIAL, together),
        row(f"{task.name}: each of several, read ahead", ahead, how, None,
            SEQUENTIAL, together),
        row(f"{task.name}: margins to mask, votes, soft map", ours_back, exact_how, 20,
            EXPORT, stock_back),
    ]  # fmt: skip


def row(
    what: str, value: float, how: str, times: float | None, peer: str, theirs: float
) -> Row:
    """A row whose goal is a number of times that we are to be faster than the peer."""
    faster = f"{theirs / value:.1f}× faster than {peer}"
    wanted = "" if times is None else f" (goal {times:g}×)"
    goal = None if times is None else theirs / times
    return Row(what, value, "s", f"{faster}{wanted}; {how}", goal, peer, theirs)


def time_ours(
    task: Task, *, model: Path, settings: Settings
) -> tuple[float, PredictedMask]:
    """The middle of several, the model in memory, as in a worker and a long batch."""
    engine.load_resident_model(ensemble=model, settings=settings)
    found: list[PredictedMask] = []

    def work() -> None:
        result = engine.predict(image=task.image, ensemble=model, settings=settings)
        out = task.image.with_name("ours.nii.gz")
        engine.write_mask(array=result.mask, like=task.image, out=out)
        found.append(result)

    return median(stock.timed(work) for _ in range(task.repeats)), found[-1]


def time_ahead(task: Task, *, model: Path, settings: Settings) -> float:
    """Seconds a case of several in a row, each read while the one before runs."""
    copies = [task.image.with_name(f"copy_{n}.nii.gz") for n in range(task.repeats + 1)]
    for path in copies:
        copyfile(task.image, path)

    def work() -> None:
        for path, following in zip(copies, [*copies[1:], None], strict=True):
            if following is not None:
                engine.prefetch(image=following, ensemble=model, settings=settings)
            result = engine.predict(image=path, ensemble=model, settings=settings)
            engine.write_mask(array=result.mask, like=path, out=path)

    return stock.timed(work) / len(copies)


def time_published(task: Task, *, device: str) -> tuple[float, str]:
    """Every call of the published way, or one of them times their number."""
    folds = FOLDS if task.every_call else FOLDS[:1]
    calls = [
        stock.time_published(DEMO_ENSEMBLE, task.turned, fold=fold, device=device)
        for fold in folds
    ]
    words = "every call measured" if task.every_call else "one call measured, times 5"
    return sum(calls) / len(calls) * len(FOLDS), f"peer: {words}"


def time_way_back(task: Task, *, model: Path, predictor: Any) -> tuple[float, float]:
    """Both programs' way from the networks' answers to files on the image's grid."""
    from inference.nnunet.ensemble import combine_ready, make_ready
    from inference.nnunet.folds import run_folds
    from inference.scans import read_scan

    loaded = engine.load_resident_model(
        ensemble=model, settings=Settings(mirroring=False, precision="auto")
    )
    ready = make_ready(scan=read_scan(task.image), plans=loaded.plans)
    margins, _, _ = run_folds(
        prepared=ready.prepared, model=loaded, mirror_axes=(), step=0.5
    )

    def work() -> None:
        votes, _, mask = combine_ready(
            margins=margins, ready=ready, plans=loaded.plans, rule="paper",
            threshold=0.5,
        )  # fmt: skip
        for array, name in ((votes, "votes.nii.gz"), (mask, "ours.nii.gz")):
            out = task.image.with_name(name)
            engine.write_mask(array=array, like=task.image, out=out)

    ours = median(stock.timed(work) for _ in range(task.repeats))
    return ours, stock.time_export(predictor, task.turned, margins=margins)


def describe(predicted: PredictedMask) -> str:
    import torch

    facts = predicted.provenance
    shape = "×".join(map(str, predicted.mask.shape))
    return (
        f"{shape}, {facts['tiles']} tiles, {facts['folds']} folds, no mirroring, "
        f"{facts['device']} {facts['precision']}, {torch.get_num_threads()} threads, "
        f"load {os.getloadavg()[0]:.1f}"
    )
