"""The same mask as nine kinds of software write it, every one with its own traces."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

Marks = NDArray[np.uint8]
Affine = NDArray[np.float64]
Writer = Callable[[Path, Marks, Affine, str], None]


def write_nibabel(path: Path, marks: Marks, affine: Affine, word: str) -> None:
    """As in a script of a paper: float64 and whatever nibabel puts in."""
    nib.save(nib.Nifti1Image(marks.astype(np.float64), affine), path)


def write_with_image_header(
    path: Path, marks: Marks, affine: Affine, word: str
) -> None:
    """The header of the MRI taken over, text and all."""
    image = nib.Nifti1Image(marks, affine)
    image.header["descrip"] = f"TE=1.2e+02;Time=172102;{word}".encode()[:79]
    image.set_qform(affine, code=1)
    image.set_sform(affine, code=1)
    nib.save(image, path)


def write_network(path: Path, marks: Marks, affine: Affine, word: str) -> None:
    """As a network's own writer: uint8, the affine only."""
    nib.save(nib.Nifti1Image(marks, affine), path)


def write_itk(path: Path, marks: Marks, affine: Affine, word: str) -> None:
    sitk.WriteImage(make_itk(marks, affine), str(path))


def write_snap(path: Path, marks: Marks, affine: Affine, word: str) -> None:
    """As ITK-SNAP: unsigned 16-bit, through ITK."""
    sitk.WriteImage(make_itk(marks.astype(np.uint16), affine), str(path))


def write_fsl(path: Path, marks: Marks, affine: Affine, word: str) -> None:
    image = nib.Nifti1Image(marks.astype(np.int16), affine)
    image.header["descrip"] = b"FSL4.0"
    image.header["aux_file"] = f"Red-Yellow {word}".encode()[:23]
    image.header["intent_name"] = word.encode()[:15]
    image.header["cal_max"] = 4
    nib.save(image, path)


def write_big_endian(path: Path, marks: Marks, affine: Affine, word: str) -> None:
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.int16)
    image = nib.Nifti1Image(marks.astype(">i2"), affine, header)
    nib.save(image, path)


def write_scaled(path: Path, marks: Marks, affine: Affine, word: str) -> None:
    """Label 255, as from a tool that thinks in grey levels, with an extension."""
    image = nib.Nifti1Image((marks * 255).astype(np.uint8), affine)
    extension = nib.nifti1.Nifti1Extension("comment", word.encode())
    image.header.extensions.append(extension)
    nib.save(image, path)


def write_by_hand(path: Path, marks: Marks, affine: Affine, word: str) -> None:
    """Packed afterwards by the gzip command: time and file name in the stream."""
    plain = path.with_suffix("")
    nib.save(nib.Nifti1Image(marks, affine), plain)
    with (
        path.open("wb") as stream,
        gzip.GzipFile(f"{word}.nii", "wb", 9, stream, mtime=1_700_000_000) as out,
    ):
        out.write(plain.read_bytes())
    plain.unlink()


def make_itk(marks: NDArray[Any], affine: Affine) -> sitk.Image:
    """ITK counts axes the other way and looks along left and posterior."""
    zooms = np.linalg.norm(affine[:3, :3], axis=0)
    flip = np.diag([-1.0, -1.0, 1.0])
    image = sitk.GetImageFromArray(np.ascontiguousarray(marks.T))
    image.SetSpacing([float(z) for z in zooms])  # type: ignore[no-untyped-call]
    turn = (flip @ (affine[:3, :3] / zooms)).ravel().tolist()
    image.SetDirection(turn)  # type: ignore[no-untyped-call]
    image.SetOrigin((flip @ affine[:3, 3]).tolist())  # type: ignore[no-untyped-call]
    return image


WRITERS: dict[str, Writer] = {
    "nibabel float64": write_nibabel,
    "image header": write_with_image_header,
    "network": write_network,
    "ITK": write_itk,
    "ITK-SNAP": write_snap,
    "FSL": write_fsl,
    "big-endian": write_big_endian,
    "label 255": write_scaled,
    "gzip by hand": write_by_hand,
}


def reorient(marks: Marks, affine: Affine, code: str) -> tuple[Marks, Affine]:
    """The same voxels stored along other axes, such as PIR."""
    start = nib.io_orientation(affine)
    wanted = nib.orientations.axcodes2ornt(tuple(code))
    turn = nib.orientations.ornt_transform(start, wanted)
    moved = nib.orientations.apply_orientation(marks, turn)
    back = nib.orientations.inv_ornt_aff(turn, marks.shape)
    return np.ascontiguousarray(moved), affine @ back
