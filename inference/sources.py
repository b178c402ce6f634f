"""What can mark lesions here: registered ensembles, and the operator's programs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from inference import engine, tools
from inference.models import Ensemble
from inference.tools import Tool, ToolsRefused
from ratings.models import Arm


@dataclass(frozen=True)
class Source:
    """One engine: an ensemble, or else a program."""

    ensemble: Ensemble | None = None
    tool: Tool | None = None

    @property
    def thing(self) -> Ensemble | Tool:
        found = self.ensemble or self.tool
        assert found is not None
        return found

    @property
    def kind(self) -> str:
        return "ensemble" if self.ensemble else "tool"

    @property
    def name(self) -> str:
        return self.thing.name

    @property
    def label(self) -> str:
        return self.thing.label

    @property
    def key(self) -> str:
        """Names the engine in forms and addresses."""
        return f"{self.kind}:{self.name}"

    @property
    def arm_kind(self) -> str:
        return Arm.Kind.MODEL if self.ensemble else Arm.Kind.TOOL

    def to_json(self) -> dict[str, str]:
        return {self.kind: self.name, "digest": self.thing.digest}


def list_sources() -> list[Source]:
    """All engines; programs are left out while their list can't be read."""
    found = [Source(ensemble=ensemble) for ensemble in Ensemble.objects.all()]
    try:
        found += [Source(tool=tool) for tool in tools.list_tools().values()]
    except ToolsRefused:
        return found
    return found


def find_source(given: dict[str, Any]) -> Source | None:
    """The engine that an arm or a job names; None when it is known no more."""
    if name := given.get("tool"):
        tool = tools.list_tools().get(str(name))
        return Source(tool=tool) if tool else None
    ensemble = Ensemble.objects.filter(name=given.get("ensemble", "")).first()
    return Source(ensemble=ensemble) if ensemble else None


def make_key(*, facts: dict[str, Any], settings: engine.Settings, image: str) -> str:
    """Names the work of an ensemble on decoded voxels with their geometry.

    Rules that differ only in how votes are counted share their work, and so do
    preferences for a checkpoint where a fold has only one.
    """
    run = settings.to_run_json()
    prefers = run.pop("checkpoint")
    run["rule"] = "nnunet" if settings.rule == "nnunet" else "votes"
    files = choose_files(facts["sources"], prefers)
    return digest("ensemble", engine.REVISION, image, files, run)


def choose_files(sources: dict[str, str], prefers: str) -> list[str]:
    """SHA-256 of the files that a run opens, one checkpoint a fold."""
    other = "final" if prefers == "best" else "best"
    chosen = {
        name: sha for name, sha in sources.items()
        if not name.endswith(f"checkpoint_{other}.pth")
        or name.replace(other, prefers) not in sources
    }  # fmt: skip
    return [chosen[name] for name in sorted(chosen)]


def make_tool_key(*, tool: Tool, identity: dict[str, Any], image: str) -> str:
    return digest("tool", tool.digest, identity, image)


def digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
