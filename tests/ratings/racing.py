"""Lets several people act at the same moment, each in a thread and connection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def act_at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act gave, or the exception that it ended with."""
    start = threading.Barrier(len(acts))
    ends: dict[int, Any] = {}

    def run(number: int, act: Callable[[], Any]) -> None:
        start.wait()
        try:
            ends[number] = act()
        except Exception as fault:
            ends[number] = fault
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [ends[number] for number in range(len(acts))]


def names_of(ends: list[Any]) -> list[str]:
    """The kinds of what came out, sorted: how often each."""
    return sorted(type(end).__name__ for end in ends)
