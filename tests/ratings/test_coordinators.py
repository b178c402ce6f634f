"""A colleague is made coordinator of a study, on record, and can then be the second."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from ratings.models import Study
from tests.ratings.conftest import make_user, sign_in

PASSWORD = "a long enough password"


@pytest.fixture
def grace(db: None) -> User:
    """Coordinates elsewhere on the site."""
    return make_user("grace", staff=True)


def add(client: Client, study: Study, email: str) -> str:
    url = reverse("colleague-add", args=[study.pk])
    return client.post(
        url, {"colleague": email, "role": "coordinator"}, follow=True
    ).text


def coordinates(user: User, study: Study) -> bool:
    return study.enrolments.filter(user=user, role="coordinator").exists()


def test_a_colleague_is_added_on_record_and_finds_the_study(
    study: Study, coordinator: Client, grace: User
) -> None:
    page = add(coordinator, study, " Grace@Example.org ")
    assert "grace coordinates this study too." in page
    assert coordinates(grace, study)
    entry = study.audit.get(verb="add_coordinator")
    assert entry.actor == f"person-{study.created_by_id}"
    assert entry.payload == {"coordinator": f"person-{grace.pk}"}
    assert sign_in(grace).get(reverse("cases", args=[study.pk])).status_code == 200


def test_two_coordinators_open_a_running_study_after_the_second_was_added(
    open_study: Study, coordinator: Client, grace: User
) -> None:
    cache.clear()
    url = reverse("break-glass", args=[open_study.pk])
    page = coordinator.get(url).text
    assert reverse("raters", args=[open_study.pk]) + "#coordinators" in page
    add(coordinator, open_study, grace.email)
    assert "A second coordinator is needed" not in coordinator.get(url).text
    coordinator.post(
        url,
        {
            "title": "Cord lesions", "reason": "A finding.", "password": PASSWORD,
            "witness": grace.email, "witness_password": PASSWORD,
        },
    )  # fmt: skip
    assert Study.objects.get(pk=open_study.pk).state == "unblinded"


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("rhea@example.org", "is already part of this study"),
        ("nobody@example.org", "Give the name as well"),
        ("ada@example.org", "is already part of this study"),
        ("no address", "This is not an e-mail address"),
        ("", "Give the colleague"),
    ],
)
def test_raters_strangers_and_those_who_are_in_are_not_added(
    open_study: Study, coordinator: Client, email: str, said: str
) -> None:
    before = open_study.enrolments.count()
    assert said in add(coordinator, open_study, email)
    assert open_study.enrolments.count() == before
    assert not open_study.audit.filter(verb="add_coordinator").exists()


def test_a_rater_on_the_staff_stays_a_rater(
    open_study: Study, coordinator: Client
) -> None:
    rhea = User.objects.get(first_name="rhea")
    rhea.is_staff = True
    rhea.save()
    assert "is already part of this study" in add(coordinator, open_study, rhea.email)
    assert not coordinates(rhea, open_study)


def test_nobody_else_adds_a_coordinator(
    open_study: Study, rater: Client, outsider: Client, grace: User
) -> None:
    url = reverse("colleague-add", args=[open_study.pk])
    for client in (rater, outsider, Client()):
        answer = client.post(url, {"colleague": grace.email})
        assert answer.status_code in (302, 404)
    assert not coordinates(grace, open_study)
