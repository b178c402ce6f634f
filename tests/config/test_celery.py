"""A worker's bond to its broker holds as long as a job takes."""

from __future__ import annotations

from config.celery import app
from tests import services


def test_rabbitmq_does_not_hang_up_on_a_worker_that_is_busy() -> None:
    assert negotiate(heartbeat=30) == 30
    assert negotiate(heartbeat=app.conf.broker_heartbeat) == 0


def negotiate(*, heartbeat: int) -> float:
    """The seconds of silence that broker and worker agree on, 0 for any."""
    url = services.require("RabbitMQ")
    with app.connection_for_read(url, heartbeat=heartbeat) as link:
        link.connect()
        return float(link.connection.heartbeat)
