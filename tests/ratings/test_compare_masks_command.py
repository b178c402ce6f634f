"""Two folders of masks are compared from the command line, without a study."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.volumes import make_affine, save

AFFINE = make_affine((1.0, 1.0, 3.0))


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Three equal pairs below one folder, the prediction of one thinner."""
    rng = np.random.default_rng(4)
    for name in ("a", "b", "c"):
        mask = np.zeros((12, 10, 6), np.uint8)
        mask[2:6, 3:7, 1:4] = 1
        mask[9, int(rng.integers(9)), 4] = 1
        for side in ("truth", "told"):
            (tmp_path / side).mkdir(exist_ok=True)
            if side == "told" and name == "b":
                mask[2:4] = 0
            save(tmp_path / side / f"{name}.nii.gz", mask, AFFINE)
    return tmp_path


def compare(folder: Path, *words: str) -> Path:
    out = folder / "out"
    call_command(
        "compare_masks", "--reference", str(folder / "truth"),
        "--prediction", str(folder / "told"), "--out", str(out), *words,
    )  # fmt: skip
    return out


def read_cases(out: Path) -> dict[str, dict[str, str]]:
    with (out / "cases.csv").open() as stream:
        return {row["case"]: row for row in csv.DictReader(stream)}


def test_each_pair_of_equal_name_is_compared(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = compare(folders)
    cases = read_cases(out)
    assert list(cases) == ["a", "b", "c"]
    assert float(cases["a"]["dice"]) == 1
    assert float(cases["b"]["dice_plain"]) == pytest.approx(2 * 25 / (49 + 25))
    assert float(cases["b"]["reference_mm3"]) == pytest.approx(49 * 3)
    printed = capsys.readouterr().out
    assert "Agreement with the reference" in printed
    assert "prediction" in printed
    told = json.loads((out / "results.json").read_text())
    assert told["rule"]["name"] == "published"
    assert len(told["cases"]) == 3
    assert (out / "tables/by_set.tex").read_text().startswith(r"\begin{table}")
    assert len((out / "lesions.csv").read_text().splitlines()) == 1 + 3 * 4


def test_a_manifest_names_partners_and_groups(folders: Path) -> None:
    (folders / "told/a.nii.gz").rename(folders / "told/a_pred.nii.gz")
    manifest = folders / "manifest.csv"
    manifest.write_text(
        "file,prediction,contrast\na.nii.gz,a_pred.nii.gz,T2w\nb.nii.gz,,STIR\n"
    )
    out = compare(folders, "--by", str(manifest))
    assert {c: row["contrast"] for c, row in read_cases(out).items()} == {
        "a": "T2w", "b": "STIR"
    }  # fmt: skip
    assert "STIR" in (out / "tables/by_set.csv").read_text()


@pytest.mark.parametrize("damage", ["grid", "labels", "partner"])
def test_what_cant_be_compared_is_named_and_refused_or_left_out(
    folders: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = folders / "told/c.nii.gz"
    if damage == "grid":
        save(target, np.ones((12, 10, 5), np.uint8), AFFINE)
    elif damage == "labels":
        save(target, np.arange(720, dtype=np.uint8).reshape(12, 10, 6) % 3, AFFINE)
    else:
        target.unlink()
    with pytest.raises(CommandError, match="nothing is written"):
        compare(folders)
    assert not (folders / "out").exists()
    assert "c" in capsys.readouterr().err
    out = compare(folders, "--skip")
    assert list(read_cases(out)) == ["a", "b"]
    assert len(json.loads((out / "results.json").read_text())["left_out"]) == 1


def test_a_prediction_without_a_reference_is_named(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folders / "truth/a.nii.gz").unlink()
    with pytest.raises(CommandError):
        compare(folders)
    assert "a: a prediction without a reference." in capsys.readouterr().err


def test_a_manifest_without_its_column_is_refused(folders: Path) -> None:
    manifest = folders / "m.csv"
    manifest.write_text("name,set\na,test\n")
    with pytest.raises(CommandError, match="column “file”"):
        compare(folders, "--by", str(manifest))


def test_a_folder_that_is_not_there_is_a_misspelt_command(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refusal:
        compare(tmp_path)
    assert refusal.value.returncode == 2


def test_folders_without_a_pair_are_refused_even_when_skipping(tmp_path: Path) -> None:
    for side in ("truth", "told"):
        (tmp_path / side).mkdir()
    with pytest.raises(CommandError, match="no pair"):
        compare(tmp_path, "--skip")


def test_an_earlier_report_is_not_written_over_unasked(folders: Path) -> None:
    compare(folders)
    with pytest.raises(CommandError, match="not empty"):
        compare(folders)
    compare(folders, "--overwrite")
