"""What is no plain JSON is refused in a sentence, to raters and scripts alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ratings import parsing
from ratings.models import Guess, Problem, Score, Session, Study
from tests.ratings.script import Script
from tests.ratings.test_scoring import body, current

pytestmark = pytest.mark.django_db
DEEP = ("[" * 50_000, '{"a":' * 20_000, "[" * 40 + "]" * 40)


def send_as_rater(rater: Client, session: Session, text: str) -> list[Any]:
    """To every call of the rating room that takes a body."""
    token, key = current(session).token, session.key
    calls = (
        ("put", f"/api/items/{token}/scores"), ("put", f"/api/items/{token}/guess"),
        ("post", f"/api/rate/{key}/problem"), ("post", f"/api/rate/{key}/sign"),
    )  # fmt: skip
    return [getattr(rater, how)(url, text, "application/json") for how, url in calls]


def send_as_script(script: Script, study: Study, text: str) -> list[Any]:
    calls = (
        ("post", "studies"), ("post", f"studies/{study.pk}/withdraw"),
        ("post", f"studies/{study.pk}/deadline"), ("post", f"studies/{study.pk}/close"),
    )  # fmt: skip
    return [
        getattr(script.client, how)(
            f"/api/{path}", text, "application/json", headers=script.headers
        )
        for how, path in calls
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((text, "nested too deeply") for text in DEEP),
        ('{"title": "first", "title": "second"}', "“title” stands twice"),
        ('{"x": [{"\\ud800": 1, "\\ud800": 2}]}', "“?” stands twice"),
        ('{"x": NaN}', "NaN is no number"), ("{", "not valid JSON"),
    ],
    ids=["lists", "objects", "within", "twice", "half", "number", "cut"],
)  # fmt: skip
def test_every_call_refuses_it_with_problem_details(
    script: Script, rater: Client, session: Session, open_study: Study, text: str,
    said: str,
) -> None:  # fmt: skip
    answers = send_as_rater(rater, session, text)
    answers += send_as_script(script, open_study, text)
    for answer in answers:
        assert answer.status_code == 400
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert said in answer.json()["detail"]


def test_a_score_sent_twice_in_one_body_is_not_stored(
    rater: Client, session: Session
) -> None:
    sent = json.dumps(body(4)).replace('{"value": 4}', '{"value": 4, "value": 2}')
    url = f"/api/items/{current(session).token}/scores"
    answer = rater.put(url, sent, "application/json")
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    assert "“value” stands twice" in answer.json()["detail"]
    assert not Score.objects.exists()
    assert not Guess.objects.exists()
    assert not Problem.objects.exists()


def test_what_is_plain_is_read_as_ever() -> None:
    told = {"a": [{"b": {"c": [1, 2.5, None, True, "é \U0001f9e0"]}}] * 20}
    assert parsing.parse_text(json.dumps(told)) == told
    assert parsing.parse_text(json.dumps(told, ensure_ascii=False)) == told


def test_a_folder_of_paths_nested_too_deeply_is_refused(
    coordinator: Client, study: Study
) -> None:
    url = reverse("plan", args=[study.pk])
    assert coordinator.post(url, {"paths": DEEP[0]}).status_code == 400
