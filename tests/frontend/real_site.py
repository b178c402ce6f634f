"""The real web server on a real database, with studies that are open for rating."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.conftest import Site, answers
from tests.frontend.conftest import SCREEN, begin_rating
from tests.processes import ROOT, environment, free_port, wait_until

LISTEN = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
LATEST = """
SELECT p.position, i.slot, s.question, s.value, s.reason, s.comment,
       s.revision, s.client_key
FROM ratings_score s
JOIN ratings_item i ON i.id = s.item_id
JOIN ratings_presentation p ON p.id = i.presentation_id
JOIN ratings_session t ON t.id = p.session_id
WHERE t.key = ?
ORDER BY t.number, p.position, i.slot, s.question, s.revision
"""


@dataclass(frozen=True)
class Row:
    """A score as the database has it."""

    position: int
    slot: int
    question: str
    value: int | None
    reason: str
    comment: str
    revision: int
    client_key: str


@dataclass(frozen=True)
class Seat:
    """A rater's place in one study: the room's address and the way in."""

    site: Site
    database: Path
    key: str
    cookie: str
    email: str

    @property
    def room(self) -> str:
        return f"{self.site.address}/rate/{self.key}/"

    def read(self) -> list[Row]:
        """What is stored for this rater's session, straight from the database."""
        with closing(sqlite3.connect(self.database)) as file:
            return [Row(*row) for row in file.execute(LATEST, (self.key,))]

    def values(self) -> list[int | None]:
        return [row.value for row in self.read()]

    def end_session(self) -> None:
        """Sign the rater out, as time does."""
        with closing(sqlite3.connect(self.database, timeout=20)) as file:
            query = "DELETE FROM django_session WHERE session_key = ?"
            file.execute(query, (self.cookie,))
            file.commit()

    def cookies(self) -> list[Any]:
        return [
            {"name": "sessionid", "value": self.cookie, "url": self.site.address},
        ]


def prepare(folder: Path, specs: list[dict[str, Any]], env: dict[str, str]) -> Any:
    for command in (
        ["manage.py", "migrate"],
        ["manage.py", "createcachetable"],
        ["-m", "tests.frontend.rated_studies"],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=env, text=True,
            input=json.dumps(specs), capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def start(env: dict[str, str], port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "config.wsgi", "--log-level", "error"),
            *("--worker-class", "gthread", "--threads", "8"),
            *("--bind", f"127.0.0.1:{port}"),
        ],
        cwd=ROOT, env=env, start_new_session=True,
    )  # fmt: skip


def run_site(folder: Path, specs: list[dict[str, Any]]) -> Iterator[dict[str, Seat]]:
    """Seats by study, on a web server that ends with the generator."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    env = environment(folder, PORT=str(port), SITE_URL=address)
    seats = prepare(folder, specs, env)
    server = start(env, port)
    site = Site(address, env)
    try:
        wait_until(lambda: answers(site), seconds=60, what="The site's first answer")
        yield {
            title: Seat(site, folder / "db.sqlite3", **seat)
            for title, seat in seats.items()
        }
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)


@dataclass
class Watched:
    """A context with one page, watched for errors, reports and foreign hosts."""

    context: BrowserContext
    page: Page
    requests: list[str]
    errors: list[str]

    def check(self, site: Site) -> None:
        assert self.errors == []
        assert self.requests
        foreign = [url for url in self.requests if not url.startswith(site.address)]
        assert foreign == []
        if not self.page.is_closed():
            assert self.page.evaluate("window.violations") == []


SitDown = Callable[..., Page]


def sit_down_with(browser: Browser) -> Iterator[SitDown]:
    """Open a seat's room in a context of its own; at the end nothing went wrong."""
    with ExitStack() as stack:

        def sit_down(seat: Seat, *, begin: bool = True, **options: Any) -> Page:
            context = browser.new_context(viewport=SCREEN, **options)
            stack.callback(context.close)
            page = watch(context, stack, seat)
            context.add_cookies(seat.cookies())
            page.goto(seat.room)
            if begin:
                begin_rating(page)
            return page

        yield sit_down


def watch(context: BrowserContext, stack: ExitStack, seat: Seat) -> Page:
    context.add_init_script(LISTEN)
    page = context.new_page()
    watched = Watched(context, page, [], [])
    page.on("request", lambda request: watched.requests.append(request.url))
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    stack.callback(watched.check, seat.site)
    return page


@pytest.fixture
def sit_down(browser: Browser) -> Iterator[SitDown]:
    yield from sit_down_with(browser)
