"""Compares two folders of masks, file by file, without a study."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ratings import images
from ratings.nifti import ImageRefused
from ratings.statistics.lesion_table import table_lesions
from ratings.statistics.mask_tables import (
    MaskRow,
    make_tables,
    table_cases,
)
from ratings.statistics.segmentation import Comparison, Lesion, Rule, compare_masks
from ratings.statistics.sheets import Sheet, sheet_csv, sheet_latex
from ratings.statistics.surface import SurfaceDistance, measure_surface

METHOD = "prediction"


class ManifestError(Exception):
    """A manifest that can't be used, with the line or column and the remedy."""


@dataclass(frozen=True)
class Pair:
    """A reference file and its partner, by name; `strata` are the manifest's words."""

    name: str
    reference: Path
    prediction: Path
    strata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What was compared, and a sentence for each file that was not."""

    rows: list[MaskRow]
    lesions: list[tuple[str, str, Lesion]]
    faults: list[str]


def list_files(folder: Path) -> dict[str, Path]:
    """The NIfTI files of a folder and those below, by their name without ending."""
    found = sorted(p for p in folder.rglob("*.nii*") if p.is_file())
    return {
        strip(str(p.relative_to(folder))): p
        for p in found
        if p.name.endswith((".nii", ".nii.gz"))
    }


def strip(name: str) -> str:
    return name.removesuffix(".gz").removesuffix(".nii")


def read_manifest(path: Path) -> list[dict[str, str]]:
    """The rows of a manifest: `file`, perhaps `prediction`, and any strata."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(
            f"{path}: the manifest can't be read ({error}). Save it as CSV in UTF-8."
        ) from error
    rows = [
        {k.strip(): (v or "").strip() for k, v in row.items() if k is not None}
        for row in csv.DictReader(text.splitlines())
    ]
    if not rows or "file" not in rows[0]:
        raise ManifestError(
            f"{path.name}: the manifest needs a header with the column “file” (the "
            "name in the reference folder), and a row for each file."
        )
    return rows


def find_pairs(
    *, reference: Path, prediction: Path, manifest: Path | None
) -> tuple[list[Pair], list[str]]:
    """Files of equal name in both folders, or as the manifest says, and the rest."""
    ours, theirs = list_files(reference), list_files(prediction)
    wanted = read_manifest(manifest) if manifest else [{"file": name} for name in ours]
    pairs, faults, used = [], [], set()
    for row in wanted:
        name = strip(row["file"])
        partner = strip(row.get("prediction") or row["file"])
        if name not in ours:
            faults.append(f"{row['file']}: not in the reference folder.")
        elif partner not in theirs:
            faults.append(f"{name}: the prediction folder has no partner {partner}.")
        else:
            strata = {k: v for k, v in row.items() if k not in ("file", "prediction")}
            pairs.append(Pair(name, ours[name], theirs[partner], strata))
        used.add(partner)
    faults += [
        f"{name}: a prediction without a reference."
        for name in theirs
        if name not in used and not manifest
    ]
    return pairs, faults


def compare_folders(pairs: list[Pair], *, rule: Rule) -> Iterator[Outcome]:
    """The outcome of each pair, in turn."""
    for pair in pairs:
        try:
            told, near = compare_pair(pair, rule)
        except ImageRefused as refusal:
            yield Outcome([], [], [refusal.message])
            continue
        lesions = [(pair.name, METHOD, lesion) for lesion in told.lesions]
        yield Outcome([make_row(pair, told, near)], lesions, [])


def compare_pair(pair: Pair, rule: Rule) -> tuple[Comparison, SurfaceDistance]:
    truth = images.read_mask(path=pair.reference, name=str(pair.reference))
    mask = images.read_mask(path=pair.prediction, name=str(pair.prediction))
    told = images.place_mask(mask=mask, grid=truth.grid, name=str(pair.prediction))
    reference, spacing = truth.voxels.astype(bool), truth.grid.zooms
    return (
        compare_masks(reference=reference, prediction=told, spacing=spacing, rule=rule),
        measure_surface(reference=reference, prediction=told, spacing=spacing),
    )


def make_row(pair: Pair, told: Comparison, near: SurfaceDistance) -> MaskRow:
    numbers = asdict(told)
    del numbers["rule"], numbers["lesions"]
    return MaskRow(
        **numbers,
        case=pair.name,
        arm=METHOD,
        strata=pair.strata,
        hd95=near.hd95,
        average_distance=near.average,
    )


def make_sheets(rows: list[MaskRow]) -> tuple[Sheet, ...]:
    """The tables, the first by the manifest's first column of words."""
    names = [name for row in rows for name in row.strata]
    return make_tables(rows, by=names[0] if names else "set")


def write(folder: Path, outcome: Outcome, *, rule: Rule) -> None:
    """cases.csv, lesions.csv, results.json and the tables as CSV and LaTeX."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"cases.csv": sheet_csv(table_cases(outcome.rows))}
    files["lesions.csv"] = sheet_csv(table_lesions(outcome.lesions))
    files["results.json"] = write_json(outcome, rule)
    for sheet in make_sheets(outcome.rows):
        files[f"tables/{sheet.key}.csv"] = sheet_csv(sheet)
        files[f"tables/{sheet.key}.tex"] = sheet_latex(sheet)
    (folder / "tables").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def write_json(outcome: Outcome, rule: Rule) -> str:
    cases: list[dict[str, Any]] = [
        asdict(row) | {"strata": dict(row.strata)} for row in outcome.rows
    ]
    tree = {"rule": asdict(rule), "cases": cases, "left_out": outcome.faults}
    return json.dumps(tree, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
