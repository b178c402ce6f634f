"""Says what keeps images, masks and maps out of a study, before anything is made."""

from __future__ import annotations

from dataclasses import replace

from ratings import companions, files, images, namesakes, pairing
from ratings.arms import MADE_HERE
from ratings.importing import find_grid
from ratings.models import Arm, Case, Study, Upload
from ratings.nifti import ImageRefused
from ratings.pairing import Pair

GONE = "A row of the list is no longer here; reload the page."
GONE_MASK = "A mask of the list is no longer here; reload the page."


def check_pairs(
    *, study: Study, pairs: list[Pair], uploads: dict[str, Upload]
) -> list[tuple[Pair, list[str]]]:
    """With each pair a sentence for whatever keeps it out, naming its files."""
    judged = []
    told = namesakes.tell_apart(uploads.values())
    for pair, faults in check_rows(study=study, pairs=pairs, uploads=uploads):
        placed = [] if faults else check_places(study, pair, uploads, told)
        judged.append((pair, faults + placed))
    return judged


def check_rows(
    *, study: Study, pairs: list[Pair], uploads: dict[str, Upload]
) -> list[tuple[Pair, list[str]]]:
    """The same by what the rows say, without looking at a voxel."""
    cases = {str(case.id): case for case in study.cases.all()}
    arms = {arm.key: arm for arm in study.arms.all()}
    told = namesakes.tell_apart(uploads.values())
    seen: set[str] = set()
    judged = []
    for pair in pairs:
        name = pair.image or pair.case
        faults = check_target(pair, uploads, cases, told)
        if name in seen:
            faults = ["A file stands twice in the list; reload the page."]
        elif not faults:
            faults = check_chosen(pair, uploads, arms, told)
            faults += check_filled(pair, cases.get(pair.case))
        seen.add(name)
        judged.append((pair, faults))
    return judged


def check_target(
    pair: Pair,
    uploads: dict[str, Upload],
    cases: dict[str, Case],
    told: dict[str, str],
) -> list[str]:
    """Whether the image or the case that a row is about is here, and one of them."""
    if pair.image and pair.case:
        return ["A row names an image and a case. Give one of them."]
    if not pair.image:
        return [] if pair.case in cases else [GONE]
    image = uploads.get(pair.image)
    if image is None:
        return [GONE]
    if image.kind != Upload.Kind.IMAGE:
        name = told[pair.image]
        return [f"{name} is a {image.get_kind_display().lower()}, not an image."]
    return []


def load_upload(upload: Upload) -> images.Volume:
    """A received mask or map as it was judged, from its canonical bytes."""
    data = files.locate(upload.path).read_bytes()
    facts = upload.facts
    if upload.kind in (Upload.Kind.MASK, Upload.Kind.CORD):
        volume = images.Volume(*images.decode_mask(data), "", ())
    else:
        volume = images.decode_image(data)
    warnings = tuple(facts["warnings"])
    return replace(volume, stored_as=facts["stored_as"], warnings=warnings)


def check_filled(pair: Pair, case: Case | None) -> list[str]:
    if case is None:
        return []
    taken = case.masks.filter(arm__key__in=pair.masks).select_related("arm")
    return [
        f"{case.label} ({case.source_name}) already has a mask of the arm "
        f"“{mask.arm.label}”. Remove the case first to replace it."
        for mask in taken
    ]


def check_chosen(
    pair: Pair,
    uploads: dict[str, Upload],
    arms: dict[str, Arm],
    told: dict[str, str],
) -> list[str]:
    """Whether each mask and map is here, and is what the row takes it for."""
    faults = []
    for key, chosen in pair.masks.items():
        mask = uploads.get(chosen)
        arm = arms.get(key)
        if mask is None:
            faults.append(GONE_MASK)
        elif mask.kind != Upload.Kind.MASK or pairing.arm_of(mask) != key:
            faults.append(f"{told[chosen]} is no mask of the arm “{key}”.")
        elif arm and arm.kind in MADE_HERE:
            faults.append(
                f"{told[chosen]}: “{arm.label}” names masks that were predicted here "
                "since the upload. Remove the file and upload it under another name."
            )
    for kind, chosen in pair.companions.items():
        one = uploads.get(chosen)
        if one is None:
            faults.append("A map of the list is no longer here; reload the page.")
        elif one.kind != kind or not pairing.is_map(one):
            faults.append(f"{told[chosen]} is no map of the kind “{kind}”.")
    return faults


def check_places(
    study: Study, pair: Pair, uploads: dict[str, Upload], told: dict[str, str]
) -> list[str]:
    """Whether each mask and map lies on its image, or meets it."""
    target = uploads.get(pair.image) or study.cases.filter(id=pair.case).first()
    if target is None:
        return [GONE]
    grid, faults = find_grid(target), []
    for chosen in (*pair.masks.values(), *pair.companions.values()):
        try:
            check_place(uploads[chosen], grid, told[chosen])
        except ImageRefused as refusal:
            faults.append(refusal.message)
        except FileNotFoundError:
            # a colleague removed the file just now
            faults.append(GONE_MASK)
    return faults


def check_place(upload: Upload, grid: images.Grid, name: str) -> None:
    volume = load_upload(upload)
    if upload.kind == Upload.Kind.SECOND:
        companions.refuse_elsewhere(volume=volume, grid=grid, name=name)
    else:
        what = "mask" if upload.kind == Upload.Kind.MASK else "map"
        images.place(volume=volume, grid=grid, name=name, what=what)
