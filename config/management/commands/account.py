"""What only the operator does to an account: address, lost second factor, erasure."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from ratings import audit, erasing
from ratings.erasing import ErasureRefused


class Command(BaseCommand):
    help = (
        "Give an account another address, take a lost second factor off it, or erase "
        "the person: name, address and access go, scores and record stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the address with which the person signs in")
        act = parser.add_mutually_exclusive_group(required=True)
        act.add_argument(
            "--address", metavar="NEW", help="the address to sign in with from now on"
        )
        act.add_argument("--remove-second-factor", action="store_true")
        act.add_argument("--erase", action="store_true")
        parser.add_argument(
            "--yes", action="store_true", help="erase without being asked, in a script"
        )

    def handle(
        self, *, email: str, address: str | None, erase: bool, yes: bool, **_: Any
    ) -> None:
        user = (
            User.objects.exclude(email="").filter(email__iexact=email.strip()).first()
        )
        if user is None:
            raise CommandError(f"There is no account with the address {email}.")
        if address is not None:
            change_address(user, address.strip().lower())
            self.stdout.write(
                "The new address signs in, with the same password. Every device is "
                "signed out, and links sent to the old address no longer work."
            )
        elif erase:
            if not yes:
                require_word(user)
            self.stdout.write(f"Erased: it is {erase_user(user)} in the record now.")
        else:
            Authenticator.objects.filter(user=user).delete()
            note("remove_second_factor", user)
            self.stdout.write(
                "The password alone signs in until a new factor is set up."
            )


def erase_user(user: User) -> str:
    """What the record calls the person from now on."""
    try:
        erasing.erase(user=user, actor=None)
    except ErasureRefused as refusal:
        raise CommandError(str(refusal)) from refusal
    return audit.name_of(user)


def require_word(user: User) -> None:
    """What is erased can't be brought back: a slip is not to be enough."""
    if not sys.stdin.isatty():
        raise CommandError("Nobody can be asked here: add --yes to erase the account.")
    said = input(f"This erases {user.email} for good. Type ERASE to confirm: ")
    if said.strip().upper() != "ERASE":
        raise CommandError("Nothing was erased.")


def change_address(user: User, address: str) -> None:
    """The address is the name to sign in with too; on record without it."""
    try:
        validate_email(address)
    except ValidationError as fault:
        raise CommandError(f"{address} is not an e-mail address.") from fault
    others = User.objects.exclude(pk=user.pk)
    if others.filter(Q(email__iexact=address) | Q(username__iexact=address)).exists():
        raise CommandError(f"{address} is the address of another account.")
    with transaction.atomic():
        user.username = user.email = address
        user.save(update_fields=["username", "email"])
        EmailAddress.objects.filter(user=user).delete()
        # whoever reads the old mailbox now may be another person
        erasing.end_links(user)
        erasing.end_sign_ins(user)
        note("change_address", user)


def note(verb: str, user: User) -> None:
    audit.note_access(
        study=None, actor=None, verb=verb, payload={"person": audit.name_of(user)}
    )
