"""Keeps what was computed of an image, so that the same work is never done twice."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from inference import engine
from inference.models import Result
from ratings import files
from ratings.models import Case

PATHS = ("votes_path", "soft_path", "mask_path")


def find(*, case: Case, key: str) -> Result | None:
    """What was computed under that key for this case, or for its twin elsewhere."""
    for result in Result.objects.filter(key=key).order_by("created_at"):
        if is_whole(result):
            return result if result.case_id == case.pk else adopt(result, case=case)
    return None


def is_whole(result: Result) -> bool:
    paths = [getattr(result, name) for name in PATHS]
    return all(files.locate(path).is_file() for path in paths if path)


def adopt(result: Result, *, case: Case) -> Result | None:
    """Give a case of equal voxels its own names of the same files."""
    own = {}
    for name in PATHS:
        if path := getattr(result, name):
            own[name] = name_file(case, result.key, name)
            try:
                link(files.locate(path), files.locate(own[name]))
            except FileNotFoundError:
                # The other case was removed a moment ago: then there is no twin.
                return None
    return enter(case, result.key, own, result.provenance, result.log)


def link(source: Path, target: Path) -> None:
    """A second name of the same bytes, or a copy where the disk knows no such thing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def keep(
    *,
    case: Case,
    key: str,
    maps: dict[str, NDArray[Any]],
    provenance: dict[str, Any],
    log: str = "",
) -> Result:
    """Store maps on the image's grid: "mask_path", and of an ensemble all three.

    Their names follow from case and key, so that an attempt after a crash writes over
    what the former left.
    """
    like, paths = files.locate(case.image_path), {}
    for name, array in maps.items():
        paths[name] = name_file(case, key, name)
        files.write_durably(files.locate(paths[name]), encode(array, like=like))
    return enter(case, key, paths, provenance, log)


def enter(
    case: Case, key: str, paths: dict[str, str], provenance: dict[str, Any], log: str
) -> Result:
    values = {**paths, "provenance": provenance, "log": log}
    result, _ = Result.objects.update_or_create(case=case, key=key, defaults=values)
    return result


def name_file(case: Case, key: str, kind: str) -> str:
    folder = files.name_derived_folder(case.pk)
    return f"{folder}/{key[:32]}-{kind.removesuffix('_path')}.nii.gz"


def encode(array: NDArray[Any], *, like: Path) -> bytes:
    """A map on the image's grid, in its own data type."""
    source: Any = nib.load(like)
    header = source.header.copy()
    header.set_data_dtype(array.dtype)
    header.set_slope_inter(1, 0)
    data = nib.Nifti1Image(array, source.affine, header).to_bytes()
    return gzip.compress(data, 6, mtime=0)


def read_map(relative: str) -> NDArray[Any]:
    image: Any = nib.load(files.locate(relative))
    return np.asarray(image.dataobj)


def make_mask(result: Result, *, settings: engine.Settings) -> NDArray[np.uint8]:
    """The mask by a rule and a threshold, from the stored maps alone."""
    if settings.rule == "nnunet" or not result.votes_path:
        return np.asarray(read_map(result.mask_path), dtype=np.uint8)
    return engine.apply_threshold(
        votes=read_map(result.votes_path),
        folds=int(result.provenance["folds"]),
        threshold=settings.threshold,
    )
