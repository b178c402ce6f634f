"""Read a study rated in quality-control reports of the Spinal Cord Toolbox."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ratings.moving.entries import NOTHING, Entry, MoveRefused
from ratings.moving.grid import decode
from ratings.moving.mapping import name_rater

# What the studies call their arms in the key, and what they are.
ARM_NAMES = {"label": "manual", "pred": "pred"}
NOT_ARMS = ("image", "sc", "sc_seg", "seg_sc", "contrast", "site")


@dataclass(frozen=True)
class Key:
    """Which mask file is which arm of which case, from `conversion_dict.json`."""

    masks: dict[str, tuple[str, str]]
    contrasts: dict[str, str]

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(arm for _, arm in self.masks.values()))


def is_key(value: Any) -> bool:
    """Whether a JSON value is the study's key rather than a rater's report."""
    if not isinstance(value, dict) or "datasets" in value:
        return False
    return any(isinstance(v, dict) and "image" in v for v in value.values())


def load(name: str, data: bytes) -> Any:
    try:
        return json.loads(decode(name, data))
    except json.JSONDecodeError as error:
        raise MoveRefused(
            f"{name}, line {error.lineno}: this is not valid JSON ({error.msg}); "
            "export the report again."
        ) from error
    except RecursionError as error:
        raise MoveRefused(
            f"{name}: this is nested too deeply for a report; export it again."
        ) from error


def read_key(name: str, value: Any, arm_names: dict[str, str]) -> Key:
    """The key of the study; arms are called as `arm_names` says.

    Raises:
        MoveRefused: a mask stands for two arms or cases, or none is named.
    """
    masks: dict[str, tuple[str, str]] = {}
    contrasts: dict[str, str] = {}
    for path, found in value.items():
        if not isinstance(found, dict) or not found.get("image"):
            raise MoveRefused(f"{name}: the entry “{path}” does not name its image.")
        case = _stem(str(found["image"]))
        contrasts[case] = str(found.get("contrast", ""))
        for arm, mask in found.items():
            if arm in NOT_ARMS or not isinstance(mask, str):
                continue
            label = str(arm_names.get(arm) or ARM_NAMES.get(arm, arm))
            if masks.setdefault(_stem(mask), (case, label)) != (case, label):
                raise MoveRefused(
                    f"{name}: the mask {mask} stands for two arms or cases, so no "
                    "score of it can be told apart."
                )
    if not masks:
        raise MoveRefused(f"{name}: no mask is named beside the images.")
    return Key(masks, contrasts)


def list_items(name: str, value: Any) -> list[dict[str, Any]]:
    """The items of a rater's report, whichever version of the toolbox wrote it."""
    items = value
    if isinstance(value, dict):
        # An object with a list of items; one entry alone; or items by their number.
        items = next((value[k] for k in ("datasets", "data") if k in value), None)
        if items is None and "cmdline" in value:
            items = [value]
        elif items is None and all(isinstance(v, dict) for v in value.values()):
            items = list(value.values())
    if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        raise MoveRefused(
            f"{name}: this is neither a quality-control report (a list of items with "
            "“cmdline” and “rank”) nor the study's conversion_dict.json."
        )
    if not items:
        raise MoveRefused(f"{name}: the report has no item; export it again.")
    if not any("rank" in item for item in items):
        raise MoveRefused(
            f"{name}: no item has a “rank”, so this report was exported by a version "
            "of the toolbox that kept no scores."
        )
    return items


def list_entries(
    reports: dict[str, Any], key: Key, names: dict[str, str]
) -> Iterator[Entry]:
    """Every item of every report, matched with the key by its mask's file name."""
    for file, value in sorted(reports.items()):
        rater = name_rater(file, names)
        for number, item in enumerate(list_items(file, value), 1):
            yield _entry(file, number, rater, item, key)


def _entry(file: str, number: int, rater: str, item: dict[str, Any], key: Key) -> Entry:
    files = _named_files(item)
    matches = {key.masks[stem] for stem in files if stem in key.masks}
    score = _score_text(item.get("rank"))
    if len(matches) != 1:
        named = str(item.get("cmdline") or item.get("inputFile") or "no file named")
        case = next((stem for stem in files if stem in key.contrasts), named)
        return Entry(file, number, rater, case, "", score, known=False)
    case, arm = matches.pop()
    contrast = key.contrasts[case] or _read_contrast(case)
    details = {"contrast": contrast} if contrast else NOTHING
    return Entry(file, number, rater, case, arm, score, details=details)


def _named_files(item: dict[str, Any]) -> list[str]:
    """Stems of all files that the item's command line and fields name."""
    line = str(item.get("cmdline", ""))
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    fields = (item.get(k) for k in ("inputFile", "fname_in", "fname_seg", "file"))
    return [_stem(str(word)) for word in (*words, *fields) if word]


def _score_text(rank: Any) -> str | None:
    if rank is None or isinstance(rank, bool):
        return None
    if isinstance(rank, float) and rank.is_integer():
        return str(int(rank))
    return str(rank).strip() or None


def _stem(path: str) -> str:
    name = PurePath(path.replace("\\", "/")).name
    for ending in (".gz", ".nii"):
        name = name.removesuffix(ending)
    return name


def _read_contrast(case: str) -> str:
    from ratings.filenames import read_contrast

    return read_contrast(case)
