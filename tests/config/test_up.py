"""`manage.py up` starts a whole site from nothing, and stops it to the last process."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.processes import ROOT, environment, free_port, wait_until

pytestmark = pytest.mark.slow


@dataclass
class Running:
    """The command, started in a data folder, home and temporary folder of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    options: tuple[str, ...] = ("--no-demo",)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    def start(self) -> subprocess.Popen[bytes]:
        for name in ("home", "temporary"):
            (self.folder / name).mkdir(exist_ok=True)
        env = environment(
            self.data,
            PORT=str(self.port),
            HOME=str(self.folder / "home"),
            TMPDIR=str(self.folder / "temporary"),
        )
        with (self.folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "up", *self.options],
                cwd=self.folder,
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.process

    def wait_until_ready(self) -> None:
        wait_until(lambda: "is ready" in self.output, seconds=120, what="the start")
        wait_until(lambda: self.readiness()["ready"], seconds=60, what="readiness")

    def readiness(self) -> dict[str, object]:
        request = f"http://127.0.0.1:{self.port}/readyz"
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))

    def processes(self, word: str = "") -> list[int]:
        """All processes that were given this data folder, by what they run."""
        mark = f"DATA_DIR={self.data}\0".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                line = (process / "cmdline").read_bytes()
                given = mark in (process / "environ").read_bytes() + b"\0"
                if given and word.encode() in line:
                    found.append(int(process.name))
        return found

    def kill_all(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process:
            self.process.wait()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    site = Running(tmp_path)
    yield site
    site.kill_all()


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One site that runs from nothing on, for the tests that only look at it."""
    site = Running(tmp_path_factory.mktemp("site"))
    try:
        site.start()
        site.wait_until_ready()
        yield site
    finally:
        site.kill_all()


def run_up(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The command where it is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "manage.py", "up", "--no-demo"],
        cwd=ROOT,
        env=environment(folder, PORT=str(free_port()), **env),
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_it_starts_from_nothing_and_says_where_and_how_to_stop(
    shared_site: Running,
) -> None:
    assert f"http://127.0.0.1:{shared_site.port}/" in shared_site.output
    assert "Stop it with Ctrl-C" in shared_site.output
    assert (shared_site.data / "secret_key").stat().st_mode & 0o777 == 0o600
    assert shared_site.processes("gunicorn")
    assert shared_site.processes("celery")


def test_a_second_one_on_the_same_folder_is_refused(shared_site: Running) -> None:
    done = run_up(shared_site.data)
    assert done.returncode == 1
    assert re.search(r"already runs on \S+ \(process \d+\): stop that", done.stderr)
    assert "Traceback" not in done.stderr
    assert shared_site.readiness()["ready"]


@pytest.mark.parametrize("word", ["celery", "gunicorn"])
def test_a_killed_process_starts_again(shared_site: Running, word: str) -> None:
    before = set(shared_site.processes(word))
    for pid in before:
        os.kill(pid, signal.SIGKILL)

    def replaced() -> bool:
        now = set(shared_site.processes(word))
        return bool(now) and not now & before

    wait_until(replaced, seconds=30, what=f"another {word} process")
    wait_until(lambda: answers(shared_site), seconds=60, what="an answer")


def answers(site: Running) -> bool:
    with suppress(OSError):
        return bool(site.readiness()["ready"])
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_process_and_nothing_outside_the_data_folder(
    site: Running, number: signal.Signals
) -> None:
    process = site.start()
    site.wait_until_ready()
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    assert site.processes() == []
    assert "Traceback" not in site.output
    assert "All data is kept." in site.output
    assert list((site.folder / "home").iterdir()) == []
    assert list((site.folder / "temporary").iterdir()) == []


def test_killed_outright_it_takes_its_processes_with_it_and_starts_anew(
    site: Running,
) -> None:
    process = site.start()
    site.wait_until_ready()
    key = (site.data / "secret_key").read_text()
    with sqlite3.connect(site.data / "db.sqlite3") as database:
        database.execute("CREATE TABLE kept (x)")
    process.kill()
    process.wait()
    wait_until(lambda: not site.processes(), seconds=30, what="the end of all")
    site.start()
    site.wait_until_ready()
    assert (site.data / "secret_key").read_text() == key
    with sqlite3.connect(site.data / "db.sqlite3") as database:
        database.execute("SELECT x FROM kept")


def test_a_demo_that_was_cut_short_goes_on_at_the_next_start(tmp_path: Path) -> None:
    site = Running(tmp_path, options=())
    begun = site.data / "demo_is_loading"
    try:
        for _ in range(2):
            process = site.start()
            wait_until(
                lambda: site.processes("demo"), seconds=90, what="the demo's begin"
            )
            assert begun.exists()
            process.terminate()
            assert process.wait(timeout=30) == 0
            assert site.processes() == []
    finally:
        site.kill_all()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=ROOT,
        env=environment(tmp_path),
        check=True,
        capture_output=True,
    )
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('ratings', '9999_from_the_future', '2030-01-01')"
        )
    done = run_up(tmp_path)
    assert done.returncode == 1
    assert "newer Blindfold (ratings 9999_from_the_future)" in done.stderr


def test_a_database_server_that_is_away_is_named(tmp_path: Path) -> None:
    done = run_up(
        tmp_path, DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/none"
    )
    assert done.returncode == 1
    assert "The database does not answer" in done.stderr
    assert "check DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
