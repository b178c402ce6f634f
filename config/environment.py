"""Reads settings from the environment, and names the one that can't be read."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

YES = environ.Env.BOOLEAN_TRUE_STRINGS
NO = ("false", "off", "n", "no", "0", "")
NOTSET = environ.Env.NOTSET
DATABASES = ("sqlite3", "postgresql")
BROKERS = ("filesystem", "redis", "rediss", "amqp", "amqps")
CACHES = ("redis", "rediss", "unix")
A_HOST = re.compile(r"\*|\.?[\w-]+(\.[\w-]+)*|\[[0-9a-fA-F:.]+\]")
QUOTED = "with special characters of the password as %XX"
A_DATABASE = (
    f"sqlite:///PATH or postgres://USER:PASSWORD@HOST:5432/NAME, {QUOTED}"
)  # fmt: skip
A_BROKER = (
    "filesystem://, redis://HOST:6379/0 or amqp://USER:PASSWORD@HOST:5672//, "
    f"{QUOTED}"
)  # fmt: skip
A_CACHE = f"redis://:PASSWORD@HOST:6379/1, {QUOTED}"
A_SITE = "https://ratings.example.org, without a path"
A_MAILER = "consolemail://, smtp://HOST:25 or smtp+tls://USER:PASSWORD@HOST:587"


class UnreadableFile(ImproperlyConfigured):
    """NAME_FILE names what is not there, or not for this user's eyes."""


@contextmanager
def name_setting(name: str, form: str) -> Iterator[None]:
    """Never repeats what is set: a password may stand in it."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except UnreadableFile:
        raise
    except (ValueError, ImproperlyConfigured):
        raise ImproperlyConfigured(
            f"The setting {name} can't be read: write {form}."
        ) from None


class Environment(environ.FileAwareEnv):  # type: ignore[misc]
    """The environment, or a file that NAME_FILE names."""

    def get_value(
        self, var: str, cast: Any = None, default: Any = NOTSET, **more: Any
    ) -> Any:
        """What is empty, as in an .env file that names all settings, is not set."""
        if default is not NOTSET and not self.read(var).strip():
            return default
        return super().get_value(var, cast=cast, default=default, **more)

    def read(self, var: str) -> str:
        """What is set, or nothing; a file that can't be read is not nothing."""
        try:
            return str(self.ENVIRON.get(var, ""))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise UnreadableFile(
                f"The file that {var}_FILE names can't be read ({reason}): let this "
                f"user read it, correct {var}_FILE, or set {var} itself."
            ) from None

    def int(
        self,
        var: str,
        default: Any = NOTSET,
        *,
        least: int = 0,
        most: int = 2**63 - 1,
        why: str = "",
    ) -> int:
        upto = f" to {most}" if most < 2**31 else " on"
        with name_setting(var, f"a whole number from {least}{upto}{why}"):
            found: int = super().int(var, default=default)
            if not least <= found <= most:
                raise ValueError
            return found

    def bool(self, var: str, default: Any = NOTSET) -> bool:
        with name_setting(var, "true or false"):
            if self.read(var).lower().strip() not in (*YES, *NO):
                raise ValueError
            found: bool = super().bool(var, default=default)
            return found

    def db(self, var: str, default: Any = NOTSET) -> dict[str, Any]:
        with name_setting(var, A_DATABASE):
            found: dict[str, Any] = super().db(var, default=default)
            if not found.get("ENGINE", "").endswith(DATABASES):
                raise ValueError
            # A database in memory would be another one for each process.
            if found["NAME"] in ("", ":memory:"):
                raise ValueError
            return found

    def email_url(self, var: str, default: Any = NOTSET) -> dict[str, Any]:
        with name_setting(var, A_MAILER):
            found: dict[str, Any] = super().email_url(var, default=default)
            return found

    def broker(self, var: str, default: str) -> str:
        with name_setting(var, A_BROKER):
            found = str(self.str(var, default=default))
            split_address(found, BROKERS)
            return found

    def redis(self, var: str) -> str:
        with name_setting(var, A_CACHE):
            if found := str(self.str(var, default="")):
                split_address(found, CACHES)
            return found

    def site(self, var: str, default: str) -> str:
        with name_setting(var, A_SITE):
            found = str(self.str(var, default=default)).rstrip("/")
            parts = split_address(found, ("http", "https"))
            beside = (parts.path, parts.query, parts.fragment, parts.username)
            if any(beside) or not parts.hostname:
                raise ValueError
            return found

    def hosts(self, var: str) -> list[str]:
        with name_setting(var, "names of hosts without https:// or a port"):
            found = [str(one).strip() for one in self.list(var, default=[])]
            if not all(map(A_HOST.fullmatch, found)):
                raise ValueError
            return found


def split_address(value: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of an address; ValueError where it has a part that can't be."""
    parts = urlsplit(value)
    if parts.scheme not in schemes or "://" not in value or parts.port == 0:
        raise ValueError
    return parts
