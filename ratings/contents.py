"""Says what a folder or zip without a NIfTI file holds instead, and the remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

DICOM, ZIP, VOLUME = "DICOM", "zip", "other image"
KINDS = {
    ".dcm": DICOM, ".dicom": DICOM, ".ima": DICOM, ".zip": ZIP, ".tar": ZIP,
    ".tgz": ZIP, ".7z": ZIP, ".rar": ZIP, ".nrrd": VOLUME, ".nhdr": VOLUME,
    ".mha": VOLUME, ".mhd": VOLUME, ".mgz": VOLUME, ".mgh": VOLUME, ".hdr": VOLUME,
    ".img": VOLUME, ".mnc": VOLUME,
}  # fmt: skip
REMEDIES = {
    DICOM: "Convert DICOM to NIfTI first, e.g. with dcm2niix.",
    ZIP: "Unpack archives first.",
    VOLUME: "Save the images as NIfTI-1 (.nii.gz), header and voxels in one file.",
}
NOTHING = "Choose the folder that holds the images."


def describe(name: str, files: Iterable[tuple[str, bytes]]) -> str:
    """One sentence on what is there, by name and first bytes, and one on what to do."""
    counts = Counter(find_kind(path, start) for path, start in files)
    told = [
        f"{number} {kind} file{'' if number == 1 else 's'}"
        for kind, number in counts.most_common()
    ]
    held = f" It holds {join(told)}." if told else " It is empty."
    remedies = [text for kind, text in REMEDIES.items() if counts[kind]] or [NOTHING]
    return f"{name} holds no NIfTI file (.nii, .nii.gz).{held} {' '.join(remedies)}"


def find_kind(path: str, start: bytes) -> str:
    if start[128:132] == b"DICM":
        return DICOM
    suffix = PurePath(path).suffix.lower()
    return KINDS.get(suffix, suffix or "other")


def join(words: list[str]) -> str:
    *most, last = words[:6]
    return f"{', '.join(most)} and {last}" if most else last


def peek(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Each file's name and first bytes, as far as it can be read."""
    for path in paths:
        try:
            with path.open("rb") as stream:
                yield path.name, stream.read(132)
        except OSError:
            yield path.name, b""
