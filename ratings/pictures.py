"""Keeps the small pictures of uploads and cases, painted once; coordinators only."""

from __future__ import annotations

import hashlib

import numpy as np

from ratings import files, images, thumbnails
from ratings.models import Case, Mask, Upload

FOLDER = "pictures"
# Counted up when pictures are painted otherwise, so that no older one is shown.
STYLE = 2


def show_upload(upload: Upload) -> bytes:
    relative = f"{FOLDER}/{upload.pk}.png"
    return load(relative) or keep(relative, paint_upload(upload))


def show_case(case: Case, masks: list[Mask | None]) -> bytes:
    """A slice of the case; the masks come in the order of the study's arms."""
    shown = "/".join(mask.sha256 if mask else "" for mask in masks)
    digest = hashlib.sha256(f"{STYLE}/{shown}".encode()).hexdigest()[:16]
    relative = f"{FOLDER}/{case.pk}-{digest}.png"
    return load(relative) or keep(relative, paint_case(case, masks))


def show_outline(mask: Mask) -> bytes:
    """The slice of the case with most of this mask, which is drawn as an outline."""
    relative = f"{FOLDER}/{mask.case_id}-outline-{mask.sha256[:16]}.png"
    return load(relative) or keep(relative, paint_outline(mask))


def paint_outline(mask: Mask) -> bytes:
    image = files.locate(mask.case.image_path).read_bytes()
    marked, grid = images.decode_mask(files.locate(mask.path).read_bytes())
    voxels = images.decode_image(image).voxels
    return thumbnails.paint_outline(voxels=voxels, grid=grid, mask=marked)


def load(relative: str) -> bytes:
    path = files.locate(relative)
    return path.read_bytes() if path.exists() else b""


def keep(relative: str, png: bytes) -> bytes:
    files.write_durably(files.locate(relative), png)
    return png


def forget(key: object) -> None:
    """Delete all pictures of the upload or case with that primary key."""
    for path in files.locate(FOLDER).glob(f"{key}*.png"):
        path.unlink(missing_ok=True)


def paint_upload(upload: Upload) -> bytes:
    data = files.locate(upload.path).read_bytes()
    if upload.kind in (Upload.Kind.MASK, Upload.Kind.CORD):
        marked, grid = images.decode_mask(data)
        blank = np.zeros(grid.shape, np.uint8)
        return thumbnails.paint_slice(voxels=blank, grid=grid, masks=[marked])
    volume = images.decode_image(data)
    return thumbnails.paint_slice(voxels=volume.voxels, grid=volume.grid, masks=[])


def paint_case(case: Case, masks: list[Mask | None]) -> bytes:
    """An arm without a mask gets a blank one, so that each arm keeps its colour."""
    volume = images.decode_image(files.locate(case.image_path).read_bytes())
    blank = np.zeros(volume.grid.shape, np.bool_)
    decoded = [
        images.decode_mask(files.locate(m.path).read_bytes())[0] if m else blank
        for m in masks
    ]
    return thumbnails.paint_slice(voxels=volume.voxels, grid=volume.grid, masks=decoded)
