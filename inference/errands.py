"""Predicts images outside of any study, and skips what is done already."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference import engine, registering, sources
from inference.ahead import read_ahead
from inference.errors import ImageError
from inference.layouts import Wish
from inference.models import Ensemble
from ratings import images
from ratings.nifti import ImageRefused


@dataclass(frozen=True)
class Errand:
    """What is asked of every image: by which stored model, how, and which files."""

    folder: Path
    digest: str
    facts: dict[str, Any]
    settings: engine.Settings
    soft: bool = False
    votes: bool = False
    overwrite: bool = False
    region: Path | None = None


@dataclass(frozen=True)
class Done:
    """How an image went: its lesion volume, or that all of it was there before."""

    mm3: float
    folds: int
    seconds: float
    skipped: bool


def find_model(name: str) -> tuple[Path, str, dict[str, Any]]:
    """Folder, digest and facts of a registered ensemble, or of a folder or zip.

    Raises RegistrationRefused, and DatabaseError where there is no register.
    """
    if Path(name).exists():
        stored = registering.store(Path(name))
        return stored.folder, stored.digest, stored.facts
    known = Ensemble.objects.filter(name=name).first()
    if known is None:
        raise registering.RegistrationRefused(
            f"{name} is neither a registered ensemble nor a folder or zip; register "
            "one with manage.py register_ensemble NAME SOURCE."
        )
    return registering.find_folder(known), known.digest, known.facts


def run(
    wish: Wish,
    errand: Errand,
    *,
    progress: Callable[[float, str], None] | None = None,
    following: Wish | None = None,
) -> Done:
    """Predict one image and write its files, the description last.

    The image of the wish that follows is read meanwhile.
    Raises ImageError, ModelError or OSError with nothing new of this image kept.
    """
    key = make_key(wish, errand)
    if known := read_description(wish, errand, key):
        return describe(known, skipped=True)
    check_free(wish, errand)
    show = read_ahead(
        progress=progress,
        next_image=following.image if following else None,
        ensemble=errand.folder,
        settings=errand.settings,
    )
    predicted = engine.predict(
        image=wish.image,
        ensemble=errand.folder,
        settings=errand.settings,
        region=errand.region,
        progress=show,
    )
    wish.mask.parent.mkdir(parents=True, exist_ok=True)
    maps: dict[Path, NDArray[Any]] = {wish.mask: predicted.mask}
    maps |= {wish.soft: predicted.soft} if errand.soft else {}
    maps |= {wish.votes: predicted.votes} if errand.votes else {}
    description = write(wish, maps, key=key, provenance=predicted.provenance)
    return describe(description, skipped=False)


def make_key(wish: Wish, errand: Errand) -> str:
    """Names image, model and all settings that the files depend on."""
    seen = engine.digest_image(wish.image)
    work = sources.make_key(facts=errand.facts, settings=errand.settings, image=seen)
    region = hash_file(errand.region) if errand.region else ""
    return sources.digest(work, errand.settings.rule, errand.settings.threshold, region)


def hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_description(wish: Wish, errand: Errand, key: str) -> dict[str, Any]:
    """What an earlier run wrote, if it is whole and just what is asked for now."""
    with suppress(OSError, ValueError):
        found = json.loads(wish.sidecar.read_text(encoding="utf-8"))
        wanted = [wish.mask, *([wish.soft] if errand.soft else [])]
        wanted += [wish.votes] if errand.votes else []
        files: dict[str, str] = found["files"]
        if found["key"] == key and all(
            hash_file(path) == files.get(path.name) for path in wanted
        ):
            return dict(found)
    return {}


def check_free(wish: Wish, errand: Errand) -> None:
    """A mask from elsewhere is not written over unless that was asked for."""
    if errand.overwrite or not wish.mask.exists():
        return
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(wish.sidecar.read_text(encoding="utf-8"))
        if found["files"][wish.mask.name] == hash_file(wish.mask):
            return
    raise ImageError(
        f"{wish.mask} exists and was not written by this command: move it, choose "
        "another --out, or say --overwrite."
    )


def write(
    wish: Wish,
    maps: dict[Path, NDArray[Any]],
    *,
    key: str,
    provenance: dict[str, Any],
) -> dict[str, Any]:
    """Write all files under other names, check the mask, then put them in place."""
    partial = {path: path.with_name(f".partial-{path.name}") for path in maps}
    try:
        for path, array in maps.items():
            engine.write_like(array=array, like=wish.image, out=partial[path])
        mm3 = check_mask(partial[wish.mask], image=wish.image)
        files = {path.name: hash_file(part) for path, part in partial.items()}
        description = {
            "key": key, "lesion_mm3": round(mm3, 3), "files": files,
            "Sources": [wish.image.name], "Type": "Lesion", **provenance,
        }  # fmt: skip
        wish.sidecar.unlink(missing_ok=True)
        for path, part in partial.items():
            os.replace(part, path)
        wish.sidecar.write_text(json.dumps(description, indent=1) + "\n")
    finally:
        for part in partial.values():
            part.unlink(missing_ok=True)
    return description


def check_mask(path: Path, *, image: Path) -> float:
    """The mask's mm³, after the same check as any upload."""
    try:
        mask = images.read_mask(path=path, name=path.name)
        grid = images.read_volume(path=image, name=image.name).grid
        marked = images.place_mask(mask=mask, grid=grid, name=path.name)
    except ImageRefused as refusal:
        raise ImageError(refusal.message) from refusal
    return float(np.count_nonzero(marked)) * grid.voxel_mm3


def describe(description: dict[str, Any], *, skipped: bool) -> Done:
    return Done(
        mm3=float(description["lesion_mm3"]),
        folds=int(description["folds"]),
        seconds=float(description["seconds"]),
        skipped=skipped,
    )


def describe_dataset(*, out: Path, version: str, name: str, digest: str) -> None:
    """The file that makes a folder of masks a BIDS derivative."""
    path = out / "dataset_description.json"
    if not path.exists():
        content = {
            "Name": f"Lesion masks by {name}",
            "BIDSVersion": "1.10.0",
            "DatasetType": "derivative",
            "GeneratedBy": [
                {"Name": "Blindfold", "Version": version, "Description": name,
                 "ModelSHA256": digest}
            ],
        }  # fmt: skip
        path.write_text(json.dumps(content, indent=1) + "\n")
