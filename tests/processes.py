"""Real processes of the product, started and ended for a test."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ("DATABASE_URL", "SECRET_KEY", "SITE_URL", "DJANGO_SETTINGS_MODULE")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The machine's environment with a data folder of its own, and no test's."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN}
    return kept | {"DATA_DIR": str(folder), "OMP_NUM_THREADS": "1"} | more


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(fact: Callable[[], object], *, seconds: float, what: str) -> None:
    """Look ten times a second until something is so; complain when it never is."""
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.1)
