"""Proposes which mask belongs to which image or case, and none in doubt."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from ratings.filenames import (
    LESION_WORDS,
    MANUAL_WORDS,
    are_series,
    count_same_start,
    list_identity,
    measure_names,
    names_other_contrast,
    split_words,
)
from ratings.models import Case, Upload

# the start of a group that is a mere folder, in which names have their say
FOLDER = "folder "
# how well a mask fits where folders, or the set itself, say whose it is
OF_FOLDER, OF_SET = 1000, 2000
MANY_SERIES = 30


@dataclass(frozen=True)
class Pair:
    """An uploaded image or a case, and the mask chosen for each arm (by upload id)."""

    image: str
    masks: dict[str, str] = field(default_factory=dict)
    case: str = ""
    # what the coordinator changed of what was proposed
    strata: dict[str, str] | None = None
    subject: str | None = None
    # cord mask, levels, soft map, second series: kind → upload id
    companions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """What masks are sought for: an uploaded image, or a case imported before."""

    id: str
    name: str
    shape: tuple[int, ...]
    is_case: bool
    filled: frozenset[str]
    # the group of a recognised set that the image came with
    group: str = ""
    # of a case: whose it is, as its group is forgotten by then
    subject: str = ""


def target_image(upload: Upload) -> Target:
    shape = tuple(upload.facts["shape"])
    group = str(upload.facts.get("case", ""))
    return Target(str(upload.id), upload.name, shape, False, frozenset(), group)


def target_case(case: Case) -> Target:
    filled = frozenset(mask.arm.key for mask in case.masks.all())
    shape = tuple(case.geometry["shape"])
    return Target(
        str(case.id), case.source_name, shape, True, filled, subject=case.subject
    )


def arm_of(mask: Upload) -> str:
    return str(mask.facts.get("arm", "manual"))


def fits(target: Target, mask: Upload) -> int:
    """How well a mask fits: the set says so itself, or else the names do."""
    group = str(mask.facts.get("case", ""))
    if group.startswith(FOLDER):
        return fits_folder(target, mask, group)
    if group and target.group:
        return OF_SET if group == target.group else 0
    return fits_name(target, mask)


def fits_name(target: Target, mask: Upload) -> int:
    shared, exact = measure_names(target.name, mask.name)
    return 2 * shared + exact


def fits_folder(target: Target, mask: Upload, group: str) -> int:
    """A mask that lies in a person's folder is that person's, whatever its name."""
    if target.is_case:
        folders = group.removeprefix(FOLDER).split("/")
        same = bool(target.subject) and target.subject in folders
    else:
        same = target.group in ("", group)
    if not same:
        return 0
    if list_identity(mask.name) or not (target.group or target.is_case):
        return fits_name(target, mask)
    return OF_FOLDER


def find_owners(mask: Upload, targets: Iterable[Target]) -> list[Target]:
    """Whom a mask is of: who fits best, and all of them only if one person is meant.

    Where equals may be two persons or visits it goes to nobody, for a person to decide.
    """
    fitting = [(fits(target, mask), target) for target in targets]
    best = max((how for how, _ in fitting), default=0)
    owners = [target for how, target in fitting if how == best > 0]
    # what came with the mask goes before what was there
    owners = [one for one in owners if not one.is_case] or owners
    shape = tuple(mask.facts["shape"])
    owners = [one for one in owners if one.shape == shape] or owners
    owners = spell_alike(mask.name, owners)
    if best >= OF_SET:
        return owners
    if len(owners) > MANY_SERIES:
        return []
    pairs = combinations(owners, 2)
    return owners if all(are_series(one.name, two.name) for one, two in pairs) else []


def spell_alike(name: str, targets: list[Target]) -> list[Target]:
    """Of names that differ in small and capital letters alone the mask's own."""
    if len({target.name.casefold() for target in targets}) > 1:
        return targets
    most = max((count_same_start(one.name, name) for one in targets), default=0)
    return [one for one in targets if count_same_start(one.name, name) == most]


def rank_mask(target: Target, mask: Upload) -> tuple[int, ...]:
    """Sorts the mask that most likely belongs to the target first.

    One that says what it is of, though empty or of another shape, goes before one
    that does not: that may be of something else than lesions.
    """
    words = set(split_words(mask.name))
    return (
        -fits(target, mask),
        -int(bool(words & (LESION_WORDS | MANUAL_WORDS))),
        int(names_other_contrast(target.name, mask.name)),
        -int(target.shape == tuple(mask.facts["shape"])),
        -int(bool(words & LESION_WORDS)),
        int("empty_mask" in mask.facts.get("warnings", ())),
        -len(set(split_words(target.name)) & words),
        # names may differ in nothing but small and capital letters
        -count_same_start(target.name, mask.name),
        len(mask.name),
    )


def choose_masks(target: Target, mask_files: Iterable[Upload]) -> dict[str, str]:
    """For each arm that the target lacks, the mask whose name fits best, if any."""
    chosen: dict[str, str] = {}
    by_name = sorted(mask_files, key=lambda mask: mask.name)
    for mask in sorted(by_name, key=lambda mask: rank_mask(target, mask)):
        arm = arm_of(mask)
        if arm in target.filled or arm in chosen:
            continue
        if fits(target, mask):
            chosen[arm] = str(mask.id)
    return chosen


def choose_companions(target: Target, maps: Iterable[Upload]) -> dict[str, str]:
    """For each kind of map the one that fits best, if any."""
    chosen: dict[str, str] = {}
    for one in sorted(maps, key=lambda one: rank_mask(target, one)):
        if one.kind not in chosen and fits(target, one):
            chosen[one.kind] = str(one.id)
    return chosen


def propose_pairs(
    *,
    image_files: list[Upload],
    mask_files: list[Upload],
    maps: Iterable[Upload] = (),
    cases: Iterable[Case] = (),
) -> list[Pair]:
    """For each image, and each case that lacks an arm of the masks, what fits."""
    images = [target_image(image) for image in image_files]
    known = [target_case(case) for case in cases]
    own = assign([*mask_files, *maps], [*images, *known])
    pairs = []
    for target in images:
        masks = [one for one in own[target.id] if not is_map(one)]
        fitting = [one for one in own[target.id] if is_map(one)]
        companions = choose_companions(target, fitting)
        pairs.append(
            Pair(target.id, choose_masks(target, masks), companions=companions)
        )
    arms = {arm_of(mask) for mask in mask_files}
    lacking = [target for target in known if arms - target.filled]
    for case, chosen in choose_for_cases(lacking, own, mask_files).items():
        pairs.append(Pair("", chosen, case=case))
    return pairs


def assign(
    files: Iterable[Upload], targets: list[Target]
) -> defaultdict[str, list[Upload]]:
    """By target the masks and maps that are its own."""
    own: defaultdict[str, list[Upload]] = defaultdict(list)
    for file in files:
        for target in find_owners(file, targets):
            own[target.id].append(file)
    return own


def choose_for_cases(
    targets: list[Target],
    own: Mapping[str, list[Upload]],
    mask_files: list[Upload],
) -> dict[str, dict[str, str]]:
    """The masks for each case of before; what folders leave in doubt goes to none.

    The folders that a case came in are forgotten, so that two visits of a person, or
    persons of one name at two sites, may look alike.
    """
    found = {
        target.id: choose_masks(target, [m for m in own[target.id] if not is_map(m)])
        for target in targets
    }
    taken = Counter(mask for masks in found.values() for mask in masks.values())
    foldered = {str(m.id): m for m in mask_files if lies_in_folder(m)}
    for target in targets:
        for arm, chosen in list(found[target.id].items()):
            mask = foldered.get(chosen)
            if mask and (taken[chosen] > 1 or has_rival(target, mask, mask_files)):
                del found[target.id][arm]
    return found


def lies_in_folder(mask: Upload) -> bool:
    return str(mask.facts.get("case", "")).startswith(FOLDER)


def has_rival(target: Target, mask: Upload, mask_files: list[Upload]) -> bool:
    """Whether a mask of another folder fits a case as well as this one."""
    return any(
        lies_in_folder(other)
        and arm_of(other) == arm_of(mask)
        and other.facts["case"] != mask.facts["case"]
        and fits(target, other) == fits(target, mask)
        for other in mask_files
    )


def propose_from(uploads: list[Upload], cases: Iterable[Case] = ()) -> list[Pair]:
    """The pairs of a set whose files were all received together.

    Masks that came without any image are for the cases of before.
    """
    images = [u for u in uploads if u.kind == Upload.Kind.IMAGE]
    pairs = propose_pairs(
        image_files=images,
        mask_files=[u for u in uploads if u.kind == Upload.Kind.MASK],
        maps=[u for u in uploads if is_map(u)],
        cases=() if images else cases,
    )
    return [pair for pair in pairs if pair.image or pair.masks]


def is_map(upload: Upload) -> bool:
    return upload.kind in ("second", "cord", "levels", "soft")
