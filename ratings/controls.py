"""Makes the control masks that an allocation asks for: one misplaced, one empty."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ratings import files, images, importing
from ratings.allocation import BAD, CONTROL, EMPTY, Placement
from ratings.models import Arm, Case, Mask, Study

LABELS = {BAD: "Control: misplaced", EMPTY: "Control: empty"}


def make_controls(*, study: Study, placements: Iterable[Placement]) -> None:
    """Store the masks of all controls that are placed, as far as they are not there."""
    wanted = sorted(
        {(p.case, p.arm) for p in placements if p.kind == CONTROL and p.arm in LABELS}
    )
    for label, key in wanted:
        case = study.cases.get(label=label)
        arm = importing.ensure_arm(
            study=study, key=key, label=LABELS[key], kind=Arm.Kind.CONTROL
        )
        if not Mask.objects.filter(case=case, arm=arm).exists():
            marked = join_masks(case)
            marked = misplace(marked) if key == BAD else np.zeros_like(marked)
            volume = images.Volume(marked, importing.find_grid(case), "RAS", ())
            importing.store_mask(case=case, arm=arm, volume=volume, name="")


def join_masks(case: Case) -> NDArray[np.bool_]:
    """What any arm marks: a control must not depend on which arm is which."""
    masks = case.masks.exclude(arm__kind=Arm.Kind.CONTROL)
    decoded = [
        images.decode_mask(files.locate(path).read_bytes())[0]
        for path in masks.values_list("path", flat=True)
    ]
    return np.asarray(np.logical_or.reduce(decoded), np.bool_)


def misplace(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The marked voxels moved round by a third, to where they cover themselves least.

    A mask without any voxel gives a block between centre and corner.
    """
    if not marked.any():
        block = np.zeros_like(marked)
        block[tuple(slice(n // 8, n // 8 + max(1, n // 6)) for n in marked.shape)] = (
            True
        )
        return block
    moved = [
        np.roll(marked, (x * marked.shape[0] // 3, y * marked.shape[1] // 3), (0, 1))
        for x in range(3)
        for y in range(3)
        if x or y
    ]
    overlaps = [int(np.count_nonzero(m & marked)) for m in moved]
    return moved[overlaps.index(min(overlaps))]
