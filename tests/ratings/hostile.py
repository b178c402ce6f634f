"""More than a hundred hostile or awkward files, each with the verdict it must get."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from tests.volumes import make_affine, make_image, make_lesion

SHAPE = (12, 10, 6)
AFFINE = make_affine((0.7, 0.7, 3.0))
GIB = 2**30


@dataclass(frozen=True)
class Awkward:
    """One file, and what an upload of it is told; `group` shares its voxels."""

    name: str
    data: Callable[[], bytes]
    verdict: str
    code: str
    group: str = ""


@cache
def image_voxels() -> NDArray[np.int16]:
    return make_image(SHAPE, np.random.default_rng(5))


@cache
def mask_voxels() -> NDArray[np.uint8]:
    return make_lesion(SHAPE, np.random.default_rng(5))


def write(
    voxels: NDArray[Any], affine: NDArray[np.float64] | None = AFFINE, **fields: Any
) -> bytes:
    """A plain .nii of nibabel's, with header fields set at will."""
    image = nib.Nifti1Image(voxels, affine, dtype=voxels.dtype)
    if affine is not None:
        image.header.set_xyzt_units("mm")
    for key, value in fields.items():
        image.header[key] = value
    return bytes(image.to_bytes())


def image() -> bytes:
    return write(image_voxels())


def mask() -> bytes:
    return write(mask_voxels())


def patch(data: bytes, *changes: tuple[str, int, Any]) -> bytes:
    """The same bytes with some fields of the header overwritten."""
    changed = bytearray(data)
    for form, at, value in changes:
        values = value if isinstance(value, tuple) else (value,)
        struct.pack_into(form, changed, at, *values)
    return bytes(changed)


def packed(data: bytes, **fields: Any) -> bytes:
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", **fields) as out:
        out.write(data)
    return stream.getvalue()


def lie(*changes: tuple[str, int, Any], of: Callable[[], bytes] = image) -> Any:
    return lambda: patch(of(), *changes)


def sform(matrix: NDArray[np.float64], of: Callable[[], bytes] = image) -> Any:
    rows = tuple(float(x) for x in np.asarray(matrix)[:3].ravel())
    return lie(("<12f", 280, rows), ("<h", 252, 0), ("<h", 254, 1), of=of)


def qform(*changes: tuple[str, int, Any]) -> Any:
    """The image with a qform that says what its sform says, and then is changed."""

    def write_both() -> bytes:
        source = nib.Nifti1Image.from_bytes(image())
        source.set_qform(AFFINE, code=1)
        return patch(bytes(source.to_bytes()), *changes)

    return write_both


def bomb(dims: tuple[int, ...], bits: int, code: int, *, plain: int) -> bytes:
    """A small gzip stream that inflates to `plain` bytes of zeros after a header."""
    head = patch(
        image()[:352],
        ("<8h", 40, (len(dims), *dims, *[1] * (7 - len(dims)))),
        ("<2h", 70, (code, bits)),
    )
    return packed_zeros(head, plain)


@cache
def packed_zeros(head: bytes, plain: int) -> bytes:
    """A block is deflated once and repeated; nobody gets as far as the checksum."""
    size = 2**24
    squeeze = zlib.compressobj(9, wbits=31)
    start = squeeze.compress(head) + squeeze.flush(zlib.Z_FULL_FLUSH)
    again = zlib.compressobj(9, wbits=-15)
    block = again.compress(bytes(size)) + again.flush(zlib.Z_FULL_FLUSH)
    end = again.flush() + struct.pack("<2I", 0, (plain + len(head)) % 2**32)
    return start + block * (plain // size) + end


def turned(codes: str, voxels: NDArray[Any], affine: NDArray[np.float64]) -> bytes:
    source = nib.Nifti1Image(voxels, affine)
    change = nib.orientations.ornt_transform(
        nib.io_orientation(affine), nib.orientations.axcodes2ornt(tuple(codes))
    )
    moved = source.as_reoriented(change)
    return write(np.asarray(moved.dataobj), moved.affine)


def with_extension(data: bytes, esize: int, ecode: int, content: bytes) -> bytes:
    """An extension of any stated size before the voxels, padded as it should be."""
    block = struct.pack("<2i", esize, ecode) + content
    block += bytes(-len(block) % 16)
    head = patch(data[:348], ("<f", 108, 352.0 + len(block)))
    return head + b"\1\0\0\0" + block + data[352:]


def swap(data: bytes) -> bytes:
    """The same image as a big-endian machine writes it."""
    source = nib.Nifti1Image.from_bytes(data)
    header = source.header.as_byteswapped(">")
    header["vox_offset"] = 352
    voxels = np.asarray(source.dataobj)
    raw = voxels.astype(voxels.dtype.newbyteorder(">")).tobytes("F")
    return bytes(header.binaryblock) + bytes(4) + raw


def floats(value: float, at: tuple[int, int, int] | None) -> NDArray[np.float32]:
    voxels = image_voxels().astype(np.float32)
    voxels[at if at else slice(None)] = value
    return voxels


def other_archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.nii", image())
    return stream.getvalue()


def list_files() -> list[Awkward]:
    found = [*formats(), *cut(), *headers(), *places(), *types(), *values()]
    found += [*bombs(), *same_images(), *same_masks(), *mask_values(), *extensions()]
    return found


def reject(code: str, name: str, data: Callable[[], bytes]) -> Awkward:
    return Awkward(name, data, "reject", code)


def warn(code: str, name: str, data: Callable[[], bytes]) -> Awkward:
    return Awkward(name, data, "warn", code)


def formats() -> list[Awkward]:
    nifti2 = nib.Nifti2Image(image_voxels(), AFFINE)
    texts: dict[str, bytes] = {
        "pdf.nii.gz": b"%PDF-1.7" + bytes(2000),
        "dicom.nii": bytes(128) + b"DICM" + bytes(2000),
        "zip.nii.gz": other_archive(),
        "json.nii": json.dumps({"a": [1] * 500}).encode(),
        "html.nii": b"<!doctype html><script>alert(1)</script>" * 30,
        "png.nii.gz": b"\x89PNG\r\n\x1a\n" + bytes(1000),
        "nrrd.nii": b"NRRD0004\n" + bytes(1000),
        "mgz.nii.gz": packed(b"\0\0\0\1" + bytes(1000)),
        "nifti2.nii": bytes(nifti2.to_bytes()),
        "zipped_twice.nii.gz": packed(packed(image())),
        "xz.nii.gz": b"\xfd7zXZ\0" + bytes(1000),
        "zeros.nii": bytes(4000),
        "noise.nii": np.random.default_rng(0).bytes(4000),
        "pickle.nii": b"\x80\x04\x95cos\nsystem\n(S'touch x'\ntR." + bytes(1000),
        "short.nii": b"hello",
    }
    return [reject("not_nifti", n, lambda d=d: d) for n, d in texts.items()]  # type: ignore[misc]


def cut() -> list[Awkward]:
    whole, squeezed = image(), packed(image())
    made = [
        reject("truncated", "nothing.nii", lambda: b""),
        reject("truncated", "header_only.nii", lambda: whole[:352]),
        reject("truncated", "half_header.nii", lambda: whole[:200]),
        reject("truncated", "no_voxel.nii.gz", lambda: packed(whole[:352])),
        reject("truncated", "one_byte_short.nii", lambda: whole[:-1]),
        reject("truncated", "one_byte_short.nii.gz", lambda: packed(whole[:-1])),
        reject("truncated", "no_trailer.nii.gz", lambda: squeezed[:-8]),
        reject("truncated", "half_trailer.nii.gz", lambda: squeezed[:-3]),
        reject("truncated", "gzip_magic.nii.gz", lambda: squeezed[:2]),
        reject("damaged", "crc.nii.gz", lambda: flip(squeezed, -6)),
        reject("damaged", "length.nii.gz", lambda: flip(squeezed, -2)),
        reject("damaged", "garbage.nii.gz", lambda: squeezed + b"garbage"),
        reject("damaged", "gzip_version.nii.gz", lambda: flip(squeezed, 2)),
        reject("damaged", "members.nii.gz", lambda: squeezed + packed(b"") * 131_100),
        reject("damaged", "reserved_flag.nii.gz", lambda: flip(squeezed, 3, 0x80)),
        reject("trailing_data", "more.nii", lambda: whole + b"x"),
        reject("trailing_data", "more.nii.gz", lambda: packed(whole + b"patient")),
        reject("trailing_data", "member.nii.gz", lambda: squeezed + packed(b"name")),
    ]
    for part in (0.1, 0.3, 0.5, 0.7, 0.9):
        at, name = int(len(squeezed) * part), f"cut_{part:.1f}.nii.gz"
        made.append(reject("truncated", name, lambda at=at: squeezed[:at]))  # type: ignore[misc]
    return made


def flip(data: bytes, at: int, bits: int = 1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= bits
    return bytes(changed)


def headers() -> list[Awkward]:
    nan, inf = float("nan"), float("inf")
    return [
        reject("vox_offset", "offset_0.nii", lie(("<f", 108, 0.0))),
        reject("vox_offset", "offset_348.nii", lie(("<f", 108, 348.0))),
        reject("vox_offset", "offset_half.nii", lie(("<f", 108, 352.5))),
        reject("vox_offset", "offset_nan.nii", lie(("<f", 108, nan))),
        reject("vox_offset", "offset_inf.nii", lie(("<f", 108, inf))),
        reject("vox_offset", "offset_minus.nii", lie(("<f", 108, -352.0))),
        reject("vox_offset", "offset_huge.nii", lie(("<f", 108, 1e20))),
        reject("truncated", "offset_beyond.nii", lie(("<f", 108, 400.0))),
        reject("not_single_file", "pair.nii", lie(("<4s", 344, b"ni1\0"))),
        reject("not_single_file", "no_magic.nii", lie(("<4s", 344, b"\0\0\0\0"))),
        reject("not_single_file", "n_plus_2.nii", lie(("<4s", 344, b"n+2\0"))),
        reject("not_nifti", "size_349.nii", lie(("<i", 0, 349))),
        reject("not_nifti", "size_0.nii", lie(("<i", 0, 0))),
        reject("header_damaged", "size_swapped.nii", lie((">i", 0, 348))),
        reject("header_damaged", "rank_0.nii", lie(("<h", 40, 0))),
        reject("header_damaged", "rank_8.nii", lie(("<h", 40, 8))),
        reject("header_damaged", "rank_minus.nii", lie(("<h", 40, -1))),
        reject("not_3d", "rank_1.nii", lie(("<h", 40, 1))),
        reject("not_3d", "rank_2.nii", lie(("<h", 40, 2))),
        reject("not_3d", "dim_0.nii", lie(("<h", 42, 0))),
        reject("not_3d", "dim_minus.nii", lie(("<h", 44, -10))),
        reject("truncated", "dim_more.nii", lie(("<h", 46, 7))),
        reject("trailing_data", "dim_less.nii", lie(("<h", 46, 5))),
        reject("not_3d", "four_d.nii", lambda: write(np.zeros((*SHAPE, 3), "i2"))),
        reject("not_3d", "five_d.nii", lambda: write(np.zeros((4, 4, 4, 1, 3), "f4"))),
        reject("not_3d", "plane.nii", lambda: write(image_voxels()[:, :, 0])),
        reject("units", "metres.nii", lie(("<b", 123, 1))),
        reject("units", "micrometres.nii", lie(("<b", 123, 3))),
        warn("bits_differ", "bitpix.nii", lie(("<h", 72, 8))),
        warn("scale_ignored", "slope_inf.nii", lie(("<2f", 112, (inf, 0.0)))),
        warn("scale_ignored", "inter_nan.nii", lie(("<2f", 112, (2.0, nan)))),
    ]  # fmt: skip


def places() -> list[Awkward]:
    nan = float("nan")
    flat, sheared, wide = AFFINE.copy(), AFFINE.copy(), AFFINE.copy()
    flat[:, 2] = flat[:, 1]
    sheared[0, 1] = 0.2
    wide[:3, :3] *= 100
    tiny = AFFINE.copy()
    tiny[:3, :3] *= 1e-5
    unplaced = (("<h", 252, 0), ("<h", 254, 0))
    two = (("<h", 252, 1), ("<f", 268, 30.0))
    return [
        reject("bad_affine", "affine_zero.nii", sform(np.zeros((4, 4)))),
        reject("bad_affine", "affine_nan.nii", sform(AFFINE * nan)),
        reject("bad_affine", "affine_inf.nii", sform(np.full((4, 4), np.inf))),
        reject("bad_affine", "affine_flat.nii", sform(flat)),
        reject("bad_affine", "affine_tiny.nii", sform(tiny)),
        reject("spacing", "affine_wide.nii", sform(wide)),
        reject("bad_affine", "quaternion.nii", lie(
            ("<h", 252, 1), ("<h", 254, 0), ("<3f", 256, (0.9, 0.9, 0.9)))),
        reject("bad_affine", "pixdim_0.nii", lie(
            ("<h", 252, 1), ("<h", 254, 0), ("<3f", 80, (0.0, 0.7, 3.0)))),
        reject("bad_affine", "pixdim_nan.nii", lie(
            ("<h", 252, 1), ("<h", 254, 0), ("<3f", 80, (nan, 0.7, 3.0)))),
        *unusable_qforms(),
        warn("sheared", "sheared.nii", sform(sheared)),
        warn("two_places", "two_places.nii", lie(*two)),
        warn("no_orientation", "unplaced.nii", lie(*unplaced)),
        warn("no_orientation", "unplaced_mask.nii", lie(*unplaced, of=mask)),
    ]  # fmt: skip


def unusable_qforms() -> list[Awkward]:
    """Alone they are refused; beside a good sform they are remarked on."""
    alone, beside = (("<h", 252, 1), ("<h", 254, 0)), (("<h", 252, 1), ("<h", 254, 1))
    wrong: dict[str, tuple[str, int, Any]] = {
        "qfac_2": ("<f", 76, 2.0),
        "qfac_nan": ("<f", 76, float("nan")),
        "pixdim_minus": ("<f", 84, -0.7),
        "quaternion_long": ("<3f", 256, (0.9, 0.9, 0.9)),
    }
    refused = [
        reject("bad_affine", f"{n}.nii", lie(*alone, w)) for n, w in wrong.items()
    ]
    noted = [
        warn("two_places", f"{n}_beside.nii", lie(*beside, w)) for n, w in wrong.items()
    ]
    return refused + noted


def types() -> list[Awkward]:
    rgb = np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    return [
        reject("data_type", "complex.nii", lambda: write(np.zeros(SHAPE, "c8"))),
        reject("data_type", "complex128.nii", lambda: write(np.zeros(SHAPE, "c16"))),
        reject("data_type", "rgb.nii", lambda: write(rgb)),
        reject("data_type", "binary.nii", lie(("<2h", 70, (1, 1)))),
        reject("data_type", "type_0.nii", lie(("<2h", 70, (0, 0)))),
        reject("data_type", "type_77.nii", lie(("<2h", 70, (77, 16)))),
        reject("data_type", "float128.nii", lie(("<2h", 70, (1536, 128)))),
    ]


def values() -> list[Awkward]:
    nan, inf = float("nan"), float("inf")
    flat = np.full(SHAPE, 7, np.int16)
    return [
        warn("not_finite", "one_nan.nii", lambda: write(floats(nan, (0, 0, 0)))),
        warn("not_finite", "one_inf.nii", lambda: write(floats(inf, (1, 1, 1)))),
        reject("not_finite", "all_nan.nii", lambda: write(floats(nan, None))),
        reject("constant", "constant.nii", lambda: write(flat)),
        reject("value_range", "huge.nii", lambda: write(image_voxels() * 1e300)),
        reject("constant", "one_and_nan.nii", lambda: write(
            np.where(image_voxels() > 400, nan, 3.0))),
    ]  # fmt: skip


def bombs() -> list[Awkward]:
    return [
        reject("too_large", "bomb_fits.nii.gz", lambda: bomb(
            (2048, 2048, 1024), 8, 2, plain=4 * GIB)),
        reject("trailing_data", "bomb_small_dims.nii.gz", lambda: bomb(
            (64, 64, 30), 8, 2, plain=4 * GIB)),
        reject("too_large", "bomb_float64.nii.gz", lambda: bomb(
            (700, 700, 700), 64, 64, plain=2**24)),
        reject("too_large", "dims_greatest.nii", lie(
            ("<3h", 42, (32767, 32767, 32767)))),
        reject("not_3d", "dims_seven.nii", lie(
            ("<8h", 40, (7, *[32767] * 7)))),
        reject("truncated", "promises_much.nii.gz", lambda: packed(patch(
            image(), ("<3h", 42, (600, 600, 600))))),
    ]  # fmt: skip


def same_images() -> list[Awkward]:
    """One image from many writers: all must give the same stored voxels."""
    voxels = image_voxels()
    ways: dict[str, Callable[[], bytes]] = {
        "plain.nii": image,
        "packed.nii.gz": lambda: packed(image()),
        "plain_named_packed.nii.gz": image,
        "packed_named_plain.nii": lambda: packed(image()),
        "big_endian.nii": lambda: swap(image()),
        "int32.nii": lambda: write(voxels.astype("i4")),
        "uint16.nii": lambda: write(voxels.astype("u2")),
        "one_more_axis.nii": lambda: write(voxels[..., None]),
        "gzip_name.nii.gz": lambda: packed(image(), filename="Smith_John.nii"),
        "two_members.nii.gz": lambda: packed(image()[:999]) + packed(image()[999:]),
        "padded.nii.gz": lambda: packed(image()) + bytes(512),
        "empty_member.nii.gz": lambda: packed(image()) + packed(b""),
        "slope_0.nii": lie(("<2f", 112, (0.0, 7.0))),
        "slope_nan.nii": lie(("<2f", 112, (float("nan"), float("nan")))),
        "texts.nii": lambda: write(voxels, descrip=b"CANARY", aux_file=b"CANARY"),
        "no_units.nii": lie(("<b", 123, 0)),
        "qfac_0.nii": qform(("<f", 76, 0.0)),
        "qfac_0_alone.nii": qform(("<f", 76, 0.0), ("<h", 254, 0)),
        "bad_q_unused.nii": lie(("<h", 252, 0), ("<3f", 256, (9.0, 9.0, 9.0))),
    }
    for codes in ("LAS", "LPS", "PSR", "IRP", "ASL"):
        ways[f"{codes}.nii"] = lambda codes=codes: turned(codes, voxels, AFFINE)  # type: ignore[misc]
    return [Awkward(f"i_{n}", d, "accept", "ok", "image") for n, d in ways.items()]


def same_masks() -> list[Awkward]:
    """One mask from many writers: all must give the same canonical bytes."""
    voxels = mask_voxels()
    ways: dict[str, Callable[[], bytes]] = {
        "uint8.nii": mask,
        "packed.nii.gz": lambda: packed(mask()),
        "float32.nii": lambda: write(voxels.astype("f4")),
        "float64.nii.gz": lambda: packed(write(voxels.astype("f8"))),
        "int64.nii": lambda: write(voxels.astype("i8")),
        "label_255.nii": lambda: write(voxels * np.uint8(255)),
        "label_4.nii": lambda: write(voxels.astype("i2") * 4),
        "scaled.nii": lambda: patch(
            write(voxels * np.uint8(255)), ("<2f", 112, (1 / 255, 0.0))
        ),
        "big_endian.nii": lambda: swap(write(voxels.astype("i2"))),
        "fsl.nii": lambda: write(
            voxels.astype("i2"), descrip=b"FSL4.0", aux_file=b"Red-Yellow", cal_max=4
        ),
    }
    for codes in ("LAS", "LPS", "PSR", "IRP", "ASL"):
        ways[f"{codes}.nii"] = lambda codes=codes: turned(codes, voxels, AFFINE)  # type: ignore[misc]
    return [Awkward(f"m_{n}", d, "accept", "ok", "mask") for n, d in ways.items()]


def mask_values() -> list[Awkward]:
    voxels = mask_voxels().astype("f4")
    two = mask_voxels().copy()
    two[0, 0, 0] = 2
    broken = voxels.copy()
    broken[0, 0, 0] = np.nan
    soft = np.random.default_rng(1).random(SHAPE).astype("f4")
    minus = -mask_voxels().astype("i2")
    return [
        reject("mask_value", "almost_mask.nii", lambda: write(voxels * 0.9999)),
        reject("mask_value", "half_mask.nii", lambda: write(voxels * 0.5)),
        reject("mask_value", "minus_mask.nii", lambda: write(minus)),
        reject("mask_labels", "two_labels_mask.nii", lambda: write(two)),
        reject("mask_labels", "soft_mask.nii", lambda: write(soft)),
        reject("mask_not_finite", "nan_mask.nii", lambda: write(broken)),
        warn("empty_mask", "empty_mask.nii", lambda: write(voxels * 0)),
        warn("empty_mask", "minus_zero_mask.nii", lambda: write(voxels * -0.0)),
    ]


def extensions() -> list[Awkward]:
    """What stands between header and voxels is passed over, whatever it claims."""
    sizes = {"right": 32, "minus": -16, "zero": 0, "huge": 2**31 - 16, "odd": 17}
    return [
        Awkward(
            f"extension_{name}.nii",
            lambda size=size: with_extension(image(), size, 6, b"CANARY" * 4),  # type: ignore[misc]
            "accept",
            "ok",
            "image",
        )
        for name, size in sizes.items()
    ]
