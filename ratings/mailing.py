"""Messages to the people of a study: an invitation with its link, and a reminder."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from ratings import (
    audit,
    declaring,
    finishing,
    invitations,
    places,
    raters,
    reading,
)
from ratings.models import Enrolment, Study, make_token

log = logging.getLogger(__name__)
PAUSE = timedelta(hours=12)
UNHEARD = ("console", "dummy")


class MailRefused(Exception):
    """Why a message was not sent; a sentence."""


def sends_mail() -> bool:
    """Whether messages reach people, not only the console."""
    silent = ("console", "dummy", "locmem", "filebased")
    return not any(f".{kind}." in settings.EMAIL_BACKEND for kind in silent)


def sends_reminders() -> bool:
    """Whether a message goes anywhere else than to the console."""
    return not any(f".{kind}." in settings.EMAIL_BACKEND for kind in UNHEARD)


def make_link(token: str) -> str:
    return str(settings.SITE_URL) + reverse("join", args=[token])


def send_invitation(enrolment: Enrolment, token: str) -> None:
    """The single-use link, to the address that it is bound to."""
    send(
        enrolment,
        subject=f"Invitation: {enrolment.study.title}",
        name="invitation",
        values={"link": make_link(token), "days": invitations.VALID_DAYS},
    )


@dataclass(frozen=True)
class Reminders:
    """Who was written to, and a sentence for each who was not."""

    reminded: list[str]
    refused: list[str]


def remind_all(*, study: Study, actor: User) -> Reminders:
    """Remind whoever has not finished; raises MailRefused once rating is over."""
    check_running(study)
    told = Reminders([], [])
    for enrolment in raters.list_unfinished(study):
        try:
            remind(enrolment=enrolment, actor=actor)
            told.reminded.append(enrolment.code)
        except MailRefused as refusal:
            told.refused.append(str(refusal))
    return told


def remind(*, enrolment: Enrolment, actor: User) -> None:
    """Say how much is left and until when; whoever never came in gets a new link.

    Raises MailRefused, with no link changed, for a second reminder within hours, for
    somebody who left, and once rating is over.
    """
    earlier = claim(enrolment)
    try:
        # outside the transaction: nobody waits for a slow mail server
        token = write_reminder(enrolment)
    except Exception:
        claimed = {"pk": enrolment.pk, "reminded_at": enrolment.reminded_at}
        Enrolment.objects.filter(**claimed).update(reminded_at=earlier)
        raise
    with transaction.atomic():
        places.hold_place(enrolment, MailRefused)
        if token:
            invitations.invite(enrolment, token)
        audit.record(
            study=enrolment.study, actor=actor, verb="remind",
            payload={"code": enrolment.code},
        )  # fmt: skip


def claim(enrolment: Enrolment) -> datetime | None:
    """Take the turn before anything is sent, so that only one sends; the last turn."""
    with transaction.atomic():
        check_running(places.hold_place(enrolment, MailRefused))
        check_reachable(enrolment)
        earlier = enrolment.reminded_at
        enrolment.reminded_at = timezone.now()
        enrolment.save(update_fields=["reminded_at"])
    return earlier


def check_running(study: Study) -> None:
    if study.state in (Study.State.CLOSED, Study.State.UNBLINDED):
        raise MailRefused("The study is closed, so nobody is reminded any more.")


def check_reachable(enrolment: Enrolment) -> None:
    if hasattr(enrolment, "withdrawal") or not enrolment.user.email:
        raise MailRefused(f"{enrolment.code} left the study, so nothing was sent.")
    if ended := places.tell_ended(enrolment):
        raise MailRefused(f"{ended}, so nothing was sent.")
    earlier = enrolment.reminded_at
    if earlier and timezone.now() - earlier < PAUSE:
        raise MailRefused(
            f"{enrolment.code} was reminded {earlier:%d %b, %H:%M} UTC. Wait until "
            f"{earlier + PAUSE:%d %b, %H:%M}."
        )
    if not sends_reminders():
        raise MailRefused(
            f"This site sends no mail, so nothing was sent to {enrolment.user.email} "
            "and no link was changed. Write yourself, or ask whoever runs the site "
            "to let it send mail."
        )


def write_reminder(enrolment: Enrolment) -> str:
    """Send it; the token of its link if it holds one, which does not work yet."""
    if enrolment.user.has_usable_password():
        send_progress(enrolment)
        return ""
    # the link that somebody has in hand ends only once the new one is under way
    token = make_token()
    send_invitation(enrolment, token)
    return token


def send_progress(enrolment: Enrolment) -> None:
    places = [reading.count_place(session) for session in enrolment.sessions.all()]
    values: dict[str, object] = {
        "done": sum(place.done for place in places),
        "total": sum(place.total for place in places),
        "rest": finishing.find_rest(enrolment),
        "deadline": declaring.find_deadline(enrolment),
        "link": settings.SITE_URL + "/",
    }
    subject = f"Reminder: {enrolment.study.title}"
    send(enrolment, subject=subject, name="reminder", values=values)


def send(
    enrolment: Enrolment, *, subject: str, name: str, values: dict[str, object]
) -> None:
    """Raises MailRefused when the site's mail server does not take the message."""
    known = {"enrolment": enrolment, "study": enrolment.study, "user": enrolment.user}
    try:
        send_mail(
            subject=" ".join(subject.split()),
            message=render_to_string(f"ratings/mail/{name}.txt", {**known, **values}),
            from_email=None,
            recipient_list=[enrolment.user.email],
        )
    except (OSError, SMTPException) as fault:
        # Without the message: it holds a link that opens an account.
        log.warning("A message was not taken: %s", type(fault).__name__)
        raise MailRefused(
            f"The message to {enrolment.user.email} could not be sent."
        ) from fault
