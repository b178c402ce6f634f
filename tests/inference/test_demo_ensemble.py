"""The committed ensemble: whole, small, honest about itself and worth rating."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from inference.nnunet.model import load_model
from inference.phantoms import ACQUISITIONS, CONTRASTS
from inference.training import DEMO_ENSEMBLE

LEAST_DICE = 0.5


@pytest.fixture(scope="module")
def provenance() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (DEMO_ENSEMBLE / "provenance.json").read_text()
    )
    return content


@pytest.fixture
def evaluation(provenance: dict[str, Any]) -> dict[str, Any]:
    """The measured skill, which `train_demo_ensemble --evaluate` writes."""
    found: dict[str, Any] = provenance["evaluation"]
    return found


def test_five_folds_are_what_the_provenance_says(provenance: dict[str, Any]) -> None:
    assert [fold["fold"] for fold in provenance["folds"]] == [0, 1, 2, 3, 4]
    for fold in provenance["folds"]:
        path = DEMO_ENSEMBLE / f"fold_{fold['fold']}" / "checkpoint_final.pth"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == fold["sha256"]
        assert 0 < fold["validation_dice"] < 1


def test_the_checkpoints_are_small_and_nothing_else_is_carried() -> None:
    files = [path for path in DEMO_ENSEMBLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 10_000_000
    assert {path.name for path in files} == {
        "checkpoint_final.pth",
        "plans.json",
        "dataset.json",
        "provenance.json",
    }


def test_the_provenance_says_how_to_repeat_it(provenance: dict[str, Any]) -> None:
    assert provenance["command"].startswith("manage.py train_demo_ensemble")
    assert set(provenance["recipe"]) == {"repeats", "folds", "iterations", "seed"}
    assert {"torch", "nnunetv2", "numpy"} <= set(provenance["versions"])
    assert "not for clinical use" in provenance["what"]


def test_it_loads_without_running_anything_and_mirrors_left_and_right() -> None:
    model = load_model(folder=DEMO_ENSEMBLE, prefers="best", device="cpu")
    assert len(model.networks) == 5
    assert model.mirror_axes == (2,)
    assert model.plans.orientation == "LAS"
    assert model.plans.spacing == (1.0, 1.0, 1.0)


def test_the_recorded_evaluation_is_worth_rating(evaluation: dict[str, Any]) -> None:
    assert evaluation["phantoms"] == len(evaluation["cases"]) == 60
    assert evaluation["dice"] >= LEAST_DICE
    assert evaluation["best_single_threshold_dice"] < 0.3
    assert evaluation["median_lesion_mm3"] <= 150
    assert set(evaluation["by_contrast"]) == set(CONTRASTS)
    assert set(evaluation["by_acquisition"]) == set(ACQUISITIONS)
    kinds = {(case["contrast"], case["acquisition"]) for case in evaluation["cases"]}
    assert len(kinds) == 18


def test_the_recorded_means_follow_from_the_recorded_cases(
    evaluation: dict[str, Any],
) -> None:
    scores = [case["dice"] for case in evaluation["cases"]]
    assert evaluation["dice"] == pytest.approx(np.mean(scores), abs=1e-4)
    for contrast, group in evaluation["by_contrast"].items():
        own = [c["dice"] for c in evaluation["cases"] if c["contrast"] == contrast]
        assert (group["n"], group["dice"]) == (
            len(own),
            pytest.approx(np.mean(own), abs=1e-4),
        )
