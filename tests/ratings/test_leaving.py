"""A rater leaves or hands over a place; what was given stays."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ratings import (
    asking,
    declaring,
    invitations,
    mailing,
    protocol,
    raters,
    reading,
    scoring,
    withdrawing,
)
from ratings.invitations import InvitationRefused
from ratings.models import Enrolment, Problem, Score, Session, Study
from ratings.scoring import Answer, ScoreRefused, Submission
from ratings.verifying import verify_study
from ratings.withdrawing import WithdrawalRefused


def score(session: Session) -> None:
    shown = reading.open_presentations(session).first()
    assert shown
    submission = Submission(uuid.uuid4(), (Answer("quality", 4, ""),), "", 1000, {})
    scoring.record(item=shown.items.get(), submission=submission)


def leave(session: Session, actor: User) -> None:
    withdrawing.withdraw_rater(
        enrolment=session.enrolment, actor=actor, reason="Moved abroad."
    )


def test_who_left_keeps_the_scores_and_can_give_no_more(
    open_study: Study, session: Session, rater: Client, ada: User
) -> None:
    score(session)
    token = reading.open_presentations(session)[0].items.get().token
    leave(session, ada)
    assert Score.objects.filter(by=session.enrolment.user).count() == 1
    session = Session.objects.get(pk=session.pk)
    with pytest.raises(ScoreRefused, match="no longer rate"):
        score(session)
    assert rater.get(f"/api/rate/{session.key}/").json()["state"] == "closed"
    assert rater.get(f"/api/rate/{session.key}/next").status_code == 409
    assert rater.get(f"/api/items/{token}/mask").status_code == 404
    assert "You no longer rate this study" in rater.get("/").text
    assert verify_study(open_study) == []


def test_the_others_are_not_disturbed(
    session: Session, other_session: Session, other_rater: Client, ada: User
) -> None:
    leave(session, ada)
    score(other_session)
    assert other_rater.get(f"/api/rate/{other_session.key}/next").status_code == 200


def test_closing_knows_why_the_scores_of_who_left_are_missing(
    open_study: Study, session: Session, ada: User
) -> None:
    leave(session, ada)
    code = session.enrolment.code
    gap = next(g for g in protocol.list_gaps(open_study) if g.rater == code)
    assert gap.left == "Moved abroad."
    other = next(g for g in protocol.list_gaps(open_study) if g.rater != code)
    protocol.close(study=open_study, actor=ada, dispositions={other.rater: "Ill."})
    told = open_study.audit.get(verb="closed").payload["dispositions"]
    assert told[code] == {"missing": 12, "why": "Withdrawn: Moved abroad."}


def test_leaving_takes_a_reason_and_happens_once(session: Session, ada: User) -> None:
    with pytest.raises(WithdrawalRefused, match="Give a reason"):
        withdrawing.withdraw_rater(enrolment=session.enrolment, actor=ada, reason="  ")
    leave(session, ada)
    with pytest.raises(WithdrawalRefused, match="already withdrawn"):
        leave(session, ada)


def test_a_withdrawal_written_over_is_noticed(
    open_study: Study, session: Session, other_session: Session, ada: User
) -> None:
    from django.db import connection

    from ratings import triggers
    from ratings.models import Withdrawal

    leave(session, ada)
    triggers.remove(connection)
    Withdrawal.objects.update(enrolment=other_session.enrolment)
    assert any("Withdrawal row" in fault for fault in verify_study(open_study))


def hand_on(session: Session, actor: User) -> None:
    raters.replace(
        enrolment=session.enrolment, actor=actor, name="Nora",
        email="nora@example.org", reason="On leave.",
    )  # fmt: skip


def test_a_place_without_scores_goes_to_another_person_with_code_and_order(
    open_study: Study, session: Session, rater: Client, ada: User
) -> None:
    code = session.enrolment.code
    hand_on(session, ada)
    assert rater.get(f"/api/rate/{session.key}/").status_code == 404
    enrolment = open_study.enrolments.get(code=code)
    assert enrolment.user.email == "nora@example.org"
    assert enrolment.sessions.get() == session
    link = invitations.invite(enrolment)
    password = "a quiet spinal cord"
    browser = Client()
    browser.post(f"/join/{link}", {"password": password, "again": password})
    assert browser.get(f"/api/rate/{session.key}/next").status_code == 200
    score(Session.objects.get(pk=session.pk))
    assert verify_study(open_study) == []


def test_a_place_with_scores_is_not_handed_on(
    open_study: Study, session: Session, ada: User
) -> None:
    score(session)
    with pytest.raises(InvitationRefused, match="Withdraw the rater instead"):
        hand_on(session, ada)
    assert not User.objects.filter(email="nora@example.org").exists()


@pytest.mark.parametrize("kind", Problem.Kind.values)
def test_a_place_with_words_of_the_rater_is_not_handed_on(
    kind: str, open_study: Study, session: Session, coordinator: Client, ada: User
) -> None:
    shown = reading.open_presentations(session).first()
    assert shown
    asking.ask(item=shown.items.get(), kind=kind, text="Mrs N. moved in the scanner.")
    with pytest.raises(InvitationRefused, match=r"would read it\. Withdraw the rater"):
        hand_on(session, ada)
    assert not User.objects.filter(email="nora@example.org").exists()
    assert not open_study.audit.filter(verb="replace_rater").exists()
    page = coordinator.get(f"/studies/{open_study.pk}/raters/{session.enrolment.pk}")
    assert "Replace by another person" not in page.text


def test_an_own_deadline_and_a_reminder_are_not_handed_on(
    open_study: Study, session: Session, ada: User
) -> None:
    enrolment, day = session.enrolment, date(2030, 1, 31)
    declaring.set_deadline(study=open_study, actor=ada, day=day, enrolment=enrolment)
    mailing.remind(enrolment=enrolment, actor=ada)
    hand_on(session, ada)
    enrolment = open_study.enrolments.get(code=enrolment.code)
    assert (enrolment.deadline, enrolment.reminded_at) == (None, None)
    told = open_study.audit.get(verb="replace_rater").payload
    assert told == {
        "code": enrolment.code, "person": f"person-{enrolment.user_id}",
        "reason": "On leave.", "deadline_ended": "2030-01-31",
    }  # fmt: skip
    assert verify_study(open_study) == []


def test_who_was_withdrawn_meanwhile_is_not_replaced(
    open_study: Study, session: Session, ada: User
) -> None:
    before = Enrolment.objects.select_related("withdrawal").get(pk=session.enrolment.pk)
    leave(session, ada)
    with pytest.raises(InvitationRefused, match="was withdrawn"):
        raters.replace(
            enrolment=before, actor=ada, name="Nora", email="nora@example.org",
            reason="On leave.",
        )  # fmt: skip


def test_nobody_takes_two_places(
    open_study: Study, session: Session, other_session: Session, ada: User
) -> None:
    with pytest.raises(InvitationRefused, match="already part of this study"):
        raters.replace(
            enrolment=session.enrolment, actor=ada, name="Otto",
            email="OTTO@example.org", reason="",
        )  # fmt: skip
