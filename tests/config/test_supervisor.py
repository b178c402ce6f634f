"""The supervisor keeps its processes running and leaves none behind."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import supervisor
from config.supervisor import Child, Refused
from tests.processes import free_port, wait_until

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); "


def make_child(script: str, *, name: str = "worker") -> Child:
    return Child(name, [sys.executable, "-c", script], dict(os.environ))


def running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@contextmanager
def supervised(*children: Child) -> Iterator[threading.Event]:
    """The children under a supervisor in a thread, ended with the block."""
    stopping = threading.Event()
    thread = threading.Thread(
        target=supervisor.supervise, args=(children,), kwargs={"stopping": stopping}
    )
    thread.start()
    try:
        yield stopping
    finally:
        stopping.set()
        thread.join(timeout=30)
        assert not thread.is_alive()


def count(file: Path) -> int:
    return len(file.read_text().split()) if file.exists() else 0


@pytest.fixture(autouse=True)
def die_only_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a thread starts the children, and the kernel watches the thread."""
    monkeypatch.setattr(supervisor, "die_with_parent", lambda: None)


def test_a_child_that_dies_starts_again(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    child = make_child(f"open({str(starts)!r}, 'a').write('x '); raise SystemExit(3)")
    with supervised(child):
        wait_until(lambda: count(starts) >= 2, seconds=10, what="a second start")


def test_each_death_in_a_row_doubles_the_pause_up_to_half_a_minute() -> None:
    child = make_child("pass")
    pauses = []
    for _ in range(7):
        child.start()
        assert child.process is not None
        child.process.wait()
        child.bury(now := time.monotonic())
        pauses.append(child.due - now)
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 30, 30])


def test_a_steady_life_is_no_death_in_a_row() -> None:
    child = make_child("pass")
    child.deaths = 5
    child.start()
    assert child.process is not None
    child.process.wait()
    child.bury(child.started + supervisor.STEADY_SECONDS + 1)
    assert child.deaths == 1


def test_a_pause_does_not_hold_up_the_stop() -> None:
    child = make_child("raise SystemExit(1)")
    child.deaths = 10
    with supervised(child):
        wait_until(lambda: child.deaths == 11, seconds=10, what="a death")
        start = time.monotonic()
    assert time.monotonic() - start < 2


def test_a_child_that_ignores_the_request_is_killed_after_the_grace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.5)
    ready = tmp_path / "ready"
    child = make_child(STUBBORN + f"open({str(ready)!r}, 'w'); time.sleep(60)")
    with supervised(child):
        wait_until(ready.exists, seconds=10, what="the child's start")
        assert child.process is not None
        pid = child.process.pid
    assert not running(pid)


def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    child = make_child(
        "import subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"open({str(pid_file)!r}, 'w').write(str(p.pid)); time.sleep(60)"
    )
    with supervised(child):
        wait_until(lambda: count(pid_file), seconds=10, what="a grandchild")
        grandchild = int(pid_file.read_text())
        assert running(grandchild)
    wait_until(lambda: not running(grandchild), seconds=5, what="its end")


def test_one_death_leaves_the_other_child_alone(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    steady = make_child(
        f"import time; open({str(starts)!r}, 'a').write('x '); time.sleep(60)"
    )
    dying = make_child("raise SystemExit(1)", name="web server")
    with supervised(steady, dying):
        wait_until(lambda: dying.deaths >= 2, seconds=10, what="two deaths")
    assert count(starts) == 1


@pytest.mark.parametrize(("script", "good"), [("pass", True), ("exit(3)", False)])
def test_what_runs_once_tells_whether_it_succeeded(script: str, good: bool) -> None:
    never = threading.Event()
    assert supervisor.complete(make_child(script), stopping=never) is good


def test_what_runs_once_ends_when_all_is_to_stop() -> None:
    stopping = threading.Event()
    child = make_child("import time; time.sleep(60)")
    threading.Timer(0.3, stopping.set).start()
    assert not supervisor.complete(child, stopping=stopping)
    assert child.process is not None
    assert not running(child.process.pid)


def test_only_one_site_runs_on_a_data_folder(tmp_path: Path) -> None:
    ours = f"already runs on .*process {os.getpid()}"
    with supervisor.lock(tmp_path), pytest.raises(Refused, match=ours):
        supervisor.lock(tmp_path)
    supervisor.lock(tmp_path).close()


def test_a_taken_port_is_refused_with_another_to_choose() -> None:
    port = free_port()
    remedy = f"Port {port} .* 'PORT={port % 60000 + 1} make run'"
    taken = socket.create_server(("127.0.0.1", port))
    with taken, pytest.raises(Refused, match=remedy):
        supervisor.require_free_port("127.0.0.1", port)
    supervisor.require_free_port("127.0.0.1", port)
