"""Receives files one at a time, judges them, and keeps what is canonical of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from numpy.typing import NDArray

from ratings import (
    audit,
    filenames,
    files,
    images,
    originals,
    pictures,
    selecting,
    suspicions,
)
from ratings.mishaps import confine_to_file
from ratings.models import Arm, Case, Mask, Study, Upload
from ratings.nifti import ImageRefused

PLACES = {
    "image": {"folder": "images", "suffix": ".nii.gz"},
    "mask": {"folder": "masks", "suffix": ".bin"},
}


class ImportRefused(Exception):
    """Why a set of files can't become cases; one sentence a fault."""

    def __init__(
        self, faults: list[str], rows: dict[str, list[str]] | None = None
    ) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults
        # by the image or the case of the row that a sentence is about
        self.rows = rows or {}


def looks_like_mask(name: str, voxels: NDArray[np.generic]) -> bool:
    """Two values at most, or a name that says so."""
    sample = voxels.ravel(order="K")[:: max(1, voxels.size // 200_000)]
    if len(np.unique(sample)) > 2:
        return filenames.names_mask(name)
    flat = images.lay_out(voxels)
    low, high = flat.min(), flat.max()
    if low != 0 and high != 0:
        return filenames.names_mask(name)
    return not bool(((flat != low) & (flat != high)).any())


@dataclass(frozen=True)
class Finding:
    """What was found out about a received file; data are its canonical bytes."""

    kind: str
    verdict: images.Verdict
    facts: dict[str, Any]
    data: bytes = b""


@dataclass(frozen=True)
class Origin:
    """What is known of a file beside its bytes; role empty: seen from the voxels."""

    role: str = ""
    arm: str = "manual"
    arm_label: str = ""
    # the files of one case share it
    case: str = ""
    subject: str = ""
    strata: dict[str, str] = field(default_factory=dict)
    sidecar: dict[str, Any] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


def receive(
    *,
    study: Study,
    user: User,
    name: str,
    chunks: Iterable[bytes],
    origin: Origin = Origin(),
) -> Upload:
    """Judge one file as it arrives; what arrived is deleted whatever comes of it."""
    original = files.new_name(folder="quarantine", suffix=".bin")
    try:
        size = files.receive_stream(files.locate(original), chunks)
        return take_in(
            study=study, user=user, name=name, path=files.locate(original),
            size=size, origin=origin,
        )  # fmt: skip
    finally:
        files.remove(original)


def take_in(
    *, study: Study, user: User, name: str, path: Path, size: int, origin: Origin
) -> Upload:
    """Judge a file that lies here and keep its canonical bytes until import.

    Where the study asks for it, the file itself is kept too, unless it was refused.
    A mask belongs to the arm of the origin's key, made at import if it is new.
    """
    name = PurePath(name.replace("\\", "/")).name[:255]
    finding = examine(path=path, name=name, role=origin.role, subject=origin.subject)
    facts, stored, kept = finding.facts, "", None
    if Upload.Kind.MASK in (finding.kind, origin.role):
        facts |= {"arm": origin.arm, "arm_label": origin.arm_label}
    if finding.kind == Upload.Kind.REFUSED and origin.subject:
        # all that tells it from a file of the same name in another folder
        facts |= {"subject": origin.subject}
    with files.taken_back():
        if finding.kind != Upload.Kind.REFUSED:
            facts |= describe_origin(origin, facts)
            kept = originals.store(study=study, path=path)
        if finding.data:
            place = "mask" if finding.kind in ("mask", "cord") else "image"
            stored = files.new_name(**PLACES[place])
            facts["sha256"] = files.write_durably(files.locate(stored), finding.data)
        with transaction.atomic():
            upload = Upload.objects.create(
                study=study, name=name, kind=finding.kind, path=stored, size=size,
                verdict=finding.verdict.to_json(), facts=facts, uploaded_by=user,
            )  # fmt: skip
            originals.note_upload(upload, kept)
    return upload


def describe_origin(origin: Origin, facts: dict[str, Any]) -> dict[str, Any]:
    """Strata are proposals: what the set says, else the file's name and header."""
    read = {"contrast": facts["contrast"], "acquisition": facts["plane"]}
    if "MagneticFieldStrength" in origin.sidecar:
        read["field_strength"] = str(origin.sidecar["MagneticFieldStrength"])
    strata = {k: v for k, v in (read | origin.strata).items() if v}
    return {
        "case": origin.case,
        "subject": origin.subject,
        "strata": strata,
        "contrast": strata.get("contrast", ""),
        "sidecar": origin.sidecar,
        "dropped": list(origin.dropped),
    }


def examine(*, path: Path, name: str, role: str = "", subject: str = "") -> Finding:
    """The verdict on a file and its canonical bytes, as the kind of file it is."""
    try:
        with confine_to_file(name):
            return find_out(path=path, name=name, role=role, subject=subject)
    except ImageRefused as refusal:
        verdict = images.Verdict(name, "reject", refusal.code, refusal.message)
        return Finding(Upload.Kind.REFUSED, verdict, {})


def find_out(*, path: Path, name: str, role: str, subject: str) -> Finding:
    volume = images.read_volume(path=path, name=name)
    mask = looks_like_mask(name, volume.voxels)
    kind = role or (Upload.Kind.MASK if mask else Upload.Kind.IMAGE)
    volume = images.prepare(volume=volume, kind=kind, name=name)
    volume = replace(
        volume,
        warnings=volume.warnings
        + doubt(name, subject if kind == Upload.Kind.IMAGE else ""),
    )
    facts = describe(volume, name=name)
    if kind == Upload.Kind.MASK:
        facts |= measure(np.asarray(volume.voxels, np.bool_), volume.grid)
    verdict = images.approve(volume=volume, name=name)
    return Finding(kind, verdict, facts, images.encode(volume=volume, kind=kind))


def doubt(name: str, subject: str) -> tuple[str, ...]:
    """What of a file's name or its person's code looks personal (P4)."""
    if suspicions.looks_personal(PurePath(name).name):
        return ("personal_name",)
    return ("personal_subject",) if suspicions.looks_personal(subject) else ()


def describe(volume: images.Volume, *, name: str) -> dict[str, Any]:
    """What the coordinator sees of a file, and what its case will say of it."""
    grid = volume.grid
    return {
        "shape": list(grid.shape),
        "affine": [list(row) for row in grid.affine],
        "zooms": [round(z, 4) for z in grid.zooms],
        "stored_as": volume.stored_as,
        "contrast": filenames.read_contrast(name),
        "plane": name_plane(grid),
        "warnings": list(volume.warnings),
    }


def name_plane(grid: images.Grid) -> str:
    """The plane across the thickest axis; isotropic if none is clearly thicker."""
    zooms = grid.zooms
    if max(zooms) < 1.3 * min(zooms):
        return "isotropic"
    return ("sagittal", "coronal", "axial")[int(np.argmax(zooms))]


def measure(marked: NDArray[np.bool_], grid: images.Grid) -> dict[str, Any]:
    voxels = int(np.count_nonzero(marked))
    # not rounded, as what is shown of the case that is made of it is rounded once
    return {"voxels": voxels, "volume_mm3": voxels * grid.voxel_mm3}


def refuse_unless_draft(study: Study) -> None:
    if study.state != Study.State.DRAFT:
        raise ImportRefused(["The study is locked, so its cases are fixed."])


def find_grid(target: Upload | Case) -> images.Grid:
    known = target.geometry if isinstance(target, Case) else target.facts
    warnings = target.warnings if isinstance(target, Case) else known["warnings"]
    return images.Grid(
        shape=tuple(known["shape"]),
        affine=tuple(tuple(row) for row in known["affine"]),
        guessed="no_orientation" in warnings,
    )


def next_label(study: Study) -> str:
    """A label that no case has or had: what was said of a removed one stays its own."""
    taken = set(study.cases.values_list("label", flat=True))
    for entry in study.audit.filter(verb="remove_cases"):
        taken.update(entry.payload["cases"])
    number = len(taken) + 1
    while f"C{number:03d}" in taken:
        number += 1
    return f"C{number:03d}"


def ensure_arm(*, study: Study, key: str, label: str = "", kind: str = "") -> Arm:
    """The study's arm of that key, made when it is first needed."""
    manual = key == "manual"
    arm, _ = Arm.objects.get_or_create(
        study=study,
        key=key,
        defaults={
            "label": label or ("Manual" if manual else key),
            "kind": kind or (Arm.Kind.MANUAL if manual else Arm.Kind.UPLOAD),
        },
    )
    return arm


def add_image(*, study: Study, path: Path, name: str, strata: dict[str, str]) -> Case:
    """Store the canonical image and its case; the caller holds the transaction."""
    volume = images.read_image(path=path, name=name)
    relative = files.new_name(**PLACES["image"])
    digest = files.write_durably(files.locate(relative), images.encode_image(volume))
    facts = describe(volume, name=name)
    return Case.objects.create(
        study=study, label=next_label(study), source_name=name,
        strata={k: v for k, v in strata.items() if v}, image_path=relative,
        image_sha256=digest, warnings=list(volume.warnings),
        left_out=selecting.place_newcomer(study),
        geometry={k: facts[k] for k in ("shape", "affine", "zooms", "stored_as")},
    )  # fmt: skip


def add_mask(
    *,
    case: Case,
    arm: Arm,
    path: Path,
    name: str,
    provenance: dict[str, Any] | None = None,
) -> Mask:
    """Store the canonical mask of one arm, after the same check as any upload."""
    volume = images.read_mask(path=path, name=name)
    return store_mask(
        case=case, arm=arm, volume=volume, name=name, provenance=provenance
    )


def store_mask(
    *,
    case: Case,
    arm: Arm,
    volume: images.Volume,
    name: str,
    provenance: dict[str, Any] | None = None,
) -> Mask:
    grid = find_grid(case)
    mask = images.place_mask(mask=volume, grid=grid, name=name)
    relative = files.new_name(**PLACES["mask"])
    data = images.encode_mask(mask=mask, grid=grid)
    digest = files.write_durably(files.locate(relative), data)
    voxels = int(np.count_nonzero(mask))
    return Mask.objects.create(
        case=case, arm=arm, path=relative, sha256=digest, voxels=voxels,
        volume_mm3=voxels * grid.voxel_mm3, source_name=name,
        provenance=provenance or {}, warnings=list(volume.warnings),
    )  # fmt: skip


def discard(*, study: Study, ids: set[str]) -> None:
    """Delete uploads and their bytes, with the originals that were kept (P2).

    What an import took meanwhile is a case's by then, and stays.
    """
    with transaction.atomic():
        # an import that is under way ends first
        audit.hold(study.pk)
        for upload in list(study.uploads.filter(id__in=ids)):
            originals.drop(upload.originals.all())
            let_go(upload)


def let_go(upload: Upload, *, keep_bytes: bool = False) -> None:
    """Delete an upload's row, and once that holds its bytes and pictures."""
    key, path = upload.pk, upload.path
    upload.delete()
    transaction.on_commit(lambda: pictures.forget(key))
    if not keep_bytes:
        transaction.on_commit(lambda: files.remove(path))
