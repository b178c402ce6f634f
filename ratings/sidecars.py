"""What is kept of a sidecar, and which file names look personal (P3, P4)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ratings import pairing

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
    dropped = sorted(str(key)[:60] for key in told if key not in kept)
    return Sidecar(kept, tuple(dropped[:200]))


def keep(told: dict[str, Any]) -> dict[str, float | str]:
    return {key: told[key] for key in ALLOWED if is_plain(told.get(key))}


def is_plain(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return True
    return isinstance(value, str) and bool(WORDS.fullmatch(value))


YEAR, MONTH, DAY = r"(?:19|20)\d{2}", r"(?:0[1-9]|1[0-2])", r"(?:[0-2]\d|3[01])"
DATE = re.compile(rf"(?<!\d){YEAR}[-_.]?{MONTH}[-_.]?{DAY}")
BIRTH = re.compile(rf"(?<!\d){DAY}[-_.]?{MONTH}[-_.]?{YEAR}")
NUMBER = re.compile(r"(?<![A-Za-z0-9])\d{6,}(?!\d)")
WORD = r"([A-Z][A-Za-z]{2,})"
PERSON = re.compile(rf"(?<![A-Za-z]){WORD}[_^, ]+{WORD}(?![a-z])")
KNOWN = pairing.MASK_WORDS | set(pairing.CONTRASTS) | {
    "axial", "sagittal", "coronal", "brain", "cord", "spine", "spinal", "scan", "image",
    "patient", "subject", "control", "mri", "gre", "tse", "fse", "mpr", "ref", "dir",
}  # fmt: skip


def looks_personal(name: str) -> bool:
    """Whether a name seems to hold a date, a hospital number or a person's name."""
    plain = re.sub(r"\.nii(\.gz)?$", "", name, flags=re.IGNORECASE)
    return looks_numbered(plain) or looks_named(plain)


def looks_numbered(text: str) -> bool:
    return any(mark.search(text) for mark in (DATE, BIRTH, NUMBER))


def looks_named(text: str) -> bool:
    pairs = (m.groups() for m in PERSON.finditer(text))
    return any(not {word.lower() for word in pair} & KNOWN for pair in pairs)


# What a table states of a case

ANY_DATE = re.compile(rf"(?<!\d)(?:\d{{1,2}}[-./ ]\d{{1,2}}[-./ ]{YEAR}|"
                      rf"{YEAR}[-./ ]\d{{1,2}}[-./ ]\d{{1,2}})(?!\d)")  # fmt: skip
MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
DECIMAL = re.compile(r"[-+]?\d{1,5}[.,]\d+")
# a number or a name of these is none of a person's, and two capitals are no surname
THINGS = {
    "site", "centre", "center", "scanner", "manufacturer", "vendor", "model", "coil",
    "sequence", "protocol", "series", "contrast", "acquisition", "software", "file",
    "diagnosis", "device", "country", "cohort", "dataset", "source", "hospital",
    "institution", "clinic",
}  # fmt: skip
TELLING = {
    "birth", "birthday", "birthdate", "born", "dob", "mrn", "address", "street",
    "phone", "telephone", "mobile", "fax", "mail", "email", "accession", "ssn", "nhs",
    "passport", "initials", "surname", "postcode", "zip", "zipcode", "date", "datetime",
    "insurance", "patient", "patientid", "person", "pid", "datum", "contact",
    "physician",
}  # fmt: skip
TELLING_PARTS = re.compile(
    r"birth|geburt|(sur|first|last|fore|full|patient|vor|nach)name"
)
NAMING = {"name", "names", "id", "ids", "identifier"}
COUNTED = {"hospital", "medical", "record", "identity", "social", "security", "id"}


def titles_person(title: str) -> bool:
    """Whether a column's title says that it holds who a person is."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", title).lower()
    words = set(re.findall(r"[^\W_]+", apart))
    if words & TELLING or TELLING_PARTS.search(apart):
        return True
    if words & {"number", "no", "nr"} and words & COUNTED:
        return True
    return bool(words & NAMING) and not words & THINGS


def states_person(value: str, *, column: str) -> bool:
    """Whether a value looks personal; places and devices may be two capital words."""
    if DECIMAL.fullmatch(value):
        return False
    if looks_numbered(value) or ANY_DATE.search(value) or MAIL.search(value):
        return True
    return looks_named(value) and not set(column.split("_")) & THINGS
