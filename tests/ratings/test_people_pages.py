from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ratings import invitations, raters
from ratings.models import Enrolment, Invitation, Study
from tests.ratings.conftest import make_user, sign_in

pytestmark = pytest.mark.django_db
PASSWORD = "a quiet spinal cord"


@pytest.fixture
def url(study: Study) -> str:
    return reverse("raters", args=[study.pk])


def text(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def add(client: Client, url: str, name: str = "Rhea Ray", email: str = "") -> str:
    """The page after adding, which shows the link."""
    form = {"name": name, "email": email or f"{name.split()[0].lower()}@example.org"}
    return client.post(url, form, follow=True).content.decode()


def find_link(page: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/join/[\w-]{43})", page)
    assert found, "the page shows no link"
    return found.group(1)


def join(link: str) -> Client:
    client = Client()
    response = client.post(link, {"password": PASSWORD, "again": PASSWORD})
    assert response.status_code == 302
    return client


def rater_url(name: str, study: Study) -> str:
    return reverse(name, args=[study.pk, study.enrolments.get(role="rater").pk])


def test_an_empty_page_says_what_it_will_show(coordinator: Client, url: str) -> None:
    assert "No rater yet" in text(coordinator, url)


def test_adding_a_rater_shows_a_working_link_once(
    coordinator: Client, url: str, study: Study
) -> None:
    page = add(coordinator, url)
    link = find_link(page)
    assert "R01" in page
    assert "Link for Rhea Ray" in page
    assert "/join/" not in text(coordinator, url)
    assert Client().get(link).status_code == 200
    assert study.audit.get(verb="add_rater").payload == {"code": "R01"}


def test_the_page_with_the_link_is_not_cached(coordinator: Client, url: str) -> None:
    add(coordinator, url)
    assert "no-store" in coordinator.get(url).headers["Cache-Control"]


def test_the_link_is_shown_to_nobody_else(
    coordinator: Client, url: str, study: Study
) -> None:
    second = make_user("bob", staff=True)
    Enrolment.objects.create(study=study, user=second, role="coordinator")
    form = {"name": "Rhea", "email": "rhea@example.org"}
    coordinator.post(url, form)
    assert "/join/" not in text(sign_in(second), url)
    find_link(text(coordinator, url))


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": "", "email": "a@example.org"}, "Give the rater&#x27;s name."),
        ({"name": "Rhea", "email": ""}, "Give the rater&#x27;s e-mail address."),
        ({"name": "Rhea", "email": "rhea"}, "This is not an e-mail address"),
    ],
)
def test_what_is_wrong_is_said(
    coordinator: Client, url: str, form: dict[str, str], sentence: str
) -> None:
    assert sentence in coordinator.post(url, form).content.decode()
    assert not Enrolment.objects.filter(role="rater").exists()


def test_nobody_is_added_twice(coordinator: Client, url: str) -> None:
    add(coordinator, url)
    again = add(coordinator, url, name="Rhea Again", email="RHEA@example.org")
    assert "rhea@example.org is already part of this study." in again
    assert Enrolment.objects.filter(role="rater").count() == 1


def test_names_are_shown_as_text(coordinator: Client, url: str) -> None:
    page = add(coordinator, url, name="<b>Rhea</b>", email="r@example.org")
    assert "&lt;b&gt;Rhea&lt;/b&gt;" in page
    assert "<b>Rhea</b>" not in page


def test_a_new_link_replaces_the_former_one(
    coordinator: Client, url: str, study: Study
) -> None:
    old = find_link(add(coordinator, url))
    page = coordinator.post(rater_url("rater-link", study), follow=True)
    new = find_link(page.content.decode())
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200


def test_the_page_says_who_has_joined(coordinator: Client, url: str) -> None:
    link = find_link(add(coordinator, url))
    assert "Invited, link valid until" in text(coordinator, url)
    join(link)
    page = text(coordinator, url)
    assert "Joined" in page
    assert "New link" not in page


def test_an_expired_link_is_said(coordinator: Client, url: str) -> None:
    add(coordinator, url)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert "Link expired" in text(coordinator, url)


def test_someone_with_an_account_needs_no_link(coordinator: Client, url: str) -> None:
    make_user("rhea")
    assert "Has an account already" in add(coordinator, url)


@pytest.mark.parametrize(
    ("typed", "told"), [("Rolf Radiologe", True), ("Robin  rater", False)]
)
def test_an_address_with_an_account_keeps_its_name_and_says_so(
    coordinator: Client, url: str, study: Study, typed: str, told: bool
) -> None:
    User.objects.create_user(
        "r@example.org", "r@example.org", first_name="Robin", last_name="Rater"
    )
    page = add(coordinator, url, name=typed, email="r@example.org")
    said = "This address has an account already; its name, Robin Rater, is used."
    assert (said in page) is told
    assert "Link for Robin Rater" in page


def test_a_new_address_takes_the_name_that_was_typed(
    coordinator: Client, url: str
) -> None:
    page = add(coordinator, url, name=" Rhea  Ray ", email="new@example.org")
    assert "has an account already" not in page
    assert "Link for Rhea" in page


def test_a_colleague_s_other_name_is_told_too(
    coordinator: Client, study: Study
) -> None:
    make_user("carl")
    form = {"colleague": "carl@example.org", "name": "Cora", "role": "statistician"}
    url = reverse("colleague-add", args=[study.pk])
    page = coordinator.post(url, form, follow=True).content.decode()
    assert "its name, carl, is used." in page


def test_removing_names_the_consequence_and_forgets_who_never_came(
    coordinator: Client, url: str, study: Study
) -> None:
    link = find_link(add(coordinator, url))
    place = rater_url("rater-remove", study)
    assert "link stops working" in text(coordinator, place)
    assert Enrolment.objects.filter(role="rater").count() == 1
    coordinator.post(place)
    assert not Enrolment.objects.filter(role="rater").exists()
    assert not User.objects.filter(email="rhea@example.org").exists()
    assert Client().get(link).status_code == 404
    assert study.audit.filter(verb="remove_rater").exists()


def test_the_code_of_a_removed_rater_is_given_to_nobody_else(
    coordinator: Client, url: str, study: Study
) -> None:
    add(coordinator, url)
    coordinator.post(rater_url("rater-remove", study))
    add(coordinator, url)
    assert study.enrolments.get(role="rater").code == "R02"


def test_removing_keeps_the_account_of_who_has_one(
    coordinator: Client, url: str, study: Study
) -> None:
    make_user("rhea")
    add(coordinator, url)
    coordinator.post(rater_url("rater-remove", study))
    assert User.objects.filter(email="rhea@example.org").exists()


def test_after_locking_no_rater_is_removed_and_one_comes_with_a_reason_only(
    coordinator: Client, open_study: Study, rater: Client
) -> None:
    url = reverse("raters", args=[open_study.pk])
    enrolment = open_study.enrolments.get(code="R01")
    page = add(coordinator, url, name="Late")
    assert "Say why a rater is added after the lock." in page
    removal = reverse("rater-remove", args=[open_study.pk, enrolment.pk])
    assert (
        "so its raters are fixed"
        in coordinator.post(removal, follow=True).content.decode()
    )
    assert open_study.enrolments.filter(role="rater").count() == 2
    assert "Remove…" not in text(coordinator, url)


def test_a_forgotten_password_is_replaced_by_a_new_link(
    coordinator: Client, url: str, study: Study
) -> None:
    browser = join(find_link(add(coordinator, url)))
    assert browser.get("/").status_code == 200
    place = rater_url("rater-reset", study)
    assert "Scores are kept" in " ".join(text(coordinator, place).split())
    assert browser.get("/").status_code == 200
    link = find_link(coordinator.post(place, follow=True).content.decode())
    assert browser.get("/").status_code == 302
    assert join(link).get("/").status_code == 200
    assert study.audit.filter(verb="reset_password").exists()


def test_a_coordinator_cannot_reset_a_colleague(
    coordinator: Client, url: str, study: Study, ada: User
) -> None:
    bob = make_user("bob", staff=True)
    add(coordinator, url, name="Bob", email="bob@example.org")
    assert "Reset password" not in text(coordinator, url)
    response = coordinator.post(rater_url("rater-reset", study), follow=True)
    assert "only the operator can reset" in response.content.decode()
    bob.refresh_from_db()
    assert bob.check_password("a long enough password")


def test_a_rater_of_a_foreign_study_cannot_be_reset(ada: User, study: Study) -> None:
    make_user("rhea")
    other = Study.objects.create(title="Other", created_by=make_user("bob"))
    for place in (study, other):
        invitations.add_rater(
            study=place, actor=ada, name="Rhea", email="rhea@example.org"
        )
    enrolment = study.enrolments.get(role="rater")
    assert not raters.may_reset(enrolment=enrolment, actor=ada)
    Enrolment.objects.create(study=other, user=ada, role="coordinator")
    assert raters.may_reset(enrolment=enrolment, actor=ada)


ROUTES = (
    ("raters", "get"),
    ("raters", "post"),
    ("rater-link", "post"),
    ("rater-reset", "get"),
    ("rater-reset", "post"),
    ("rater-remove", "get"),
    ("rater-remove", "post"),
)


@pytest.mark.parametrize(("name", "method"), ROUTES)
def test_strangers_and_raters_find_nothing_here(
    outsider: Client, rater: Client, open_study: Study, name: str, method: str
) -> None:
    enrolment = open_study.enrolments.get(code="R02")
    extra: list[Any] = [] if name == "raters" else [enrolment.pk]
    url = reverse(name, args=[open_study.pk, *extra])
    for client in (outsider, rater):
        assert getattr(client, method)(url).status_code == 404
    assert Client().get(url).status_code in (302, 405)
    assert enrolment.user.has_usable_password()


def test_a_coordinator_is_no_rater_to_be_removed(
    coordinator: Client, study: Study, ada: User
) -> None:
    own = study.enrolments.get(user=ada)
    url = reverse("rater-remove", args=[study.pk, own.pk])
    assert coordinator.post(url).status_code == 404
    assert study.enrolments.filter(user=ada).exists()
