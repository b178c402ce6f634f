"""Runs an external program on one image, as an arm: an image in, a mask file out."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference import confined
from inference.tools import Tool

VERSION_LIMITS = confined.Limits(seconds=60, memory=4 * 2**30, file=2**26)


class ToolFailed(Exception):
    """Why a program gave no mask: a sentence, and what the program printed."""

    def __init__(self, sentence: str, log: str = "") -> None:
        super().__init__(sentence)
        self.log = log


@dataclass(frozen=True)
class Output:
    """The file that a program wrote, still unchecked, and how that came about."""

    path: Path
    log: str
    facts: dict[str, Any]


def mark(
    *,
    tool: Tool,
    identity: dict[str, Any],
    image: Path,
    folder: Path,
    cancelled: Callable[[], bool],
) -> Output:
    """Run the program on a copy of the image in `folder`, which is its own.

    `identity` is what `identify` found. Raises ToolFailed, and Cancelled with the
    program killed.
    """
    copy, mask = folder / "image.nii.gz", folder / "mask.nii.gz"
    shutil.copyfile(image, copy)
    places = {"{image}": str(copy), "{mask}": str(mask), "{folder}": str(folder)}
    ended = confined.run(
        [fill(part, places) for part in tool.command],
        folder=folder,
        limits=tool.limits,
        passed_on=tool.environment,
        cancelled=cancelled,
    )
    if why := confined.explain(ended, limits=tool.limits):
        raise ToolFailed(
            f"“{tool.label}” {why}. Its log is kept here; mend what it complains of, "
            "then retry.",
            ended.log,
        )
    path = find_output(tool, folder=folder, places=places, log=ended.log)
    facts = {"tool": tool.name, "command": list(tool.command), **identity}
    return Output(path, ended.log, facts | {"seconds": round(ended.seconds, 3)})


def fill(part: str, places: dict[str, str]) -> str:
    for place, value in places.items():
        part = part.replace(place, value)
    return part


def identify(tool: Tool, *, folder: Path) -> dict[str, Any]:
    """Which program this is: its file's SHA-256 and the version it states."""
    program = shutil.which(tool.command[0], path=os.environ.get("PATH"))
    if program is None:
        raise ToolFailed(
            f"The program {tool.command[0]} of “{tool.label}” is not on this worker's "
            "machine. Ask the operator to install it or to correct its path, then "
            "retry."
        )
    with open(program, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"program_sha256": digest, "version": ask_version(tool, folder=folder)}


def ask_version(tool: Tool, *, folder: Path) -> str:
    if not tool.version:
        return ""
    ended = confined.run(
        tool.version, folder=folder, limits=VERSION_LIMITS, passed_on=tool.environment
    )
    if confined.explain(ended, limits=VERSION_LIMITS):
        raise ToolFailed(
            f"“{tool.label}” does not tell its version by “{' '.join(tool.version)}”.",
            ended.log,
        )
    return ended.log.strip()[:200]


def find_output(tool: Tool, *, folder: Path, places: dict[str, str], log: str) -> Path:
    """The one file that the program was to write, within its folder."""
    if tool.output == "{mask}":
        found = [Path(places["{mask}"])]
    else:
        pattern = fill(tool.output, places | {"{folder}/": "", "{folder}": "."})
        found = sorted(folder.glob(pattern))
    found = [p for p in found if p.is_file() and p.resolve().is_relative_to(folder)]
    if len(found) != 1:
        wrote = ", ".join(sorted(p.name for p in folder.iterdir())[:10])
        raise ToolFailed(
            f"“{tool.label}” ended well but wrote {len(found)} files "
            f"{tool.output}; in its folder are {wrote}. Correct output in the list of "
            "programs, then retry.",
            log,
        )
    return found[0]
