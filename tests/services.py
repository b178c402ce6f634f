"""Where the services are that some tests need, and what to do when they are not."""

from __future__ import annotations

import os
import socket
from typing import NoReturn
from urllib.parse import urlsplit

import pytest

ADDRESSES = {
    "PostgreSQL": ("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres"),
    "Redis": ("TEST_REDIS_URL", "redis://127.0.0.1:6379/9"),
    "RabbitMQ": ("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}
CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def address(service: str) -> str:
    variable, default = ADDRESSES[service]
    return os.environ.get(variable, default)


def reachable(service: str) -> bool:
    parts = urlsplit(address(service))
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), 2):
            return True
    except OSError:
        return False


def miss(service: str) -> NoReturn:
    """Skip loudly; where CI promises every service, fail."""
    reason = f"NOT TESTED: no {service} answers at {address(service)}"
    if CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def require(service: str) -> str:
    """The address of a service that answers."""
    if not reachable(service):
        miss(service)
    return address(service)


def database_url(*, default: str) -> str:
    """TEST_DATABASE=postgres chooses the server instead of the SQLite file."""
    return address("PostgreSQL") if on_postgres() else default


def on_postgres() -> bool:
    return os.environ.get("TEST_DATABASE") == "postgres"
