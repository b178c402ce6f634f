"""Training: the loss, the schedule, the packing, and the whole of it in small."""

from __future__ import annotations

import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from inference.cohort import list_training_phantoms, list_unseen_phantoms, write_cohort
from inference.nnunet.model import load_model
from inference.training import (
    QUICK,
    Recipe,
    TrainingFailed,
    make_environment,
    run_program,
)
from tests.inference.models import copy_demo
from tests.inference.scans import load


@pytest.mark.slow
def test_the_cohort_is_an_nnunet_data_set_in_the_networks_orientation(
    tmp_path: Path,
) -> None:
    count = write_cohort(raw=tmp_path, repeats=1, seed=5)
    (folder,) = tmp_path.iterdir()
    description = json.loads((folder / "dataset.json").read_text())
    assert count == description["numTraining"] == 18
    assert description["image_orientation"] == "RPI"
    for label in sorted((folder / "labelsTr").iterdir()):
        name = label.name.removesuffix(".nii.gz")
        image = load(folder / "imagesTr" / f"{name}_0000.nii.gz")
        truth = load(label)
        assert nib.aff2axcodes(image.affine) == ("L", "A", "S")
        np.testing.assert_array_equal(image.affine, truth.affine)
        assert image.shape == truth.shape


def test_no_unseen_phantom_was_trained_on() -> None:
    trained = {
        (seed, contrast, acquisition)
        for recipe in (Recipe(), QUICK)
        for _, seed, contrast, acquisition in list_training_phantoms(
            repeats=recipe.repeats, seed=recipe.seed
        )
    }
    unseen = set(list_unseen_phantoms(18))
    assert len(unseen) == 18
    assert not trained & unseen
    assert len({(contrast, kind) for _, contrast, kind in unseen}) == 18


@pytest.mark.slow
def test_stages_cover_every_batch_and_end_with_the_planned_tile() -> None:
    from inference.nnunet.training.prepare import PATCH
    from inference.nnunet.training.trainer import STAGES, list_stage_ends

    assert sum(stage.share for stage in STAGES) == pytest.approx(1.0)
    assert list_stage_ends(1000)[-1] == 1000
    assert STAGES[-1].patch == PATCH
    factor = 2 ** (4 - 1)
    assert all(side % factor == 0 for stage in STAGES for side in stage.patch)


def test_a_failing_program_names_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with pytest.raises(TrainingFailed, match=r"code 2; .*log\.txt"):
        run_program(
            module="inference.nnunet.training.prepare",
            arguments=["--dataset", "none"],
            log=log,
            environment=make_environment(tmp_path),
        )
    assert "invalid int value" in log.read_text()


def test_evaluating_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no provenance\.json"):
        call_command("train_demo_ensemble", evaluate=True, out=tmp_path)


@pytest.mark.slow
def test_evaluating_stores_the_table_in_the_provenance(tmp_path: Path) -> None:
    """Phantoms that are predicted now score what the committed provenance says."""
    out = copy_demo(tmp_path / "copy")
    recorded = json.loads((out / "provenance.json").read_text())["evaluation"]["cases"]
    text = StringIO()
    call_command("train_demo_ensemble", evaluate=True, out=out, cases=2, stdout=text)
    evaluation = json.loads((out / "provenance.json").read_text())["evaluation"]
    assert evaluation["phantoms"] == 2
    assert set(evaluation["by_contrast"]) == {"T2w", "T2star"}
    assert "Best single threshold" in text.getvalue()
    for case, then in zip(evaluation["cases"], recorded, strict=False):
        for name in ("contrast", "acquisition"):
            assert case[name] == then[name]
        assert case["dice"] == pytest.approx(then["dice"], abs=0.02)
        threshold_dice = pytest.approx(then["threshold_dice"], abs=1e-3)
        assert case["threshold_dice"] == threshold_dice


@pytest.mark.slow
def test_quick_training_repeats_itself(tmp_path: Path, settings: Any) -> None:
    """Two runs of one seed: real planning, loading and training, equal results."""
    settings.DATA_DIR = tmp_path
    dice, digests = [], []
    for name in ("one", "two"):
        out = tmp_path / name
        call_command(
            "train_demo_ensemble", quick=True, out=out, processes=2, stdout=StringIO()
        )
        provenance = json.loads((out / "provenance.json").read_text())
        assert [fold["fold"] for fold in provenance["folds"]] == [0, 1]
        for fold in provenance["folds"]:
            path = out / f"fold_{fold['fold']}" / "checkpoint_final.pth"
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            assert digest == fold["sha256"]
        dice.append([fold["validation_dice"] for fold in provenance["folds"]])
        digests.append([fold["sha256"] for fold in provenance["folds"]])
        assert len(load_model(folder=out, prefers="best").networks) == 2
    np.testing.assert_allclose(dice[0], dice[1], atol=0.02)
    assert digests[0] == digests[1]
