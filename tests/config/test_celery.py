"""A worker's bond to its broker holds as long as a job takes; faults are sentences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config.celery import app
from tests import services
from tests.processes import ROOT, environment, free_port, wait_until

WORKER = [sys.executable, "-m", "celery", "--app", "config.celery", "--quiet", "worker"]


def test_rabbitmq_does_not_hang_up_on_a_worker_that_is_busy() -> None:
    assert negotiate(heartbeat=30) == 30
    assert negotiate(heartbeat=app.conf.broker_heartbeat) == 0


def negotiate(*, heartbeat: int) -> float:
    """The seconds of silence that broker and worker agree on, 0 for any."""
    url = services.require("RabbitMQ")
    with app.connection_for_read(url, heartbeat=heartbeat) as link:
        link.connect()
        return float(link.connection.heartbeat)


@pytest.mark.parametrize("setting", ["BROKER_URL", "DATABASE_URL"])
def test_a_wrong_setting_ends_a_worker_with_a_sentence(
    tmp_path: Path, setting: str
) -> None:
    env = environment(tmp_path, **{setting: "kafka://me:secret@there"})
    done = subprocess.run(WORKER, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"The setting {setting} can't be read: write ")
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr


@pytest.mark.slow
def test_a_worker_that_still_looks_for_its_broker_ends_in_peace(tmp_path: Path) -> None:
    away = f"amqp://127.0.0.1:{free_port()}//"
    log = tmp_path / "log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            WORKER, cwd=ROOT, stdout=output, stderr=output,
            env=environment(tmp_path / "data", BROKER_URL=away),
        )  # fmt: skip
    try:
        wait_until(
            lambda: "Cannot connect" in log.read_text(), seconds=30, what="a first try"
        )
        worker.terminate()
        worker.wait(timeout=20)
    finally:
        worker.kill()
    assert "Traceback" not in log.read_text()
