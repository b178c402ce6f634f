"""The job that measures a study's masks, with the maps that predictions left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.models import Prediction
from inference.results import read_map
from ratings import measuring, results, separating
from ratings.models import Job, Mask, Study
from ratings.sweeping import Maps


def run_job(
    job: Job, *, report: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> None:
    """The job kind "measure": metrics, separability, or coarser images."""
    if job.payload.get("separability"):
        separating.run_job(job, report=report, cancelled=cancelled)
        return
    if job.payload.get("resolutions"):
        # Here and not above: only this kind of work needs the networks' rooms.
        from inference import resolutions

        resolutions.run_job(job, report=report, cancelled=cancelled)
        return
    measuring.run(job, report=report, cancelled=cancelled, find_maps=find_maps)
    results.renew_bundle(Study.objects.get(pk=job.payload["study"]))


def find_maps(mask: Mask) -> Maps:
    return Maps(soft=find_soft(mask), votes=find_votes(mask))


def find_votes(mask: Mask) -> NDArray[Any] | None:
    """The share of folds that voted for each voxel of a predicted mask, if kept."""
    made = Prediction.objects.filter(mask=mask).select_related("result").first()
    if made is None or made.result is None or not made.result.votes_path:
        return None
    folds = float(made.result.provenance["folds"])
    return np.asarray(read_map(made.result.votes_path) / folds)


def find_soft(mask: Mask) -> NDArray[Any] | None:
    """The soft map of which a predicted mask is the binary form, if one is kept."""
    made = Prediction.objects.filter(mask=mask).select_related("result").first()
    if made is None or made.result is None or not made.result.soft_path:
        return None
    return read_map(made.result.soft_path)
