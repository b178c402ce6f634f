"""What is kept of a sidecar (P3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ratings.suspicions import (
    is_numbered_alone,
    looks_personal,
    states_person,
    titles_person,
)

# whoever asks for what sidecars hold also finds here what looks personal
__all__ = [
    "Sidecar", "is_numbered_alone", "keep", "looks_personal", "read_sidecar",
    "read_sidecars", "states_person", "titles_person",
]  # fmt: skip

ALLOWED = {
    "MagneticFieldStrength": "field strength (T)",
    "EchoTime": "echo time (s)",
    "RepetitionTime": "repetition time (s)",
    "InversionTime": "inversion time (s)",
    "FlipAngle": "flip angle (°)",
    "SliceThickness": "slice thickness (mm)",
    "ScanningSequence": "sequence",
    "SequenceVariant": "sequence variant",
    "MRAcquisitionType": "acquisition",
    "Manufacturer": "manufacturer",
    "Modality": "modality",
}
# in the unit above: what lies outside is in another unit, or is a date or a number
PLAUSIBLE = {
    "MagneticFieldStrength": (0.01, 30),
    "EchoTime": (0, 2),
    "RepetitionTime": (0, 100),
    "InversionTime": (0, 30),
    "FlipAngle": (0, 360),
    "SliceThickness": (0, 100),
}
SHORT_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")
WORDS = re.compile(r"[A-Za-z0-9 .,/\\_-]{1,40}")
LARGEST = 2**20


@dataclass(frozen=True)
class Sidecar:
    """The allowed fields, and the names (never the values) of all that was dropped."""

    kept: dict[str, float | str]
    dropped: tuple[str, ...]


def read_sidecar(data: bytes) -> Sidecar:
    """Numbers and short words of the allow-list; of what is no JSON object nothing."""
    try:
        told = json.loads(data[:LARGEST])
    except (ValueError, RecursionError):
        return Sidecar({}, ())
    if not isinstance(told, dict):
        return Sidecar({}, ())
    kept = keep(told)
    dropped = sorted(show_field(key) for key in told if key not in kept)
    return Sidecar(kept, tuple(dropped[:200]))


def read_sidecars(texts: Iterable[bytes]) -> Sidecar:
    """All of a file's together; of what two say, the later counts."""
    kept: dict[str, float | str] = {}
    dropped: set[str] = set()
    for text in texts:
        one = read_sidecar(text)
        kept |= one.kept
        dropped |= {*one.dropped}
    return Sidecar(kept, tuple(sorted(dropped)[:200]))


def keep(told: dict[str, Any]) -> dict[str, float | str]:
    return {key: told[key] for key in ALLOWED if is_plain(key, told.get(key))}


def is_plain(field: str, value: Any) -> bool:
    """Whether it is a number of that field, or words that are of no person."""
    if field in PLAUSIBLE:
        return is_plausible(value, *PLAUSIBLE[field])
    if not isinstance(value, str) or not WORDS.fullmatch(value):
        return False
    return not states_person(value, column="")


def is_plausible(value: Any, low: float, high: float) -> bool:
    """Whether a number lies there, which those that are none never do."""
    if isinstance(value, str) and SHORT_NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return low <= value <= high


def show_field(name: str) -> str:
    """A field's name as any database can hold it."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:60])
