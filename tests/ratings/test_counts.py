"""Every page that says how far a study is says the same, practice counted apart."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import protocol
from ratings.models import Enrolment, Session, Study
from ratings.withdrawing import withdraw_rater
from tests.ratings.conftest import sign_in
from tests.ratings.test_practice import learning, rate

__all__ = ["learning"]


@pytest.fixture
def begun(learning: Study) -> Study:
    """Both practice items and one of the two other masks are rated."""
    user = User.objects.get(first_name="rhea")
    session = Session.objects.get(enrolment__user=user)
    practised = [rate(sign_in(user), session, 3) for _ in range(3)]
    assert practised == [True, True, False]
    return learning


def read(client: Client, name: str, study: Study) -> str:
    return client.get(reverse(name, args=[study.pk])).content.decode()


def test_the_column_at_the_side_counts_as_the_monitor_beside_it(
    begun: Study, coordinator: Client
) -> None:
    text = read(coordinator, "monitor", begun)
    assert text.count("1 / 2 rated") == 2
    assert "practice 2 / 2" in text
    assert "3 / 4 rated" not in text, "practice is none of it"


def test_the_list_of_studies_counts_as_the_monitor(
    begun: Study, coordinator: Client
) -> None:
    text = coordinator.get(reverse("home")).content.decode()
    assert "1 / 2 items rated" in text


def test_what_who_left_did_not_rate_is_counted_nowhere(
    begun: Study, coordinator: Client, ada: User
) -> None:
    rhea = Enrolment.objects.get(study=begun, user__first_name="rhea")
    withdraw_rater(enrolment=rhea, actor=ada, reason="Ill.")
    assert read(coordinator, "monitor", begun).count("1 / 1 rated") == 2


def test_closing_asks_about_missing_scores_and_practice_is_none(
    learning: Study, coordinator: Client, ada: User
) -> None:
    user = User.objects.get(first_name="rhea")
    assert rate(sign_in(user), Session.objects.get(enrolment__user=user), 3)
    text = read(coordinator, "close", learning)
    assert "2 of 2 items are not rated yet" in text
    assert "2 scores are missing" in text
    protocol.close(study=learning, actor=ada, dispositions={"R01": "Ran out of time."})
    entry = learning.audit.get(verb="closed")
    assert entry.payload["missing"] == 2
    assert entry.payload["dispositions"]["R01"]["missing"] == 2
    assert "with 2 items unrated" in read(coordinator, "monitor", learning)
    assert "2 of 2 items were never rated" in read(coordinator, "unblind", learning)
