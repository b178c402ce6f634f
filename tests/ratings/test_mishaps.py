"""A reader that breaks on one file costs that file, and no other."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from ratings import images, nifti
from ratings.models import Study, Upload
from ratings.nifti import RawVolume
from tests.ratings import sets
from tests.ratings.conftest import AddCases
from tests.ratings.test_import_command import bring_in, list_files
from tests.ratings.test_validate_command import validate

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
BROKEN = "b_T2w.nii.gz"
WORDS = "CANARY of the header"


@pytest.fixture
def broken_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails on the file BROKEN as no code foresees it."""
    read = nifti.read_nifti

    def fail(*, name: str, **told: Any) -> RawVolume:
        if name.endswith(BROKEN):
            raise KeyError(WORDS)
        return read(name=name, **told)

    monkeypatch.setattr(images, "read_nifti", fail)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate("abc"):
        sets.write_image(tmp_path / "set" / f"{name}_T2w.nii.gz", seed)
    return tmp_path / "set"


@pytest.mark.usefixtures("broken_reader")
def test_of_a_folder_and_a_zip_every_other_file_is_judged(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    for place in (folder, tmp_path / "set.zip"):
        code, lines = validate(capsys, str(place))
        assert code == 1
        assert [line["code"] for line in lines] == ["ok", "not_judged", "ok"]
        assert str(lines[1]["message"]).startswith(
            f"{place / BROKEN}: Blindfold failed"
        )


@pytest.mark.usefixtures("broken_reader")
def test_an_import_takes_the_good_ones_and_names_the_other(
    study: Study, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = bring_in(capsys, study, folder, "--good-ones")
    assert code == 1
    assert [one["file"] for one in told if one.get("code") == "not_judged"] == [BROKEN]
    found = set(study.cases.values_list("source_name", flat=True))
    assert found == {"a_T2w.nii.gz", "c_T2w.nii.gz"}


@pytest.mark.usefixtures("broken_reader")
def test_an_upload_is_refused_in_a_sentence_and_leaves_nothing(
    study: Study, coordinator: Client, folder: Path
) -> None:
    file = SimpleUploadedFile(BROKEN, (folder / BROKEN).read_bytes())
    answer = coordinator.post(reverse("uploads", args=[study.pk]), {"file": file})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_judged")
    assert Upload.objects.get().kind == Upload.Kind.REFUSED
    assert list_files() == []


@pytest.mark.usefixtures("broken_reader")
def test_a_map_for_a_case_is_refused_and_the_case_stays_as_it_was(
    study: Study, coordinator: Client, add_cases: AddCases, folder: Path
) -> None:
    add_cases(1)
    case = study.cases.get()
    told = {
        "case": str(case.pk), "kind": "second",
        "file": SimpleUploadedFile(BROKEN, (folder / BROKEN).read_bytes()),
    }  # fmt: skip
    address = reverse("cases-companion", args=[study.pk])
    page = coordinator.post(address, told, follow=True)
    assert "Blindfold failed on this file" in page.content.decode()
    assert not case.companions.exists()


@pytest.mark.usefixtures("broken_reader")
def test_the_log_says_where_it_happened_and_not_what_the_file_says(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="ratings.mishaps"):
        images.judge(path=folder / BROKEN, name=BROKEN, kind="image")
    assert "KeyError" in caplog.text
    assert "in read_volume" in caplog.text
    assert "CANARY" not in caplog.text
    assert BROKEN not in caplog.text


@pytest.mark.usefixtures("broken_reader")
def test_a_grid_that_cannot_be_read_is_a_sentence_too(folder: Path) -> None:
    grid = str(folder / BROKEN)
    with pytest.raises(CommandError, match="Blindfold failed on this file"):
        call_command("validate", str(folder / "a_T2w.nii.gz"), "--image", grid)


def test_a_file_that_the_system_cannot_read_stops_no_other(
    study: Study, folder: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    read = Path.open

    def fail(path: Path, *words: Any, **told: Any) -> Any:
        if path.name == BROKEN:
            raise PermissionError(13, "Permission denied")
        return read(path, *words, **told)

    monkeypatch.setattr(Path, "open", fail)
    _, told = bring_in(capsys, study, folder, "--good-ones")
    refused = [one for one in told if one.get("code") == "unreadable"]
    assert [one["file"] for one in refused] == [BROKEN]
    assert "(Permission denied)" in refused[0]["message"]
    assert study.cases.count() == 2
