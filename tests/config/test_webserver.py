"""The web server reads the site's settings: its lines, its flags, its refusals."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.processes import ROOT, environment, free_port, wait_until

SERVER = [sys.executable, "-m", "gunicorn", "config.wsgi"]
CONFIG = ["--config", "python:config.webserver"]


@contextmanager
def serve(folder: Path, port: int, **env: str) -> Iterator[Path]:
    """The server while the block lasts, and the file of what it says."""
    said = folder / "said"
    with said.open("wb") as output:
        server = subprocess.Popen(
            [*SERVER, *CONFIG, "--bind", f"127.0.0.1:{port}"],
            cwd=ROOT, env=environment(folder / "data", **env),
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        wait_until(lambda: is_alive(port), seconds=60, what="an answer")
        yield said
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)


def is_alive(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz"):
        return True
    return False


@pytest.mark.slow
def test_all_that_it_says_is_json_where_machines_read_it(tmp_path: Path) -> None:
    with serve(tmp_path, free_port(), LOG_FORMAT="json") as said:
        pass
    lines = [json.loads(line) for line in said.read_text().splitlines()]
    assert {"gunicorn.error", "config.logging"} <= {line["logger"] for line in lines}
    assert any(line["message"].startswith("Listening at") for line in lines)


@pytest.mark.slow
def test_a_question_for_the_head_alone_leaves_no_line(tmp_path: Path) -> None:
    port = free_port()
    with serve(tmp_path, port) as said:
        ask = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for path, status in (("/healthz", 200), ("/nowhere/at/all", 404)):
            ask.request("HEAD", path)
            answer = ask.getresponse()
            assert (answer.status, answer.read()) == (status, b"")
    assert "no-body" not in said.read_text()


@pytest.mark.parametrize(("options", "code"), [([], 4), (CONFIG, 1)])
def test_a_wrong_setting_ends_it_with_a_sentence(
    tmp_path: Path, options: list[str], code: int
) -> None:
    done = subprocess.run(
        [*SERVER, *options, "--bind", f"127.0.0.1:{free_port()}"],
        cwd=ROOT, env=environment(tmp_path, VOXEL_LIMIT="many"),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == code
    assert "The setting VOXEL_LIMIT can't be read: write " in done.stderr
    assert "Traceback" not in done.stderr


def test_manual_and_image_start_it_and_the_worker_alike() -> None:
    manual = (ROOT / "docs/operations.md").read_text()
    commands = re.findall(r"CMD (\[\"(?:gunicorn|celery)\".+?\])", read_image(), re.S)
    assert len(commands) == 2
    for command in commands:
        words = [re.sub("0.0.0.0", "127.0.0.1", word) for word in json.loads(command)]
        assert f"`{' '.join(words)}`" in manual


def read_image() -> str:
    return (ROOT / "Dockerfile").read_text().replace("\\\n", "")
