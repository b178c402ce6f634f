"""Says who made each mask of a set: its folder or table, whoever sends it, its name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from ratings import filenames, named
from ratings.entries import MASK, Entry, base

Key = tuple[str, ...]
# what a name says of the maker, and nothing of whose it is
MAKERS = named.PREDICTED_WORDS | filenames.MANUAL_WORDS


def name_sources(entries: Iterable[Entry], *, stated: str) -> tuple[Entry, ...]:
    """The entries with what somebody stated to have made the masks among them.

    That goes before a mere word of a name, but not before a folder or a table. Where
    names tell predictions from other masks, it is said of the predictions; where they
    tell several predictions of one image, each keeps its own word.
    """
    found = tuple(entries)
    if not stated:
        return found
    makers: defaultdict[Key, set[str]] = defaultdict(set)
    for one in found:
        if one.named:
            makers[find_key(one)].add(one.arm)
    several = any(len(arms) > 1 for arms in makers.values())
    return tuple(
        replace(one, arm=name_source(one, stated, makers, several)) for one in found
    )


def name_source(
    entry: Entry, stated: str, makers: dict[Key, set[str]], several: bool
) -> str:
    if entry.named:
        return entry.arm if several else stated
    if entry.arm or (makers and says_manual(entry)):
        return entry.arm
    beside = not several and names_mask(entry) and find_key(entry) in makers
    return "" if beside else stated


def names_mask(entry: Entry) -> bool:
    return entry.role == MASK or (entry.role == "" and named.is_marked(entry.path))


def says_manual(entry: Entry) -> bool:
    words = set(filenames.split_words(base(entry.path)))
    return names_mask(entry) and bool(words & filenames.MANUAL_WORDS)


def find_key(entry: Entry) -> Key:
    """What the masks of one image share, whoever made them."""
    words = filenames.list_identity(base(entry.path))
    return (entry.case, *(word for word in words if word not in MAKERS))
