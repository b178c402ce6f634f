"""The whole site as its own processes: web server, worker, database, files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.frontend.conftest import browser  # noqa: F401
from tests.processes import ROOT, environment, free_port, wait_until

EMAIL, PASSWORD = "casey@example.org", "a long enough password"
MAKE_COORDINATOR = (
    "from django.contrib.auth.models import User; "
    f"User.objects.create_user({EMAIL!r}, {EMAIL!r}, {PASSWORD!r}, "
    "first_name='Casey', last_name='Coordinator', is_staff=True)"
)


@dataclass(frozen=True)
class Site:
    """A running installation of its own, with one coordinator."""

    address: str
    env: dict[str, str]

    def manage(self, *words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    env = environment(folder / "data", PORT=str(port), SITE_URL=address)
    log = (folder / "up.log").open("w")
    up = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--no-demo"],
        cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    site = Site(address, env)
    try:
        wait_until(lambda: answers(site), seconds=120, what="The site's first answer")
        site.manage("shell", "-c", MAKE_COORDINATOR)
        model = shutil.copytree(ROOT / "inference/demo_ensemble", folder / "model")
        site.manage("register_ensemble", "demo", str(model))
        yield site
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(timeout=60)
        log.close()
        sys.stdout.write((folder / "up.log").read_text()[-4000:])


def answers(site: Site) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{site.address}/healthz") as reply:
        return bool(reply.status == 200)
    return False


@pytest.fixture
def desk(site: Site, browser: Browser) -> Iterator[Page]:  # noqa: F811
    """The coordinator, signed in, with an eye on errors and foreign hosts."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults = watch(page, site.address)
    page.goto(site.address)
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()
    assert faults == []


def watch(page: Page, address: str) -> list[str]:
    """Collects script errors, policy violations and requests to other hosts."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda line: (
            faults.append(line.text) if "Security Policy" in line.text else None
        ),
    )
    page.on(
        "request",
        lambda sent: (
            faults.append(sent.url) if not sent.url.startswith(address) else None
        ),
    )
    return faults


def keep_screenshot(page: Page, name: str) -> None:
    """For the README and the docs, when asked for: UPDATE_SCREENSHOTS=1."""
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        folder = Path(ROOT) / "docs" / "images"
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png")
