"""Predicts cases again from coarser images, and measures what agreement is left."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.processing import resample_from_to
from numpy.typing import NDArray

from inference import engine, registering
from inference.errors import Cancelled, ImageError, ModelError
from inference.models import Prediction
from inference.settings import read_settings
from ratings import files, jobs, measuring
from ratings.models import Job, Mask, MaskComparison, Study
from ratings.statistics.robustness import METRICS
from ratings.statistics.segmentation import compare_masks
from ratings.statistics.sweeps import COARSER, name_factors

Report = Callable[[float, str], None]
Factors = tuple[float, float, float]


def run_job(job: Job, *, report: Report, cancelled: Callable[[], bool]) -> None:
    """The job kind "measure" with `resolutions`: every ensemble's cases, one by one."""
    study = Study.objects.get(pk=job.payload["study"])
    reference = study.arms.filter(key=job.payload["resolutions"]).first()
    if reference is None:
        raise jobs.JobFailed(
            "The arm to compare with is no longer in the study. Choose another."
        )
    waiting = [
        (truth, mask, kept)
        for truth, mask, kept in measuring.list_measured(study, reference)
        if "resolutions" not in kept.results and find_prediction(mask) is not None
    ]
    for number, (truth, mask, kept) in enumerate(waiting):
        said = f"{mask.case.label}, {mask.arm.label}"

        def show(part: float, _: str, said: str = said, number: int = number) -> None:
            report((number + part) / len(waiting), f"Predicting {said} again")

        with_results(truth, mask, kept, show, cancelled)


def with_results(
    truth: Mask,
    mask: Mask,
    kept: MaskComparison,
    report: Report,
    cancelled: Callable[[], bool],
) -> None:
    """Keep what one case gives at every factor, beside its other numbers."""
    try:
        found = dict(measure(truth, mask, report=report, cancelled=cancelled))
    except Cancelled as error:
        raise jobs.LeaseLost(str(kept.pk)) from error
    except (ImageError, ModelError, registering.RegistrationRefused) as error:
        raise jobs.JobFailed(f"Case {mask.case.label}: {error}") from error
    kept.results["resolutions"] = found
    kept.save(update_fields=["results"])


def find_prediction(mask: Mask) -> Prediction | None:
    """How an ensemble made a mask; None for masks from elsewhere."""
    made = Prediction.objects.filter(mask=mask).exclude(ensemble=None)
    return made.select_related("ensemble").first()


def measure(
    truth: Mask, mask: Mask, *, report: Report, cancelled: Callable[[], bool]
) -> Iterator[tuple[str, dict[str, float]]]:
    """The four metrics at each pair of factors, on the grid of the image as it is."""
    made = find_prediction(mask)
    assert made is not None
    assert made.ensemble is not None
    folder = registering.find_folder(made.ensemble)
    # A crop was said in voxels or by a map of the finer grid: the whole is predicted.
    settings = replace(read_settings(made.settings), crop=None)
    reference, grid = measuring.read_mask(truth)
    image: Any = nib.load(files.locate(mask.case.image_path))
    for place, pair in enumerate(COARSER):

        def show(part: float, words: str, place: int = place) -> None:
            report((place + part) / len(COARSER), words)

        predicted = predict_coarser(
            image=image, factors=spread_factors(grid.zooms, pair), ensemble=folder,
            settings=settings, progress=show, cancelled=cancelled,
        )  # fmt: skip
        told = compare_masks(
            reference=reference, prediction=predicted, spacing=grid.zooms
        )
        yield name_factors(pair), {m: float(getattr(told, m)) for m in METRICS}


def spread_factors(
    zooms: tuple[float, float, float], pair: tuple[float, float]
) -> Factors:
    """Factors by axis from those in and across slices, the longest side of a voxel."""
    through = int(np.argmax(zooms))
    x, y, z = (pair[1] if axis == through else pair[0] for axis in range(3))
    return x, y, z


def predict_coarser(
    *,
    image: Any,
    factors: Factors,
    ensemble: Path,
    settings: engine.Settings,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> NDArray[np.bool_]:
    """Predict from an image whose voxels are longer by `factors`; on its own grid.

    The mask comes back by the nearest voxel, as a rater would see it.
    """
    with tempfile.TemporaryDirectory(prefix="blindfold-coarser-") as folder:
        path = Path(folder) / "image.nii.gz"
        coarse = coarsen(image, factors)
        nib.save(coarse, path)
        made = engine.predict(
            image=path, ensemble=ensemble, settings=settings,
            progress=progress, cancelled=cancelled,
        )  # fmt: skip
    small: Any = nib.Nifti1Image(made.mask, coarse.affine)
    back: Any = resample_from_to(small, (image.shape, image.affine), order=0)
    return np.asarray(back.dataobj) > 0


def coarsen(image: Any, factors: Factors) -> Any:
    """The image on a grid of the same extent with voxels longer by `factors`.

    A Gaussian first takes away what the new voxels cannot hold: its width makes the
    old voxel's profile, taken as one of full width 1 at half height, that of the new.
    """
    # Here and not above: a web process that only shows tables pays nothing for it.
    from scipy import ndimage

    old = np.asarray(image.shape[:3])
    scale = np.asarray(factors)
    sigma = np.sqrt(np.maximum(scale**2 - 1, 0)) / 2.3548
    voxels = ndimage.gaussian_filter(image.get_fdata(dtype=np.float32), sigma)
    shape = tuple(int(n) for n in np.maximum(np.round(old / scale), 1))
    # The first corners of both grids are the same point.
    within = np.diag([*scale, 1.0])
    within[:3, 3] = (scale - 1) / 2
    affine = image.affine @ within
    smooth: Any = nib.Nifti1Image(voxels, image.affine)
    return resample_from_to(smooth, (shape, affine), order=1, mode="nearest")
