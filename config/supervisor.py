"""Starts the site's processes together, restarts those that die, and ends them all."""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)
GRACE_SECONDS = 8.0
STEADY_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 30.0
PR_SET_PDEATHSIG = 1


class Refused(Exception):
    """Why the site cannot start, and what to do, in one sentence."""


@dataclass
class Child:
    """One process of the site and all that it starts, restarted when it dies."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    due: float = 0.0

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches only us, and its group is all it started.
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        self.started = time.monotonic()

    def watch(self) -> None:
        """Start what is due, and plan a later start for what has died."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start()
        elif self.process.poll() is not None:
            self.bury(now)

    def bury(self, now: float) -> None:
        """Note a death; each in a row doubles the pause before the next start."""
        assert self.process is not None
        signal_group(self, signal.SIGKILL)
        steady = now - self.started > STEADY_SECONDS
        self.deaths = 1 if steady else self.deaths + 1
        pause = min(2.0 ** (self.deaths - 1), LONGEST_PAUSE_SECONDS)
        log.warning(
            "The %s stopped (exit code %s); it starts again in %.0f s.",
            self.name,
            self.process.returncode,
            pause,
        )
        self.process, self.due = None, now + pause


def die_with_parent() -> None:
    """Have the kernel end this child if the supervisor is killed outright (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def signal_group(child: Child, number: signal.Signals) -> None:
    """Signal a child and everything that it started."""
    if child.process is not None:
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, number)


def supervise(children: Iterable[Child], *, stopping: threading.Event) -> None:
    """Keep the children running until told to stop, then leave none behind."""
    children = list(children)
    try:
        while not stopping.wait(0.2):
            for child in children:
                child.watch()
    finally:
        end(children)


def complete(child: Child, *, stopping: threading.Event) -> bool:
    """Run a child once; False when it failed or had to stop before its end."""
    child.start()
    assert child.process is not None
    try:
        while child.process.poll() is None and not stopping.wait(0.1):
            pass
        return child.process.poll() == 0
    finally:
        end([child])


def end(children: list[Child]) -> None:
    """Ask all to end; after the grace, kill what remains of their groups."""
    for child in children:
        signal_group(child, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        if child.process is not None:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(deadline - time.monotonic(), 0.0))
            signal_group(child, signal.SIGKILL)
            child.process.wait()


def stop_on_signals() -> threading.Event:
    """An event that Ctrl-C, SIGTERM and a closed terminal set."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def lock(folder: Path) -> IO[str]:
    """The one right to run on a data folder, held for as long as the file is open."""
    try:
        file = (folder / "up.lock").open("a+")
    except OSError as error:
        raise Refused(
            f"The data folder {folder} can't be written ({error.strerror}): mount its "
            "disk for writing, or choose another folder by DATA_DIR."
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        file.close()
        raise Refused(
            f"Blindfold already runs on {folder} ({holder}): stop that one with "
            "Ctrl-C, or choose another folder, as in 'DATA_DIR=./other make run'."
        ) from None
    file.truncate(0)
    file.write(f"process {os.getpid()}")
    file.flush()
    return file


def require_free_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(
                f"Port {port} on {host} cannot be used ({error.strerror}): choose "
                f"another, as in 'PORT={port % 60000 + 1} make run'."
            ) from None
