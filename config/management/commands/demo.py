"""`manage.py demo`: loads the demo people and studies, once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import demo


class Command(BaseCommand):
    help = (
        "Load the demo: one coordinator, two raters, the study “Try rating” (ten "
        "phantom scans with manual masks; the worker predicts the other masks) and a "
        "finished study with simulated scores. What exists already is left as it is. "
        "The passwords are new on every installation and are printed once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        lines = [f"{login.email}  {login.password}" for login in demo.make_people()]
        if lines:
            # At once: a demo that is cut short must not lose the passwords.
            keep(lines)
        demo.make_studies(say=self.show)
        if not lines:
            self.stdout.write("The demo is already loaded; nothing was changed.")
            return
        self.stdout.write("Demo logins (also in demo_logins.txt in the data folder):")
        for line in lines:
            self.stdout.write(f"  {line}")

    def show(self, text: str) -> None:
        self.stderr.write(text)


def keep(lines: list[str]) -> None:
    stored = settings.DATA_DIR / "demo_logins.txt"
    stored.touch(mode=0o600)
    stored.write_text("\n".join(lines) + "\n")
