"""Several people press at once, or hold a row that is over: one act counts, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from ratings import coordinators, declaring, invitations, mailing, protocol, raters
from ratings.declaring import Declaration, DeclarationRefused
from ratings.invitations import InvitationRefused
from ratings.mailing import MailRefused
from ratings.models import Enrolment, Invitation, Session, Study, Unblinding
from ratings.verifying import verify_study
from tests.ratings.conftest import end_collecting, make_user
from tests.ratings.racing import act_at_once, names_of

racing = pytest.mark.django_db(transaction=True)


def read(enrolment: Enrolment) -> Enrolment:
    """The row as another request has read it just now, person and study with it."""
    return Enrolment.objects.select_related("user", "study").get(pk=enrolment.pk)


def replace(enrolment: Enrolment, actor: User, name: str = "nora") -> None:
    raters.replace(
        enrolment=enrolment, actor=actor, name=name,
        email=f"{name}@example.org", reason="On leave.",
    )  # fmt: skip


def send_link(enrolment: Enrolment, actor: User) -> None:
    token = invitations.hand_out(enrolment=enrolment, actor=actor)
    mailing.send_invitation(enrolment, token)


def find_links() -> list[str]:
    """The path of the link in each message that went out."""
    found = [re.search(r"/join/[\w-]{43}", str(m.body)) for m in mail.outbox]
    return [one.group() for one in found if one]


@pytest.fixture
def newcomer(study: Study, ada: User) -> Enrolment:
    """A rater of a draft who has not come in."""
    return invitations.add_rater(
        study=study, actor=ada, name="Rhea", email="rhea@example.org"
    )


@racing
def test_a_link_sent_while_the_rater_is_replaced_opens_no_account_of_the_next(
    newcomer: Enrolment, ada: User
) -> None:
    for n in range(6):
        first, second = read(newcomer), read(newcomer)
        act_at_once(
            partial(send_link, first, ada), partial(replace, second, ada, f"next{n}")
        )
    assert read(newcomer).user.email == "next5@example.org"
    assert [Client().get(link).status_code for link in find_links()].count(200) == 0


@pytest.mark.parametrize("send", [send_link, mailing.remind])
def test_a_row_of_the_person_before_sends_nobody_a_link(
    newcomer: Enrolment, ada: User, send: Callable[..., None]
) -> None:
    stale = read(newcomer)
    replace(read(newcomer), ada)
    with pytest.raises((InvitationRefused, MailRefused), match="went to another"):
        send(enrolment=stale, actor=ada)
    assert mail.outbox == []
    assert not Invitation.objects.filter(revoked_at=None).exists()


def test_a_link_in_a_reminder_stays_dead_if_the_rater_is_replaced_on_its_way(
    newcomer: Enrolment, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = mailing.send_invitation

    def send_slowly(enrolment: Enrolment, token: str) -> None:
        send(enrolment, token)
        replace(read(newcomer), ada)

    monkeypatch.setattr(mailing, "send_invitation", send_slowly)
    with pytest.raises(MailRefused, match="went to another person"):
        mailing.remind(enrolment=read(newcomer), actor=ada)
    assert [Client().get(link).status_code for link in find_links()] == [404]


def test_a_rater_who_was_replaced_meanwhile_declares_nothing_of_the_next(
    newcomer: Enrolment, ada: User
) -> None:
    stale, told = read(newcomer), Declaration(9, "", "Basel", "Drew case 2.")
    replace(read(newcomer), ada)
    with pytest.raises(DeclarationRefused, match="went to another person"):
        declaring.declare(enrolment=stale, actor=stale.user, declaration=told)
    assert read(newcomer).conflict == ""


@racing
def test_of_two_who_replace_a_rater_at_once_one_is_refused(
    newcomer: Enrolment, ada: User
) -> None:
    ends = act_at_once(
        *(partial(replace, read(newcomer), ada, name) for name in ("nora", "ned"))
    )
    assert names_of(ends) == ["InvitationRefused", "NoneType"]
    assert newcomer.study.audit.filter(verb="replace_rater").count() == 1


@racing
def test_a_rater_removed_by_three_at_once_is_removed_once_on_record(
    newcomer: Enrolment, ada: User
) -> None:
    study = newcomer.study
    ends = act_at_once(
        *(partial(raters.remove, enrolment=read(newcomer), actor=ada) for _ in "abc")
    )
    assert names_of(ends) == ["InvitationRefused", "InvitationRefused", "NoneType"]
    assert study.audit.filter(verb="remove_rater").count() == 1
    assert verify_study(study) == []


@racing
def test_a_colleague_removed_by_three_at_once_is_removed_once_on_record(
    study: Study, ada: User
) -> None:
    grace = make_user("grace", staff=True)
    one = Enrolment.objects.create(study=study, user=grace, role="coordinator")
    ends = act_at_once(
        *(
            partial(coordinators.remove_colleague, enrolment=read(one), actor=ada)
            for _ in "abc"
        )
    )
    assert names_of(ends) == ["CoordinatorRefused", "CoordinatorRefused", "NoneType"]
    assert study.audit.filter(verb="remove_coordinator").count() == 1


@racing
def test_two_coordinators_who_leave_at_once_leave_one_behind(
    study: Study, ada: User
) -> None:
    grace = make_user("grace", staff=True)
    Enrolment.objects.create(study=study, user=grace, role="coordinator")
    both = [read(one) for one in study.enrolments.all()]
    ends = act_at_once(
        *(
            partial(coordinators.remove_colleague, enrolment=one, actor=one.user)
            for one in both
        )
    )
    assert names_of(ends) == ["CoordinatorRefused", "NoneType"]


@racing
def test_a_reminder_pressed_by_three_at_once_goes_out_once_with_a_link_that_works(
    newcomer: Enrolment, ada: User
) -> None:
    ends = act_at_once(
        *(partial(mailing.remind, enrolment=read(newcomer), actor=ada) for _ in "abc")
    )
    assert names_of(ends) == ["MailRefused", "MailRefused", "NoneType"]
    assert [Client().get(link).status_code for link in find_links()] == [200]
    assert newcomer.study.audit.filter(verb="remind").count() == 1


def test_a_reminder_that_was_not_sent_takes_no_turn(
    session: Session, ada: User, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    for _ in range(2):
        with pytest.raises(MailRefused, match="could not be sent"):
            mailing.remind(enrolment=read(session.enrolment), actor=ada)
    assert read(session.enrolment).reminded_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mailing.remind(enrolment=read(session.enrolment), actor=ada)
    assert len(mail.outbox) == 1


@racing
def test_two_who_unblind_at_once_open_the_key_once(
    open_study: Study, ada: User
) -> None:
    end_collecting(open_study, ada)
    copies = [Study.objects.get(pk=open_study.pk) for _ in range(2)]
    ends = act_at_once(
        *(
            partial(protocol.unblind, study=copy, actor=ada, typed_title=copy.title)
            for copy in copies
        )
    )
    assert names_of(ends) == ["NoneType", "ProtocolError"]
    assert any("this one is unblinded" in str(end) for end in ends)
    assert Unblinding.objects.count() == 1
    assert verify_study(Study.objects.get(pk=open_study.pk)) == []
