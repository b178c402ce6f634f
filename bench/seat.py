"""A rater's seat at the running site: what a browser would ask, without a browser."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from bench.material import Rater


@dataclass(frozen=True)
class Seat:
    """A rater's browser, as far as the site can tell."""

    host: str
    key: str
    session: str
    csrf: str = ""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[Any, bytes]:
        connection = HTTPConnection(self.host, timeout=60)
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={
                    "Content-Type": "application/json",
                    "Cookie": f"sessionid={self.session}; csrftoken={self.csrf}",
                    "X-CSRFToken": self.csrf,
                },
            )
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ConnectionError(f"{method} {path}: {response.status} {data!r:.300}")
        return response.headers, data


def sit_down(site: str, rater: Rater) -> Seat:
    """Open the rating room, whose page hands out the token for saving."""
    seat = Seat(urlsplit(site).netloc, rater.key, rater.cookie)
    headers, _ = seat.ask("GET", f"/rate/{rater.key}/")
    csrf = SimpleCookie(headers["Set-Cookie"])["csrftoken"].value
    return Seat(seat.host, seat.key, seat.session, csrf)
