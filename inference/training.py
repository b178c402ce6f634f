"""Train the demo ensemble: phantoms in, small networks with provenance out."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inference.cohort import DATASET, NAME, write_cohort

ROOT = Path(__file__).resolve().parents[1]
DEMO_ENSEMBLE = Path(__file__).resolve().parent / "demo_ensemble"


class TrainingFailed(RuntimeError):
    """One of nnU-Net's programs ended with an error; the message names its log."""


@dataclass(frozen=True)
class Recipe:
    """How large a training run is: phantoms of each kind, folds, batches a fold."""

    repeats: int = 12
    folds: int = 5
    iterations: int = 3000
    seed: int = 1


QUICK = Recipe(repeats=1, folds=2, iterations=30)


def train_ensemble(
    *,
    recipe: Recipe,
    work: Path,
    out: Path,
    processes: int,
    command: str,
    report: Callable[[str], None],
) -> dict[str, Any]:
    """Train every fold and put the packed ensemble into `out`.

    All of nnU-Net's own files stay below `work`, which is emptied first. Returns
    the provenance that is also written to `out`/provenance.json.
    Raises TrainingFailed.
    """
    started = time.monotonic()
    for name in ("raw", "preprocessed", "results", "folds", "logs"):
        shutil.rmtree(work / name, ignore_errors=True)
        (work / name).mkdir(parents=True)
    report("Making the phantoms")
    count = write_cohort(raw=work / "raw", repeats=recipe.repeats, seed=recipe.seed)
    report(f"Planning and preprocessing {count} phantoms with nnU-Net")
    run_prepare(work=work, processes=processes)
    report(f"Training {recipe.folds} folds, {processes} at a time")
    results = train_folds(recipe=recipe, work=work, processes=processes, report=report)
    provenance = {
        "what": "Trained on synthetic spinal cord MRI only; not for clinical use.",
        "command": command,
        "recipe": asdict(recipe),
        "phantoms": count,
        "folds": results,
        "versions": {
            name: version(name)
            for name in ("torch", "nnunetv2", "numpy", "scipy", "nibabel")
        },
        "seconds": round(time.monotonic() - started),
    }
    pack(folds=work / "folds", out=out, provenance=provenance)
    return provenance


def make_environment(work: Path) -> dict[str, str]:
    """Return the environment of nnU-Net's programs: our folders, one thread each."""
    own = {
        "nnUNet_raw": str(work / "raw"),
        "nnUNet_preprocessed": str(work / "preprocessed"),
        "nnUNet_results": str(work / "results"),
        "nnUNet_compile": "false",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    return {**os.environ, **own}


def run_program(
    *, module: str, arguments: list[str], log: Path, environment: dict[str, str]
) -> None:
    """Run one of our programs around nnU-Net, its output going to `log`."""
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            check=False,
        )
    if done.returncode:
        raise TrainingFailed(
            f"{module} ended with code {done.returncode}; the reason stands at the end "
            f"of {log}."
        )


def run_prepare(*, work: Path, processes: int) -> None:
    """Fingerprint, plan and preprocess the raw data set."""
    arguments = ["--dataset", str(DATASET)]
    arguments += ["--preprocessed", str(work / "preprocessed")]
    arguments += ["--processes", str(processes)]
    run_program(
        module="inference.nnunet.training.prepare",
        arguments=arguments,
        log=work / "logs" / "prepare.txt",
        environment=make_environment(work),
    )


def train_folds(
    *, recipe: Recipe, work: Path, processes: int, report: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Train the folds, `processes` at a time; return their results in order."""

    def train(fold: int) -> dict[str, Any]:
        result = train_fold(recipe=recipe, work=work, fold=fold)
        report(
            f"Fold {fold}: validation Dice {result['validation_dice']:.3f} over "
            f"{result['validation_cases']} phantoms, {result['seconds']} s"
        )
        return result

    with ThreadPoolExecutor(max_workers=processes) as pool:
        return list(pool.map(train, range(recipe.folds)))


def train_fold(*, recipe: Recipe, work: Path, fold: int) -> dict[str, Any]:
    """Train one fold in a process of its own and return its result."""
    arguments = ["--preprocessed", str(work / "preprocessed" / NAME)]
    arguments += ["--fold", str(fold), "--iterations", str(recipe.iterations)]
    arguments += ["--seed", str(recipe.seed), "--out", str(work / "folds")]
    # Without loader processes the order of batches, and so the result, repeats.
    run_program(
        module="inference.nnunet.training.fold",
        arguments=arguments,
        log=work / "logs" / f"fold_{fold}.txt",
        environment={**make_environment(work), "nnUNet_n_proc_DA": "0"},
    )
    result: dict[str, Any] = json.loads(
        (work / "folds" / f"fold_{fold}" / "result.json").read_text()
    )
    return result


def pack(*, folds: Path, out: Path, provenance: dict[str, Any]) -> None:
    """Copy plans and checkpoints to `out`, with their digests in the provenance."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("fold_*"):
        shutil.rmtree(old)
    for name in ("plans.json", "dataset.json"):
        shutil.copyfile(folds / name, out / name)
    for result in provenance["folds"]:
        name = f"fold_{result['fold']}/checkpoint_final.pth"
        (out / name).parent.mkdir()
        shutil.copyfile(folds / name, out / name)
        result["sha256"] = hashlib.sha256((out / name).read_bytes()).hexdigest()
    write_provenance(out=out, provenance=provenance)


def write_provenance(*, out: Path, provenance: dict[str, Any]) -> None:
    """Write provenance.json beside the plans."""
    text = json.dumps(provenance, indent=1, allow_nan=False)
    (out / "provenance.json").write_text(text + "\n")
