"""System checks: settings that would lose data or trust are said before the start."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from inference.settings import PRECISIONS
from inference.tools import ToolsRefused, list_tools

LOCAL = ("", "localhost", "127.0.0.1", "::1")
DEVICES = re.compile(r"auto|cpu|cuda(:\d+)?")


@register()
def check_broker(**_: Any) -> list[CheckMessage]:
    """No SQLite file where several machines would need it."""
    broker = urlsplit(settings.BROKER_URL)
    on_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if on_sqlite and (broker.hostname or "") not in LOCAL:
        return [
            Error(
                "The broker is on another machine, but the database is a file here.",
                hint="Set DATABASE_URL to a PostgreSQL server, or BROKER_URL to "
                "filesystem://.",
                id="blindfold.E002",
            )
        ]
    return []


@register()
def check_data_folder(**_: Any) -> list[CheckMessage]:
    """A folder that was there before has whatever rights it was given."""
    if not settings.DATA_DIR.stat().st_mode & 0o077:
        return []
    return [
        Warning(
            f"Other users can look into DATA_DIR ({settings.DATA_DIR}).",
            hint=f"Run: chmod -R go= {settings.DATA_DIR}",
            id="blindfold.W002",
        )
    ]


@register()
def check_log_format(**_: Any) -> list[CheckMessage]:
    if settings.LOG_FORMAT in ("text", "json"):
        return []
    return [
        Error(
            f"LOG_FORMAT is {settings.LOG_FORMAT!r}.",
            hint="Set it to text or json.",
            id="blindfold.E003",
        )
    ]


@register()
def check_device(**_: Any) -> list[CheckMessage]:
    if DEVICES.fullmatch(settings.DEVICE):
        return []
    return [
        Error(
            f"DEVICE is {settings.DEVICE!r}.",
            hint="Set it to auto, cpu, cuda or, for one of several GPUs, cuda:1.",
            id="blindfold.E007",
        )
    ]


@register()
def check_precision(**_: Any) -> list[CheckMessage]:
    if settings.PRECISION in PRECISIONS:
        return []
    return [
        Error(
            f"PRECISION is {settings.PRECISION!r}.",
            hint=f"Set it to {', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}.",
            id="blindfold.E006",
        )
    ]


@register()
def check_site_url(**_: Any) -> list[CheckMessage]:
    site = urlsplit(settings.SITE_URL)
    if site.scheme == "http" and site.hostname not in LOCAL:
        return [
            Warning(
                "SITE_URL is not https: passwords and scores would travel readable.",
                hint="Put a TLS proxy before the site and set SITE_URL=https://….",
                id="blindfold.W001",
            )
        ]
    return []


@register()
def check_proxies(**_: Any) -> list[CheckMessage]:
    """TLS ends at a proxy, whose address every visitor then seems to have."""
    https = urlsplit(settings.SITE_URL).scheme == "https"
    if not https or settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        return []
    return [
        Warning(
            "SITE_URL is https, but TRUSTED_PROXIES is 0: ten wrong passwords of "
            "anybody would keep everybody from signing in.",
            hint="Set TRUSTED_PROXIES to the number of your own proxies, such as 1.",
            id="blindfold.W003",
        )
    ]


@register()
def check_tools(**_: Any) -> list[CheckMessage]:
    """The list of programs is read before a coordinator meets its fault."""
    try:
        list_tools()
    except ToolsRefused as refusal:
        return [
            Error(
                str(refusal),
                hint=f"Correct {settings.TOOLS_FILE}; docs/models.md has examples.",
                id="blindfold.E005",
            )
        ]
    return []
