"""Every address by every method and person: no fault, no change by strangers."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import get_resolver

from ratings import access
from ratings.models import Enrolment, Session, Study
from tests.ratings.conftest import make_user, sign_in
from tests.ratings.test_permissions import PAGES, address, list_patterns

pytestmark = pytest.mark.any_database

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
REFUSED = (400, 401, 403, 404, 405, 415, 423)
# An outsider on the staff may make studies of their own here; that needs a valid form.
OWN = (
    "account",
    "account-erase",
    "devices-end",
    "home",
    "study-new",
    "move-new",
    "models",
    "models-list",
    "monitor-progress",
    "stay-signed-in",
    "tokens",
)


@pytest.fixture
def people(
    open_study: Study, coordinator: Client, rater: Client, other_rater: Client,
    outsider: Client,
) -> dict[str, Client]:  # fmt: skip
    """Whoever may knock; the statistician has a part but nothing to change."""
    sue = make_user("sue")
    Enrolment.objects.create(study=open_study, user=sue, role="statistician")
    found = {
        "coordinator": coordinator, "statistician": sign_in(sue), "rater": rater,
        "other rater": other_rater, "outsider": outsider, "nobody": Client(),
    }  # fmt: skip
    for client in found.values():
        client.raise_request_exception = False
    return found


def take_stock() -> dict[str, list[Any]]:
    """Every row of the study, of its record and of the accounts."""
    models: list[Any] = [*apps.get_app_config("ratings").get_models(), User]
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in models
    }


def knock(client: Client, url: str, method: str) -> Any:
    cache.clear()
    if method in ("get", "head", "options"):
        return getattr(client, method)(url)
    if url.startswith("/api/"):
        return getattr(client, method)(url, {}, "application/json")
    return getattr(client, method)(url)


NAMES = sorted({p.name for p in list_patterns(get_resolver()) if p.name})


@pytest.mark.parametrize("name", NAMES)
def test_no_method_makes_a_fault_or_lets_a_stranger_change_anything(
    people: dict[str, Client], open_study: Study, session: Session, name: str
) -> None:
    """Strangers come first, so that what they find is untouched."""
    assert name in PAGES
    url = address(name, open_study, session)
    try_strangers(people, name, url)
    for who in ("rater", "coordinator"):
        for method in METHODS:
            assert knock(people[who], url, method).status_code < 500, (who, method)


def try_strangers(people: dict[str, Client], name: str, url: str) -> None:
    before = take_stock()
    for who in ("nobody", "outsider", "other rater", "statistician"):
        for method in METHODS:
            status = knock(people[who], url, method).status_code
            assert status < 500, (who, method)
            if method in METHODS[1:5] and name not in OWN:
                # Nobody in particular is led to the page for signing in.
                allowed = (302, *REFUSED) if who == "nobody" else REFUSED
                assert status in allowed, (who, method, status)
    assert take_stock() == before


def test_a_door_left_open_is_noticed(
    people: dict[str, Client], open_study: Study, session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The check can fail: here the statistician was given the coordinator's acts."""
    both = access.ACTS["edit"] | {"statistician"}
    monkeypatch.setitem(access.ACTS, "lock", both)
    url = address("blinding-audit", open_study, session)
    with pytest.raises(AssertionError):
        try_strangers(people, "blinding-audit", url)


@pytest.mark.parametrize(
    "url",
    ["/api/", "/api/schema/", "/api/items/", "/api/rate/", "/api/docs", "/admin/",
     "/openapi.json"],
)  # fmt: skip
@pytest.mark.parametrize("method", METHODS)
def test_there_is_no_list_of_the_interface(
    people: dict[str, Client], url: str, method: str
) -> None:
    for client in people.values():
        assert getattr(client, method)(url).status_code == 404
    answer = people["rater"].get(url, headers={"Accept": "text/html"})
    assert answer.status_code == 404


@pytest.mark.parametrize("method", METHODS)
def test_who_rates_finds_no_description_and_it_never_tells_of_rating(
    people: dict[str, Client], method: str
) -> None:
    for who in ("rater", "other rater"):
        assert getattr(people[who], method)("/api/schema").status_code == 404
    assert getattr(people["nobody"], method)("/api/schema").status_code == 401
    told = people["coordinator"].get("/api/schema").text
    assert "/api/studies" in told
    assert "/api/items" not in told
    assert "/api/rate" not in told


def test_no_answer_of_the_interface_is_a_page_to_browse(
    people: dict[str, Client], session: Session
) -> None:
    for word in ("", "?format=api", "?format=html"):
        answer = people["rater"].get(
            f"/api/rate/{session.key}/{word}", headers={"Accept": "text/html"}
        )
        assert "html" not in answer.headers.get("Content-Type", "") or (
            answer.status_code == 404
        )
        described = people["rater"].options(f"/api/rate/{session.key}/{word}")
        assert "actions" not in described.text
