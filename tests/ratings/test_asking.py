"""A rater asks, a coordinator answers in place, and nobody else hears of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ratings import asking, audit
from ratings.models import Problem, Reply, Session, Study
from tests.ratings.script import Script
from tests.ratings.test_scoring import current
from tests.ratings.test_triggers import REFUSALS, run

pytestmark = pytest.mark.django_db
QUESTION = "Does the edge count?"
ANSWER = "Yes, count the edge as lesion."


@pytest.fixture
def script(ada: Any) -> Script:
    return Script(ada)


@pytest.fixture
def asked(rater: Client, session: Session) -> Problem:
    """A question, sent as the room does."""
    body = {"token": current(session).token, "kind": "question", "text": QUESTION}
    url = reverse("problem", args=[session.key])
    sent = rater.post(url, body, content_type="application/json")
    assert sent.status_code == 200
    return Problem.objects.get()


def answer(client: Client, study: Study, asked: Problem, text: str) -> Any:
    url = reverse("answer", args=[study.pk, asked.pk])
    return client.post(url, {"text": text}, follow=True)


def read_own(client: Client, session: Session) -> Any:
    return client.get(reverse("questions", args=[session.key]))


def test_a_question_is_seen_answered_and_read(
    coordinator: Client, rater: Client, open_study: Study, session: Session,
    asked: Problem,
) -> None:  # fmt: skip
    live = coordinator.get(reverse("monitor-progress", args=[open_study.pk])).text
    assert QUESTION in live
    assert "1 question to answer" in live
    assert asking.WARNING in live
    page = answer(coordinator, open_study, asked, ANSWER).text
    assert "R01 can read your answer now." in page
    assert "Question, answered" in page
    (own,) = read_own(rater, session).json()["questions"]
    assert (own["position"], own["text"]) == (1, QUESTION)
    assert [reply["text"] for reply in own["answers"]] == [ANSWER]
    assert rater.get(reverse("next", args=[session.key])).json()["answers"] == 1
    assert ANSWER in rater.get(reverse("home")).text
    entry = open_study.audit.get(verb="reply")
    assert entry.payload["sha256"] == audit.digest(ANSWER)
    assert ANSWER not in str(entry.payload)


def test_nobody_else_reads_or_answers(
    other_rater: Client, outsider: Client, rater: Client, coordinator: Client,
    open_study: Study, session: Session, other_session: Session, asked: Problem,
) -> None:  # fmt: skip
    answer(coordinator, open_study, asked, ANSWER)
    for who in (other_rater, outsider, coordinator):
        assert read_own(who, session).status_code == 404
    assert read_own(other_rater, other_session).json() == {"questions": []}
    assert "answers" not in str(other_rater.get(reverse("home")).content)
    assert ANSWER not in other_rater.get(reverse("home")).text
    for who in (rater, other_rater, outsider):
        assert answer(who, open_study, asked, "Me too.").status_code == 404
    assert Reply.objects.count() == 1


def test_an_answer_that_names_a_source_is_kept_in_its_field_and_not_sent(
    coordinator: Client, open_study: Study, asked: Problem
) -> None:
    open_study.arms.filter(key="model").update(label="SCT 6.5")
    for text in (
        "The MANUAL one.", "manually drawn", "model’s, I think", "by SCT", "sct_v7",
        "man\u00adual", "Ｍodel2", "mo\u200bdel", "mod-el",
    ):  # fmt: skip
        page = answer(coordinator, open_study, asked, text)
        assert page.status_code == 422
        assert "is the name of a source" in page.text
        top, _, below = page.text.partition('id="progress"')
        assert "Your answer to R01 was not sent: see why at its field." in top
        assert re.search(rf'id="text-{asked.pk}"[^>]* autofocus', below)
        assert text in page.text
    assert not Reply.objects.exists()
    assert "even where you mean something else" in page.text
    answer(coordinator, open_study, asked, "Remodelled, dissected tissue?")
    assert Reply.objects.count() == 1


@pytest.mark.parametrize(
    "text", ["", " \n", "\u200b", "\u2060 \ufeff", "\u3164", "\u0301"]
)
def test_what_shows_nothing_is_no_question_and_no_answer(
    coordinator: Client, script: Script, rater: Client, open_study: Study,
    session: Session, asked: Problem, text: str,
) -> None:  # fmt: skip
    page = answer(coordinator, open_study, asked, text)
    assert (page.status_code, "Write an answer first." in page.text) == (422, True)
    one = f"studies/{open_study.pk}/questions/{asked.pk}/answers"
    assert script.post(one, {"text": text}).status_code == 400
    with pytest.raises(asking.AskingRefused, match="Write an answer"):
        asking.reply(asked=asked, actor=open_study.created_by, text=text)
    body = {"token": current(session).token, "kind": "question", "text": text}
    url = reverse("problem", args=[session.key])
    assert rater.post(url, body, content_type="application/json").status_code == 400
    assert (Problem.objects.count(), Reply.objects.count()) == (1, 0)


def test_words_and_answers_are_kept_by_the_database(
    coordinator: Client, open_study: Study, asked: Problem
) -> None:
    answer(coordinator, open_study, asked, ANSWER)
    for row in (asked, Reply.objects.get()):
        table = row._meta.db_table
        for act in (f"UPDATE {table} SET text = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(REFUSALS, match="append-only"):
                run(f"{act} WHERE id = %s", row.pk)


def test_a_script_reads_questions_and_answers_them(
    script: Script, outsider: Client, open_study: Study, asked: Problem
) -> None:
    one = f"studies/{open_study.pk}/questions"
    (row,) = script.get(one).json()["results"]
    assert (row["code"], row["text"], row["answers"]) == ("R01", QUESTION, [])
    named = script.post(f"{one}/{asked.pk}/answers", {"text": "The manual mask."})
    assert named.status_code == 409
    sent = script.post(f"{one}/{asked.pk}/answers", {"text": ANSWER})
    assert (sent.status_code, sent.json()["answers"][0]["text"]) == (201, ANSWER)
    assert script.post(f"{one}/{10**6}/answers", {"text": "x"}).status_code == 404
    assert outsider.get(f"/api/{one}").status_code == 404
