"""A coordinator's script: a client of the API that shows a token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ratings.desk import tokens

PASSWORD = "a long enough password"


class Script:
    """A client that shows a token and speaks JSON."""

    def __init__(self, user: User) -> None:
        self.token = tokens.make_token(user=user, label="a script")
        self.headers = {"Authorization": f"Bearer {self.token}"}
        self.client = Client(enforce_csrf_checks=True)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/{path}", query, headers=self.headers)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        call = getattr(self.client, method)
        return call(
            f"/api/{path}", body if body is not None else {},
            content_type="application/json", headers=self.headers,
        )  # fmt: skip

    def patch(self, path: str, body: Any = None) -> Any:
        return self.send("patch", path, body)

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/{path}", headers=self.headers)

    def post(self, path: str, body: Any = None) -> Any:
        return self.send("post", path, body)

    def upload(self, study: str, path: Path, **fields: str) -> Any:
        return self.send_file(f"studies/{study}/uploads", path, **fields)

    def send_file(self, call: str, path: Path, **fields: str) -> Any:
        file = SimpleUploadedFile(path.name, path.read_bytes())
        return self.client.post(
            f"/api/{call}", {"file": file, **fields}, headers=self.headers
        )
