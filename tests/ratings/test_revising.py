"""Given answers can be looked at and changed until they are signed, where agreed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from ratings import blinding, invitations, protocol
from ratings.models import Score, Session, Signature, Study
from tests.ratings.conftest import AddCases, make_user, sign_in

PASSWORD = "a long enough password"
Begin = Callable[..., tuple[Client, Session]]


@pytest.fixture(autouse=True)
def no_throttle_left(db: None) -> None:
    cache.clear()


@pytest.fixture
def begin(study: Study, ada: User, add_cases: AddCases) -> Begin:
    """A rater at the start of an open study of three cases with that design."""

    def begin_with(**design: Any) -> tuple[Client, Session]:
        add_cases(3)
        user = make_user("rhea")
        invitations.add_rater(study=study, actor=ada, name="rhea", email=user.email)
        study.design.update({"min_distance": 2, **design})
        study.save()
        protocol.lock(study=study, actor=ada)
        protocol.open_study(study=study, actor=ada)
        return sign_in(user), Session.objects.get(enrolment__user=user, number=1)

    return begin_with


def answer(value: int, **more: Any) -> dict[str, Any]:
    return {
        "client_key": str(uuid4()),
        "answers": {"quality": {"value": value}},
        **more,
    }


def put(client: Client, token: str, data: dict[str, Any]) -> Any:
    return client.put(f"/api/items/{token}/scores", data, "application/json")


def rate_all(client: Client, session: Session, value: int = 3) -> None:
    while place := client.get(f"/api/rate/{session.key}/next").json()["current"]:
        for item in place["items"]:
            assert put(client, item["token"], answer(value)).status_code == 200


def sign(client: Client, session: Session, password: str) -> Any:
    url = f"/api/rate/{session.key}/sign"
    return client.post(url, {"password": password}, "application/json")


def review(client: Client, session: Session) -> Any:
    return client.get(f"/api/rate/{session.key}/review")


def test_answers_are_listed_by_number_and_nothing_tells_their_case(
    begin: Begin,
) -> None:
    client, session = begin(edit_policy="revisable")
    rate_all(client, session)
    given = review(client, session).json()["given"]
    assert [row["position"] for row in given] == [1, 2, 3, 4, 5, 6]
    first = {"revision": 1, "answers": {"quality": {"value": 3}}}
    assert given[0]["given"] == [first | {"comment": "", "marks": []}]
    told = {"position", "practice", "items", "plane", "second", "given"}
    assert all(row.keys() <= told | {"zoom_mm"} for row in given)
    tokens = [item["token"] for row in given for item in row["items"]]
    assert len(set(tokens)) == 6


def test_a_change_starts_from_the_revision_that_was_seen(begin: Begin) -> None:
    client, session = begin(edit_policy="revisable")
    rate_all(client, session)
    token = review(client, session).json()["given"][0]["items"][0]["token"]
    assert put(client, token, answer(5, base_revision=1)).status_code == 200
    row = review(client, session).json()["given"][0]["given"][0]
    assert (row["revision"], row["answers"]) == (2, {"quality": {"value": 5}})
    late = put(client, token, answer(1, base_revision=1))
    assert late.status_code == 409
    assert late.json()["stored"]["answers"]["quality"]["value"] == 5
    assert late.json()["sent"]["answers"]["quality"]["value"] == 1


def test_a_changed_score_took_the_time_of_all_looks(begin: Begin, ada: User) -> None:
    client, session = begin(edit_policy="revisable")
    while place := client.get(f"/api/rate/{session.key}/next").json()["current"]:
        put(client, place["items"][0]["token"], answer(3, active_ms=40_000))
    token = review(client, session).json()["given"][0]["items"][0]["token"]
    put(client, token, answer(5, base_revision=1, active_ms=2_500))
    study = session.enrolment.study
    protocol.close(study=study, actor=ada, unfinished=["R01"])
    protocol.unblind(study=study, actor=ada, typed_title=study.title)
    study.refresh_from_db()
    rows = [(row.value, row.seconds) for row in blinding.unseal(study)]
    assert sorted(rows) == [(3, 40.0)] * 5 + [(5, 42.5)]


def test_a_password_is_not_guessed_by_signing(begin: Begin) -> None:
    client, session = begin()
    rate_all(client, session)
    said = [sign(client, session, f"guess {n}").json()["detail"] for n in range(12)]
    assert "not your password" in said[0]
    assert "Too many tries" in said[-1]
    assert sign(client, session, PASSWORD).status_code == 409
    assert not Signature.objects.exists()
    cache.clear()
    assert sign(client, session, PASSWORD).status_code == 200


def test_a_first_answer_that_came_second_is_told_both(begin: Begin) -> None:
    client, session = begin()
    token = client.get(f"/api/rate/{session.key}/next").json()["current"]["items"][0][
        "token"
    ]
    put(client, token, answer(4))
    late = put(client, token, answer(2))
    assert late.status_code == 409
    assert late.json()["stored"]["answers"]["quality"]["value"] == 4
    assert Score.objects.count() == 1


def test_final_scores_are_not_listed_for_a_change(begin: Begin) -> None:
    client, session = begin()
    rate_all(client, session)
    assert review(client, session).status_code == 409


def test_signing_off_needs_the_password_and_ends_all_changes(begin: Begin) -> None:
    client, session = begin(edit_policy="revisable")
    assert sign(client, session, PASSWORD).status_code == 409
    rate_all(client, session)
    token = review(client, session).json()["given"][0]["items"][0]["token"]
    assert sign(client, session, "not the password").status_code == 409
    assert not Signature.objects.filter(session=session).exists()
    assert sign(client, session, PASSWORD).json() == {"signed": True}
    assert client.get(f"/api/rate/{session.key}/").json()["signed"] is True
    assert review(client, session).status_code == 409
    assert put(client, token, answer(1, base_revision=1)).status_code == 409


def test_whoever_left_after_the_last_item_finds_the_way_to_sign_and_to_the_sources(
    begin: Begin,
) -> None:
    client, session = begin(edit_policy="revisable", guess="end", session_maximum=3)
    second = session.enrolment.sessions.get(number=2)
    for part in (session, second):
        rate_all(client, part)
    for part in (session, second):
        row = client.get("/").context["ratings"][0]
        assert (row.verb, row.key, row.open) == ("Sign off", part.key, True)
        sign(client, part, PASSWORD)
    page = client.get("/")
    assert "Answer the last questions" in page.text
    assert f"/rate/{second.key}/" in page.text
    url = f"/api/rate/{second.key}/guesses"
    while asked := client.get(url).json()["current"]:
        token = asked["items"][0]["token"]
        told = {"guess": "unsure"}
        client.put(f"/api/items/{token}/guess", told, "application/json")
    assert "All rated. Thank you." in client.get("/").text


def test_what_is_wrong_is_stored_where_the_study_asks(begin: Begin) -> None:
    client, session = begin(structured_reasons=True)
    study = client.get(f"/api/rate/{session.key}/").json()
    assert [mark["key"] for mark in study["marks"]][:2] == ["missed", "false"]
    token = client.get(f"/api/rate/{session.key}/next").json()["current"]["items"][0][
        "token"
    ]
    assert put(client, token, answer(2, marks=["missed"])).status_code == 200
    assert Score.objects.get().marks == ["missed"]


def test_practice_tells_its_reference_only_after_the_answer(begin: Begin) -> None:
    reference = {"case": "C001", "arm": "model", "values": {"quality": 4}, "note": "ok"}
    client, session = begin(calibration=[reference])
    assert client.get(f"/api/rate/{session.key}/").json()["learned"] == []
    place = client.get(f"/api/rate/{session.key}/next").json()
    assert place["current"]["practice"]
    assert place["practice"] == {"done": 0, "total": 1}
    assert "reference" not in str(place)
    token = place["current"]["items"][0]["token"]
    told = put(client, token, answer(2)).json()
    assert told["reference"] == {"values": {"quality": 4}, "note": "ok"}
    assert (told["done"], told["practice"]["done"]) == (0, 1)
    learned = client.get(f"/api/rate/{session.key}/").json()["learned"]
    assert learned[0]["own"] == {"quality": 2}
    place = client.get(f"/api/rate/{session.key}/next").json()
    assert (place["current"]["position"], place["current"]["practice"]) == (1, False)
    main = put(client, place["current"]["items"][0]["token"], answer(2)).json()
    assert main["reference"] is None


def test_a_later_session_waits_for_the_one_before(begin: Begin) -> None:
    client, first = begin(session_maximum=3)
    second = first.enrolment.sessions.get(number=2)
    told = client.get(f"/api/rate/{first.key}/").json()["session"]
    none = {"of": 2, "unsigned": None}
    assert told == none | {"number": 1, "next": second.key, "before": ""}
    told = client.get(f"/api/rate/{second.key}/").json()["session"]
    assert told == none | {"number": 2, "next": "", "before": first.key}
    ahead = second.presentations.first()
    assert ahead is not None
    token = ahead.items.get().token
    assert client.get(f"/api/rate/{second.key}/next").json()["current"] is None
    assert client.get(f"/api/items/{token}/mask").status_code == 404
    assert put(client, token, answer(3)).status_code == 409
    rate_all(client, first)
    assert client.get(f"/api/rate/{second.key}/next").json()["current"]["position"] == 1
    assert client.get(f"/api/items/{token}/mask").status_code == 200
