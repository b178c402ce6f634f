"""The script in docs/api.md really imports, waits for predictions and fetches."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ratings import protocol, results
from ratings.desk import tokens
from ratings.models import Arm, Job, Study
from tests.inference.programs import brightest, write_list, write_program
from tests.inference.test_predictions import run
from tests.ratings.conftest import end_collecting, make_user
from tests.ratings.script import Script
from tests.ratings.test_desk_api import find_example, write_pair
from tests.ratings.test_results import score_all

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
Work = Callable[[Job], Any]


def analyse(job: Job) -> None:
    results.run_job(job, report=lambda share, text: None, cancelled=lambda: False)


@pytest.fixture
def start(live_server: Any, tmp_path: Path) -> Callable[..., str]:
    """Run the example to its end, while somebody does the jobs that it asks for."""
    script = tmp_path / "import_and_wait.py"
    script.write_text(find_example())

    def start(given: str, *, token: str, work: Work) -> str:
        env = os.environ | {"BLINDFOLD_URL": live_server.url, "BLINDFOLD_TOKEN": token}
        asked = subprocess.Popen(
            [sys.executable, str(script), given], cwd=tmp_path, env=env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        while asked.poll() is None:
            for job in Job.objects.filter(status=Job.Status.QUEUED):
                work(job)
                Job.objects.filter(pk=job.pk).update(status=Job.Status.DONE)
        assert asked.stdout is not None
        said = str(asked.stdout.read())
        assert asked.returncode == 0, said
        return said

    return start


def test_the_example_does_what_the_document_says(
    start: Callable[..., str], settings: Any, tmp_path: Path
) -> None:
    settings.TOOLS_FILE = tmp_path / "tools.toml"
    write_list(settings.TOOLS_FILE, mark=brightest(write_program(tmp_path)))
    (tmp_path / "scans").mkdir()
    for n in range(2):
        write_pair(tmp_path / "scans", n)
    ada = make_user("ada", staff=True)
    token = tokens.make_token(user=ada, label="example")
    said = start("scans", token=token, work=run)
    study = Study.objects.get(title="scans")
    assert said.splitlines() == [
        f"2 cases in study {study.pk}", "2 of 2 predicted",
    ]  # fmt: skip
    assert {a.key: a.masks.count() for a in Arm.objects.all()} == {
        "manual": 2, "rival": 2,
    }  # fmt: skip
    script = Script(ada)
    script.post(f"studies/{study.pk}/raters", {"name": "R", "email": "r@example.org"})
    study.refresh_from_db()
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    score_all(study)
    end_collecting(study, User.objects.get(first_name="ada"))
    protocol.unblind(study=study, actor=ada, typed_title=study.title)
    assert start(str(study.pk), token=token, work=analyse) == "results.zip\n"
    with ZipFile(tmp_path / "results.zip") as archive:
        assert "scores_long.csv" in archive.namelist()
    assert Client().get(f"/api/studies/{study.pk}/export").status_code == 401


class Hindered(BaseHTTPRequestHandler):
    """A site that answers each address with "not now" at the first time."""

    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        ready = self.seen.count(self.path) > 1
        self.send_response(200 if ready else 503)
        self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(b'{"questions": []}' if ready else b'{"detail": "Not now"}')


def test_the_example_asks_again_where_the_site_can_not_store_just_now(
    tmp_path: Path,
) -> None:
    site = HTTPServer(("127.0.0.1", 0), Hindered)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{site.server_port}"
    try:
        done = subprocess.run(
            [sys.executable, "-c", find_example(), "7"], cwd=tmp_path,
            env=os.environ | {"BLINDFOLD_URL": url, "BLINDFOLD_TOKEN": "t"},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    finally:
        site.shutdown()
    assert done.stdout == "results.zip\n", done.stderr
    asked = ["/api/studies/7/results", "/api/studies/7/export"]
    assert Hindered.seen == [asked[0], asked[0], asked[1], asked[1]]
