"""What a prediction can be asked for, and how the choice is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inference.settings import Crop, Margins, Settings, read_settings

CROP = Crop(box=((0, 4), (2, 9), (1, 3)), margins=Margins(superior=40.0))


@pytest.mark.parametrize(
    "chosen",
    [
        Settings(),
        Settings(rule="sct", threshold=0.2, checkpoint="best", precision="float32"),
        Settings(crop=CROP, mirroring=True, device="cuda:1"),
        Settings(crop=Crop()),
    ],
)
def test_settings_come_back_from_their_json(chosen: Settings) -> None:
    stored = json.loads(json.dumps(chosen.to_json(), allow_nan=False))
    assert read_settings(stored) == chosen


def test_the_rules_have_their_published_defaults() -> None:
    defaults = {
        rule: (Settings(rule=rule).mirrors, Settings(rule=rule).prefers)
        for rule in ("paper", "sct", "nnunet")
    }
    assert defaults == {
        "paper": (True, "best"),
        "sct": (False, "final"),
        "nnunet": (True, "final"),
    }


def test_a_choice_of_ones_own_goes_before_the_rules_default() -> None:
    settings = Settings(rule="sct", mirroring=True, checkpoint="best")
    assert (settings.mirrors, settings.prefers) == (True, "best")


def test_the_same_work_has_the_same_key_however_it_was_asked_for() -> None:
    plain = Settings().to_run_json()
    assert Settings(mirroring=True, checkpoint="best").to_run_json() == plain
    assert Settings(threshold=0.2, device="cpu").to_run_json() == plain


@pytest.mark.parametrize(
    "change",
    [
        {"mirroring": False},
        {"rule": "nnunet"},
        {"checkpoint": "final"},
        {"step": 0.75},
        {"precision": "float32"},
        {"crop": CROP},
    ],
)
def test_other_work_has_another_key(change: dict[str, Any]) -> None:
    assert Settings(**change).to_run_json() != Settings().to_run_json()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rule": "mean"}, "rule 'mean' is unknown; choose paper, sct or nnunet"),
        ({"threshold": 1.0}, r"threshold 1\.0 must be"),
        ({"threshold": float("nan")}, "threshold nan must be"),
        ({"rule": "nnunet", "threshold": 0.4}, "nnunet .* has no threshold"),
        ({"step": 0.0}, r"step 0\.0 must be"),
        ({"checkpoint": "latest"}, "checkpoint 'latest' is unknown"),
        ({"precision": "int8"}, "precision 'int8' is unknown"),
        ({"folds": 3}, "no setting folds"),
        ({"crop": {"box": [[0, 0], [1, 2], [1, 2]]}}, "first voxel"),
        ({"crop": {"box": [[0, 2], [1, 2]]}}, "crop .* is not understood"),
        ({"crop": {"margins": {"up": 3}}}, "crop .* is not understood"),
        ({"crop": {"margins": {"left": -1}}}, r"margin of -1\.0 mm \(left\)"),
    ],
)
def test_what_has_no_meaning_is_refused_with_a_sentence(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        read_settings(given)
