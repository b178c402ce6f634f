"""Starts the whole site by one command: database, demo, web server and worker."""

from __future__ import annotations

import http.client
import os
import shutil
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from config import supervisor
from ratings.models import Study

START_SECONDS = 120.0


class Command(BaseCommand):
    help = (
        "Start the whole site: prepare the data folder and the database, load the "
        "demo on the first start, then run the web server and a worker until Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--host",
            default=os.environ.get("BIND", "127.0.0.1"),
            help="the address to listen on (default %(default)s)",
        )
        parser.add_argument(
            "--no-demo",
            action="store_true",
            help="do not load the demo on the first start",
        )

    def handle(self, *args: Any, host: str, no_demo: bool, **options: Any) -> None:
        os.chdir(settings.BASE_DIR)
        stopping = supervisor.stop_on_signals()
        try:
            with supervisor.lock(settings.DATA_DIR):
                supervisor.require_free_port(host, settings.PORT)
                prepare_database()
                if not no_demo:
                    load_demo(stopping)
                if not stopping.is_set():
                    self.serve(host, stopping)
                self.stdout.write("Stopped. All data is kept.")
        except supervisor.Refused as refusal:
            raise CommandError(str(refusal)) from None

    def serve(self, host: str, stopping: threading.Event) -> None:
        connection.close()
        threading.Thread(
            target=self.announce, args=(host, stopping), daemon=True
        ).start()
        supervisor.supervise(make_children(host), stopping=stopping)

    def announce(self, host: str, stopping: threading.Event) -> None:
        """Say where the site is, once it answers."""
        end = time.monotonic() + START_SECONDS
        while not answers(host):
            if stopping.wait(0.2):
                return
            if time.monotonic() > end:
                self.stderr.write(
                    "The web server does not answer: see the lines above."
                )
                return
        self.stdout.write(
            f"\nBlindfold is ready: {settings.SITE_URL}/\n"
            f"Its data is in {settings.DATA_DIR}. Stop it with Ctrl-C.\n"
        )
        self.stdout.flush()


def prepare_database() -> None:
    """Bring the tables up to date, and refuse a database newer than this code."""
    try:
        loader = MigrationLoader(connection)
    except DatabaseError as error:
        raise supervisor.Refused(
            f"The database does not answer ({str(error).strip()}): check DATABASE_URL."
        ) from None
    known = set(loader.disk_migrations)
    unknown = sorted(
        f"{app} {name}"
        for app, name in set(loader.applied_migrations) - known
        if app in ("ratings", "inference")
    )
    if unknown:
        raise supervisor.Refused(
            f"This database was used by a newer Blindfold ({unknown[-1]}): start that "
            "version, or choose another DATA_DIR."
        )
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)


def load_demo(stopping: threading.Event) -> None:
    """On the first start, and again on the next when the first was cut short."""
    begun = settings.DATA_DIR / "demo_is_loading"
    untouched = not (Study.objects.exists() or get_user_model().objects.exists())
    connection.close()
    if not (untouched or begun.exists()):
        return
    begun.touch()
    # A process of its own: what it loads to make images is not kept while serving.
    child = supervisor.Child("demo", [sys.executable, "manage.py", "demo"], child_env())
    if supervisor.complete(child, stopping=stopping):
        begun.unlink()
    elif not stopping.is_set():
        raise supervisor.Refused(
            "The demo could not be loaded, see the lines above: start without it by "
            "'manage.py up --no-demo', or again to go on."
        )


def make_children(host: str) -> list[supervisor.Child]:
    env = child_env()
    temporary = Path(env["TMPDIR"])
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    return [
        supervisor.Child("web server", web_command(host, temporary), env),
        supervisor.Child("worker", worker_command(), env),
    ]


def child_env() -> dict[str, str]:
    """The environment of all children, with temporary files in the data folder."""
    temporary = settings.DATA_DIR / "temporary"
    temporary.mkdir(exist_ok=True)
    return os.environ | {
        "DATA_DIR": str(settings.DATA_DIR),
        "TMPDIR": str(temporary),
        "PYTHONUNBUFFERED": "1",
    }


def web_command(host: str, temporary: Path) -> list[str]:
    options = {
        "--config": "python:config.webserver",
        "--bind": f"{host}:{settings.PORT}",
        "--threads": "8",
        "--graceful-timeout": "5",
        "--worker-tmp-dir": str(temporary),
        "--log-level": "warning",
    }
    flat = [part for option in options.items() for part in option]
    return [sys.executable, "-m", "gunicorn", "config.wsgi", *flat]


def worker_command() -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "--app", "config.celery", "--quiet"),
        *("worker", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def answers(host: str) -> bool:
    """Whether the web server is alive, asked as the site's own address would."""
    site = http.client.HTTPConnection(host, settings.PORT, timeout=2)
    try:
        site.request(
            "GET", "/healthz", headers={"Host": urlsplit(settings.SITE_URL).netloc}
        )
        return site.getresponse().status == 200
    except OSError:
        return False
    finally:
        site.close()
