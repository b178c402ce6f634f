"""Rated is not finished: sign-offs and source questions are named, and on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ratings import (
    finishing,
    guessing,
    invitations,
    protocol,
    raters,
    reading,
    signing,
    withdrawing,
)
from ratings.models import Enrolment, Session, Study
from ratings.protocol import ProtocolError
from ratings.verifying import verify_study
from tests.ratings.conftest import AddCases, make_user, sign_in
from tests.ratings.script import Script
from tests.ratings.test_monitor_pages import score, words

PASSWORD = "a long enough password"
Opened = Callable[..., Study]


@pytest.fixture(autouse=True)
def no_throttle_left(db: None) -> None:
    cache.clear()


@pytest.fixture
def opened(study: Study, ada: User, add_cases: AddCases) -> Opened:
    """A study of two raters with that design, open for rating."""

    def open_with(**design: Any) -> Study:
        add_cases(4)
        for name in ("rhea", "otto"):
            make_user(name)
            invitations.add_rater(
                study=study, actor=ada, name=name, email=f"{name}@example.org"
            )
        study.design |= {"min_distance": 1, **design}
        study.save()
        protocol.lock(study=study, actor=ada)
        protocol.open_study(study=study, actor=ada)
        return study

    return open_with


def rate(study: Study, code: str) -> None:
    for session in sessions_of(study, code):
        while reading.open_presentations(session).exists():
            score(session, 3)


def sessions_of(study: Study, code: str) -> list[Session]:
    found = Session.objects.filter(enrolment__study=study, enrolment__code=code)
    return list(found.order_by("number"))


def sign(study: Study, code: str) -> None:
    for session in sessions_of(study, code):
        user = session.enrolment.user
        signing.sign_session(session=session, user=user, password=PASSWORD)


def answer_sources(study: Study, code: str) -> None:
    enrolment = study.enrolments.get(code=code)
    for item in guessing.list_asked(enrolment):
        guessing.record(item=item, guess="unsure", confidence=None)


def say_rests(study: Study) -> dict[str, str]:
    return {rest.rater: rest.words for rest in finishing.list_rests(study).values()}


REVISABLE = {"edit_policy": "revisable", "guess": "end", "guess_percent": 50}


def test_who_rated_everything_has_finished_once_signed_and_answered(
    opened: Opened,
) -> None:
    study = opened(**REVISABLE)
    assert say_rests(study) == {}
    rate(study, "R02")
    assert say_rests(study) == {"R02": "not signed off, 4 source questions open"}
    sign(study, "R02")
    assert say_rests(study) == {"R02": "4 source questions open"}
    answer_sources(study, "R02")
    assert say_rests(study) == {}


@pytest.mark.parametrize("percent", [1, 30, 50, 100])
def test_the_open_questions_are_those_that_will_be_asked(
    opened: Opened, percent: int
) -> None:
    study = opened(guess="end", guess_percent=percent)
    keys = [one.pk for one in study.enrolments.filter(role="rater")]
    counted = guessing.count_open(study, keys)
    for enrolment in study.enrolments.filter(role="rater"):
        assert counted[enrolment.pk] == len(guessing.list_asked(enrolment))


def test_a_withdrawn_case_is_asked_of_nobody(opened: Opened, ada: User) -> None:
    study = opened(guess="end", guess_percent=100)
    withdrawing.withdraw_case(case=study.cases.all()[0], actor=ada, reason="Wrong.")
    rate(study, "R01")
    assert say_rests(study) == {"R01": "not signed off, 6 source questions open"}


def test_sessions_are_signed_one_by_one(opened: Opened) -> None:
    study = opened(session_maximum=3)
    rate(study, "R01")
    assert say_rests(study) == {"R01": "not signed off (3 sessions)"}
    first = sessions_of(study, "R01")[0]
    user = first.enrolment.user
    signing.sign_session(session=first, user=user, password=PASSWORD)
    assert say_rests(study) == {"R01": "not signed off (2 sessions)"}


def test_who_left_or_has_scores_missing_is_told_otherwise(
    opened: Opened, ada: User
) -> None:
    study = opened()
    rate(study, "R01")
    enrolment = study.enrolments.get(code="R01")
    withdrawing.withdraw_rater(enrolment=enrolment, actor=ada, reason="Moved.")
    score(sessions_of(study, "R02")[0], 3)
    assert say_rests(study) == {}


def test_the_monitor_does_not_call_finished_who_is_not(
    opened: Opened, coordinator: Client
) -> None:
    study = opened(**REVISABLE)
    for code in ("R01", "R02"):
        rate(study, code)
    sign(study, "R01")
    answer_sources(study, "R01")
    page = words(coordinator.get(reverse("monitor", args=[study.pk])).text)
    assert "1 finished, 1 with the sign-off or source questions open" in page
    assert "rated, not signed off" in page
    assert "4 source questions open" in page
    sign(study, "R02")
    page = words(coordinator.get(reverse("monitor", args=[study.pk])).text)
    assert "rated, questions open" in page
    answer_sources(study, "R02")
    page = words(coordinator.get(reverse("monitor", args=[study.pk])).text)
    assert "; 2 finished." in page


def test_the_monitor_asks_as_often_for_one_unfinished_rater_as_for_two(
    opened: Opened, coordinator: Client
) -> None:
    study = opened(**REVISABLE)
    url = reverse("monitor-progress", args=[study.pk])
    for code in ("R01", "R02"):
        rate(study, code)
    counts = []
    for finishes in ("R01", "R02"):
        assert finishes in say_rests(study)
        with CaptureQueriesContext(connection) as asked:
            coordinator.get(url)
        counts.append(len(asked))
        sign(study, finishes)
        answer_sources(study, finishes)
    assert counts[0] == counts[1]


def test_closing_names_each_unfinished_rater_and_keeps_it_on_record(
    opened: Opened, coordinator: Client
) -> None:
    study = opened(**REVISABLE)
    rate(study, "R01")
    sign(study, "R01")
    answer_sources(study, "R01")
    rate(study, "R02")
    url = reverse("close", args=[study.pk])
    page = words(coordinator.get(url).text)
    assert "All 16 items are rated." in page
    told = "R02, otto: not signed off, 4 source questions open"
    assert f"Close without it: {told}" in page
    assert "R01" not in page
    refused = words(coordinator.post(url, {"title": study.title}).text)
    assert "R02 has not finished. Confirm this, or let the rater finish" in refused
    study.refresh_from_db()
    assert study.state == Study.State.COLLECTING
    coordinator.post(url, {"title": study.title, "unfinished_R02": "on"})
    study.refresh_from_db()
    assert study.state == Study.State.CLOSED
    payload = study.audit.get(verb="closed").payload
    rest = {"unsigned_sessions": 1, "source_questions": 4}
    assert payload["unfinished"] == {"R02": rest}
    assert verify_study(study) == []
    closed = words(coordinator.get(reverse("monitor", args=[study.pk])).text)
    assert "R02 (not signed off, 4 source questions open) had not finished" in closed


def test_who_finished_while_the_page_was_open_needs_no_word(
    opened: Opened, coordinator: Client
) -> None:
    study = opened()
    for code in ("R01", "R02"):
        rate(study, code)
        sign(study, code)
    form = {"title": study.title, "unfinished_R02": "on"}
    coordinator.post(reverse("close", args=[study.pk]), form)
    assert study.audit.get(verb="closed").payload["unfinished"] == {}


def test_nobody_closes_over_them_in_silence_from_code_either(
    opened: Opened, ada: User
) -> None:
    study = opened()
    for code in ("R01", "R02"):
        rate(study, code)
    with pytest.raises(ProtocolError, match=r"R01: not signed off; R02: not signed"):
        protocol.close(study=study, actor=ada)
    with pytest.raises(ProtocolError, match=r"\(R02: not signed off\)"):
        protocol.close(study=study, actor=ada, unfinished=["R01"])
    protocol.close(study=study, actor=ada, unfinished=["R01", "R02"])


def test_the_interface_for_programs_asks_for_the_same(
    opened: Opened, script: Script
) -> None:
    study = opened(**REVISABLE)
    for code in ("R01", "R02"):
        rate(study, code)
    sign(study, "R01")
    answer_sources(study, "R01")
    rows = script.get(f"studies/{study.pk}/progress").json()["results"]
    parts = ("code", "finished", "unsigned_sessions", "open_source_questions")
    assert [tuple(row[part] for part in parts) for row in rows] == [
        ("R01", True, 0, 0), ("R02", False, 1, 4),
    ]  # fmt: skip
    url, body = f"studies/{study.pk}/close", {"title": study.title}
    refused = script.post(url, body)
    assert refused.status_code == 400
    (told,) = refused.json()["errors"]["unfinished"]["R02"]
    assert told.startswith("R02 has not finished.")
    strange = script.post(url, body | {"unfinished": ["R02", "R07"]})
    assert strange.json()["errors"] == {
        "unfinished": {"R07": ["The study has no such rater."]}
    }
    closed = script.post(url, body | {"unfinished": ["R01", "R02"]})
    assert closed.json()["state"] == "closed"
    assert set(study.audit.get(verb="closed").payload["unfinished"]) == {"R02"}


def test_an_early_unblinding_keeps_them_on_record(opened: Opened, ada: User) -> None:
    study = opened()
    rate(study, "R01")
    bo = make_user("bo")
    Enrolment.objects.create(study=study, user=bo, role=Enrolment.Role.COORDINATOR)
    protocol.break_glass(
        study=study, actor=ada, typed_title=study.title, reason="A recall.",
        password=PASSWORD, witness=protocol.Witness(bo, PASSWORD),
    )  # fmt: skip
    payload = study.audit.get(verb="closed").payload
    assert list(payload["dispositions"]) == ["R02"]
    assert list(payload["unfinished"]) == ["R01"]


def test_reminders_go_to_who_has_not_signed_off_and_say_what_is_left(
    opened: Opened, coordinator: Client
) -> None:
    study = opened(**REVISABLE)
    for code in ("R01", "R02"):
        rate(study, code)
    sign(study, "R01")
    answer_sources(study, "R01")
    assert [one.code for one in raters.list_unfinished(study)] == ["R02"]
    coordinator.post(reverse("remind", args=[study.pk]))
    (message,) = mail.outbox
    assert message.to == ["otto@example.org"]
    left = "sign off the session, then answer 4 questions about the sources"
    assert left in " ".join(str(message.body).split())


def test_a_rater_is_told_what_the_closing_left_out(
    opened: Opened, coordinator: Client
) -> None:
    study = opened(**REVISABLE)
    for code in ("R01", "R02"):
        rate(study, code)
    sign(study, "R01")
    form = {"title": study.title, "unfinished_R01": "on", "unfinished_R02": "on"}
    coordinator.post(reverse("close", args=[study.pk]), form)
    pages = {
        name: words(sign_in(User.objects.get(first_name=name)).get("/").text)
        for name in ("rhea", "otto")
    }
    questions = "answered the last questions."
    assert f"The study was closed before you {questions}" in pages["rhea"]
    assert f"before you signed off and {questions}" in pages["otto"]
    assert "Thank you" not in pages["otto"]


def test_the_room_is_told_how_many_questions_wait_and_which_session_is_unsigned(
    opened: Opened,
) -> None:
    study = opened(**REVISABLE, session_maximum=4)
    client = sign_in(User.objects.get(first_name="rhea"))
    first, second = sessions_of(study, "R01")
    rate(study, "R01")
    told = client.get(f"/api/rate/{second.key}/").json()
    assert (told["guess"], told["guess_left"]) == ("early", 4)
    unsigned = {"number": 1, "key": first.key}
    assert (told["session"]["next"], told["session"]["unsigned"]) == ("", unsigned)
    told = client.get(f"/api/rate/{second.key}/guesses").json()
    assert told["unsigned"] == first.key
    sign(study, "R01")
    told = client.get(f"/api/rate/{first.key}/").json()
    assert (told["guess"], told["guess_left"]) == ("open", 4)
    assert (told["session"]["next"], told["session"]["unsigned"]) == ("", None)
    answer_sources(study, "R01")
    told = client.get(f"/api/rate/{first.key}/").json()
    assert (told["guess"], told["guess_left"]) == ("done", 0)
