"""An acknowledged score is never lost, changed, doubled or put on another item."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client

from ratings import reading
from ratings.models import Item, Problem, Score, Session, Study, ViewLog
from tests.ratings.conftest import end_collecting


def current(session: Session) -> Item:
    presentation = reading.open_presentations(session).first()
    assert presentation is not None
    return presentation.items.get()


def body(value: int | None = 4, **more: Any) -> dict[str, Any]:
    answer = {"value": value} if value is not None else {"reason": "Image unusable"}
    return {
        "client_key": str(uuid4()),
        "answers": {"quality": answer},
        "active_ms": 900,
        **more,
    }


def put(client: Client, token: str, data: dict[str, Any]) -> Any:
    return client.put(f"/api/items/{token}/scores", data, "application/json")


def test_a_score_is_stored_and_acknowledged(rater: Client, session: Session) -> None:
    item = current(session)
    answer = put(rater, item.token, body(4, comment="blurred"))
    assert answer.status_code == 200
    assert answer.json() == {
        "saved": True, "replay": False, "done": 1, "total": 12, "seconds_left": None,
        "practice": {"done": 0, "total": 0}, "reference": None,
    }  # fmt: skip
    score = Score.objects.get()
    assert (score.item, score.value, score.comment) == (item, 4, "blurred")
    assert ViewLog.objects.get().active_ms == 900


def test_the_same_request_again_changes_nothing(
    rater: Client, session: Session
) -> None:
    item, data = current(session), body(3)
    first, again = (put(rater, item.token, data) for _ in range(2))
    assert (first.json()["replay"], again.json()["replay"]) == (False, True)
    assert again.status_code == 200
    assert Score.objects.count() == 1
    assert ViewLog.objects.count() == 1


def test_a_key_can_not_be_used_for_another_answer(
    rater: Client, session: Session
) -> None:
    item, data = current(session), body(3)
    put(rater, item.token, data)
    changed = data | {"answers": {"quality": {"value": 5}}}
    assert put(rater, item.token, changed).status_code == 422
    assert put(rater, current(session).token, data).status_code == 422
    assert list(Score.objects.values_list("value", flat=True)) == [3]


@pytest.mark.parametrize("value", [0, 6, -1, 99])
def test_a_score_off_the_scale_is_refused(
    rater: Client, session: Session, value: int
) -> None:
    answer = put(rater, current(session).token, body(value))
    assert answer.status_code == 400
    assert answer.json()["detail"] == "The scale goes from 1 to 5."
    assert not Score.objects.exists()


@pytest.mark.parametrize(
    "answers",
    [
        {"quality": {}},
        {"quality": {"value": 3, "reason": "Image unusable"}},
        {"quality": {"value": 3.5}},
        {"quality": {"value": "good"}},
        {"other": {"value": 3}},
        {"quality": {"value": 3}, "other": {"value": 3}},
        {},
    ],
)
def test_half_or_double_answers_are_refused(
    rater: Client, session: Session, answers: dict[str, Any]
) -> None:
    data = body() | {"answers": answers}
    assert put(rater, current(session).token, data).status_code == 400
    assert not Score.objects.exists()


def test_a_rater_can_say_why_an_item_can_not_be_rated(
    rater: Client, session: Session
) -> None:
    assert put(rater, current(session).token, body(None)).status_code == 200
    score = Score.objects.get()
    assert (score.value, score.reason) == (None, "Image unusable")


def test_an_item_that_is_not_current_is_refused(
    rater: Client, session: Session
) -> None:
    later = session.presentations.order_by("-position")[0].items.get()
    answer = put(rater, later.token, body())
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    put(rater, current(session).token, body(2))
    done = session.presentations.order_by("position")[0].items.get()
    assert put(rater, done.token, body(5)).status_code == 409
    assert list(Score.objects.values_list("value", flat=True)) == [2]


def test_another_raters_item_is_as_unknown_as_none(
    other_rater: Client, session: Session
) -> None:
    foreign = put(other_rater, current(session).token, body())
    unknown = put(other_rater, "x" * 43, body())
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    assert not Score.objects.exists()


def test_a_closed_study_takes_no_scores(
    rater: Client, session: Session, open_study: Study, ada: User
) -> None:
    item = current(session)
    end_collecting(open_study, ada)
    assert put(rater, item.token, body()).status_code == 409
    assert not Score.objects.exists()


def test_rating_walks_through_all_items_in_the_stored_order(
    rater: Client, session: Session
) -> None:
    expected = [p.items.get().token for p in session.presentations.order_by("position")]
    seen = []
    while place := rater.get(f"/api/rate/{session.key}/next").json()["current"]:
        seen.append(place["items"][0]["token"])
        assert put(rater, seen[-1], body(1 + len(seen) % 5)).status_code == 200
    assert seen == expected
    assert len(seen) == 12


def test_looking_ahead_shows_one_item_and_no_more(
    rater: Client, session: Session
) -> None:
    place = rater.get(f"/api/rate/{session.key}/next").json()
    assert (place["current"]["position"], place["ahead"]["position"]) == (1, 2)
    tokens = [p.items.get().token for p in session.presentations.order_by("position")]
    for path in ("image", "mask"):
        codes = [rater.get(f"/api/items/{t}/{path}").status_code for t in tokens]
        assert codes == [200, 200] + [404] * 10


def test_the_remaining_time_follows_from_the_pace(
    rater: Client, session: Session
) -> None:
    for _ in range(3):
        put(rater, current(session).token, body(3, active_ms=20_000))
    assert rater.get(f"/api/rate/{session.key}/").json()["seconds_left"] == 180


def test_a_problem_reaches_the_coordinator(rater: Client, session: Session) -> None:
    data = {"token": current(session).token, "text": "The image stays black."}
    url = f"/api/rate/{session.key}/problem"
    assert rater.post(url, data, "application/json").status_code == 200
    assert Problem.objects.get().text == "The image stays black."
    # It is of this session's masks, so another session of one's own takes none.
    later = Session.objects.create(enrolment=session.enrolment, number=2)
    url = f"/api/rate/{later.key}/problem"
    assert rater.post(url, data, "application/json").status_code == 404
    assert Problem.objects.count() == 1


@pytest.mark.parametrize(
    ("value", "reason"), [(None, ""), (3, "Image unusable")], ids=["neither", "both"]
)
def test_the_database_itself_wants_a_value_or_a_reason(
    session: Session, value: int | None, reason: str
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Score.objects.create(
            item=current(session), question="quality", value=value,
            reason=reason, client_key=uuid4(), by=session.enrolment.user,
        )  # fmt: skip


def test_the_database_keeps_one_first_score_an_item(session: Session) -> None:
    facts = {"item": current(session), "by": session.enrolment.user}
    Score.objects.create(**facts, question="quality", value=3, client_key=uuid4())
    with pytest.raises(IntegrityError), transaction.atomic():
        Score.objects.create(**facts, question="quality", value=4, client_key=uuid4())


@pytest.mark.django_db(transaction=True)
def test_simultaneous_saves_of_one_item_store_one(
    rater: Client, session: Session
) -> None:
    item, same = current(session), body(4)
    bodies = [same, same, body(2), body(5)]
    codes: list[int] = []

    def send(data: dict[str, Any]) -> None:
        client = Client()
        client.cookies = rater.cookies
        try:
            codes.append(put(client, item.token, data).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(data,)) for data in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 4
    assert set(codes) <= {200, 409}
    assert Score.objects.count() == 1
    assert Score.objects.get().value in {4, 2, 5}
