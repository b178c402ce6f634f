"""The site's secret key is made once, for the owner alone, and never weak."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.secret import keep_key
from tests.processes import ROOT, environment


def test_the_key_is_long_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    key = keep_key(tmp_path / "data" / "secret_key")
    assert len(key) >= 50
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_key_stays_the_same(tmp_path: Path) -> None:
    assert keep_key(tmp_path / "key") == keep_key(tmp_path / "key")


def test_two_data_folders_have_two_keys(tmp_path: Path) -> None:
    assert keep_key(tmp_path / "a") != keep_key(tmp_path / "b")


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(keep_key, [tmp_path / "key"] * 64))
    assert len(keys) == 1
    assert os.listdir(tmp_path) == ["key"]


def test_a_short_key_in_the_environment_is_refused_with_a_remedy(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=environment(tmp_path, SECRET_KEY="short"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "SECRET_KEY is shorter than 50 characters: set a longer" in done.stderr


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "DATABASE_URL", "REQUIRE_SECOND_FACTOR"]
)
@pytest.mark.parametrize(
    ("place", "reason"), [("none", "No such file or directory"), ("", "Is a directory")]
)
def test_a_file_of_a_secret_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, place: str, reason: str
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=environment(tmp_path, **{f"{name}_FILE": str(tmp_path / place)}),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"The file that {name}_FILE names can't be read ({reason}): let this user read "
        f"it, correct {name}_FILE, or set {name} itself.\n"
    )


@pytest.mark.slow
def test_the_data_folder_is_the_owners_alone(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=environment(tmp_path / "data"),
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_what_is_written_into_an_open_folder_is_the_owners_alone(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=ROOT,
        env=environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    assert "blindfold.W002" in done.stderr
    assert f"chmod -R go= {tmp_path}" in done.stderr
    modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")}
    assert {"db.sqlite3", "incoming", "secret_key"} <= modes.keys()
    assert set(modes.values()) == {0}


def test_a_folder_that_cannot_be_written_is_named_without_a_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, text=True,
        capture_output=True, env=environment(Path("/proc/nowhere")),
    )  # fmt: skip
    assert done.returncode == 1
    assert "The data folder /proc/nowhere can't be written" in done.stderr
    assert "Traceback" not in done.stderr
