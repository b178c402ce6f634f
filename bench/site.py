"""A whole running site for the benches that measure it from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def wait_for(url: str, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not answers(url):
        if time.monotonic() > end:
            raise TimeoutError(f"{url} does not answer within {seconds} s")
        time.sleep(0.02)


@contextmanager
def serve(folder: Path, *, ready: str = "readyz") -> Iterator[str]:
    """The site on a data folder; yields its address once it answers as asked."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--no-demo"],
        env=os.environ | {"DATA_DIR": str(folder), "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/{ready}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
