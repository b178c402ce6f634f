"""manage.py predict: files written, what is skipped, exit codes, sentences."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from inference import engine, layouts
from inference.layouts import LayoutRefused
from inference.models import Ensemble
from inference.registering import Stored
from tests.inference.scans import load, write_small
from tests.processes import ROOT, environment

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def make_scan(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_small(path, orientation="PSR", shape=(9, 18, 20), seed=seed)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    return make_scan(tmp_path / "scan.nii.gz")


@pytest.fixture
def model(ensemble: Ensemble) -> str:
    return ensemble.name


def predict(*images: Path, model: str, out: Path, **options: Any) -> str:
    said = StringIO()
    call_command(
        "predict", *images, ensemble=model, out=out,
        **({"no_mirroring": True} | options), stdout=said, stderr=StringIO(),
    )  # fmt: skip
    return said.getvalue()


def voxels(path: Path) -> np.ndarray[Any, Any]:
    return np.asarray(load(path).dataobj)


def list_files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_a_registered_name_predicts_a_file(
    tmp_path: Path, scan: Path, model: str
) -> None:
    out = tmp_path / "out" / "mine.nii.gz"
    out.parent.mkdir()
    said = predict(scan, model=model, out=out, soft=True, votes=True)
    image, mask = load(scan), load(out)
    np.testing.assert_array_equal(mask.affine, image.affine)
    assert list_files(out.parent) == {
        "mine.nii.gz", "mine_soft.nii.gz", "mine_votes.nii.gz", "mine.json",
    }  # fmt: skip
    votes = voxels(out.with_name("mine_votes.nii.gz"))
    np.testing.assert_array_equal(voxels(out), votes * 2 > 3)
    np.testing.assert_array_equal(
        voxels(out.with_name("mine_soft.nii.gz")) > 0, votes > 0
    )
    assert "mm³ of lesion by 3 folds" in said
    facts = json.loads(out.with_name("mine.json").read_text())
    assert facts["settings"]["mirroring"] is False
    assert len(facts["fold_digests"]) == 3


def test_a_folder_or_zip_predicts_what_its_registered_name_does(
    tmp_path: Path, scan: Path, model: str, ensemble_folder: Path, settings: Any
) -> None:
    settings.ENSEMBLES_DIR = tmp_path / "ensembles"
    for name in (model, str(ensemble_folder)):
        predict(scan, model=name, out=tmp_path / f"{len(name)}.nii.gz")
    np.testing.assert_array_equal(
        voxels(tmp_path / f"{len(model)}.nii.gz"),
        voxels(tmp_path / f"{len(str(ensemble_folder))}.nii.gz"),
    )


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ({"rule": "sct"}, engine.Settings(rule="sct", mirroring=False)),
        ({"rule": "nnunet"}, engine.Settings(rule="nnunet", mirroring=False)),
        ({"threshold": 0.0}, engine.Settings(threshold=0.0, mirroring=False)),
        ({"no_mirroring": False}, engine.Settings()),
        ({"device": "cpu"}, engine.Settings(mirroring=False, device="cpu")),
        (
            {"precision": "float32"},
            engine.Settings(mirroring=False, precision="float32"),
        ),
    ],
)
def test_each_option_reaches_the_engine(
    tmp_path: Path,
    scan: Path,
    model: str,
    stored: Stored,
    options: dict[str, Any],
    how: engine.Settings,
) -> None:
    predict(scan, model=model, out=tmp_path / "mask.nii.gz", **options)
    expected = engine.predict(image=scan, ensemble=stored.folder, settings=how)
    np.testing.assert_array_equal(voxels(tmp_path / "mask.nii.gz"), expected.mask)


def test_only_the_part_around_a_region_is_predicted(
    tmp_path: Path, scan: Path, model: str
) -> None:
    region = np.zeros(load(scan).shape, np.uint8)
    region[0, 0, 0] = 1
    engine.write_mask(array=region, like=scan, out=tmp_path / "cord.nii.gz")
    predict(
        scan, model=model, out=tmp_path / "m.nii.gz", region=tmp_path / "cord.nii.gz"
    )
    assert json.loads((tmp_path / "m.json").read_text())["box"]


def test_several_files_and_a_folder_are_named_after_their_images(
    tmp_path: Path, model: str
) -> None:
    first, second = (make_scan(tmp_path / "in" / f"{n}.nii.gz", n) for n in (1, 2))
    (tmp_path / "in" / "notes.txt").write_text("")
    predict(first, second, model=model, out=tmp_path / "files")
    predict(tmp_path / "in", model=model, out=tmp_path / "folder")
    assert list_files(tmp_path / "files") == list_files(tmp_path / "folder")
    assert "1_mask.nii.gz" in list_files(tmp_path / "files")


def test_nnunet_s_names_are_kept(tmp_path: Path, model: str) -> None:
    for case in ("cord_001", "cord_002"):
        make_scan(tmp_path / "imagesTs" / f"{case}_0000.nii.gz")
    predict(tmp_path / "imagesTs", model=model, out=tmp_path / "predicted")
    assert {n for n in list_files(tmp_path / "predicted") if n.endswith("gz")} == {
        "cord_001.nii.gz", "cord_002.nii.gz",
    }  # fmt: skip


def test_a_bids_data_set_becomes_a_derivative(tmp_path: Path, model: str) -> None:
    raw = tmp_path / "raw"
    for name in (
        "sub-01/anat/sub-01_acq-sag_T2w.nii.gz",
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-02/ses-M0/anat/sub-02_ses-M0_T2w.nii.gz",
        "sub-02/ses-M0/anat/sub-02_ses-M0_label-lesion_mask.nii.gz",
        "sub-02/ses-M0/dwi/sub-02_ses-M0_dwi.nii.gz",
        "derivatives/labels/sub-01/anat/sub-01_T2w_seg.nii.gz",
    ):
        make_scan(raw / name)
    (raw / "dataset_description.json").write_text("{}")
    predict(raw, model=model, out=tmp_path / "lesions", votes=True)
    found = list_files(tmp_path / "lesions")
    assert {n for n in found if n.endswith("_mask.nii.gz")} == {
        "sub-01/anat/sub-01_acq-sag_label-lesion_desc-T2w_mask.nii.gz",
        "sub-01/anat/sub-01_label-lesion_desc-T1w_mask.nii.gz",
        "sub-02/ses-M0/anat/sub-02_ses-M0_label-lesion_desc-T2w_mask.nii.gz",
    }
    assert "sub-01/anat/sub-01_label-lesion_desc-T1wVotes_dseg.nii.gz" in found
    facts = json.loads((tmp_path / "lesions/dataset_description.json").read_text())
    assert facts["DatasetType"] == "derivative"


def test_what_is_done_is_skipped_and_what_changed_is_done_again(
    tmp_path: Path, scan: Path, model: str
) -> None:
    out = tmp_path / "mask.nii.gz"
    predict(scan, model=model, out=out)
    written = out.stat().st_mtime_ns
    assert "there already" in predict(scan, model=model, out=out)
    assert out.stat().st_mtime_ns == written
    assert "by 3 folds" in predict(scan, model=model, out=out, threshold=0.7)
    assert "by 3 folds" in predict(scan, model=model, out=out, soft=True)
    make_scan(scan, seed=5)
    assert "by 3 folds" in predict(scan, model=model, out=out)


def test_a_mask_from_elsewhere_is_kept_unless_told_otherwise(
    tmp_path: Path, scan: Path, model: str
) -> None:
    out = tmp_path / "mask.nii.gz"
    own = np.ones(load(scan).shape, np.uint8)
    engine.write_mask(array=own, like=scan, out=out)
    with pytest.raises(CommandError, match="not written by this command"):
        predict(scan, model=model, out=out)
    np.testing.assert_array_equal(voxels(out), own)
    predict(scan, model=model, out=out, overwrite=True)
    assert not np.array_equal(voxels(out), own)


def test_one_bad_image_does_not_keep_the_others_from_being_predicted(
    tmp_path: Path, model: str
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in ("a", "c"):
        make_scan(folder / f"{name}.nii.gz")
    (folder / "b.nii.gz").write_bytes(b"nothing")
    with pytest.raises(CommandError, match="1 of 3 could not be predicted") as failure:
        predict(folder, model=model, out=out)
    assert failure.value.returncode == 1
    assert "b.nii.gz" in str(failure.value)
    assert list_files(out) == {
        "a_mask.nii.gz", "a_mask.json", "c_mask.nii.gz", "c_mask.json",
    }  # fmt: skip


def test_nothing_half_written_stays_when_the_disk_is_full(
    tmp_path: Path, scan: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*, out: Path, **_: Any) -> None:
        out.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(engine, "write_like", full)
    with pytest.raises(CommandError, match="No space left"):
        predict(scan, model=model, out=tmp_path / "out" / "mask.nii.gz")
    assert list_files(tmp_path / "out") == set()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "nobody"}, "neither a registered ensemble nor a folder"),
        ({"image": Path("absent.nii.gz")}, "no file or folder"),
        ({"out": Path("absent/mask.nii.gz")}, "folder absent does not exist"),
        ({"threshold": 1.5}, "threshold 1.5"),
        ({"rule": "nnunet", "threshold": 0.3}, "has no threshold"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    tmp_path: Path, scan: Path, model: str, change: dict[str, Any], words: str
) -> None:
    given: dict[str, Any] = {"model": model, "image": scan, **change}
    given.setdefault("out", tmp_path / "mask.nii.gz")
    with pytest.raises(CommandError, match=words):
        predict(given.pop("image"), **given)
    assert not (tmp_path / "mask.nii.gz").exists()


@pytest.mark.parametrize(
    ("names", "out", "words"),
    [
        (["a.nii.gz", "b.nii.gz"], "mask.nii.gz", "name a folder"),
        (["x/a.nii.gz", "y/a.nii.gz"], "out", "2 images would be written"),
        (["n/a_0000.nii.gz", "n/a_0001.nii.gz"], "out", "further channel"),
        (["n/notes.txt"], "out", "no NIfTI image"),
        (["n/a.nii.gz"], "n", "between the images"),
    ],
)
def test_layouts_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, names: list[str], out: str, words: str
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    folders = {tmp_path / n.split("/")[0] for n in names if n.startswith("n/")}
    inputs = sorted(folders) or [tmp_path / name for name in names]
    with pytest.raises(LayoutRefused, match=words):
        layouts.plan(inputs=inputs, out=tmp_path / out)


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["--help"], 0)])
def test_a_misspelt_command_ends_with_code_2_and_help_with_0(
    tmp_path: Path, arguments: list[str], code: int
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "predict", *arguments],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert "--ensemble" in done.stdout + done.stderr


@pytest.mark.slow
def test_a_folder_needs_no_register_and_no_site(
    tmp_path: Path, scan: Path, ensemble_folder: Path
) -> None:
    data, out = tmp_path / "data", tmp_path / "mask.nii.gz"
    command = [scan, "--ensemble", ensemble_folder, "--out", out, "--no-mirroring"]
    said = [
        subprocess.run(
            [sys.executable, "manage.py", "predict", *map(str, command)],
            cwd=ROOT,
            env=environment(data),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert "by 3 folds" in said[0]
    assert "there already" in said[1]
