"""The pages of the coordinator's desk, one file per group of pages."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class SignedInRequest(HttpRequest):
    """What a view behind `login_required` receives."""

    user: User
    htmx: HtmxDetails
