"""Write maps as NIfTI on exactly the grid of the image they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from inference.errors import ImageError


def write_mask(*, array: NDArray[Any], like: Path, out: Path) -> None:
    """Write `array` as uint8 NIfTI with the geometry fields of the image `like`.

    Affine, qform, sform, their codes and the units equal the image's; nothing that
    would tell one source of masks from another is written. Raises ImageError when
    the grids differ.
    """
    write_like(array=array.astype(np.uint8), like=like, out=out)


def write_soft(*, array: NDArray[np.float32], like: Path, out: Path) -> None:
    """Write a soft map as float32 NIfTI with the geometry of the image `like`."""
    write_like(array=array.astype(np.float32), like=like, out=out)


def write_like(*, array: NDArray[Any], like: Path, out: Path) -> None:
    """Write `array` in its own type, its header copied from the image `like`."""
    source: Any = nib.load(like)
    if tuple(source.shape[:3]) != array.shape:
        raise ImageError(
            f"A mask of shape {array.shape} does not fit {like.name} of shape "
            f"{source.shape[:3]}."
        )
    header = source.header.copy()
    header.set_data_dtype(array.dtype)
    header.set_slope_inter(1, 0)
    for field in ("descrip", "aux_file", "intent_name", "db_name"):
        header[field] = b""
    header["intent_code"] = 0
    header["cal_min"] = header["cal_max"] = 0
    nib.save(nib.Nifti1Image(array, source.affine, header), out)
