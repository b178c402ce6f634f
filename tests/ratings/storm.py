"""A real web server that is killed again and again, and raters who never give up."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from uuid import uuid4

from tests.processes import ROOT, free_port

CSRF = "c" * 32
PATIENCE_SECONDS = 600.0


@dataclass
class Server:
    """The product's web server with several worker processes, on any database."""

    env: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    killed_workers: int = 0
    killed_servers: int = 0

    def start(self) -> None:
        command = [
            *(
                sys.executable,
                "-m",
                "gunicorn",
                "tests.ratings.storm_wsgi",
                "--no-control-socket",
            ),
            *("--bind", f"127.0.0.1:{self.port}", "--worker-class", "gthread"),
            *("--workers", "3", "--threads", "8", "--preload", "--timeout", "120"),
            *("--log-level", "critical"),
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def wait(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.1)
        raise TimeoutError(self.log.read_text())

    def workers(self) -> list[int]:
        assert self.process is not None
        pid = self.process.pid
        with suppress(OSError):
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            return [int(word) for word in text.split()]
        return []

    def kill_worker(self, rng: random.Random) -> None:
        with suppress(IndexError, ProcessLookupError):
            os.kill(rng.choice(self.workers()), signal.SIGKILL)
            self.killed_workers += 1

    def kill(self) -> None:
        """The whole server at once, with every process that it started."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def rage(
        self,
        *,
        rng: random.Random,
        over: threading.Event,
        count: Callable[[], int],
        pause: int,
    ) -> None:
        """Kill at random moments, each time after some more scores were stored.

        By the clock alone a slow machine would never get a worker to its first answer.
        """
        due = count() + rng.randint(1, pause)
        while not over.wait(rng.uniform(0.0, 0.05)):
            if count() < due:
                continue
            if (self.killed_workers + self.killed_servers) % 8 == 7:
                self.kill()
                self.killed_servers += 1
                self.start()
                self.wait()
            else:
                self.kill_worker(rng)
            due = count() + rng.randint(1, pause)


@dataclass(frozen=True)
class Acknowledged:
    """A score that the site said it has stored, and how long that took at last."""

    key: str
    token: str
    value: int
    seconds: float


@dataclass
class StormRater:
    """Sends every item's score until it is acknowledged, some of them twice."""

    port: int
    cookie: str
    tokens: list[str]
    rng: random.Random
    acknowledged: list[Acknowledged] = field(default_factory=list)
    broken: int = 0
    replays: int = 0
    refused: list[str] = field(default_factory=list)

    def rate_all(self) -> None:
        for token in self.tokens:
            value = self.rng.randint(1, 5)
            body = {
                "client_key": str(uuid4()), "answers": {"quality": {"value": value}},
                "active_ms": 900,
            }  # fmt: skip
            start = time.monotonic()
            if self.rng.random() < 0.1:
                self.send_and_leave(token, body)
            if not self.insist(token, body):
                return
            seconds = time.monotonic() - start
            key = str(body["client_key"])
            self.acknowledged.append(Acknowledged(key, token, value, seconds))
            if self.rng.random() < 0.1:
                self.insist(token, body)

    def insist(self, token: str, body: dict[str, object]) -> bool:
        """Send until it is answered; False if the answer is a refusal."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                status, data = self.send(token, body)
            except (OSError, HTTPException):
                self.broken += 1
                time.sleep(self.rng.uniform(0.05, 0.3))
                continue
            if status in (500, 502, 503):
                self.broken += 1
                continue
            if status != 200:
                self.refused.append(f"{status} {data!r}")
                return False
            self.replays += bool(json.loads(data)["replay"])
            return True
        self.refused.append("no answer")
        return False

    def send(self, token: str, body: dict[str, object]) -> tuple[int, bytes]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as site:
            self.put(site, token, body)
            answer = site.getresponse()
            return answer.status, answer.read()

    def send_and_leave(self, token: str, body: dict[str, object]) -> None:
        """The double click of which nobody reads the first answer."""
        site = HTTPConnection("127.0.0.1", self.port, timeout=60)
        with suppress(OSError, HTTPException):
            self.put(site, token, body)
        threading.Timer(1.0, site.close).start()

    def put(self, site: HTTPConnection, token: str, body: dict[str, object]) -> None:
        headers = {
            "Content-Type": "application/json",
            "Cookie": f"sessionid={self.cookie}; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
        }
        site.request("PUT", f"/api/items/{token}/scores", json.dumps(body), headers)
