"""What is kept of a sidecar, and which file names look personal (P3, P4)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ratings import filenames

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
LETTERS = re.compile(r"[^\W\d_]+")
BETWEEN = re.compile(r"[_^, ]+")
ACCENTED = re.compile(r"[A-Za-zÀ-ÖØ-öø-ſ]*[À-ÖØ-öø-ſ][A-Za-zÀ-ÖØ-öø-ſ]*")
CARET = re.compile(r"[^\W\d_]{2,}\^[^\W\d_]{2,}")
KNOWN = filenames.MASK_WORDS | set(filenames.CONTRASTS) | {
    "axial", "sagittal", "coronal", "brain", "cord", "spine", "spinal", "scan", "image",
    "patient", "subject", "control", "mri", "gre", "tse", "fse", "mpr", "ref", "dir",
    "cervical", "thoracic", "lumbar", "tumor", "tumour", "segmentation", "dataset",
    "task", "case", "study", "site", "session", "visit", "baseline", "followup",
    "training", "test", "validation", "sag", "cor", "axi", "tra", "pre", "post",
    "contrast", "multiple", "sclerosis", "healthy", "head", "neck", "left", "right",
    # the same words, and those of French, Spanish, Portuguese and German sets
    "lésion", "lésions", "lesión", "lesiones", "lesão", "läsion", "läsionen", "moelle",
    "épinière", "médullaire", "médula", "medula", "cérébral", "cérébrale", "cerveau",
    "encéfalo", "rückenmark", "wirbelsäule", "schädel", "gehirn", "témoin", "témoins",
    "contrôle", "données", "étude", "séquence", "série", "séance", "résultat", "für",
    "modèle", "référence", "vérité", "prédiction", "prédictions", "sclérose",
}  # fmt: skip


def looks_personal(name: str) -> bool:
    """Whether a name seems to hold a date, a hospital number or a person's name."""
    plain = re.sub(r"\.nii(\.gz)?$", "", name, flags=re.IGNORECASE)
    plain = unicodedata.normalize("NFC", plain)
    return looks_numbered(plain) or looks_named(plain) or looks_accented(plain)


def looks_numbered(text: str) -> bool:
    return any(mark.search(text) for mark in (DATE, BIRTH, NUMBER))


def looks_named(text: str) -> bool:
    """Two capitalised words in a row, in any alphabet, or the caret that DICOM puts."""
    text = unicodedata.normalize("NFC", text)
    if CARET.search(text):
        return True
    return any(
        is_capitalised(one) and is_capitalised(other) and not names_thing(one, other)
        for one, other in list_neighbours(text)
    )


def looks_accented(text: str) -> bool:
    """A name in small letters, such as müller_hans, where a file's name begins."""
    pair = next(iter(list_neighbours(text)), None)
    if pair is None or not text.startswith(pair[0]) or names_thing(*pair):
        return False
    return all(len(word) > 2 for word in pair) and any(map(ACCENTED.fullmatch, pair))


def list_neighbours(text: str) -> list[tuple[str, str]]:
    """Words of letters alone that follow each other."""
    words = list(LETTERS.finditer(text))
    return [
        (one[0], other[0])
        for one, other in pairwise(words)
        if BETWEEN.fullmatch(text[one.end() : other.start()])
    ]


def is_capitalised(word: str) -> bool:
    return len(word) > 2 and word[0].isupper()


def names_thing(*words: str) -> bool:
    return bool({word.lower() for word in words} & KNOWN)


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


def is_numbered_alone(value: str) -> bool:
    """Whether only a long number makes it look personal: some cohorts number so."""
    if any(mark.search(value) for mark in (DATE, BIRTH, ANY_DATE)):
        return False
    plain = NUMBER.sub("", value)
    return plain != value and not states_person(plain, column="")


def states_person(value: str, *, column: str) -> bool:
    """Whether a value looks personal; places and devices may be two capital words."""
    if DECIMAL.fullmatch(value):
        return False
    if looks_numbered(value) or ANY_DATE.search(value) or MAIL.search(value):
        return True
    return looks_named(value) and not set(column.split("_")) & THINGS
