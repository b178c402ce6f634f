"""Finds the names of a study's sources, however spelled, in words that raters read."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ratings.blanks import FILLERS
from ratings.models import Study

# Letters of scripts with words apart; in all others a name can stand within a text.
WORD = r"0-9a-z\u00aa-\u02bb\u02bd-\u058f\u10a0-\u10ff\u1e00-\u1fff"
MARKS, APOSTROPHES = "*`~\\", "'’‘ʼ`´′"
# What stands after an apostrophe is no beginning: “the patient’s CT” holds no “SCT”.
SHORTENED = re.compile(rf"'[ -]?(?:s|t|d|m|ll|re|ve)(?![{WORD}])")
# “SCT” hints at “SCT 6.5” as well as the whole name does, and “nnUNet” at “nnUNet2”.
VERSION = re.compile(r"[\W_]+(?:v|version)?[\W_]*\d[\w.-]*[\W_]*$", re.IGNORECASE)
NUMBER = r"[\d._]*\d[a-z]?[\W_]*$"
# Of “Conv2” the “v” is its own, of “Zebranetv2” it is not: both ways are tried.
NUMBERS = tuple(
    (re.compile(start + NUMBER, re.IGNORECASE), least)
    for start, least in (("", 3), ("v", 4))
)
DIGEST = re.compile(r"-[0-9a-f]{8}$")
GAP = re.compile(r"[ .-]+")
# A name parted by a blank into nothing but these is a part of a sentence.
SMALL = (
    "a all am an and any are as at be but by can did do for go had has he her him his "
    "how i if in is it its may me my new no nor not now of off old on one or our out "
    "own per see set she so the to too two up us use was way we who why yes you"
)
ORDINARY = frozenset(SMALL.split())


@dataclass(frozen=True)
class Folded:
    """Text as it is compared: plain letters, ` -.` between, and where each stood."""

    text: str
    whole: str
    places: tuple[int, ...]

    def show(self, start: int, end: int) -> str:
        return self.whole[self.places[start] : self.places[end - 1] + 1]


@dataclass(frozen=True)
class Name:
    """A name of a source: its letters, its words, and how to find it in a text."""

    letters: str
    words: tuple[str, ...]
    pattern: re.Pattern[str]


def find_source(study: Study, text: str) -> str:
    """The first word of the text that names an arm of the study; else nothing."""
    return next(iter(find_sources(study, text).values()), "")


def find_sources(study: Study, text: str) -> dict[str, str]:
    """The letters of each name that the text holds, and the word that names it."""
    folded = fold(html.unescape(text))
    found = ((name.letters, find_word(folded, name)) for name in list_names(study))
    return {letters: word for letters, word in found if word}


def list_names(study: Study) -> list[Name]:
    """The names of a study's arms; a key almost without letters says less than them."""
    told = [arm.label for arm in study.arms.all()]
    told += [arm.key for arm in study.arms.all() if has_letters(arm.key)]
    names = (make_name(part) for whole in told for part in list_parts(whole))
    return sorted({n.letters: n for n in names if n.letters}.values(), key=rank)


def rank(name: Name) -> tuple[int, str]:
    """The longest first, so that a refusal shows all of what it is about."""
    return -len(name.letters), name.letters


def list_parts(name: str) -> Iterator[str]:
    """The name, and what is left of it without its version."""
    yield name
    if DIGEST.search(name):
        return
    if has_letters(base := VERSION.sub("", name)):
        yield base
    for number, least in NUMBERS:
        bare = number.sub("", name)
        if bare != name and has_letters(bare) and len(squeeze(bare)) >= least:
            yield bare


def make_name(told: str) -> Name:
    """A name of one letter is found as it is written, any other in any case."""
    plain = fold(told).text.strip(" .-")
    letters = squeeze(plain)
    if len(letters) == 1:
        letters = squeeze(unicodedata.normalize("NFKC", told))
    return Name(letters, tuple(GAP.split(plain)), re.compile(spell(plain)))


def squeeze(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def spell(name: str) -> str:
    """A pattern of the name with other gaps, an ending and the number of a version."""
    body = gap_within(name).join(spread(name, part) for part in GAP.split(name))
    start = rf"(?<![{WORD}])" if re.match(rf"[{WORD}]", name) else ""
    end = rf"(?![{WORD}])" if re.search(rf"[{WORD}]$", name) else ""
    if len(squeeze(name)) == 1:
        return f"{start}({body}){end}"
    version = "v" if name[-1:].isdigit() else "v?"
    return rf"{start}({body})(?:s|ly)?(?:{version}\d(?:[\w.]*\w)?|{end})"


def gap_within(name: str) -> str:
    """Where the name itself has a gap, any is as good, or none."""
    return "[ .-]{0,4}" if has_letters(name) else "[ .-]{1,4}"


def spread(name: str, part: str) -> str:
    """The part letter by letter; what parts the digits of a number changes it."""
    gap = r"(?:[ -]{0,3}|\.)" if len(squeeze(name)) > 2 else "[ .-]?"
    spelled = re.escape(part[:1])
    for one, other in pairwise(part):
        number = one.isdigit() and other.isdigit() and not has_letters(name)
        spelled += ("" if number else gap) + re.escape(other)
    return spelled


def has_letters(name: str) -> bool:
    return sum(map(str.isalpha, name)) > 1


def find_word(text: Folded, name: Name) -> str:
    for found in name.pattern.finditer(text.text):
        word = text.show(*found.span())
        if len(name.letters) == 1:
            if unicodedata.normalize("NFKC", word) == name.letters:
                return word
        elif not is_sentence(found[1], name):
            return word
    return ""


def is_sentence(found: str, name: Name) -> bool:
    """Whether blanks alone part what was found into words of any sentence."""
    pieces = tuple(found.split(" "))
    ordinary = ORDINARY.issuperset(filter(None, pieces))
    return ordinary and len(pieces) > 1 and pieces != name.words


def fold(text: str) -> Folded:
    """Without case, width, accents and format characters; gaps stay as one of ` -.`."""
    whole = unicodedata.normalize("NFC", text)
    pairs = [(plain, n) for n, sign in enumerate(whole) for plain in fold_sign(sign)]
    joined = SHORTENED.sub(
        lambda found: "." * len(found[0]), "".join(plain for plain, _ in pairs)
    )
    return Folded(joined.replace("'", "."), whole, tuple(n for _, n in pairs))


@lru_cache(maxsize=4096)
def fold_sign(sign: str) -> str:
    spread_out = unicodedata.normalize("NFKD", sign.casefold()).casefold()
    return "".join(map(classify, spread_out))


def classify(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind in ("Cf", "Mn", "Me") or sign in FILLERS:
        return ""
    if sign in APOSTROPHES:
        return "'"
    if sign.isalnum():
        number = unicodedata.digit(sign, None)
        return "i" if sign == "ı" else sign if number is None else str(number)
    if kind in ("Pd", "Pc") or sign in MARKS:
        return "-"
    return " " if sign.isspace() else "."
