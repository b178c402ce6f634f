"""Takes a case out of a running study for every rater alike, or a rater out of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction

from ratings import audit
from ratings.models import Case, Enrolment, Study, Withdrawal

if TYPE_CHECKING:
    from ratings.statistics.table import ScoreTable
    from ratings.statistics.withdrawn import Withdrawn

log = logging.getLogger(__name__)
RUNNING = (Study.State.LOCKED, Study.State.COLLECTING)
ROTTEN = (
    "A stored file no longer has the bytes that were locked, so nothing of the case is "
    "shown any more. Restore the file from a backup and let the operator run verify."
)


class WithdrawalRefused(Exception):
    """Why a case or a rater stays in the study; a sentence."""


def withdraw_case(*, case: Case, actor: User | None, reason: str) -> Withdrawal:
    """Add the row that takes a case out; scores already given stay where they are.

    Without an actor it is the site itself that found a file changed.
    """
    reason = reason.strip()
    if not reason:
        raise WithdrawalRefused("Give a reason; it is put on record.")
    with transaction.atomic():
        study = audit.hold(case.study_id)
        if study.state not in RUNNING:
            raise WithdrawalRefused(
                "Only a study that is locked or open for rating has cases withdrawn."
            )
        if case.left_out:
            raise WithdrawalRefused(
                f"{case.label} is left out of the study, so there is nothing to "
                "withdraw. Choose a case that is rated."
            )
        if Withdrawal.objects.filter(case=case).exists():
            raise WithdrawalRefused(f"{case.label} was already withdrawn.")
        row = Withdrawal.objects.create(study=study, case=case, reason=reason, by=actor)
        audit.record(
            study=study, actor=actor, verb="withdraw_case",
            payload={"withdrawal": row.pk, "case": case.label, "reason": reason},
        )  # fmt: skip
    return row


def withdraw_rater(*, enrolment: Enrolment, actor: User, reason: str) -> Withdrawal:
    """End a rater's part in a running study; all that was given is kept and counted.

    Withdrawal is not exclusion: the scores stay in the results like any others.
    """
    reason = reason.strip()
    if not reason:
        raise WithdrawalRefused("Give a reason; it is put on record.")
    with transaction.atomic():
        study = audit.hold(enrolment.study_id)
        if study.state not in RUNNING:
            raise WithdrawalRefused(
                "Only from a study that is locked or open for rating are raters "
                "withdrawn. In a draft, remove the rater."
            )
        if has_left(enrolment):
            raise WithdrawalRefused(f"{enrolment.code} was already withdrawn.")
        row = Withdrawal.objects.create(
            study=study, enrolment=enrolment, reason=reason, by=actor
        )
        audit.record(
            study=study, actor=actor, verb="withdraw_rater",
            payload={
                "withdrawal": row.pk, "case": None, "rater": enrolment.code,
                "reason": reason,
            },
        )  # fmt: skip
    return row


def has_left(enrolment: Enrolment) -> bool:
    return Withdrawal.objects.filter(enrolment=enrolment).exists()


def withdraw_rotten(case: Case) -> None:
    """Withdraw a case whose file is not what was locked, and raise the alarm once."""
    try:
        withdraw_case(case=case, actor=None, reason=ROTTEN)
    except WithdrawalRefused:
        return
    # Without naming it: a line of the log names no case, file or study.
    log.error("A case was withdrawn, as its file changed: manage.py verify names it.")
    coordinators = Enrolment.objects.filter(
        study=case.study_id, role=Enrolment.Role.COORDINATOR
    )
    send_mail(
        subject=f"{case.study.title}: {case.label} was withdrawn",
        message=f"{case.label} was withdrawn for all raters. {ROTTEN}",
        from_email=None,
        recipient_list=list(coordinators.values_list("user__email", flat=True)),
        fail_silently=True,
    )


def list_withdrawals(study: Study) -> list[Withdrawal]:
    """The withdrawn cases and raters, newest first, for the monitor."""
    rows = Withdrawal.objects.filter(study=study).select_related(
        "case", "enrolment", "by"
    )
    return list(rows.order_by("-created_at"))


def read_reasons(study: Study) -> dict[str, str]:
    """Why each withdrawn case was taken out, by its label."""
    taken = study.withdrawals.exclude(case=None)
    return dict(taken.values_list("case__label", "reason"))


def list_counted(study: Study, tables: Sequence[ScoreTable]) -> list[Withdrawn]:
    """What was withdrawn with the scores given there, for a reader of the results.

    Cases before raters, each by name: in this order on every machine.
    """
    from ratings.statistics.table import natural
    from ratings.statistics.withdrawn import count_case, count_rater

    found = []
    for row in list_withdrawals(study):
        if row.case is not None:
            counted = count_case(tables, row.case.label)
        elif row.enrolment is not None:
            counted = count_rater(tables, row.enrolment.code)
        found.append(
            replace(
                counted,
                reason=row.reason,
                at=f"{row.created_at:%Y-%m-%d %H:%M} UTC",
                by="a coordinator" if row.by_id else "the site itself",
            )
        )
    return sorted(found, key=lambda one: (one.what, natural(one.name)))
