"""`manage.py validate` prints what an upload would be told, one line a file."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.volumes import make_affine, make_image, make_lesion, save

SHAPE = (12, 10, 6)
AFFINE = make_affine((0.7, 0.7, 3.0))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(1)
    other = make_lesion((12, 10, 7), rng)
    (tmp_path / "text.nii").write_bytes(b"hello" * 100)
    return {
        "image": save(tmp_path / "i.nii.gz", make_image(SHAPE, rng), AFFINE),
        "mask": save(tmp_path / "m.nii.gz", make_lesion(SHAPE, rng), AFFINE),
        "other": save(tmp_path / "o.nii.gz", other, AFFINE),
        "empty": save(tmp_path / "e.nii.gz", np.zeros(SHAPE, np.uint8), AFFINE),
        "text": tmp_path / "text.nii",
    }


def validate(
    capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, list[dict[str, object]]]:
    code = 0
    try:
        call_command("validate", *words, "--json")
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_good_files_are_accepted_with_exit_code_zero(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = validate(capsys, str(files["image"]), str(files["empty"]))
    assert code == 0
    assert [line["verdict"] for line in lines] == ["accept", "warn"]
    assert set(lines[0]) == {"file", "verdict", "code", "message", "warnings"}
    assert lines[1]["warnings"] == ["empty_mask"]


def test_one_bad_file_does_not_stop_the_others(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = validate(capsys, str(files["text"]), str(files["image"]))
    assert code == 1
    assert [line["verdict"] for line in lines] == ["reject", "accept"]
    assert lines[0]["file"] == str(files["text"])
    assert "text.nii" in str(lines[0]["message"])


def test_masks_are_held_against_the_grid_of_their_image(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = (str(files["mask"]), str(files["other"]), "--image", str(files["image"]))
    code, lines = validate(capsys, *words)
    assert code == 1
    assert [line["code"] for line in lines] == ["ok", "grid_mismatch"]


def test_a_missing_path_gets_its_verdict_and_stops_no_other(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    link = files["image"].with_name("link.nii.gz")
    link.symlink_to("gone.nii.gz")
    code, lines = validate(capsys, "gone.nii", str(link), str(files["image"]))
    assert code == 1
    assert [line["code"] for line in lines] == ["missing", "missing", "ok"]
    assert lines[0]["message"] == "gone.nii: there is no such file. Check the path."
    assert "leads to a file that is not here" in str(lines[1]["message"])


def test_an_image_that_is_not_there_is_a_usage_error(files: dict[str, Path]) -> None:
    with pytest.raises(CommandError, match=r"gone\.nii is not a file") as error:
        call_command("validate", str(files["mask"]), "--image", "gone.nii")
    assert error.value.returncode == 2


def test_a_folder_is_walked_in_order_and_other_files_are_passed_over(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sub").mkdir()
    files["mask"].rename(tmp_path / "sub" / "M.NII.GZ")
    for name in ("._i.nii.gz", ".DS_Store", "notes.txt"):
        (tmp_path / name).write_bytes(b"junk")
    code, lines = validate(capsys, str(tmp_path))
    assert code == 1
    told = [(Path(str(line["file"])).name, line["code"]) for line in lines]
    assert told == [
        ("e.nii.gz", "empty_mask"), ("i.nii.gz", "ok"), ("o.nii.gz", "ok"),
        ("text.nii", "not_nifti"), ("M.NII.GZ", "ok"),
    ]  # fmt: skip


def test_a_folder_without_nifti_says_what_it_holds_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(3):
        (tmp_path / f"IM{n}").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "read.txt").write_text("hello")
    code, (line,) = validate(capsys, str(tmp_path))
    assert (code, line["verdict"], line["code"]) == (1, "reject", "no_files")
    assert line["message"] == (
        f"{tmp_path} holds no NIfTI file (.nii, .nii.gz). It holds 3 DICOM files and "
        "1 .txt file. Convert DICOM to NIfTI first, e.g. with dcm2niix."
    )


def test_an_empty_folder_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    code, (line,) = validate(capsys, str(tmp_path / "empty"))
    assert (code, line["code"]) == (1, "no_files")
    assert "It is empty. Choose the folder" in str(line["message"])


def pack(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return path


def test_the_files_of_a_zip_are_judged_and_leave_nothing(
    files: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    image = files["image"].read_bytes()
    path = pack(tmp_path / "Set.ZIP", b__nii=b"x" * 400, a__nii__gz=image, c__txt=b"")
    code, lines = validate(capsys, str(path), str(files["image"]))
    assert code == 1
    assert [line["code"] for line in lines] == ["ok", "not_nifti", "ok"]
    assert lines[0]["file"] == f"{path}/a.nii.gz"
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_zip_keeps_the_limits_of_an_upload(
    files: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    settings: Any,
) -> None:
    cut = tmp_path / "cut.zip"
    whole = pack(tmp_path / "whole.zip", i__nii__gz=files["image"].read_bytes())
    cut.write_bytes(whole.read_bytes()[:200])
    none = pack(tmp_path / "none.zip", read__txt=b"hello")
    out = pack(tmp_path / "out.zip", **{"../a.nii": b"x"})
    code, lines = validate(capsys, str(cut), str(none), str(out), str(files["mask"]))
    assert code == 1
    assert [line["code"] for line in lines] == ["zip", "no_files", "zip", "ok"]
    assert "path that leads elsewhere" in str(lines[2]["message"])
    settings.UPLOAD_LIMIT_BYTES = 100
    code, (line,) = validate(capsys, str(whole))
    assert (code, line["code"]) == (1, "too_large")


def test_a_file_that_may_not_be_read_stops_no_other(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop.nii"
    loop.symlink_to(loop)
    long = str(tmp_path / ("x" * 300)) + ".nii"
    code, lines = validate(capsys, str(loop), long, str(files["image"]))
    assert code == 1
    assert [line["code"] for line in lines] == ["missing", "unreadable", "ok"]
    assert "File name too long" in str(lines[1]["message"])


def test_without_json_a_line_a_person_can_read_is_printed(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("validate", str(files["mask"]))
    assert capsys.readouterr().out.startswith("accept ")
