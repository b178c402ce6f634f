"""Reads file names: their words, the contrast, and whether two are of one person."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import PurePath

CONTRASTS = {
    "t2star": "T2star", "t2s": "T2star", "t2w": "T2w", "t2": "T2w", "psir": "PSIR",
    "stir": "STIR", "unit1": "UNIT1", "mp2rage": "UNIT1", "t1w": "T1w", "t1": "T1w",
    "t1post": "T1w-Gd", "t1wks": "T1w-Gd", "t1ce": "T1w-Gd", "t1gd": "T1w-Gd",
    "t1km": "T1w-Gd", "flair": "FLAIR", "pd": "PD",
}  # fmt: skip
# words of one visit's series, which may differ where the person is the same
SERIES = CONTRASTS | {
    "axial": "ax", "tra": "ax", "sagittal": "sag", "coronal": "cor", "ax": "ax",
    "sag": "sag", "cor": "cor", "acq": "acq", "dir": "dir", "swi": "swi", "adc": "adc",
    "mprage": "mprage", "tse": "tse", "fse": "fse", "gre": "gre", "medic": "medic",
    "space": "space", "3d": "3d", "2d": "2d", "iso": "iso", "pp": "pp", "t1c": "t1c",
    "t1n": "t1n", "t2f": "t2f",
}  # fmt: skip
KNOWN_SERIES = frozenset({*SERIES, *SERIES.values()})
MASK_WORDS = {
    "mask", "seg", "lesion", "lesions", "label", "labels", "manual", "desc", "gt",
    "pred", "prediction", "consensus", "lesionseg", "rater", "nii", "gz",
}  # fmt: skip
LESION_WORDS = {"lesion", "lesions", "lesionseg", "ms"}
MANUAL_WORDS = {"manual", "gt", "consensus", "reference", "expert"}


def split_words(name: str) -> list[str]:
    """In small letters without accents, which systems store in two ways."""
    return list(find_words(name))


# every name is compared with every other
@lru_cache(maxsize=2**14)
def find_words(name: str) -> tuple[str, ...]:
    stem = re.sub(r"\.nii(\.gz)?$", "", PurePath(name).name, flags=re.IGNORECASE)
    apart = unicodedata.normalize("NFKD", stem.lower())
    plain = "".join(c for c in apart if not unicodedata.combining(c))
    return tuple(word for word in re.split(r"[\W_]+", plain) if word)


def read_contrast(name: str) -> str:
    """The MRI contrast that a file name states, else an empty string."""
    for word in reversed(split_words(name)):
        if word in CONTRASTS:
            return CONTRASTS[word]
    return ""


def names_other_contrast(image: str, mask: str) -> bool:
    """Whether a mask's name states a contrast that its image's, stating one, lacks."""
    ours, theirs = (
        {*list_identity(name)} & {*CONTRASTS.values()} for name in (image, mask)
    )
    return bool(ours and theirs - ours)


def names_mask(name: str) -> bool:
    return bool(MASK_WORDS & set(split_words(name)))


@lru_cache(maxsize=2**14)
def list_identity(name: str) -> tuple[str, ...]:
    """The words of a name that say whose it is, and those of the series."""
    words = (SERIES.get(word, word) for word in find_words(name))
    return tuple(word for word in words if word not in MASK_WORDS)


def numbers_something(word: str) -> bool:
    return word not in KNOWN_SERIES and any(c.isdigit() for c in word)


def count_shared_words(image: str, mask: str) -> int:
    """How many words the names share from the start on; 0 if they contradict.

    A prefix of the mask's name (that of a tool) is passed over. The first number of
    the image's name, as a rule the person's, must be shared, and where the names part
    they may not go on to different persons or visits; without any number the shorter
    name must be shared whole.
    """
    return measure_names(image, mask)[0]


def measure_names(image: str, mask: str) -> tuple[int, bool]:
    """How many words are shared, and whether nothing else stands in either name."""
    ours, theirs = list_identity(image), list_identity(mask)
    starts = [i for i, word in enumerate(theirs) if ours and word == ours[0]]
    found = [share(ours, theirs[start:]) for start in starts]
    return max(found, default=(0, False))


def share(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[int, bool]:
    shared = 0
    while shared < min(len(ours), len(theirs)) and ours[shared] == theirs[shared]:
        shared += 1
    if contradict(ours, theirs, shared):
        return 0, False
    return shared, ours == theirs


def contradict(ours: tuple[str, ...], theirs: tuple[str, ...], shared: int) -> bool:
    if part_ways(ours[shared:], theirs[shared:]):
        return True
    numbers = [i for i, word in enumerate(ours) if numbers_something(word)]
    if numbers:
        return shared <= numbers[0]
    plain = [word for word in ours if word not in KNOWN_SERIES]
    return shared < min(len(plain), len(theirs))


def part_ways(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether both go on, each with a word that is no series and not in the other."""
    if not ours or not theirs:
        return False
    if numbers_something(ours[0]) and numbers_something(theirs[0]):
        return True
    apart = ours[0] not in theirs and theirs[0] not in ours
    return apart and not {ours[0], theirs[0]} & KNOWN_SERIES


def are_series(one: str, other: str) -> bool:
    """Whether two names are of one person and visit, in different series."""
    rest = [
        [word for word in list_identity(name) if word not in KNOWN_SERIES]
        for name in (one, other)
    ]
    if rest[0] != rest[1]:
        return False
    if read_contrast(one) != read_contrast(other):
        return True
    # “T1” and “T2” before one contrast are times
    apart = {*list_identity(one)} ^ {*list_identity(other)}
    return bool(apart - {*CONTRASTS.values()})


def count_same_start(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
