"""What only the operator does to an account: a lost second factor, an erasure."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from ratings import audit, erasing
from ratings.erasing import ErasureRefused


class Command(BaseCommand):
    help = (
        "Take a lost second factor off an account, or erase the person: name, address "
        "and access go, scores and record stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the address with which the person signs in")
        act = parser.add_mutually_exclusive_group(required=True)
        act.add_argument("--remove-second-factor", action="store_true")
        act.add_argument("--erase", action="store_true")

    def handle(self, *, email: str, erase: bool, **_: Any) -> None:
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            raise CommandError(f"There is no account with the address {email}.")
        if erase:
            try:
                erasing.erase(user=user, actor=None)
            except ErasureRefused as refusal:
                raise CommandError(str(refusal)) from refusal
            self.stdout.write(f"Erased: it is {audit.name_of(user)} in the record now.")
            return
        Authenticator.objects.filter(user=user).delete()
        audit.note_access(
            study=None, actor=None, verb="remove_second_factor",
            payload={"person": audit.name_of(user)},
        )  # fmt: skip
        self.stdout.write("The password alone signs in until a new factor is set up.")
