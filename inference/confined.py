"""Runs another program within limits: no shell, no credentials, a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from inference.errors import Cancelled

LAUNCHER = Path(__file__).with_name("limits.py")
# What a program may need to find itself, its libraries and the device; all else, such
# as passwords and addresses, stays behind.
PASSED_ON = (
    "PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "OMP_NUM_THREADS",
)  # fmt: skip
LOOK_SECONDS = 0.1
LOG_BYTES = 64 * 1024
PAUSE = "\n[… the middle of the log is left out …]\n"


@dataclass(frozen=True)
class Limits:
    """What a program may use: wall-clock seconds, bytes of memory, bytes a file."""

    seconds: float
    memory: int
    file: int


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit code, negative for a signal, and what it said."""

    code: int
    late: bool
    log: str
    seconds: float


def run(
    command: Sequence[str],
    *,
    folder: Path,
    limits: Limits,
    passed_on: Sequence[str] = (),
    extra: Mapping[str, str] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Ended:
    """Run a list of arguments in `folder` until it ends or its time is up.

    The program gets the variables named in PASSED_ON and `passed_on`, and `extra`.
    Raises Cancelled, with the program and its children killed, when so asked.
    """
    started = time.monotonic()
    with TemporaryFile(dir=folder) as log:
        process = subprocess.Popen(
            [*launcher(limits), *command],
            cwd=folder,
            env=make_environment(folder, passed_on) | dict(extra or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            late = not wait(
                process, until=started + limits.seconds, cancelled=cancelled
            )
        finally:
            kill(process)
        seconds = time.monotonic() - started
        return Ended(process.returncode, late, read_log(log), seconds)


def launcher(limits: Limits) -> list[str]:
    cpu = int(limits.seconds) * (os.cpu_count() or 1) + 60
    numbers = (os.getpid(), limits.memory, limits.file, cpu)
    return [sys.executable, "-I", "-S", str(LAUNCHER), *map(str, numbers)]


def make_environment(folder: Path, passed_on: Sequence[str]) -> dict[str, str]:
    kept = {
        name: os.environ[name]
        for name in (*PASSED_ON, *passed_on)
        if name in os.environ
    }
    return {"HOME": str(folder), "TMPDIR": str(folder)} | kept


def wait(
    process: subprocess.Popen[bytes], *, until: float, cancelled: Callable[[], bool]
) -> bool:
    """Whether the program ended by itself before its time was up."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_SECONDS)
            return True
        if cancelled():
            raise Cancelled
        if time.monotonic() > until:
            return False


def kill(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a program and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def read_log(log: IO[bytes]) -> str:
    """What the program printed; of a long log its beginning and its end."""
    size, half = log.seek(0, os.SEEK_END), LOG_BYTES // 2
    log.seek(0)
    if size <= LOG_BYTES:
        return clean(log.read())
    head = clean(log.read(half))
    log.seek(size - half)
    return head + PAUSE + clean(log.read())


def clean(data: bytes) -> str:
    """Text that a database stores: without the zero characters some refuse."""
    return data.decode("utf-8", "replace").replace("\x00", "�")


def explain(ended: Ended, *, limits: Limits) -> str:
    """Why a program did not succeed, as the end of a sentence; empty if it did."""
    if ended.late:
        return f"was stopped after {limits.seconds:g} seconds, its time limit"
    if ended.code == -signal.SIGXFSZ:
        return f"wrote a file larger than {limits.file / 2**30:.1f} GiB, its limit"
    if ended.code < 0:
        name = signal.Signals(-ended.code).name
        return f"was ended by the signal {name}, perhaps for want of memory"
    return f"ended with exit code {ended.code}" if ended.code else ""
