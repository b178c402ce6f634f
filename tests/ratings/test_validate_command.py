"""`manage.py validate` prints what an upload would be told, one line a file."""

from __future__ import annotations

import json
from pathlib import Path

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


def test_a_missing_file_is_a_usage_error(files: dict[str, Path]) -> None:
    with pytest.raises(CommandError, match=r"gone\.nii is not a file") as error:
        call_command("validate", "gone.nii")
    assert error.value.returncode == 2


def test_without_json_a_line_a_person_can_read_is_printed(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("validate", str(files["mask"]))
    assert capsys.readouterr().out.startswith("accept ")
