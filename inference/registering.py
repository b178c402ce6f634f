"""Takes a trained nnU-Net model into the register: checked, re-saved, hashed, named."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import DatabaseError

from inference import confined
from inference.models import Ensemble

CONVERT = (sys.executable, "-m", "inference.nnunet.convert")
LIMITS = confined.Limits(seconds=900, memory=8 * 2**30, file=8 * 2**30)
REPORT = "report.json"
MODEL = "model.json"
STORED = ("*.json", "fold_*/checkpoint_*.safetensors")


class RegistrationRefused(Exception):
    """Why a model can't be used as an ensemble: one sentence with the remedy."""


@dataclass(frozen=True)
class Stored:
    """A model as it is kept here: its place, its digest and what it is.

    `digest` names the original files; `facts["stored"]` has the SHA-256 of ours.
    """

    folder: Path
    digest: str
    facts: dict[str, Any]


def register(
    *,
    name: str,
    source: Path,
    label: str = "",
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Ensemble, bool]:
    """The ensemble of that name, and whether it is new; refuses what can't be used.

    `source` is a folder or a zip. The same files under the same name again only
    change the label and put back what was lost of the stored copy.
    """
    check_name(name)
    return enter(name=name, label=label, stored=store(source, cancelled=cancelled))


def enter(*, name: str, label: str, stored: Stored) -> tuple[Ensemble, bool]:
    """Give a stored model its row in the register."""
    known = Ensemble.objects.filter(name=name).first()
    if known and known.digest != stored.digest:
        raise RegistrationRefused(
            f"The name “{name}” belongs to another ensemble (SHA-256 "
            f"{known.digest[:12]}…, this one is {stored.digest[:12]}…). Names stay "
            "with their files, because predictions refer to them: choose another name."
        )
    values = {
        "label": label or (known.label if known else name),
        "folder": str(stored.folder),
        "facts": stored.facts,
    }
    made = {"digest": stored.digest, "folds": len(stored.facts["folds"])}
    return Ensemble.objects.update_or_create(
        name=name, defaults=values, create_defaults=values | made
    )


def check_name(name: str) -> None:
    try:
        validate_slug(name)
    except ValidationError as error:
        raise RegistrationRefused(
            f"The name “{name}” can't be used: take letters, digits, hyphens and "
            "underscores only, such as lesion-2026."
        ) from error
    if len(name) > 60:
        raise RegistrationRefused("The name is longer than 60 characters: shorten it.")


def store(source: Path, *, cancelled: Callable[[], bool] = lambda: False) -> Stored:
    """Check a model in a process of its own, and keep its weights as safetensors."""
    source = source.expanduser().resolve()
    if not source.exists():
        raise RegistrationRefused(
            f"There is no folder or zip archive {source}: check the path."
        )
    if importlib.util.find_spec("torch") is None:
        raise RegistrationRefused(
            "The model can't be checked on this machine, which has no torch: register "
            "it where the worker runs, with all of requirements.txt installed."
        )
    home = Path(settings.ENSEMBLES_DIR)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging = Path(mkdtemp(dir=home, prefix=".staging-"))
    try:
        facts = convert(source, staging, cancelled)
        return adopt(staging, facts)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def convert(
    source: Path, staging: Path, cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """Let the short-lived process do all that touches an untrusted file."""
    ended = confined.run(
        [*CONVERT, str(source), str(staging)],
        folder=staging,
        limits=LIMITS,
        extra={"PYTHONPATH": str(settings.BASE_DIR), "CUDA_VISIBLE_DEVICES": ""},
        cancelled=cancelled,
    )
    why = confined.explain(ended, limits=LIMITS)
    if why:
        last = ended.log.strip().splitlines()[-1:] or ["it said nothing"]
        raise RegistrationRefused(
            f"{source.name} can't be used: the program that checks models {why} "
            f"({last[0][:300]}). Is it a trained model, and is there enough disk space "
            "and memory?"
        )
    report: dict[str, Any] = json.loads((staging / REPORT).read_text())
    if "refused" in report:
        raise RegistrationRefused(f"{source.name} can't be used: {report['refused']}")
    (staging / REPORT).unlink()
    return report | {"source": str(source)}


def adopt(staging: Path, facts: dict[str, Any]) -> Stored:
    """Move a checked model to the place that its digest names, or find it there."""
    sources: dict[str, str] = facts["sources"]
    lines = "".join(f"{name} {sources[name]}\n" for name in sorted(sources))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    folder = Path(settings.ENSEMBLES_DIR) / digest
    # Weights saved twice need not be equal byte for byte: what is whole stays.
    if known := read_whole(folder, digest):
        return Stored(folder, digest, facts | {"stored": known})
    facts |= {"digest": digest, "stored": hash_stored(staging)}
    (staging / MODEL).write_text(json.dumps(facts, indent=1))
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)
    for ensemble in list_registered(digest):
        ensemble.facts |= {"stored": facts["stored"]}
        ensemble.folder = str(folder)
        ensemble.save(update_fields=["facts", "folder"])
    return Stored(folder, digest, facts)


def read_whole(folder: Path, digest: str) -> dict[str, str]:
    """The SHA-256 of a stored model's files, if all are as first written; else none."""
    try:
        told = json.loads((folder / MODEL).read_text())["stored"]
        found = hash_stored(folder)
    except (OSError, ValueError, KeyError):
        return {}
    registered = [row.facts.get("stored") for row in list_registered(digest)]
    return found if all(found == hashes for hashes in [told, *registered]) else {}


def list_registered(digest: str) -> list[Ensemble]:
    """The ensembles of those files; none where there is no register at all."""
    try:
        return list(Ensemble.objects.filter(digest=digest))
    except DatabaseError:
        return []


def hash_stored(folder: Path) -> dict[str, str]:
    """SHA-256 by name of all that the worker will open."""
    paths = sorted(path for pattern in STORED for path in folder.glob(pattern))
    return {
        path.relative_to(folder).as_posix(): hash_file(path, *stamp(path))
        for path in paths
        if path.name != MODEL
    }


def stamp(path: Path) -> tuple[int, int, int]:
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


@lru_cache(maxsize=256)
def hash_file(path: Path, inode: int, size: int, modified_ns: int) -> str:
    """Hashed once per process as long as the file stays the same."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def find_folder(ensemble: Ensemble) -> Path:
    """The ensemble's folder, if it still holds the very files that were checked."""
    folder = Path(ensemble.folder)
    if not folder.is_dir():  # the data folder was moved, or restored elsewhere
        folder = Path(settings.ENSEMBLES_DIR) / folder.name
    try:
        found = hash_stored(folder) if folder.is_dir() else {}
    except OSError:
        found = {}
    if not found:
        raise RegistrationRefused(
            f"The files of the ensemble “{ensemble.label}” can't be read in {folder}. "
            f"{describe_remedy(ensemble)}"
        )
    if found != ensemble.facts.get("stored"):
        raise RegistrationRefused(
            f"The files of the ensemble “{ensemble.label}” in {folder} are not those "
            f"that were registered. {describe_remedy(ensemble)}"
        )
    return folder


def describe_remedy(ensemble: Ensemble) -> str:
    return (
        "Ask the operator to register the model again under the same name, which puts "
        f"them back: manage.py register_ensemble {ensemble.name} FOLDER. Then retry."
    )
