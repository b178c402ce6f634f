from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ratings import invitations
from ratings.models import Enrolment, Invitation, Session, Study
from tests.ratings.conftest import make_user, sign_in

pytestmark = pytest.mark.django_db
PASSWORD = "a quiet spinal cord"
BOTH = {"password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def enrolment(study: Study, ada: User) -> Enrolment:
    return invitations.add_rater(
        study=study, actor=ada, name="Rhea", email="rhea@example.org"
    )


@pytest.fixture
def link(enrolment: Enrolment) -> str:
    return reverse("join", args=[invitations.invite(enrolment)])


def read_words(client: Client, url: str) -> str:
    """A page in lower case without its random tokens, in which any word can occur."""
    page = client.get(url).content.decode()
    return re.sub(r"[A-Za-z0-9_-]{40,}", "", page).lower()


def is_signed_in(client: Client, user: User) -> bool:
    return client.session.get("_auth_user_id") == str(user.pk)


def test_looking_at_the_link_does_not_use_it_up(
    link: str, enrolment: Enrolment
) -> None:
    browser = Client()
    for _ in range(3):
        page = browser.get(link)
        assert page.status_code == 200
        assert "Cord lesions" in page.content.decode()
    assert Invitation.objects.get().used_at is None
    assert not is_signed_in(browser, enrolment.user)
    assert "no-store" in page.headers["Cache-Control"]


def test_the_page_says_nothing_of_sources(
    link: str, study: Study, enrolment: Enrolment
) -> None:
    page = read_words(Client(), link)
    for word in ("predict", "ensemble", "manual", "model", "arm "):
        assert word not in page


def test_joining_sets_the_password_and_signs_in(
    link: str, enrolment: Enrolment
) -> None:
    browser = Client()
    response = browser.post(link, BOTH, follow=True)
    enrolment.user.refresh_from_db()
    assert enrolment.user.check_password(PASSWORD)
    assert is_signed_in(browser, enrolment.user)
    assert "It is not open for rating yet" in response.content.decode()


def test_afterwards_the_password_signs_in_on_any_device(link: str) -> None:
    Client().post(link, BOTH)
    device = Client()
    response = device.post(
        reverse("account_login"), {"login": "rhea@example.org", "password": PASSWORD}
    )
    assert response.headers["Location"] == "/"
    assert device.get("/").status_code == 200


def test_a_used_link_says_what_to_do(link: str) -> None:
    Client().post(link, BOTH)
    page = Client().get(link)
    assert page.status_code == 404
    assert "ask the coordinator for a new link" in page.content.decode()
    assert Client().post(link, BOTH).status_code == 404


def test_expired_revoked_and_made_up_links_look_the_same(
    link: str, enrolment: Enrolment
) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    expired = Client().get(link)
    made_up = Client().get(reverse("join", args=["x" * 43]))
    assert expired.status_code == made_up.status_code == 404
    assert expired.content == made_up.content
    enrolment.user.refresh_from_db()
    assert not enrolment.user.has_usable_password()


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("", "", "Choose a password."),
        (PASSWORD, "", "Type the password a second time."),
        (PASSWORD, PASSWORD + "s", "The two passwords differ."),
        ("short", "short", "at least 12 characters"),
        ("qwerty123456", "qwerty123456", "too common"),
    ],
)
def test_a_password_that_will_not_do_is_refused_and_the_link_stays(
    link: str, enrolment: Enrolment, password: str, again: str, sentence: str
) -> None:
    browser = Client()
    response = browser.post(link, {"password": password, "again": again})
    assert sentence in response.content.decode()
    assert not is_signed_in(browser, enrolment.user)
    assert browser.post(link, BOTH).status_code == 302


def test_an_open_study_leads_into_the_rating_room(open_study: Study, ada: User) -> None:
    session = Session.objects.get(enrolment__code="R01")
    User.objects.filter(pk=session.enrolment.user_id).update(password="!none")
    session.enrolment.user.refresh_from_db()
    link = reverse("join", args=[invitations.invite(session.enrolment)])
    response = Client().post(link, BOTH)
    assert response.headers["Location"] == reverse("rate", args=[session.key])


def test_a_closed_study_says_that_it_is_over(link: str, study: Study) -> None:
    for state in ("locked", "collecting", "closed"):
        Study.objects.filter(pk=study.pk).update(state=state)
    page = Client().post(link, BOTH, follow=True).content.decode()
    assert "Its rating is over." in page


def test_a_link_alone_does_not_open_an_existing_account(
    link: str, enrolment: Enrolment
) -> None:
    enrolment.user.set_password("a long enough password")
    enrolment.user.save()
    thief = Client()
    assert "Sign in to join" in thief.get(link).content.decode()
    thief.post(link, BOTH)
    enrolment.user.refresh_from_db()
    assert not is_signed_in(thief, enrolment.user)
    assert enrolment.user.check_password("a long enough password")
    assert Invitation.objects.get().used_at is None


def test_the_account_s_owner_joins_after_signing_in(
    link: str, enrolment: Enrolment
) -> None:
    enrolment.user.set_password("a long enough password")
    enrolment.user.save()
    browser = sign_in(enrolment.user)
    assert "Join the study" in browser.get(link).content.decode()
    assert browser.post(link).status_code == 302
    assert Invitation.objects.get().used_at is not None


def test_somebody_else_who_is_signed_in_is_told_so(link: str) -> None:
    browser = sign_in(make_user("olaf"))
    page = " ".join(browser.get(link).content.decode().split())
    assert "You are signed in as olaf." in page


def test_the_post_needs_the_csrf_token(link: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link, BOTH).status_code == 403


def test_the_room_opens_for_its_rater_alone(
    session: Session,
    rater: Client,
    other_rater: Client,
    coordinator: Client,
    outsider: Client,
) -> None:
    url = reverse("rate", args=[session.key])
    page = rater.get(url)
    assert page.status_code == 200
    assert f"/api/rate/{session.key}/" in page.content.decode()
    assert "csrftoken" in page.cookies
    for stranger in (other_rater, coordinator, outsider):
        assert stranger.get(url).status_code == 404
    anonymous = Client().get(url)
    assert anonymous.headers["Location"] == f"{reverse('account_login')}?next={url}"


def test_the_room_says_nothing_of_sources(session: Session, rater: Client) -> None:
    page = read_words(rater, reverse("rate", args=[session.key]))
    for word in ("predict", "ensemble", "manual", "model", "arm"):
        assert word not in page
