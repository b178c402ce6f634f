"""Sets that only have names: what a file is, whose, and who made it, by its path."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile
from pathlib import PurePosixPath

from ratings import filenames, pairing
from ratings.entries import MASK, Entry, Plan, base, read_strata, read_subject
from ratings.filenames import LESION_WORDS, MANUAL_WORDS

LEVEL_WORDS = {"levels", "level", "vert", "vertebral", "vertlevels", "disc", "discs"}
SOFT_WORDS = {"soft", "softseg", "prob", "probability", "probabilities"}
CORD_WORDS = {"sc", "cord", "spinalcord", "csa"}
# masks of these are of no use here, and are not to be taken for those of lesions
OTHER_WORDS = {
    "brain", "brainmask", "bet", "skull", "head", "gm", "wm", "gmseg", "wmseg", "csf",
    "csfseg", "ventricle", "ventricles", "thalamus", "canal", "centerline",
}  # fmt: skip
PREDICTED_WORDS = {
    "pred", "preds", "predicted", "prediction", "predictions", "nnunet", "nnunetv2",
    "unet", "model", "auto", "automatic", "automated", "ai", "deepseg",
}  # fmt: skip
OTHER = "other"
NO_LESIONS = (
    "Its name says that it is a mask of something else than lesions. If it is a mask "
    "to be rated, let the name say “lesion”."
)
FOLDERS = {
    "image", "images", "img", "imgs", "anat", "scan", "scans", "mri", "raw", "nifti",
    "data", "mask", "masks", "labels", "segs", "segmentation", "segmentations",
    "manual", "ground", "truth", "annotation", "annotations", "delineations", "roi",
    "rois", "imagestr", "imagests", "labelstr", "labelsts",
}  # fmt: skip
VISIT = re.compile(
    r"(ses|session|visit|v|baseline|bl|follow[-_ ]?up|fu|month|m|week|w|day|d|year|y|"
    r"time|timepoint|tp|t|pre|post|scan)[-_ ]?\d*",
    re.IGNORECASE,
)
# words that make a name one of a mask where they stand alone
MARKED_WORDS = {"brainmask", "gmseg", "wmseg", "csfseg"}
# the folders after a level and the words of the name: what an image and its mask share
Rest = tuple[tuple[str, ...], tuple[str, ...]]


def name_role(words: list[str]) -> str:
    """Mask or map, as the last of the words that tell says; “other” is of no use."""
    lesions = set(words) & (LESION_WORDS - {"ms"})
    if SOFT_WORDS & set(words):
        return OTHER if set(words) & (CORD_WORDS | OTHER_WORDS) - lesions else "soft"
    for word in reversed(words):
        if word in LESION_WORDS - {"ms"}:
            return MASK
        if word in LEVEL_WORDS:
            return "levels"
        if word in CORD_WORDS:
            return "cord"
        if word in OTHER_WORDS and not lesions:
            return OTHER
    return MASK


def name_maker(words: list[str]) -> str:
    """What a mask's name says made it, if it says no person did."""
    if MANUAL_WORDS & set(words):
        return ""
    return next((word for word in words if word in PREDICTED_WORDS), "")


def plan_flat(volumes: list[str]) -> Plan:
    """Names tell what belongs together; where they repeat, the folders tell too."""
    sources = find_sources(volumes)
    names = [PurePosixPath(path).name for path in volumes]
    apart = len(set(names)) == len(names)
    folders = {} if apart else name_folders(volumes, sources)
    # a word that images have too says nothing of masks
    common = {word for p in volumes for word in read_words(p) if not is_marked(p)}
    entries = [
        name_flat(p, folders.get(p, ""), sources.get(p, ""), common) for p in volumes
    ]
    useful = settle_segmentations([one for one in entries if one.role != OTHER])
    passed = [(one.path, NO_LESIONS) for one in entries if one.role == OTHER]
    return Plan("flat", tuple(useful), tuple(passed))


def read_words(path: str) -> list[str]:
    return filenames.split_words(base(path))


def is_marked(path: str) -> bool:
    """Whether the name has a word of masks or maps."""
    words = set(read_words(path))
    marks = filenames.MASK_WORDS | LEVEL_WORDS | PREDICTED_WORDS | MARKED_WORDS
    return bool(words & marks)


def name_flat(path: str, folder: str, source: str, common: set[str]) -> Entry:
    """Which of image and mask a file is is seen from its voxels, unless named a map."""
    words = read_words(path)
    own = [word for word in words if word not in common]
    role = name_role(own)
    named = role if role != MASK and is_marked(path) else ""
    subject = read_subject(path) or name_person(folder, words)
    case = f"{pairing.FOLDER}{folder}" if folder else ""
    maker = "" if source or not is_marked(path) else name_maker(own)
    return Entry(
        path, named, case, source or maker, subject, read_strata(path),
        named=bool(maker),
    )  # fmt: skip


def settle_segmentations(entries: list[Entry]) -> list[Entry]:
    """Beside masks of lesions, a bare “_seg” is the toolbox's mask of the cord.

    A set that names them so for one image does so for all: who has no lesion may have
    no mask of lesions.
    """
    lesions = {find_key(e) for e in entries if tells_lesions(e)}
    bare = [e for e in entries if is_bare(e)]
    makers = {e.arm for e in bare if find_key(e) in lesions}
    return [
        replace(e, role="cord") if is_bare(e) and e.arm in makers else e
        for e in entries
    ]


def find_key(entry: Entry) -> tuple[object, ...]:
    """What a mask shares with those of the same image and maker."""
    if entry.case and not entry.case.startswith(pairing.FOLDER):
        return (entry.case, entry.arm)
    return (entry.case, entry.arm, *filenames.list_identity(base(entry.path)))


def tells_lesions(entry: Entry) -> bool:
    return entry.role in (MASK, "") and bool({*read_words(entry.path)} & LESION_WORDS)


def is_bare(entry: Entry) -> bool:
    """Whether “seg” is all that the name says of what is in it."""
    words = {*read_words(entry.path)}
    named = entry.role in (MASK, "") and "seg" in words
    return named and not words & (LESION_WORDS | OTHER_WORDS | PREDICTED_WORDS)


def name_person(folder: str, words: list[str]) -> str:
    """The folder's name, unless the file's own names somebody else by a number.

    Of several folders, as of site and person, none is known to be the person's; those
    of a visit never are.
    """
    parts = PurePosixPath(folder).parts
    if len(parts) > 1:
        parts = tuple(part for part in parts if not VISIT.fullmatch(part))
    person = parts[0] if len(parts) == 1 else ""
    if any(map(filenames.numbers_something, words)):
        return person if set(filenames.split_words(person)) <= set(words) else ""
    return person


def split_folders(path: str) -> list[str]:
    parts = PurePosixPath(path).parent.parts
    return [unicodedata.normalize("NFC", part) for part in parts]


def names_kind(folder: str) -> bool:
    """Whether a folder's name says what kind of file lies in it, and no more."""
    kinds = filenames.MASK_WORDS | set(filenames.CONTRASTS) | FOLDERS
    return set(filenames.split_words(folder)) <= kinds


def find_sources(volumes: list[str]) -> dict[str, str]:
    """The folder of masks that somebody or something made, beside “images” or “masks”.

    It holds files for the same persons as that one: net/p1 beside images/p1.
    """
    known: defaultdict[tuple[str, ...], set[Rest]] = defaultdict(set)
    for path in volumes:
        for above, folder, rest in walk(path):
            if names_kind(folder):
                known[above].add(rest)
    found: dict[str, str] = {}
    for path in volumes:
        for above, folder, rest in walk(path):
            if not names_kind(folder) and rest in known[above]:
                found.setdefault(path, folder)
    return found


def walk(path: str) -> Iterable[tuple[tuple[str, ...], str, Rest]]:
    """Each folder of a path with those above it, and what of the path comes after."""
    parts = split_folders(path)
    words = tuple(filenames.list_identity(base(path)))
    for level, folder in enumerate(parts):
        yield tuple(parts[:level]), folder, (tuple(parts[level + 1 :]), words)


def name_folders(volumes: list[str], sources: dict[str, str]) -> dict[str, str]:
    """For each path the folders that tell persons apart.

    They are neither those that say what kind of file lies in them or who made it, nor
    those that all files share.
    """
    parts = {
        path: [
            part
            for part in split_folders(path)
            if not names_kind(part) and part != sources.get(path)
        ]
        for path in volumes
    }
    # level by level, up to the shallowest file
    levels = (set(level) for level in zip(*parts.values(), strict=False))
    shared = sum(1 for _ in takewhile(lambda level: len(level) == 1, levels))
    return {path: "/".join(found[shared:]) for path, found in parts.items()}
