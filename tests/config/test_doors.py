"""Nobody ends at an empty page: not after signing in again, not at a form's address."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from ratings.models import Study
from tests.ratings.conftest import make_user


@pytest.fixture
def ada(db: None) -> User:
    return make_user("ada", staff=True)


@pytest.fixture
def study(ada: User) -> Study:
    return Study.objects.create(title="A", created_by=ada)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("http://testserver/studies/7/?part=2", "/studies/7/%3Fpart%3D2"),
        ("https://elsewhere.example/x", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_again_one_stands_where_the_form_was(
    client: Client, study: Study, before: str, after: str
) -> None:
    url = reverse("cases-import", args=[study.pk])
    answer = client.post(url, headers={"Referer": before})
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('account_login')}?next={after}"


def test_a_page_asked_for_is_where_one_stands_after_signing_in(
    client: Client, study: Study
) -> None:
    url = reverse("cases", args=[study.pk])
    assert client.get(url)["Location"].endswith(f"?next={url}")


def test_the_address_of_a_form_leads_on(client: Client, ada: User) -> None:
    client.force_login(ada)
    study = Study.objects.create(title="A", created_by=ada)
    url = reverse("cases-import", args=[study.pk])
    page = client.get(url)
    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert "only takes what a form sends" in page.text
    told = client.get(url, headers={"Accept": "application/json"})
    assert (told.status_code, told.content) == (405, b"")


def test_more_than_one_form_can_hold_is_a_sentence(client: Client, db: None) -> None:
    page = client.post(reverse("account_login"), {"x": [""] * 50_001})
    assert page.status_code == 400
    assert "nothing of it was stored" in page.text
    assert "Another address" not in page.text


@pytest.mark.parametrize("url", ["/nowhere/", "/studies/{}/cases/import"])
def test_a_page_of_a_fault_knows_who_is_signed_in(
    client: Client, study: Study, ada: User, url: str
) -> None:
    client.force_login(ada)
    page = client.get(url.format(study.pk))
    assert page.status_code in (404, 405)
    assert 'title="Your account' in page.text
    assert ">ada</a>" in page.text
    assert 'action="/accounts/logout/"' in page.text
    assert "csrfmiddlewaretoken" in page.text


def test_a_page_of_a_fault_offers_a_stranger_no_way_out(client: Client) -> None:
    page = client.get("/nowhere/")
    assert page.status_code == 404
    assert "Either no page has this address" in page.text
    assert "Sign out" not in page.text
    assert "<script" not in page.text


def test_a_fault_without_a_request_is_still_a_page() -> None:
    page = render_to_string("500.html")
    assert "A fault of the site" in page
    assert "Sign out" not in page
