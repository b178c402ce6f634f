"""What broke off is deleted a day later; what is in use stays."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from config.keeper import Keeper
from ratings import files, leftovers, transfers
from ratings.models import Study, Transfer
from tests.ratings.conftest import make_user

pytestmark = pytest.mark.django_db
TWO_DAYS = 2 * 24 * 3600


@pytest.fixture(autouse=True)
def incoming(settings: Any, tmp_path: Path) -> Path:
    settings.FILES_DIR = tmp_path / "files"
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "incoming")
    (tmp_path / "files" / "quarantine").mkdir(parents=True)
    (tmp_path / "incoming").mkdir()
    return tmp_path / "incoming"


@pytest.fixture
def ada() -> User:
    return make_user("ada", staff=True)


def write(path: Path, *, age: float = 0) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"a scan")
    make_old(path, age=age)
    return path


def make_old(path: Path, *, age: float) -> None:
    os.utime(path, (time.time() - age, time.time() - age))


def begin_transfer(ada: User) -> Transfer:
    study = Study.objects.create(title="A", created_by=ada)
    return transfers.begin(study=study, user=ada, name="a.nii", size=6, origin={})


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_server_left_is_removed_by_a_workers_keeper(
    incoming: Path,
) -> None:
    left = write(incoming / "x.upload.nii", age=TWO_DAYS)
    judged = write(files.locate("quarantine/x.bin"), age=TWO_DAYS)
    Keeper(worker="w1").tick()
    assert not left.exists()
    assert not judged.exists()


def test_what_is_arriving_stays(incoming: Path) -> None:
    new = [write(incoming / "x.nii"), write(files.locate("quarantine/x.bin"))]
    assert leftovers.sweep() == 0
    assert all(path.exists() for path in new)


def test_the_folder_of_a_job_goes_only_when_nothing_in_it_is_new(
    incoming: Path,
) -> None:
    mask = write(incoming / "job" / "mask.nii.gz")
    make_old(incoming / "job", age=TWO_DAYS)
    assert leftovers.sweep() == 0
    make_old(mask, age=TWO_DAYS)
    assert leftovers.sweep() == 1
    assert not (incoming / "job").exists()


def test_a_part_stays_while_its_transfer_can_go_on(ada: User) -> None:
    transfer = begin_transfer(ada)
    part = write(files.locate(transfer.path), age=TWO_DAYS)
    assert leftovers.sweep() == 0
    assert part.exists()
    Transfer.objects.all().delete()
    assert leftovers.sweep() == 1
    assert not part.exists()


@pytest.mark.django_db(transaction=True)
def test_a_folder_that_is_away_does_not_end_the_keeper(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("Stale file handle")

    monkeypatch.setattr("ratings.leftovers.list_still", fail)
    Keeper(worker="w1").tick()
    assert "stays for now (Stale file handle)" in caplog.text
