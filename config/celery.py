"""The Celery app: a bell that wakes a worker, and the one task it then runs."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Any

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from kombu.transport import virtual

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# `up` and `migrate` check the settings; a worker need not load every page for it.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")
log = logging.getLogger(__name__)


def transport_options() -> dict[str, Any]:
    """For filesystem://, folders of its own and a poll five times a second."""
    if not settings.BROKER_URL.startswith("filesystem://"):
        return {}
    queue = settings.DATA_DIR / "queue"
    for folder in (queue, queue / "control"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(queue / "control"),
        "polling_interval": 0.2,
    }


def broker_url() -> str:
    """The broker's address; kombu wants a host's name even for a folder."""
    local = settings.BROKER_URL == "filesystem://"
    return "filesystem://localhost" if local else str(settings.BROKER_URL)


# The keeper rings again for a message that was lost in a worker's hands. To give it
# back over a broken connection, as is the default, ends the worker.
virtual.Channel.do_restore = False
# It warns of pickled messages sent to root; ours are JSON and nothing else.
warnings.filterwarnings("ignore", category=SecurityWarning)
try:
    app = Celery("blindfold", broker=broker_url())
except ImproperlyConfigured as fault:
    # A setting that is wrong is for the operator to read, not for a programmer.
    sys.exit(str(fault))
app.conf.update(
    accept_content=["json"],
    broker_connection_max_retries=None,
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=3,
    # A worker is silent for as long as a job takes; RabbitMQ would hang up on it.
    broker_heartbeat=0,
    broker_transport_options=transport_options(),
    task_acks_late=False,
    task_default_queue=settings.JOB_QUEUE,
    task_ignore_result=True,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1},
    task_serializer="json",
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_pool="solo",
    worker_prefetch_multiplier=1,
)


def ring(job_id: str) -> None:
    """Wake a worker for a job; the keeper rings again for what is lost here."""
    try:
        run.delay(job_id)
    except OperationalError as error:
        log.warning("The broker did not take job %s (%s).", job_id, error)


def find_fault() -> str:
    """Why the broker can't be reached, asked once over a connection of its own."""
    patience = {"socket_connect_timeout": 1, "socket_timeout": 1}
    options = patience if settings.BROKER_URL.startswith("redis") else {}
    link = Connection(broker_url(), connect_timeout=1, transport_options=options)
    try:
        link.ensure_connection(max_retries=1, interval_start=0, timeout=1)
    except (OperationalError, *link.connection_errors, *link.channel_errors) as error:
        return str(error)
    finally:
        link.release()
    return ""


@app.task(name="run")  # type: ignore[untyped-decorator]
def run(job_id: str) -> None:
    from config import work

    work.run(job_id)


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def keep_logging(**_: Any) -> None:
    """Leave logging as the settings have it."""


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def start_keeper(**_: Any) -> None:
    from config import work

    work.keeper.start()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def stop_keeper(**_: Any) -> None:
    from config import work

    work.keeper.stopping.set()


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]
def wait_for_keeper(**_: Any) -> None:
    from config import work

    # A worker that is stopped before it reached the broker never started it.
    if work.keeper.is_alive():
        work.keeper.join(timeout=5)
