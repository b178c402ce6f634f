"""Reads settings from the environment, and names the one that can't be read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

YES = environ.Env.BOOLEAN_TRUE_STRINGS
NO = ("false", "off", "n", "no", "0", "")
DATABASES = ("sqlite3", "postgresql")
A_DATABASE = (
    "sqlite:///PATH or postgres://USER:PASSWORD@HOST:5432/NAME, with special "
    "characters of the password as %XX"
)
A_MAILER = "consolemail://, smtp://HOST:25 or smtp+tls://USER:PASSWORD@HOST:587"


@contextmanager
def name_setting(name: str, form: str) -> Iterator[None]:
    """Never repeats what is set: a password may stand in it."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except (ValueError, ImproperlyConfigured):
        raise ImproperlyConfigured(
            f"The setting {name} can't be read: write {form}."
        ) from None


class Environment(environ.FileAwareEnv):  # type: ignore[misc]
    """The environment, or a file that NAME_FILE names."""

    def int(self, var: str, default: Any = environ.Env.NOTSET) -> int:
        with name_setting(var, "a whole number"):
            found: int = super().int(var, default=default)
            return found

    def bool(self, var: str, default: Any = environ.Env.NOTSET) -> bool:
        with name_setting(var, "true or false"):
            said = str(self.ENVIRON.get(var, "")).lower().strip()
            if said not in (*YES, *NO):
                raise ValueError
            found: bool = super().bool(var, default=default)
            return found

    def db(self, var: str, default: Any = environ.Env.NOTSET) -> dict[str, Any]:
        with name_setting(var, A_DATABASE):
            found: dict[str, Any] = super().db(var, default=default)
            if not found.get("ENGINE", "").endswith(DATABASES):
                raise ValueError
            return found

    def email_url(self, var: str, default: Any = environ.Env.NOTSET) -> dict[str, Any]:
        with name_setting(var, A_MAILER):
            found: dict[str, Any] = super().email_url(var, default=default)
            return found
