"""Open a bundle, prove that it is whole, and compute every number in it again."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratings.exporting import RECIPE, Report, StudyFacts, make_report, report_files
from ratings.statistics.family import across_questions
from ratings.statistics.primary import CROSSED
from ratings.statistics.rows import ScoreFileError
from ratings.statistics.summary import Analysis, analyse
from ratings.statistics.table import ScoreTable, read_scores
from ratings.statistics.withdrawn import SCORES as WITHDRAWN

SUMS = "SHA256SUMS"
MAX_BYTES = 4 * 2**30


class BundleError(ValueError):
    """What is no bundle; the message says what is missing and the remedy."""


@dataclass(frozen=True)
class Recomputed:
    """A bundle's own files, and those that its scores give again."""

    reports: tuple[Report, ...]
    facts: StudyFacts
    different: tuple[str, ...]
    versions: str


def is_bundle(path: Path) -> bool:
    """Whether a path is a zip, or a folder that was unpacked from one."""
    return (path / RECIPE).is_file() if path.is_dir() else zipfile.is_zipfile(path)


def read_bundle(path: Path) -> dict[str, bytes]:
    """Every file of a bundle by name.

    Raises:
        BundleError: it can't be opened, or has no recipe.
    """
    try:
        if path.is_dir():
            names = sorted(p for p in path.rglob("*") if p.is_file())
            found = {p.relative_to(path).as_posix(): p.read_bytes() for p in names}
        else:
            with zipfile.ZipFile(path) as opened:
                if sum(entry.file_size for entry in opened.infolist()) > MAX_BYTES:
                    raise BundleError(f"{path.name}: unpacked it is over 4 GB.")
                found = {n: opened.read(n) for n in opened.namelist() if n[-1] != "/"}
    except (OSError, zipfile.BadZipFile) as error:
        raise BundleError(
            f"{path.name}: the bundle can't be opened ({error}); download it again."
        ) from error
    if RECIPE not in found or SUMS not in found:
        raise BundleError(
            f"{path.name}: this is no bundle: {RECIPE} or {SUMS} is missing."
        )
    return found


def list_damage(files: Mapping[str, bytes]) -> list[str]:
    """A sentence for each file that is not as the sums say; none if all are."""
    wanted = {}
    for line in files[SUMS].decode(errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        wanted[name] = digest
    faults = []
    for name in sorted({*wanted, *files} - {SUMS}):
        if name not in files:
            faults.append(f"{name} is missing.")
        elif name not in wanted:
            faults.append(f"{name} is not listed in {SUMS}.")
        elif hashlib.sha256(files[name]).hexdigest() != wanted[name]:
            faults.append(f"{name} was changed: its digest differs.")
    return faults + _list_broken_links(files)


def _list_broken_links(files: Mapping[str, bytes]) -> list[str]:
    """Whether protocol and record name each other, where the bundle has them."""
    if "protocol.json" not in files or "record.json" not in files:
        return []
    from ratings.audit import digest

    try:
        protocol = json.loads(files["protocol.json"])
        named = json.loads(files["record.json"])["protocol_sha256"]
    except (ValueError, KeyError, TypeError):
        return ["protocol.json or record.json is damaged."]
    if digest(protocol) != named:
        return ["protocol.json is not the protocol that record.json names."]
    return []


def recompute(files: Mapping[str, bytes]) -> Recomputed:
    """Analyse the scores of a bundle as its recipe says and compare every file.

    Raises:
        BundleError: the recipe or the scores can't be used.
    """
    try:
        recipe = json.loads(files[RECIPE])
        facts = StudyFacts(recipe["title"], recipe["simulated"], recipe["blindfold"])
        pairs = _analyse(files, recipe["questions"])
    except (ScoreFileError, KeyError, TypeError, ValueError) as error:
        raise BundleError(f"The bundle can't be computed again: {error}") from error
    reports = tuple(
        make_report(table=table, analysis=analysis, simulated=facts.simulated)
        for table, analysis in pairs
    )
    again = report_files(reports=reports, facts=facts)
    different = [
        name
        for name, data in again.items()
        if name not in (SUMS, "README.txt") and files.get(name) != data
    ]
    stored = recipe["questions"][0].get("versions", {})
    now = dict(reports[0].analysis.versions)
    changed = {n: (v, now.get(n)) for n, v in stored.items() if now.get(n) != v}
    words = ", ".join(f"{n} {a} is now {b}" for n, (a, b) in sorted(changed.items()))
    return Recomputed(reports, facts, tuple(different), words)


def _analyse(
    files: Mapping[str, bytes], questions: Sequence[dict[str, Any]]
) -> list[tuple[ScoreTable, Analysis]]:
    tables = []
    with tempfile.TemporaryDirectory() as folder:
        path, apart = Path(folder) / "scores_long.csv", Path(folder) / WITHDRAWN
        path.write_bytes(files[path.name])
        if WITHDRAWN in files:
            apart.write_bytes(files[WITHDRAWN])
        for one in questions:
            low, high = one["scale"]
            tables.append(
                read_scores(
                    path, scale=(low, high), reference=one["reference"],
                    question=one["question"],
                    every_place=one.get("every_place", False),
                    withdrawn=apart if WITHDRAWN in files else None,
                )
            )  # fmt: skip
    found = [
        analyse(
            table,
            reference=one["reference"],
            seed=one["seed"],
            margin=one["margin"],
            primary=one.get("primary", CROSSED),
        )
        for table, one in zip(tables, questions, strict=True)
    ]
    return list(zip(tables, across_questions(found), strict=True))
