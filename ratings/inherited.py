"""Which sidecars are of an image: its own, and by BIDS's inheritance wider ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from ratings.entries import base, stem

Find = Callable[[str], tuple[str, ...]]


def index_sidecars(paths: Iterable[str], volumes: Iterable[str]) -> Find:
    """A function of an image's path that gives its sidecars, the nearest last.

    A sidecar that is no volume's own is of each image in its folder and below whose
    name ends like its own and has all its words: `T2w.json`, `task-x_T2w.json`.
    """
    texts = {stem(path): path for path in paths if path.lower().endswith(".json")}
    owned = {stem(path) for path in volumes}
    wide: defaultdict[tuple[str, str], list[tuple[frozenset[str], str]]]
    wide = defaultdict(list)
    for plain, path in texts.items():
        *words, ending = base(plain).split("_")
        if plain not in owned and all("-" in word for word in words):
            folder = str(PurePosixPath(plain).parent)
            wide[folder, ending].append((frozenset(words), path))

    def find(image: str) -> tuple[str, ...]:
        plain = stem(image)
        words = {*base(plain).split("_")}
        ending = base(plain).rpartition("_")[2]
        above = [str(folder) for folder in PurePosixPath(plain).parents]
        fitting = [
            path
            for folder in reversed(above)
            for stated, path in sorted(
                wide[folder, ending], key=lambda one: len(one[0])
            )
            if stated <= words
        ]
        own = texts.get(plain)
        return (*fitting, own) if own else tuple(fitting)

    return find
