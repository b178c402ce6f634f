"""Reads the operator's list of programs that may mark lesions: one file, no web."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from inference.confined import Limits

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
PLACES = ("{image}", "{mask}", "{folder}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
KEYS = {
    "label", "command", "output", "version", "minutes", "memory_gib", "environment",
}  # fmt: skip


class ToolsRefused(Exception):
    """What is wrong with the list of programs; a sentence with the remedy."""


@dataclass(frozen=True)
class Tool:
    """A program as an arm: how it is called, and what it may use."""

    name: str
    label: str
    command: tuple[str, ...]
    output: str
    version: tuple[str, ...]
    minutes: float
    memory_gib: float
    environment: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Names all that decides what the program is asked to do."""
        said = json.dumps([self.command, self.output, self.version, self.environment])
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def limits(self) -> Limits:
        return Limits(
            seconds=self.minutes * 60, memory=int(self.memory_gib * 2**30), file=2**32
        )


def list_tools() -> dict[str, Tool]:
    """The registered programs by name; none where the file is absent.

    Raises ToolsRefused naming the entry and the rule.
    """
    path = Path(settings.TOOLS_FILE)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ToolsRefused(f"{path} can't be read as TOML ({error}).") from error
    return {name: read_tool(name, given) for name, given in content.items()}


def read_tool(name: str, given: Any) -> Tool:
    """One entry of the file, every key known and of its kind."""
    if not isinstance(given, dict) or not NAME.fullmatch(name):
        raise ToolsRefused(
            f"“{name}” is no entry: write [{name}] with a short name of small letters, "
            "digits, hyphens and underscores, and its keys below."
        )
    if unknown := sorted(set(given) - KEYS):
        raise ToolsRefused(f"[{name}] has the unknown key {unknown[0]}.")
    tool = Tool(
        name=name,
        label=str(given.get("label", name))[:200],
        command=read_command(name, "command", given.get("command")),
        output=str(given.get("output", "{mask}")),
        version=read_command(name, "version", given.get("version", [])),
        minutes=read_number(name, "minutes", given.get("minutes", 60), most=7 * 1440),
        memory_gib=read_number(name, "memory_gib", given.get("memory_gib", 16)),
        environment=read_environment(name, given.get("environment", [])),
    )
    check_places(tool)
    return tool


def read_command(name: str, key: str, given: Any) -> tuple[str, ...]:
    """A list of arguments; a string is split as a shell would, but none is used."""
    try:
        parts = shlex.split(given) if isinstance(given, str) else given
    except ValueError as error:
        raise ToolsRefused(f"[{name}] {key}: {error}.") from error
    if not isinstance(parts, list) or not all(isinstance(p, str) for p in parts):
        raise ToolsRefused(
            f"[{name}] {key} must be a list of texts, such as "
            '["program", "-i", "{image}", "-o", "{mask}"].'
        )
    if key == "command" and not parts:
        raise ToolsRefused(f"[{name}] names no command.")
    return tuple(parts)


def read_number(name: str, key: str, given: Any, *, most: float = 4096) -> float:
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not 0 < given <= most:
        raise ToolsRefused(f"[{name}] {key} must be a number above 0, up to {most:g}.")
    return float(given)


def read_environment(name: str, given: Any) -> tuple[str, ...]:
    """Names of variables that the program needs; never the site's own secrets."""
    if not isinstance(given, list) or not all(
        isinstance(v, str) and VARIABLE.fullmatch(v) for v in given
    ):
        raise ToolsRefused(
            f"[{name}] environment must be a list of names of variables."
        )
    secret = {"SECRET_KEY", "DATABASE_URL", "BROKER_URL", "CACHE_URL", "EMAIL_URL"}
    if taken := sorted(secret & {v.upper().removesuffix("_FILE") for v in given}):
        raise ToolsRefused(
            f"[{name}] environment asks for {taken[0]}, which holds a password of the "
            "site: leave it out."
        )
    return tuple(given)


def check_places(tool: Tool) -> None:
    said = " ".join(tool.command)
    if "{image}" not in said:
        raise ToolsRefused(f"[{tool.name}] command does not say where {{image}} goes.")
    for place in re.findall(r"\{\w*\}", f"{said} {tool.output}"):
        if place not in PLACES:
            raise ToolsRefused(
                f"[{tool.name}] uses {place}; known are {', '.join(PLACES)}."
            )
    if tool.output == "{mask}" and "{mask}" not in said:
        raise ToolsRefused(
            f"[{tool.name}] never names {{mask}}: add it to the command, or say with "
            'output which file the program writes, such as output = "*_seg.nii.gz".'
        )
    if ".." in tool.output or tool.output.startswith("/"):
        raise ToolsRefused(
            f"[{tool.name}] output must lie in the program's own folder."
        )
