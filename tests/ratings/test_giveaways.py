"""No spelling of a source's name reaches raters, and ordinary sentences do."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from ratings import arms, giveaways
from ratings.models import Study

NAMES = (
    "Zebranet", "nnU-Net 2.4", "SCT 6.5", "Manual", "Model", "Müller’s cut", "AI",
    "Ina", "Beat", "A", "Method 2", "MS-Seg (v3)", "3D U-Net", "手动", "Reader1",
)  # fmt: skip
WORDS = some.text("abcdefghijklmnopqrstuvwxyzäßøéжλ", min_size=2, max_size=9)
LABELS = some.sampled_from([n for n in NAMES if len(n) > 1]) | some.builds(
    lambda words, number: "-".join(words) + number,
    some.lists(WORDS, min_size=1, max_size=3),
    some.sampled_from(["", " 2", " 6.5", "v3"]),
)  # fmt: skip
INSERTED = some.sampled_from("- _\u2011\u2013\u00a0\u00ad\u200b\u2060\ufeff\u0301")
TAILS = some.sampled_from(["", "2", "_2", "_v2", " v2.4", "v3", " 6.5.1", "-2b", "'s"])


def make_study(*names: str) -> Study:
    """As much of a study as is asked of it here."""
    made = [SimpleNamespace(label=name, key=arms.make_key(name)) for name in names]
    return cast(Study, SimpleNamespace(arms=SimpleNamespace(all=lambda: made)))


def find(text: str, *names: str) -> str:
    return giveaways.find_source(make_study(*names), text)


def widen(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def in_case(text: str, upper: list[bool]) -> str:
    pairs = zip(text, upper * len(text), strict=False)
    return "".join(c.upper() if up else c.lower() for c, up in pairs)


def break_up(text: str, mark: str, place: int) -> str:
    """The mark within the name, but for what makes an ordinary sentence of it."""
    place = 1 + place % (len(text) - 1)
    before, after = text[:place], text[place:]
    pieces = set(re.split(r"[\s-]+", f"{before} {after}".casefold()))
    assume(not (mark.isspace() and pieces <= giveaways.ORDINARY))
    return before + mark + after


@settings(deadline=None)
@given(
    label=LABELS, by_key=some.booleans(), upper=some.lists(some.booleans(), min_size=1),
    wide=some.booleans(), mark=INSERTED, place=some.integers(0, 99), tail=TAILS,
)  # fmt: skip
def test_a_name_is_found_in_any_case_width_and_with_any_break_and_version(
    label: str, by_key: bool, upper: list[bool], wide: bool, mark: str, place: int,
    tail: str,
) -> None:  # fmt: skip
    told = arms.make_key(label) if by_key else label
    assume(giveaways.has_letters(told))
    written = break_up(in_case(told, upper), mark, place)
    if written[-1:].isdigit() and tail[:1].isdigit():
        tail = f" {tail}"
    written = (widen(written) if wide else written) + tail
    assert find(f"Look at “{written}” again.", label)
    assert find(written, "Other", label)


@settings(deadline=None)
@given(text=some.text(), name=some.text(max_size=12))
def test_nothing_is_too_strange_to_be_compared(text: str, name: str) -> None:
    assert isinstance(find(text, name, text[:9]), str)


SPELLINGS = {
    "Zebranet": (
        "Zebranet2", "Zebranet_2", "zebranet_v2", "zebra-net", "Ｚebranet",
        "zebra\u200bnet", "ze**bra**net", "zebra&shy;net", "Zebranets", "zebranet’s",
        "https://zebranet.org", "使用Zebranet分割", "Z E B R A N E T", "zebra-\nnet",
    ),
    "nnU-Net 2.4": ("nnUNet", "nnunet2.4", "nnU-Net2", "nnU Net", "NNUNET", "nn-unet"),
    "SCT 6.5": ("SCT", "S.C.T.", "by sct", "l’SCT", "SCT's", "sct_v7"),
    "Manual": ("man\u00adual", "manually", "the *manual* mask", "MANUALS"),
    "AI": ("AI", "A.I.", "ai", "ＡＩ", "A-I"),
    "Ina": ("Ina’s", "I-na", "INA", "in_a"),
    "All in one": ("all in one", "All-in-one", "AllInOne"),
    "手动": ("这是手动分割。", "手 动"),
    "A": ("mask A", "A is better", "(A)", "Ａ"),
    "Zebranetv2": ("zebranet", "Zebranet 3"),
    "MS-Seg (v3)": ("msseg", "MS Seg"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name in SPELLINGS for text in SPELLINGS[name]]
)
def test_a_common_spelling_is_found(name: str, text: str) -> None:
    assert find(text, name)


def test_what_is_told_is_the_word_as_it_was_written() -> None:
    for text, word in (
        ("Is Zebra-Net2, seen", "Zebra-Net2"), ("the MODELS.", "MODELS"),
        ("Zébranet too", "Zébranet"), ("nnU-Net 2.4 it is", "nnU-Net 2.4"),
    ):  # fmt: skip
        assert find(text, "Zebranet", "Model", "nnU-Net 2.4") == word


SENTENCES = (
    "Yes, count the edge as lesion.",
    "The patient’s CT is not shown; it’s only the T2 image.",
    "Is CT meant? No, a lesion in a slice of the cord is meant.",
    "It should be at the edge, as it was in all of it.",
    "Remodelled, dissected tissue is no lesion.",
    "Look at every slice, a bright rim too, and rate it from 1 to 5.",
    "Is a zebra’s net like it? Nets of vessels are bright.",
    "In plan B I would see series 24, image 65.",
    "The aim: judge each mask by itself. Say again if it fails.",
    "Artefacts at C3–C5 are T2-bright; 2.4 mm are enough.",
    "Please use the comment for remarks and take your time.",
    "Is this an armed guide? No, an army of raters, MS or not.",
)


@pytest.mark.parametrize("text", SENTENCES)
def test_an_ordinary_sentence_is_not_refused(text: str) -> None:
    assert find(text, *NAMES) == ""


def test_a_key_made_of_a_digest_forbids_no_word_of_its_own() -> None:
    study = make_study("Other")
    for arm in cast(Any, study.arms.all()):
        arm.key = "arm-1a2b3c4d"
    assert giveaways.find_source(study, "Move your arm, reader.") == ""


def test_names_that_were_written_before_are_told_apart_from_new_ones() -> None:
    study = make_study("Model", "Model 2")
    assert giveaways.find_sources(study, "the model") == {"model": "model"}
    assert set(giveaways.find_sources(study, "the model 2")) == {"model", "model2"}
