"""The further maps of a case: second series, cord mask, vertebral levels, soft map."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import PurePath
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from numpy.typing import NDArray

from ratings import audit, files, images, importing, originals
from ratings.importing import ImportRefused
from ratings.mishaps import confine_to_file
from ratings.models import Arm, Case, Companion, Mask, Study
from ratings.nifti import ImageRefused

PLACES = {
    kind: importing.PLACES["mask" if kind == "cord" else "image"]
    for kind in Companion.Kind.values
}


def read_cord(case: Case) -> NDArray[np.bool_] | None:
    """The cord on the image's grid, or None where the case has no cord mask."""
    found = case.find_companion("cord")
    if found is None:
        return None
    return images.decode_mask(files.locate(found.path).read_bytes())[0]


def read_levels(case: Case) -> NDArray[np.generic] | None:
    """Vertebral level of each voxel (0: none) on the image's grid, or None."""
    return read_map(case, "levels")


def read_soft(case: Case) -> NDArray[np.generic] | None:
    """Probability of lesion, 0 to 1, on the image's grid, or None."""
    return read_map(case, "soft")


def name_soft(mask: Mask) -> str:
    """The digest of the uploaded soft map, where it is this mask's; else nothing.

    A case has one map, so it is that of the only method that was uploaded beside the
    reference; of several, nothing says whose it is.
    """
    found = mask.case.find_companion("soft")
    own = mask.case.study.reference_arm
    rivals = [
        one.pk
        for one in mask.case.masks.all()
        if one.arm.kind == Arm.Kind.UPLOAD and one.arm.key != own
    ]
    return found.sha256 if found and rivals == [mask.pk] else ""


def read_map(case: Case, kind: str) -> NDArray[np.generic] | None:
    found = case.find_companion(kind)
    if found is None:
        return None
    return images.decode_image(files.locate(found.path).read_bytes()).voxels


def replace_companion(
    *,
    study: Study,
    user: User,
    case_id: UUID,
    kind: str,
    name: str,
    chunks: Iterable[bytes],
) -> Companion:
    """Give a draft's case a map of that kind, in place of one it may have had."""
    case = find_case(study, case_id)
    name = PurePath(name.replace("\\", "/")).name[:255]
    received = files.new_name(folder="quarantine", suffix=".bin")
    try:
        files.receive_stream(files.locate(received), chunks)
        with confine_to_file(name):
            volume = images.read_volume(path=files.locate(received), name=name)
            volume = images.prepare(volume=volume, kind=kind, name=name)
            volume = place(case=case, kind=kind, name=name, volume=volume)
        with files.taken_back():
            kept = originals.store(study=study, path=files.locate(received))
            with transaction.atomic():
                hold_draft(study)
                case = find_case(study, case_id)
                made = store(case=case, kind=kind, name=name, volume=volume)
                originals.note_companion(case, kind, kept)
                note(study=study, user=user, verb="add_companion", case=case, kind=kind)
    except ImageRefused as refusal:
        raise ImportRefused([refusal.message]) from refusal
    finally:
        files.remove(received)
    return made


def remove_companion(*, study: Study, user: User, case_id: UUID, kind: str) -> Case:
    with transaction.atomic():
        hold_draft(study)
        case = find_case(study, case_id)
        old = case.companions.filter(kind=kind).first()
        if old is None:
            word = dict(Companion.Kind.choices).get(kind, "map")
            raise ImportRefused([f"{case.label} has no {word}."])
        old.delete()
        originals.drop(case.originals.filter(kind=kind))
        note(study=study, user=user, verb="remove_companion", case=case, kind=kind)
        transaction.on_commit(lambda: files.remove(old.path))
    return case


def note(*, study: Study, user: User, verb: str, case: Case, kind: str) -> None:
    payload = {"case": case.label, "kind": kind}
    audit.record(study=study, actor=user, verb=verb, payload=payload)


def find_case(study: Study, case_id: UUID) -> Case:
    case = study.cases.filter(id=case_id).first()
    if case is None:
        raise ImportRefused(["This case is no longer here; reload the page."])
    return case


def hold_draft(study: Study) -> None:
    """The row's lock makes locking wait until the change is in, or refuses it."""
    importing.refuse_unless_draft(Study.objects.select_for_update().get(pk=study.pk))


def place(*, case: Case, kind: str, name: str, volume: images.Volume) -> images.Volume:
    """The map as it belongs to its case: a series meets its image, others lie on it."""
    grid = importing.find_grid(case)
    if kind != Companion.Kind.SECOND:
        return images.place(volume=volume, grid=grid, name=name)
    refuse_elsewhere(volume=volume, grid=grid, name=name)
    return volume


def refuse_elsewhere(*, volume: images.Volume, grid: images.Grid, name: str) -> None:
    """A second series must say where it lies and meet the image there."""
    if "no_orientation" in volume.warnings:
        raise ImageRefused(
            "second_no_orientation",
            f"{name}: the header states no orientation, so it can't be linked to "
            "the image by position. Export it again from the scanner's files.",
        )
    if not overlap(volume.grid, grid):
        raise ImageRefused(
            "second_elsewhere",
            f"{name}: the series shows no part of what the case's image "
            "shows. Choose a series of the same examination.",
        )


def overlap(ours: images.Grid, theirs: images.Grid) -> bool:
    """Whether the boxes around two grids meet, in mm of the scanner's space."""
    (low, high), (other_low, other_high) = box_around(ours), box_around(theirs)
    return bool((low < other_high).all() and (other_low < high).all())


def box_around(grid: images.Grid) -> tuple[np.ndarray, np.ndarray]:
    ends = [(-0.5, n - 0.5) for n in grid.shape]
    corners = np.array(np.meshgrid(*ends)).reshape(3, -1)
    points = grid.matrix[:3, :3] @ corners + grid.matrix[:3, 3:]
    return points.min(axis=1), points.max(axis=1)


def store(*, case: Case, kind: str, name: str, volume: images.Volume) -> Companion:
    """Keep a placed map, not the one before; the caller holds the transaction."""
    path = files.new_name(**PLACES[kind])
    data = images.encode(volume=volume, kind=kind)
    digest = files.write_durably(files.locate(path), data)
    fields = {
        "path": path, "sha256": digest, "source_name": name,
        "warnings": list(volume.warnings),
    }  # fmt: skip
    before = list(case.companions.filter(kind=kind).values_list("path", flat=True))
    made, _ = Companion.objects.update_or_create(case=case, kind=kind, defaults=fields)
    for old in before:
        transaction.on_commit(partial(files.remove, old))
    return made
