"""Registers the composition root with Django, for its commands and checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import pre_save


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401  (importing registers them)
        from config.accounts import keep_small_letters

        pre_save.connect(keep_small_letters, sender=settings.AUTH_USER_MODEL)
