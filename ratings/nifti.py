"""Reads one NIfTI-1 file safely: header checked first, then inflated with limits."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from ratings.streams import (
    GZIP,
    MOST_MEMBERS,
    PlainBytes,
    TooManyMembers,
    read_pieces,
)

HEADER = 352
# what deflate can make of a byte at most; a file that promises more is cut off
BEST_RATIO = 1040
BYTE_LIMIT = 2**31
MOST_EXTENSION = 2**24
NO_ORIENTATION, TWO_PLACES, SHEARED = "no_orientation", "two_places", "sheared"
SCALE_IGNORED, BITS_DIFFER = "scale_ignored", "bits_differ"
DTYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8",
    256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
SIZES = {b"\x5c\x01\0\0": "<", b"\0\0\x01\x5c": ">"}
UNUSABLE = {32: "complex", 128: "RGB", 1: "1-bit", 1792: "complex", 2304: "RGBA"}
# nibabel: of a quaternion that is none, and of qfac or voxel sizes that can't be
UNREADABLE_QFORM = (ValueError, HeaderDataError)
CORRUPT = (
    "The compressed data are damaged (checksum or structure). Copy or export the "
    "file again and upload it anew."
)


class ImageRefused(Exception):
    """A file that can't be used: a stable code, and a sentence with the remedy."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class RawVolume:
    """Voxels as stored, scaled, with the affine of the file (mm, RAS+)."""

    voxels: NDArray[np.generic]
    affine: NDArray[np.float64]
    scaled: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """What a checked header says of the voxels that follow it."""

    shape: tuple[int, int, int]
    dtype: np.dtype[np.generic]
    offset: int

    @property
    def data_bytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


def read_nifti(
    *, path: Path, name: str, voxel_limit: int, byte_limit: int = BYTE_LIMIT
) -> RawVolume:
    """One 3-D scalar volume, or ImageRefused with code and sentence."""
    pieces = read_pieces(path)
    try:
        stream = PlainBytes(pieces)
        header = parse_header(stream.read(HEADER), name=name)
        layout = check_layout(header, name=name, voxels=voxel_limit, limit=byte_limit)
        affine, warnings = read_affine(header, layout.shape, name=name)
        check_length(path, layout, name=name)
        stream.skip(layout.offset - HEADER)
        voxels = read_voxels(stream, layout)
        refuse_trailing(stream, name=name)
    except zlib.error as error:
        raise ImageRefused("damaged", f"{name}: {CORRUPT}") from error
    except EOFError as error:
        raise ImageRefused("truncated", truncation(name)) from error
    except TooManyMembers as error:
        raise ImageRefused(
            "damaged",
            f"{name}: its gzip stream is cut into more than {MOST_MEMBERS:,} parts. "
            "Unpack the file, pack it again with gzip, and upload it anew.",
        ) from error
    finally:
        pieces.close()
    voxels, scaled, more = scale(voxels, header)
    found = warnings + more + check_bits(header, layout)
    return RawVolume(voxels=voxels, affine=affine, scaled=scaled, warnings=found)


def truncation(name: str) -> str:
    return (
        f"{name}: the file ends before its last voxel. Copy or export it again, "
        "and upload it anew."
    )


def parse_header(block: bytes, *, name: str) -> nib.Nifti1Header:
    size = block[:4]
    if not block or (size in SIZES and len(block) < HEADER):
        raise EOFError
    if size not in SIZES or len(block) < HEADER:
        raise ImageRefused("not_nifti", f"{name}: {name_format(block)}")
    if block[344:348] != b"n+1\0":
        raise ImageRefused(
            "not_single_file",
            f"{name}: header and voxels must be in one file (.nii or .nii.gz), "
            "not a pair of .hdr and .img. Save it as one file.",
        )
    header = nib.Nifti1Header(block[:348], endianness=SIZES[size], check=False)
    if not 1 <= int(header["dim"][0]) <= 7:
        raise ImageRefused(
            "header_damaged",
            f"{name}: the header contradicts itself (its number of dimensions, "
            f"{int(header['dim'][0])}, can't be). Convert the original images again.",
        )
    if header["pixdim"][0] == 0:
        # the standard: a qfac of 0 is read as 1, which nibabel does not do
        header["pixdim"][0] = 1
    return header


def name_format(block: bytes) -> str:
    """What a file that is no NIfTI-1 seems to be, and what to do about it."""
    if block[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c"):
        return "this is NIfTI-2. Save it as NIfTI-1 (.nii or .nii.gz)."
    if block[128:132] == b"DICM":
        return "this is a DICOM file. Convert the series with dcm2niix first."
    if block[:4] == b"PK\x03\x04":
        return "this is a zip. Give it a name that ends in .zip, or unpack it first."
    return (
        "this is not a NIfTI-1 file. Upload .nii or .nii.gz files; convert DICOM "
        "with dcm2niix first."
    )


def check_layout(
    header: nib.Nifti1Header, *, name: str, voxels: int, limit: int
) -> Layout:
    shape = check_shape(header, name=name, limit=voxels)
    dtype = check_type(header, name=name)
    offset = float(header["vox_offset"])
    if not HEADER <= offset <= MOST_EXTENSION or offset != int(offset):
        raise ImageRefused(
            "vox_offset",
            f"{name}: the header says that voxels start at byte {offset:g}, which "
            f"can't be (from {HEADER} on). Re-save the file with a current tool.",
        )
    layout = Layout(shape=shape, dtype=dtype, offset=int(offset))
    size = layout.data_bytes
    if is_scaled(header):
        size = size // dtype.itemsize * 8
    if size > limit:
        raise ImageRefused(
            "too_large",
            f"{name}: {size / 2**20:,.0f} MiB unpacked are more than the limit of "
            f"{limit / 2**20:,.0f} MiB. Crop the volume, or save it in 16 bits.",
        )
    return layout


def check_type(header: nib.Nifti1Header, *, name: str) -> np.dtype[np.generic]:
    code = int(header["datatype"])
    if code not in DTYPES:
        kind = UNUSABLE.get(code, f"type {code}")
        raise ImageRefused(
            "data_type",
            f"{name}: {kind} voxels can't be shown as grey values. Export a scalar "
            "volume (integer or float).",
        )
    return np.dtype(DTYPES[code]).newbyteorder(header.endianness)


def check_length(path: Path, layout: Layout, *, name: str) -> None:
    """A file too short for what its header promises is refused unread."""
    needed = layout.offset + layout.data_bytes
    with path.open("rb") as stream:
        packed = stream.read(2) == GZIP
    size = path.stat().st_size
    if size * (BEST_RATIO if packed else 1) < needed:
        raise EOFError


def check_shape(
    header: nib.Nifti1Header, *, name: str, limit: int
) -> tuple[int, int, int]:
    dims = [int(n) for n in header["dim"]]
    rank = dims[0]
    sizes = dims[1 : rank + 1] if 1 <= rank <= 7 else []
    if rank < 3 or any(n < 1 for n in sizes):
        raise ImageRefused(
            "not_3d", f"{name}: a volume with three dimensions is needed, this has "
            f"{'×'.join(map(str, sizes))}. Export the whole volume."
        )  # fmt: skip
    if any(n > 1 for n in sizes[3:]):
        raise ImageRefused(
            "not_3d",
            f"{name}: this is a {rank}-D series ({'×'.join(map(str, sizes))}). "
            "Upload one 3-D volume; split the series first.",
        )
    shape = (sizes[0], sizes[1], sizes[2])
    if shape[0] * shape[1] * shape[2] > limit:
        raise ImageRefused(
            "too_large",
            f"{name}: {'×'.join(map(str, shape))} voxels are more than the limit "
            f"of {limit:,}. Crop the volume first.",
        )
    return shape


def read_voxels(stream: PlainBytes, layout: Layout) -> NDArray[np.generic]:
    data = np.empty(layout.data_bytes, np.uint8)
    stream.fill(data.data)
    return data.view(layout.dtype).reshape(layout.shape, order="F")


def refuse_trailing(stream: PlainBytes, *, name: str) -> None:
    """Reading on to the end is also what makes zlib check length and checksum."""
    if stream.take(1):
        raise ImageRefused(
            "trailing_data",
            f"{name}: there are data after the last voxel, so the header does not "
            "describe this file. Re-save it with a current tool.",
        )


def check_bits(header: nib.Nifti1Header, layout: Layout) -> tuple[str, ...]:
    right = int(header["bitpix"]) == 8 * layout.dtype.itemsize
    return () if right else (BITS_DIFFER,)


def read_affine(
    header: nib.Nifti1Header, shape: tuple[int, int, int], *, name: str
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    units = int(header["xyzt_units"]) & 7
    if units in (1, 3):
        raise ImageRefused(
            "units",
            f"{name}: the header gives positions in "
            f"{'metres' if units == 1 else 'micrometres'}. Re-save it in millimetres.",
        )
    try:
        affine = np.asarray(header.get_best_affine(), dtype=np.float64)
    except UNREADABLE_QFORM as error:
        raise ImageRefused("bad_affine", bad_affine(name)) from error
    with np.errstate(all="ignore"):
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
    usable = bool(np.isfinite(affine).all() and (spacing > 1e-3).all())
    if not usable or abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-3:
        raise ImageRefused("bad_affine", bad_affine(name))
    if (spacing > 50).any():
        raise ImageRefused(
            "spacing", f"{name}: voxels of {spacing.max():.0f} mm can't be right. "
            "Check the unit of the header (millimetres)."
        )  # fmt: skip
    return affine, remark_on_place(header, affine, shape)


def remark_on_place(
    header: nib.Nifti1Header, affine: NDArray[np.float64], shape: tuple[int, int, int]
) -> tuple[str, ...]:
    """No stated place, two places that differ, or axes that aren't at right angles."""
    coded = (int(header["sform_code"]) > 0, int(header["qform_code"]) > 0)
    if not any(coded):
        return (NO_ORIENTATION,)
    found: tuple[str, ...] = ()
    if all(coded) and differ(header, affine, shape):
        found += (TWO_PLACES,)
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3:
        found += (SHEARED,)
    return found


def differ(
    header: nib.Nifti1Header, affine: NDArray[np.float64], shape: tuple[int, int, int]
) -> bool:
    """Whether the second statement of the place is a tenth voxel off, or is none."""
    try:
        other = np.asarray(header.get_qform(), np.float64)
    except UNREADABLE_QFORM:
        return True
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1)
    points = np.vstack([corners, np.ones(corners.shape[1])])
    with np.errstate(all="ignore"):
        off = np.linalg.inv(affine) @ other @ points - points
    return not bool(np.abs(off).max() <= 0.1)


def bad_affine(name: str) -> str:
    return (
        f"{name}: the header does not say where the voxels lie (its orientation "
        "matrix is not usable). Convert the original images again."
    )


def is_scaled(header: nib.Nifti1Header) -> bool:
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope) or not np.isfinite(inter):
        return False
    return (slope, inter) != (1.0, 0.0)


def scale(
    voxels: NDArray[np.generic], header: nib.Nifti1Header
) -> tuple[NDArray[np.generic], bool, tuple[str, ...]]:
    """Apply slope and intercept; slope 0 or not finite means unscaled."""
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if not is_scaled(header):
        odd = slope != 0 and not (np.isfinite(slope) and np.isfinite(inter))
        # writers put not-a-number into both where they mean "unscaled"
        meant = np.isnan(slope) and (np.isnan(inter) or inter == 0)
        return voxels, False, (SCALE_IGNORED,) if odd and not meant else ()
    scaled = voxels.astype(np.float64)
    scaled *= slope
    scaled += inter
    return scaled, True, ()
