"""The one place that validates a NIfTI file and makes the canonical bytes of it."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from django.conf import settings
from nibabel.orientations import (
    apply_orientation,
    inv_ornt_aff,
    io_orientation,
    ornt2axcodes,
)
from numpy.typing import NDArray

from ratings.mishaps import confine_to_file
from ratings.nifti import (
    HEADER,
    NO_ORIENTATION,
    ImageRefused,
    RawVolume,
    read_nifti,
)

TOLERANCE_VOXELS = 0.01
WHOLE = 1e-5
# more values than a mask of any kind has
MOST_LABELS = 20
GREATEST = float(np.finfo(np.float32).max)
OWN_GRID = "Export it on the image's own grid; nothing is resampled here."
CODES = {"|u1": 2, "<i2": 4, "<f4": 16, "<u2": 512}
BINARY = 1
WARNINGS = {
    "no_orientation": "The header states no orientation; left and right are a guess.",
    "two_places": "The header's qform and sform do not agree; the sform was taken.",
    "sheared": "The axes do not stand at right angles; other programs may differ.",
    "scale_ignored": "The header's scaling is not a number and was not applied.",
    "bits_differ": "The header's bits a voxel contradict its data type.",
    "not_finite": "Voxels that were not numbers were set to the smallest value.",
    "empty_mask": "The mask is empty: no voxel is marked.",
    "empty_levels": "No vertebral level is marked.",
    "identical_masks": "Voxel for voxel the same mask as that of another source.",
    "most_of_cord": "The mask marks more than half of the cord.",
    "outside_cord": "Most of the mask lies outside the cord mask.",
    "duplicate_image": "The same image is in this study already.",
    "personal_name": "The file name looks as if it held a person's name or a date.",
    "personal_subject": "The subject looks like a person's name, date or number.",
    "reordered": "Axes were brought into the standard order (no resampling).",
}


@dataclass(frozen=True)
class Grid:
    """Shape and affine (mm) on closest-canonical RAS axes."""

    shape: tuple[int, int, int]
    affine: tuple[tuple[float, ...], ...]
    # the header said nothing, so that what lies on it may say nothing either
    guessed: bool = field(default=False, compare=False)

    @property
    def matrix(self) -> NDArray[np.float64]:
        return np.asarray(self.affine, dtype=np.float64)

    @property
    def zooms(self) -> tuple[float, float, float]:
        x, y, z = np.linalg.norm(self.matrix[:3, :3], axis=0)
        return (float(x), float(y), float(z))

    @property
    def voxel_mm3(self) -> float:
        return float(abs(np.linalg.det(self.matrix[:3, :3])))


@dataclass(frozen=True)
class Volume:
    voxels: NDArray[np.generic]
    grid: Grid
    stored_as: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a file; `code` is stable, `message` is a sentence."""

    file: str
    verdict: str
    code: str
    message: str
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "warnings": list(self.warnings)}


def read_volume(*, path: Path, name: str) -> Volume:
    """A volume on canonical axes, voxels as stored; refuses what is unusable."""
    raw = read_nifti(
        path=path, name=name, voxel_limit=settings.VOXEL_LIMIT,
        byte_limit=settings.UNPACKED_LIMIT_BYTES,
    )  # fmt: skip
    return canonicalise(raw)


def canonicalise(raw: RawVolume) -> Volume:
    orientation = io_orientation(raw.affine)
    voxels = apply_orientation(raw.voxels, orientation)
    affine = raw.affine @ inv_ornt_aff(orientation, raw.voxels.shape)
    guessed = NO_ORIENTATION in raw.warnings
    grid = Grid(voxels.shape, freeze(affine.astype(np.float32)), guessed)
    moved = not np.array_equal(orientation, [[0, 1], [1, 1], [2, 1]])
    warnings = raw.warnings + (("reordered",) if moved else ())
    stored_as = "".join(ornt2axcodes(orientation))
    return Volume(voxels=voxels, grid=grid, stored_as=stored_as, warnings=warnings)


def freeze(affine: NDArray[Any]) -> tuple[tuple[float, ...], ...]:
    # adding 0 turns -0.0 into 0.0: the two must not give different bytes.
    return tuple(tuple(float(x) + 0.0 for x in row) for row in affine)


def read_image(*, path: Path, name: str) -> Volume:
    """An image ready to be encoded: finite, in one of four data types."""
    return prepare_image(volume=read_volume(path=path, name=name), name=name)


def prepare(*, volume: Volume, kind: str, name: str) -> Volume:
    """A volume as the kind of file that it is to be, or a refusal."""
    if kind in ("mask", "cord"):
        return prepare_mask(volume=volume, name=name)
    if kind == "levels":
        return prepare_levels(volume=volume, name=name)
    if kind == "soft":
        return prepare_soft(volume=volume, name=name)
    return prepare_image(volume=volume, name=name)


def lay_out(voxels: NDArray[np.generic]) -> NDArray[np.generic]:
    """The voxels in the order of memory, where a pass over them is fastest."""
    # a flipped axis is read forwards again: numpy is slow on the way back
    ways = tuple(slice(None, None, -1 if s < 0 else 1) for s in voxels.strides)
    return voxels[ways].ravel(order="K")


def find_bounds(voxels: NDArray[np.generic]) -> tuple[Any, Any]:
    """The least and the greatest voxel."""
    flat = lay_out(voxels)
    return flat.min(), flat.max()


def prepare_image(*, volume: Volume, name: str) -> Volume:
    voxels, warnings = volume.voxels, volume.warnings
    low, high = find_bounds(voxels)
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = np.isfinite(voxels)
        if not finite.any():
            raise ImageRefused(
                "not_finite",
                f"{name}: no voxel holds a number. Convert the original images again.",
            )
        low, high = voxels[finite].min(), voxels[finite].max()
        voxels = np.where(finite, voxels, low)
        warnings += ("not_finite",)
    if low == high:
        raise ImageRefused(
            "constant",
            f"{name}: all voxels have the same value, so there is nothing to see. "
            "If this is an empty mask, give it a name that ends in _seg or _mask.",
        )
    if max(abs(float(low)), abs(float(high))) > GREATEST:
        raise ImageRefused(
            "value_range",
            f"{name}: voxels hold values beyond what can be shown ({float(high):.0e}). "
            "Convert the original images again.",
        )
    kept = voxels.astype(choose_type(voxels.dtype, low, high), copy=False)
    return Volume(kept, volume.grid, volume.stored_as, warnings)


def choose_type(dtype: np.dtype[Any], low: Any, high: Any) -> type[np.generic]:
    """The smallest of uint8, int16, uint16 that holds integers; else float32."""
    if dtype.kind in "iu":
        for small in (np.uint8, np.int16, np.uint16):
            if np.iinfo(small).min <= int(low) and int(high) <= np.iinfo(small).max:
                return small
    return np.float32


def read_mask(*, path: Path, name: str) -> Volume:
    """A mask with one label, as bool on canonical axes."""
    return prepare_mask(volume=read_volume(path=path, name=name), name=name)


def prepare_mask(*, volume: Volume, name: str) -> Volume:
    voxels = volume.voxels
    low, high = find_bounds(voxels)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageRefused(
            "mask_not_finite",
            f"{name}: the mask holds voxels that are not numbers. Export it with "
            "0 for background and 1 for lesion.",
        )
    marked = voxels != 0
    label = float(high if high > 0 else low)
    if label and np.count_nonzero(lay_out(voxels) == label) < np.count_nonzero(marked):
        raise ImageRefused("mask_labels", describe_labels(name, list_labels(voxels)))
    if label < 0 or abs(label - round(label)) > WHOLE or (label and not round(label)):
        raise ImageRefused(
            "mask_value",
            f"{name}: the label of the mask is {label:g}; it must be a "
            "whole number. Binarise the mask first.",
        )
    warnings = volume.warnings + (() if label else ("empty_mask",))
    return Volume(marked, volume.grid, volume.stored_as, warnings)


def list_labels(voxels: NDArray[np.generic]) -> NDArray[np.generic]:
    """Its values but 0; of an image no more than a sample of its many."""
    flat = lay_out(voxels)
    labels = np.unique(flat[:: max(1, flat.size // 2**12)])
    if len(labels) <= MOST_LABELS:
        labels = np.unique(flat)
    return np.asarray(labels[labels != 0])


def prepare_levels(*, volume: Volume, name: str) -> Volume:
    """A map of vertebral levels: whole numbers from 0 to 255."""
    voxels = volume.voxels
    low, high = find_bounds(voxels)
    fits = bool(np.isfinite(low) and np.isfinite(high) and low >= 0 and high <= 255)
    if not fits or (voxels.dtype.kind == "f" and (voxels != np.rint(voxels)).any()):
        raise ImageRefused(
            "levels_value",
            f"{name}: a map of vertebral levels holds whole numbers from 0 to 255. "
            "Export the labels themselves.",
        )
    warnings = volume.warnings + (() if high else ("empty_levels",))
    whole = voxels.astype(np.uint8)
    return Volume(whole, volume.grid, volume.stored_as, warnings)


def prepare_soft(*, volume: Volume, name: str) -> Volume:
    """A map of probabilities: numbers from 0 to 1."""
    low, high = map(float, find_bounds(volume.voxels))
    if not (low >= -WHOLE and high <= 1 + WHOLE):
        raise ImageRefused(
            "soft_range",
            f"{name}: a soft map holds probabilities from 0 to 1; this one holds "
            f"{low:g} to {high:g}. Divide it by its greatest possible value first.",
        )
    soft = np.clip(volume.voxels, 0, 1).astype(np.float32)
    return Volume(soft, volume.grid, volume.stored_as, volume.warnings)


def describe_labels(name: str, labels: NDArray[np.generic]) -> str:
    if len(labels) > MOST_LABELS or any(float(x) != round(float(x)) for x in labels):
        count = "many" if len(labels) > MOST_LABELS else len(labels)
        return (
            f"{name}: this looks like an image or a probability map, not a mask "
            f"({count} different values). Binarise it first; if it is the image, "
            "take words like “mask” or “lesion” out of its name."
        )
    shown = ", ".join(f"{float(x):g}" for x in labels[:5])
    return (
        f"{name}: the mask holds {len(labels)} labels ({shown}). Export the lesion "
        "label alone."
    )


def place_mask(*, mask: Volume, grid: Grid, name: str) -> NDArray[np.bool_]:
    """The mask's voxels if it lies on the image's grid; else a refusal."""
    placed = place(volume=mask, grid=grid, name=name, what="mask")
    return np.asarray(placed.voxels, dtype=np.bool_)


def place(*, volume: Volume, grid: Grid, name: str, what: str = "map") -> Volume:
    """The volume on the image's own grid, axes turned and flipped without loss."""
    turned = turn_onto(volume, grid)
    shift = corner_displacement(turned.grid, grid)
    if turned.grid.shape != grid.shape:
        ours, theirs = ("×".join(map(str, g.shape)) for g in (turned.grid, grid))
        raise ImageRefused(
            "grid_mismatch",
            f"{name}: the {what} has {ours} voxels, its image {theirs}; corners lie "
            f"up to {shift:.2f} voxels apart. {OWN_GRID}",
        )
    if shift > TOLERANCE_VOXELS:
        raise ImageRefused(
            "grid_mismatch",
            f"{name}: the {what} lies {shift:.2f} voxels away from its image. "
            f"{OWN_GRID}",
        )
    if "no_orientation" in volume.warnings and not grid.guessed:
        raise ImageRefused(
            "mask_no_orientation",
            f"{name}: the header states no orientation, but the image's does, so left "
            f"and right can't be told. {OWN_GRID}",
        )
    return Volume(turned.voxels, grid, volume.stored_as, volume.warnings)


def turn_onto(volume: Volume, grid: Grid) -> Volume:
    """The axis order that fits the image's best: near 45° each could pick its own."""
    relation = np.linalg.inv(grid.matrix) @ volume.grid.matrix
    signs = np.rint(relation[:3, :3] / np.abs(relation[:3, :3]).max(axis=0))
    if np.array_equal(signs, np.eye(3)) or not is_turn(signs):
        return volume
    axes = np.argmax(np.abs(signs), axis=0)
    orientation = np.array([[a, signs[a, i]] for i, a in enumerate(axes)])
    affine = volume.grid.matrix @ inv_ornt_aff(orientation, volume.grid.shape)
    voxels = apply_orientation(volume.voxels, orientation)
    turned = Grid(voxels.shape, freeze(affine))
    return Volume(voxels, turned, volume.stored_as, volume.warnings)


def is_turn(signs: NDArray[np.float64]) -> bool:
    """A signed permutation: each axis goes to exactly one, forwards or backwards."""
    size = np.abs(signs)
    return bool((size.sum(axis=0) == 1).all() and (size.sum(axis=1) == 1).all())


def corner_displacement(ours: Grid, theirs: Grid) -> float:
    """Largest distance between the corners of two grids, in voxels of `theirs`."""
    moved = np.linalg.inv(theirs.matrix) @ ours.matrix @ list_corners(ours.shape)
    return float(np.abs(moved - list_corners(theirs.shape)).max())


def list_corners(shape: tuple[int, ...]) -> NDArray[np.float64]:
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1)
    return np.vstack([corners, np.ones(corners.shape[1])])


def encode_header(*, grid: Grid, datatype: int, bits: int) -> bytes:
    """348 bytes of NIfTI-1 that hold geometry and nothing else, and 4 zeros."""
    header = bytearray(HEADER)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *grid.shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, datatype, bits)
    struct.pack_into("<8f", header, 76, 1.0, *grid.zooms, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, HEADER, 1.0, 0.0)
    header[123] = 2
    struct.pack_into("<2h", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, *[x for row in grid.affine[:3] for x in row])
    header[344:348] = b"n+1\0"
    return bytes(header)


def encode_image(volume: Volume) -> bytes:
    """Canonical image: one gzip stream, fixed level, no time and no name."""
    voxels = np.ascontiguousarray(volume.voxels)
    dtype = voxels.dtype.newbyteorder("<")
    code = CODES[dtype.str]
    head = encode_header(grid=volume.grid, datatype=code, bits=8 * dtype.itemsize)
    return gzip.compress(head + voxels.astype(dtype).tobytes("F"), 6, mtime=0)


def encode_mask(*, mask: NDArray[np.bool_], grid: Grid) -> bytes:
    """Canonical mask: one bit a voxel, so its length depends on the grid alone."""
    bits = np.packbits(mask.ravel(order="F"), bitorder="little")
    return encode_header(grid=grid, datatype=BINARY, bits=1) + bits.tobytes()


def decode_header(data: bytes) -> tuple[Grid, int]:
    shape = struct.unpack_from("<3h", data, 42)
    rows = struct.unpack_from("<12f", data, 280)
    affine = (rows[:4], rows[4:8], rows[8:], (0.0, 0.0, 0.0, 1.0))
    return Grid(shape=shape, affine=affine), struct.unpack_from("<h", data, 70)[0]


def decode_mask(data: bytes) -> tuple[NDArray[np.bool_], Grid]:
    grid, _ = decode_header(data)
    count = int(np.prod(grid.shape))
    bits = np.frombuffer(data, np.uint8, offset=HEADER)
    flat = np.unpackbits(bits, count=count, bitorder="little")
    return flat.reshape(grid.shape, order="F").astype(np.bool_), grid


def decode_image(data: bytes) -> Volume:
    plain = zlib.decompress(data, wbits=31)
    grid, code = decode_header(plain)
    dtype = np.dtype({v: k for k, v in CODES.items()}[code])
    voxels = np.frombuffer(plain, dtype, offset=HEADER).reshape(grid.shape, order="F")
    return Volume(voxels=voxels, grid=grid, stored_as="RAS", warnings=())


def encode(*, volume: Volume, kind: str) -> bytes:
    """The canonical bytes of a prepared volume of that kind."""
    if kind in ("mask", "cord"):
        marked = np.asarray(volume.voxels, np.bool_)
        return encode_mask(mask=marked, grid=volume.grid)
    return encode_image(volume)


def judge(*, path: Path, name: str, kind: str, grid: Grid | None = None) -> Verdict:
    """The verdict on one file as that kind; all but images on a grid if given."""
    try:
        with confine_to_file(name):
            volume = read_volume(path=path, name=name)
            volume = prepare(volume=volume, kind=kind, name=name)
            if grid is not None and kind not in ("image", "second"):
                what = "mask" if kind == "mask" else "map"
                place(volume=volume, grid=grid, name=name, what=what)
    except ImageRefused as refusal:
        return Verdict(name, "reject", refusal.code, refusal.message)
    return approve(volume=volume, name=name)


def approve(*, volume: Volume, name: str) -> Verdict:
    """The verdict on a volume that was not refused: its most serious warning first."""
    serious = [w for w in volume.warnings if w != "reordered"]
    if serious:
        message = f"{name}: {WARNINGS[serious[0]]}"
        return Verdict(name, "warn", serious[0], message, volume.warnings)
    return Verdict(name, "accept", "ok", f"{name}: usable.", volume.warnings)


def save_as_nifti(*, mask: NDArray[np.bool_], grid: Grid, path: Path) -> None:
    """A mask as an ordinary .nii.gz, for people who may see it."""
    nib.save(nib.Nifti1Image(mask.astype(np.uint8), grid.matrix), path)
