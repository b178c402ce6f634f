"""Finds the files that a table names, and never a namesake of one that is missing."""

from __future__ import annotations

import posixpath
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from ratings.entries import IMAGE, find_volume
from ratings.manifests import Row
from ratings.named import names_kind

# a file of a table, by row and column
Key = tuple[int, str]
TOP = PurePosixPath()


def find_places(
    home: PurePosixPath, rows: Iterable[Row], volumes: list[str]
) -> dict[Key, str]:
    """By row and column the file that is meant, as far as it is beyond doubt.

    Paths go from the table, from the top, or all from one folder where the images are;
    a mere name also from the folder of the row's image, or all of a column from one.
    """
    told = {(r.number, c): clean(s) for r in rows for c, s in r.files.items()}
    images = {key: path for key, path in told.items() if key[1] == IMAGE}
    bases = (base for base in (home, TOP) if find_exact(base, images, volumes))
    base = next(bases, None) or find_folder(images, volumes) or home
    found = find_exact(base, told, volumes)
    found |= find_beside(told, found, volumes)
    groups: defaultdict[str, dict[Key, str]] = defaultdict(dict)
    for key, path in told.items():
        groups["" if "/" in path else key[1]][key] = path
    for group in groups.values():
        if not found.keys() & group.keys():
            found |= find_elsewhere(group, volumes)
    return found


def find_beside(
    told: dict[Key, str], found: dict[Key, str], volumes: list[str]
) -> dict[Key, str]:
    """What is told by a mere name, and lies in the folder of its row's image."""
    beside: dict[Key, str] = {}
    for key, path in told.items():
        image = found.get((key[0], IMAGE))
        if key not in found and image and "/" not in path:
            beside |= find_exact(PurePosixPath(image).parent, {key: path}, volumes)
    return beside


def clean(path: str) -> str:
    told = unicodedata.normalize("NFC", path.replace("\\", "/"))
    return posixpath.normpath(told).lstrip("/")


def find_exact(
    home: PurePosixPath, told: dict[Key, str], volumes: list[str]
) -> dict[Key, str]:
    paths = {key: posixpath.normpath(str(home / path)) for key, path in told.items()}
    found = {key: find_volume(path, volumes) for key, path in paths.items()}
    return {key: path for key, path in found.items() if path}


def find_elsewhere(told: dict[Key, str], volumes: list[str]) -> dict[Key, str]:
    """From the one folder under which most of them lie, and each only there."""
    folder = find_folder(told, volumes)
    found = find_exact(folder, told, volumes) if folder else {}
    # one row's mask in another person's folder may be a namesake
    certain = len(found) > 1 or (folder and names_kind(folder.name))
    return found if certain else {}


def find_folder(told: dict[Key, str], volumes: list[str]) -> PurePosixPath | None:
    """The folder under which most of the paths lie, unless two hold as many."""
    lying = [unicodedata.normalize("NFC", f"/{path}") for path in volumes]
    folders = Counter(
        path.removesuffix(f"/{name}")
        for name in set(told.values())
        for path in lying
        if path.endswith(f"/{name}")
    )
    best = folders.most_common(2)
    if not best or (len(best) == 2 and best[0][1] == best[1][1]):
        return None
    return PurePosixPath(best[0][0].removeprefix("/"))
