"""The coordinator sees practice beside the references, none of the study's scores."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ratings import invitations, protocol
from ratings.models import Session, Study
from ratings.practice import summarise_practice
from tests.ratings.conftest import AddCases, make_user, sign_in

REFERENCES = [
    {"case": "C001", "arm": "model", "values": {"quality": 4}, "note": "CANARY_NOTE"},
    {"case": "C002", "arm": "manual", "values": {"quality": 2}, "note": ""},
]


@pytest.fixture
def learning(study: Study, ada: User, add_cases: AddCases) -> Study:
    """Two practice items, one rater, open for rating."""
    add_cases(3)
    invitations.add_rater(
        study=study, actor=ada, name="rhea", email=make_user("rhea").email
    )
    study.design |= {"min_distance": 1, "calibration": REFERENCES}
    study.save()
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    return study


def rate(client: Client, session: Session, value: int) -> bool:
    """The current item; True where it was practice."""
    place = client.get(f"/api/rate/{session.key}/next").json()["current"]
    body = {"client_key": str(uuid4()), "answers": {"quality": {"value": value}}}
    path = f"/api/items/{place['items'][0]['token']}/scores"
    assert client.put(path, body, "application/json").status_code == 200
    return bool(place["practice"])


def test_practice_is_shown_by_number_beside_the_references(
    learning: Study, coordinator: Client
) -> None:
    page = f"/studies/{learning.pk}/monitor/"
    assert "Nobody has answered a practice item yet." in (
        coordinator.get(page).content.decode()
    )
    user = User.objects.get(first_name="rhea")
    session = Session.objects.get(enrolment__user=user)
    assert rate(sign_in(user), session, 3)
    assert rate(sign_in(user), session, 3)
    assert not rate(sign_in(user), session, 5), "a score of the study itself"
    (lesson,) = summarise_practice(learning)
    assert lesson.references == (4, 2)
    (row,) = lesson.rows
    assert (row.values, row.exact, row.within_one) == ((3, 3), 0, 2)
    text = coordinator.get(page).content.decode()
    assert "Practice 2" in text
    section = text.partition('id="practice"')[2].partition("</section>")[0]
    assert not [word for word in ("C001", "model", "manual") if word in section]
    assert ">5<" not in section


def test_a_study_without_practice_has_no_such_table(
    open_study: Study, coordinator: Client
) -> None:
    assert summarise_practice(open_study) == []
    text = coordinator.get(f"/studies/{open_study.pk}/monitor/").content.decode()
    assert 'id="practice"' not in text
