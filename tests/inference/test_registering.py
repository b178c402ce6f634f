"""A model enters the register whole and re-saved, or not at all."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from django.conf import settings as site
from django.core.management import CommandError, call_command

from inference import confined, engine, registering
from inference.models import Ensemble
from inference.registering import RegistrationRefused, Stored
from tests.inference.ensembles import make_ensemble
from tests.inference.scans import write_small

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture(autouse=True)
def own_ensembles(settings: Any, tmp_path: Path) -> Path:
    settings.ENSEMBLES_DIR = tmp_path / "ensembles"
    return tmp_path / "ensembles"


@pytest.fixture
def folder(ensemble_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(ensemble_folder, tmp_path / "copy"))


def register(source: Path, name: str = "lesion") -> tuple[Ensemble, bool]:
    return registering.register(name=name, source=source)


def change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def refuse(source: Path, sentence: str) -> None:
    """It is refused with the sentence, and nothing half-done stays behind."""
    with pytest.raises(RegistrationRefused, match=sentence):
        register(source)
    assert not Ensemble.objects.exists()
    assert list(Path(site.ENSEMBLES_DIR).glob("*")) == []
    assert list(Path(site.ENSEMBLES_DIR).glob(".*")) == []


def test_a_trained_folder_is_registered_with_what_it_holds(folder: Path) -> None:
    ensemble, new = registering.register(name="lesion", source=folder, label="Lesions")
    assert new
    assert (ensemble.label, ensemble.folds) == ("Lesions", 3)
    assert ensemble.facts["folds"] == ["fold_0", "fold_1", "fold_2"]
    assert ensemble.facts["configuration"] == "3d_fullres"
    assert len(ensemble.digest) == 64
    assert len(ensemble.facts["sources"]) == 5


def test_only_safetensors_and_json_are_kept(folder: Path) -> None:
    ensemble, _ = register(folder)
    shutil.rmtree(folder)
    kept = registering.find_folder(ensemble)
    names = {p.relative_to(kept).as_posix() for p in kept.rglob("*") if p.is_file()}
    assert names == {
        "dataset.json", "plans.json", "model.json",
        *(f"fold_{n}/checkpoint_final.safetensors" for n in range(3)),
    }  # fmt: skip
    assert set(ensemble.facts["stored"]) == names - {"model.json"}


def test_the_stored_copy_predicts_exactly_what_the_folder_does(
    folder: Path, tmp_path: Path
) -> None:
    image = write_small(tmp_path / "scan.nii.gz", shape=(12, 18, 20))
    ensemble, _ = register(folder)
    ours, theirs = (
        engine.predict(image=image, ensemble=place, settings=engine.Settings())
        for place in (registering.find_folder(ensemble), folder)
    )
    assert np.array_equal(ours.votes, theirs.votes)
    assert np.array_equal(ours.soft, theirs.soft)
    for key in ("model_digest", "fold_digests", "plans_digest"):
        assert ours.provenance[key] == theirs.provenance[key]


def test_the_folder_above_the_plans_and_a_zip_are_the_same_model(
    folder: Path, tmp_path: Path
) -> None:
    above = tmp_path / "above"
    above.mkdir()
    folder.rename(above / "nnUNetTrainer__plans__3d_fullres")
    archive = Path(shutil.make_archive(str(tmp_path / "model"), "zip", above))
    ensemble, _ = register(above)
    assert register(archive) == (ensemble, False)
    other, new = register(archive, name="other")
    assert new
    ensemble.refresh_from_db()
    assert registering.find_folder(other) == registering.find_folder(ensemble)


def test_registering_again_puts_back_a_lost_copy(folder: Path) -> None:
    first, _ = register(folder)
    shutil.rmtree(first.folder)
    with pytest.raises(RegistrationRefused, match="can't be read"):
        registering.find_folder(first)
    other, _ = register(folder, name="other")
    first.refresh_from_db()
    assert registering.find_folder(first) == registering.find_folder(other)
    (Path(first.folder) / "plans.json").write_text("{}")
    again, new = register(folder)
    assert (again.pk, new) == (first.pk, False)
    other.refresh_from_db()
    assert registering.find_folder(again) == registering.find_folder(other)


def test_a_name_stays_with_its_files(copied: Ensemble, tmp_path: Path) -> None:
    other = make_ensemble(tmp_path / "other", folds=1, seed=9)
    with pytest.raises(RegistrationRefused, match="choose another name"):
        register(other)
    assert register(other, name="other")[1]


@pytest.mark.parametrize("name", ["", "two words", "läsion", "a/b", "x" * 61])
def test_a_name_that_no_url_can_hold_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(RegistrationRefused, match="name"):
        register(folder, name=name)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("dataset.json", "dataset.json is missing"),
        ("plans.json", "holds 0 trained models"),
        ("fold_1/checkpoint_final.pth", "fold_1 holds no checkpoint"),
    ],
)
def test_a_missing_file_is_named(folder: Path, missing: str, sentence: str) -> None:
    (folder / missing).unlink()
    refuse(folder, sentence)


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegistrationRefused, match=r"no folder .*nowhere: check"):
        register(tmp_path / "nowhere")


def test_a_model_of_two_channels_is_refused(folder: Path) -> None:
    change_json(
        folder / "dataset.json",
        lambda content: content["channel_names"].update({"1": "T1w"}),
    )
    refuse(folder, "2 image channels")


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    path = folder / "fold_2" / "checkpoint_final.pth"
    content = torch.load(path, weights_only=True)
    content["network_weights"].popitem()
    torch.save(content, path)
    refuse(folder, "fold_2 does not fit")


def test_a_published_model_with_a_trainer_of_its_own_loads_without_its_code(
    folder: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    (folder / "trainer_class.py").write_text(f"open({str(ran)!r}, 'w')")
    for path in folder.glob("fold_*/*.pth"):
        content = torch.load(path, weights_only=True)
        content["trainer_name"] = (
            "nnUNetTrainerDiceCELoss_noSmooth_4000epochs_fromScratch"
        )
        content["logging"] = {"ema_fg_dice": [np.float64(0.5), np.float32(0.6)]}
        content["_best_ema"] = np.float64(0.6)
        torch.save(content, path)
    ensemble, new = register(folder)
    assert new
    assert not ran.exists()
    assert not list(Path(ensemble.folder).rglob("*.py"))


@pytest.fixture
def copied(stored: Stored, tmp_path: Path) -> Ensemble:
    """A registered model whose stored files a test may change."""
    folder = shutil.copytree(stored.folder, tmp_path / "stored")
    own = replace(stored, folder=Path(folder))
    return registering.enter(name="lesion", label="", stored=own)[0]


def test_a_changed_stored_file_is_noticed_and_its_remedy_said(
    copied: Ensemble,
) -> None:
    ensemble = copied
    path = Path(ensemble.folder) / "plans.json"
    change_json(path, lambda content: content.update(extra=1))
    with pytest.raises(
        RegistrationRefused, match="not those that were registered"
    ) as e:
        registering.find_folder(ensemble)
    assert "manage.py register_ensemble lesion FOLDER" in str(e.value)


def test_a_pickle_laid_beside_the_weights_is_never_opened(
    folder: Path, copied: Ensemble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = registering.find_folder(copied)
    for path in folder.glob("fold_*/*.pth"):
        shutil.copy(path, stored / path.relative_to(folder))

    def load(*_: object, **__: object) -> None:
        raise AssertionError("the worker opened a pickle")

    monkeypatch.setattr(torch, "load", load)
    engine.predict(
        image=write_small(tmp_path / "scan.nii.gz", shape=(9, 18, 20)),
        ensemble=registering.find_folder(copied),
        settings=engine.Settings(mirroring=False),
    )


def test_a_machine_without_torch_says_where_to_register(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RegistrationRefused, match="where the worker runs"):
        register(folder)


def test_the_checking_process_gets_no_credentials(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    monkeypatch.setenv("DATABASE_URL", "postgres://user:hush@host/db")
    seen = tmp_path / "seen"
    spy = f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ)))"
    monkeypatch.setattr(registering, "CONVERT", (sys.executable, "-c", spy))
    with pytest.raises(FileNotFoundError):
        register(folder)
    assert "PATH" in seen.read_text()
    assert "hush" not in seen.read_text()


@pytest.mark.parametrize(
    ("spy", "limits", "words"),
    [
        ("import time; time.sleep(60)", {"seconds": 0.5}, "its time limit"),
        ("bytearray(10**9)", {"memory": 2**28}, "MemoryError"),
        ("open('big', 'wb').write(bytes(10**7))", {"file": 2**20}, "too large"),
    ],
)
def test_the_checking_process_has_limits(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    spy: str,
    limits: dict[str, Any],
    words: str,
) -> None:
    usual = {"seconds": 20, "memory": 2**30, "file": 2**30}
    monkeypatch.setattr(registering, "CONVERT", (sys.executable, "-c", spy))
    monkeypatch.setattr(registering, "LIMITS", confined.Limits(**(usual | limits)))
    refuse(folder, words)


def test_the_command_says_what_it_registered(folder: Path) -> None:
    out = StringIO()
    call_command("register_ensemble", "lesion", folder, label="Lesions", stdout=out)
    digest = Ensemble.objects.get().digest
    assert out.getvalue() == (
        f"Registered “Lesions” as lesion: 3 folds, SHA-256 {digest}.\n"
    )


def test_the_command_refuses_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder") as error:
        call_command("register_ensemble", "lesion", tmp_path / "nowhere")
    assert error.value.returncode == 1
