"""Stored files: exactly the canonical bytes of their voxels on the image's grid."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator

from ratings import files, images, importing
from ratings.models import Case, Mask, Study
from ratings.nifti import HEADER

PLAIN_GZIP = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0))
"""Magic, deflate, no flags (so no name and no comment), no time."""


def check_files(study: Study) -> list[str]:
    """A sentence for each image or mask that is not what it was stored as."""
    faults = []
    for case in study.cases.order_by("label"):
        faults += [f"{case.label}, image: {f}" for f in judge_image(case)]
        for mask in case.masks.select_related("arm").order_by("arm__key"):
            found = judge_mask(mask, importing.find_grid(case))
            faults += [f"{case.label}, mask of “{mask.arm.label}”: {f}" for f in found]
    return faults


def read_stored(path: str, digest: str) -> bytes | str:
    """The bytes, or what is wrong with them."""
    try:
        data = files.locate(path).read_bytes()
    except OSError:
        return "the stored file can't be read. Restore it from a backup."
    if hashlib.sha256(data).hexdigest() != digest:
        return (
            "the stored file was changed after it was taken in. Restore it from a "
            "backup, or remove the case and upload it again."
        )
    return data


def judge_image(case: Case) -> Iterator[str]:
    """The image of a case, and its second series where there is one."""
    grid = importing.find_grid(case)
    yield from judge_series(case.image_path, case.image_sha256, grid)
    second = case.find_companion("second")
    if second:
        yield from judge_series(second.path, second.sha256, None)


def judge_series(path: str, digest: str, grid: images.Grid | None) -> Iterator[str]:
    """One stored image, on the grid that is known of it or else on its own."""
    data = read_stored(path, digest)
    if isinstance(data, str):
        yield data
        return
    try:
        start = zlib.decompressobj(wbits=31).decompress(data, HEADER)
    except zlib.error:
        yield "the stored file is no canonical image."
        return
    grid = grid or images.decode_header(start)[0]
    allowed = {
        images.encode_header(grid=grid, datatype=code, bits=8 * int(dtype[2:]))
        for dtype, code in images.CODES.items()
    }
    if not data.startswith(PLAIN_GZIP) or start not in allowed:
        yield "its header holds more than geometry. Remove the case, upload it again."


def judge_mask(mask: Mask, grid: images.Grid) -> Iterator[str]:
    data = read_stored(mask.path, mask.sha256)
    if isinstance(data, str):
        yield data
        return
    head = images.encode_header(grid=grid, datatype=images.BINARY, bits=1)
    voxels = grid.shape[0] * grid.shape[1] * grid.shape[2]
    if len(data) != len(head) + -(-voxels // 8) or not data.startswith(head):
        yield "the file is not canonical: its header or length is not the image's."
        return
    marked, _ = images.decode_mask(data)
    if images.encode_mask(mask=marked, grid=grid) != data:
        yield "the file is not canonical: bits stand beyond the last voxel."
