"""Whether a name or a cell looks like a person's name, date or number (P4)."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from ratings.vocabulary import KNOWN, TELLING, THINGS

YEAR, MONTH, DAY = r"(?:19|20)\d{2}", r"(?:0[1-9]|1[0-2])", r"(?:[0-2]\d|3[01])"
# a day or a month as people write it
SHORT = r"(?:0?[1-9]|[12]\d|3[01])"
# in English, German, French and Spanish, whole or cut off
MONTHS = (
    r"(?:jan(?:uary|uar|vier)?|ene(?:ro)?|feb(?:ruary|ruar|rero)?|f[eé]v(?:rier)?|"
    r"m[aä]r(?:ch|z|s)?|marzo|a[pbv]r(?:il)?|ma[iy]o?|jun[eio]?|juin|"
    r"jul[iy]?|julio|juil(?:let)?|aug(?:ust)?|ago(?:sto)?|ao[uû]t|sep(?:t|tember|tembre)?|"
    r"septiembre|o[ck]t(?:ober|obre|ubre)?|nov(?:ember|embre)?|noviembre|"
    r"d[eé][czs](?:ember|embre)?|dic(?:iembre)?)"
)
APART = r"[-_., ]{0,2}"
DATES = tuple(
    re.compile(rf"(?<!\d)(?:{form})", re.IGNORECASE)
    for form in (
        rf"{YEAR}[-_.]?{MONTH}[-_.]?{DAY}",
        rf"{DAY}[-_.]?{MONTH}[-_.]?{YEAR}",
        rf"{MONTH}[-_.]?{DAY}[-_.]?{YEAR}",
        rf"{SHORT}[-./ ]{SHORT}[-./ ]{YEAR}(?!\d)",
        rf"{YEAR}[-./ ]{SHORT}[-./ ]{SHORT}(?!\d)",
        rf"{YEAR}{APART}{MONTHS}{APART}{SHORT}(?!\d)",
        rf"{SHORT}{APART}{MONTHS}{APART}{YEAR}(?!\d)",
        rf"(?<![^\W\d_]){MONTHS}{APART}{SHORT}(?:st|nd|rd|th)?{APART}{YEAR}(?!\d)",
    )
)
# digits alone, or as many as a hospital gives behind letters, such as MRN1234567
NUMBER = re.compile(r"(?<![A-Za-z0-9])(?:\d{6,}(?!\d)|[A-Za-z]+\d{7,}(?![A-Za-z0-9]))")
DIGITS = re.compile(r"\d{6,}")
LETTERS = re.compile(r"[^\W\d_]+")
BETWEEN = re.compile(r"[-_^,. ]+")
ACCENTED = re.compile(r"[A-Za-zÀ-ÖØ-öø-ſ]*[À-ÖØ-öø-ſ][A-Za-zÀ-ÖØ-öø-ſ]*")
CARET = re.compile(r"[^\W\d_]{2,}\^[^\W\d_]{2,}")


def looks_personal(name: str) -> bool:
    """Whether a name seems to hold a date, a hospital number or a person's name."""
    plain = re.sub(r"\.nii(\.gz)?$", "", name, flags=re.IGNORECASE)
    plain = unicodedata.normalize("NFC", plain)
    return looks_numbered(plain) or looks_named(plain) or looks_accented(plain)


def looks_numbered(text: str) -> bool:
    return looks_dated(text) or bool(NUMBER.search(text))


def looks_dated(text: str) -> bool:
    return any(date.search(text) for date in DATES)


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

MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
DECIMAL = re.compile(r"[-+]?\d{1,5}[.,]\d+")
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
    if looks_dated(value) or not NUMBER.search(value):
        return False
    return not states_person(DIGITS.sub("", value), column="")


def states_person(value: str, *, column: str) -> bool:
    """Whether a value looks personal; places and devices may be two capital words."""
    if DECIMAL.fullmatch(value):
        return False
    if looks_numbered(value) or MAIL.search(value):
        return True
    return looks_named(value) and not set(column.split("_")) & THINGS
