"""Opening the key: name, reason and password; early only by two; always for good."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from ratings import blinding, erasing, protocol
from ratings.blinding import StillBlind
from ratings.models import Enrolment, Study
from ratings.protocol import ProtocolError, Witness
from tests.ratings.conftest import end_collecting, make_user

PASSWORD = "a long enough password"
FORM = {"title": "Cord lesions", "reason": "Rating is over.", "password": PASSWORD}


@pytest.fixture(autouse=True)
def fresh_counts(db: None) -> None:
    """Tries of other tests do not count."""
    cache.clear()


@pytest.fixture
def closed(open_study: Study, ada: User) -> Study:
    end_collecting(open_study, ada)
    return open_study


@pytest.fixture
def grace(open_study: Study) -> User:
    """A second coordinator."""
    grace = make_user("grace", staff=True)
    Enrolment.objects.create(
        study=open_study, user=grace, role=Enrolment.Role.COORDINATOR
    )
    return grace


def state(study: Study) -> str:
    return Study.objects.get(pk=study.pk).state


def test_unblinding_says_what_follows_and_leads_to_the_results(
    closed: Study, coordinator: Client
) -> None:
    url = reverse("unblind", args=[closed.pk])
    assert "Unblinding can't be undone." in coordinator.get(url).text
    answer = coordinator.post(url, FORM)
    assert answer.headers["Location"] == reverse("results", args=[closed.pk])
    assert state(closed) == "unblinded"
    entry = closed.audit.get(verb="unblinded")
    assert entry.payload == {
        "reason": "Rating is over.", "missing": 24, "early": False, "witness": None,
    }  # fmt: skip
    assert closed.signatures.get().meaning == "unblind"
    assert protocol.tell_unblinding(closed) == ""


@pytest.mark.parametrize(
    "wrong",
    [{"title": "something else"}, {"reason": " "}, {"password": "not the right one"}],
    ids=["name", "reason", "password"],
)
def test_without_name_reason_and_password_the_key_stays_shut(
    closed: Study, coordinator: Client, wrong: dict[str, str]
) -> None:
    coordinator.post(reverse("unblind", args=[closed.pk]), FORM | wrong)
    assert state(closed) == "closed"
    assert not closed.signatures.exists()
    with pytest.raises(StillBlind):
        blinding.unseal(Study.objects.get(pk=closed.pk))


def test_passwords_can_not_be_tried_without_end(
    closed: Study, coordinator: Client
) -> None:
    url = reverse("unblind", args=[closed.pk])
    for n in range(10):
        coordinator.post(url, FORM | {"password": f"guess number {n}"})
    assert "Too many tries" in coordinator.post(url, FORM).text
    assert state(closed) == "closed"


def early(grace: User) -> dict[str, Any]:
    return FORM | {
        "reason": "A finding that a rater must know.",
        "witness": grace.email, "witness_password": PASSWORD,
    }  # fmt: skip


def test_two_coordinators_can_open_a_running_study(
    open_study: Study, coordinator: Client, grace: User
) -> None:
    coordinator.post(reverse("break-glass", args=[open_study.pk]), early(grace))
    assert state(open_study) == "unblinded"
    said = protocol.tell_unblinding(open_study)
    assert said.startswith("UNBLINDED BEFORE THE END on ")
    assert "ada and grace, with 24 scores missing" in said
    assert "A finding that a rater must know." in said
    signed = set(open_study.signatures.values_list("by__first_name", "meaning"))
    assert signed == {("ada", "unblind"), ("grace", "witness")}
    why = open_study.audit.get(verb="closed").payload["dispositions"]["R01"]["why"]
    assert why.startswith("The key was opened before the end")


@pytest.mark.parametrize("wrong", ["alone", "stranger", "rater", "password"])
def test_nobody_opens_a_running_study_alone(
    open_study: Study, coordinator: Client, grace: User, ada: User, wrong: str
) -> None:
    changes = {
        "alone": {"witness": ada.email},
        "stranger": {"witness": make_user("olga", staff=True).email},
        "rater": {"witness": "rhea@example.org"},
        "password": {"witness_password": "not the right one"},
    }
    form = early(grace) | changes[wrong]
    answer = coordinator.post(reverse("break-glass", args=[open_study.pk]), form)
    assert answer.status_code == 200
    assert state(open_study) == "collecting"
    assert not open_study.signatures.exists()


def test_the_rule_of_two_holds_below_the_page(
    open_study: Study, ada: User, grace: User
) -> None:
    for person, password in ((ada, PASSWORD), (grace, "not the right one")):
        with pytest.raises(ProtocolError):
            protocol.break_glass(
                study=open_study, actor=ada, typed_title="Cord lesions",
                reason="An emergency.", password=PASSWORD,
                witness=Witness(person, password),
            )  # fmt: skip
    assert state(open_study) == "collecting"
    assert not open_study.signatures.exists()


def test_a_single_coordinator_is_told_what_is_needed(
    open_study: Study, coordinator: Client
) -> None:
    page = coordinator.get(reverse("break-glass", args=[open_study.pk])).text
    assert "A second coordinator is needed" in page


def test_a_colleague_who_was_erased_is_no_second_coordinator(
    open_study: Study, coordinator: Client, grace: User
) -> None:
    url = reverse("break-glass", args=[open_study.pk])
    assert "A second coordinator is needed" not in coordinator.get(url).text
    erasing.erase(user=grace, actor=grace)
    assert "A second coordinator is needed" in coordinator.get(url).text
