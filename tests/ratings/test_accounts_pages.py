from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from tests.ratings.conftest import make_user, sign_in

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough password"
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", re.IGNORECASE)


@pytest.fixture(autouse=True)
def no_throttle_left() -> None:
    cache.clear()


@pytest.fixture
def rhea(db: None) -> User:
    return make_user("rhea")


def sign_in_by_form(password: str, **more: str) -> Any:
    form = {"login": "rhea@example.org", "password": password, **more}
    return Client().post(reverse("account_login"), form)


def test_signing_in_leads_home_or_where_one_wanted_to_go(rhea: User) -> None:
    assert sign_in_by_form(PASSWORD).headers["Location"] == "/"
    there = sign_in_by_form(PASSWORD, next="/rate/abc/")
    assert there.headers["Location"] == "/rate/abc/"


def make_coordinator(address: str) -> None:
    call_command(
        *("createsuperuser", "--no-input", "--username", address, "--email", address),
        verbosity=0,
    )


def test_an_account_made_with_capitals_signs_in_with_and_without_them(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    make_coordinator("Rhea@Example.org")
    for typed in ("rhea@example.org", "Rhea@Example.org"):
        assert sign_in_by_form(PASSWORD, login=typed).status_code == 302
    user = User.objects.get()
    assert (user.username, user.email) == ("rhea@example.org", "rhea@example.org")


def test_no_two_accounts_differ_by_capitals_alone(rhea: User) -> None:
    with pytest.raises(CommandError, match="the name of another account"):
        make_coordinator("Rhea@Example.org")
    assert User.objects.count() == 1


def test_signing_in_never_leads_to_another_site(rhea: User) -> None:
    away = sign_in_by_form(PASSWORD, next="https://elsewhere.example/")
    assert away.headers["Location"] == "/"


def test_a_wrong_password_and_an_unknown_person_look_the_same(rhea: User) -> None:
    known = sign_in_by_form("not the password")
    unknown = Client().post(
        reverse("account_login"), {"login": "nobody@example.org", "password": "x"}
    )
    sentence = "E-mail and password do not belong together."
    for response in (known, unknown):
        assert response.status_code == 200
        assert sentence in response.content.decode()


def test_guessing_is_slowed_down(rhea: User) -> None:
    answers = [sign_in_by_form(f"guess {n}").content.decode() for n in range(12)]
    assert "Too many attempts" in answers[-1]


def test_nobody_signs_up(client: Client) -> None:
    url = reverse("account_signup")
    assert "By invitation only" in client.get(url).content.decode()
    form = {"email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD}
    client.post(url, form)
    assert not User.objects.exists()


def test_nobody_takes_the_address_of_another_person(rhea: User) -> None:
    browser, boss = sign_in(rhea), "professor@example.org"
    for act in ("action_add", "action_primary"):
        answer = browser.post("/accounts/email/", {"email": boss, act: ""})
        assert answer.status_code == 404
    for url in ("/accounts/email/", "/accounts/confirm-email/", "/accounts/email/x/"):
        assert browser.get(url).status_code == 404
    rhea.refresh_from_db()
    assert rhea.email == "rhea@example.org"
    assert not EmailAddress.objects.filter(email=boss).exists()


# What lies below /accounts/, of which the matrix of permissions knows nothing.
DOORS = {
    "login/": 302, "logout/": 200, "inactive/": 200, "signup/": 302,
    "reauthenticate/": 200, "email/": 404, "confirm-email/": 404,
    "password/change/": 200, "password/set/": 302, "password/reset/": 200,
    "login/code/confirm/": 302, "password/reset/key/done/": 200,
    "password/reset/done/": 200, "2fa/": 200, "2fa/authenticate/": 302,
    "2fa/reauthenticate/": 302, "2fa/totp/activate/": 302,
    "2fa/totp/deactivate/": 404, "2fa/recovery-codes/": 404,
    "2fa/recovery-codes/generate/": 302, "2fa/recovery-codes/download/": 404,
    "sessions/": 302,
}  # fmt: skip


def test_each_door_below_accounts_is_known(rhea: User) -> None:
    below = (
        p.removeprefix("accounts/")
        for p in list_doors(get_resolver())
        if p.startswith("accounts/")
    )
    assert {url for url in below if "(" not in url} == set(DOORS)
    browser = sign_in(rhea)
    said = {url: browser.get(f"/accounts/{url}").status_code for url in DOORS}
    assert said == DOORS


def list_doors(resolver: URLResolver) -> Iterator[str]:
    for entry in resolver.url_patterns:
        pattern = str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from (f"{pattern}{rest}" for rest in list_doors(entry))
        else:
            yield pattern


def test_more_requests_than_allowed_end_at_a_page_of_this_site(rhea: User) -> None:
    for _ in range(31):
        page = sign_in_by_form("not the password")
    assert page.status_code == 429
    assert "Wait a minute" in page.text
    assert not INLINE.search(page.text)


def test_tries_that_cannot_be_counted_are_no_fault_of_the_person(rhea: User) -> None:
    with connection.execute_wrapper(refuse_cache):
        page = sign_in_by_form(PASSWORD)
    assert page.status_code == 503
    assert "can't store anything just now" in page.text
    assert page.headers["Retry-After"] == "10"


def refuse_cache(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
) -> Any:
    """A disk that is full: the site's cache is a table."""
    if "cache" in sql and sql.startswith("INSERT"):
        raise OperationalError("database or disk is full")
    return execute(sql, params, many, context)


def test_a_cache_that_is_away_is_said(rhea: User, settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert sign_in_by_form(PASSWORD).status_code == 503


def test_signing_out_takes_a_post(rhea: User) -> None:
    browser = sign_in(rhea)
    browser.get(reverse("account_logout"))
    assert browser.get("/").status_code == 200
    browser.post(reverse("account_logout"))
    assert browser.get("/").status_code == 302


def test_changing_the_password_ends_the_sessions_elsewhere(rhea: User) -> None:
    here, elsewhere = sign_in(rhea), sign_in(rhea)
    new = "another quiet sentence"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    here.post(reverse("account_change_password"), form)
    rhea.refresh_from_db()
    assert rhea.check_password(new)
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


@pytest.mark.parametrize("new", ["too short", "qwerty123456"])
def test_a_weak_new_password_is_refused(rhea: User, new: str) -> None:
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    page = sign_in(rhea).post(reverse("account_change_password"), form)
    assert 'class="error"' in page.content.decode()
    rhea.refresh_from_db()
    assert rhea.check_password(PASSWORD)


def test_without_mail_a_lost_password_is_replaced_by_a_person(
    client: Client, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    url = reverse("account_reset_password")
    page = client.get(url).content.decode()
    assert "This site sends no e-mail" in page
    assert "<form" not in page
    assert client.post(url, {"email": "rhea@example.org"}).status_code == 404


def test_with_mail_a_lost_password_is_replaced_by_a_link(
    rhea: User, settings: Any, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.accounts.sends_mail", lambda: True)
    url = reverse("account_reset_password")
    Client().post(url, {"email": "rhea@example.org"})
    (mail,) = mailoutbox
    link = re.search(r"/accounts/password/reset/key/\S+", mail.body)
    assert link
    browser = Client()
    page = browser.get(link.group(), follow=True)
    new = "another quiet sentence"
    browser.post(page.request["PATH_INFO"], {"password1": new, "password2": new})
    rhea.refresh_from_db()
    assert rhea.check_password(new)


PAGES = (
    "account_login",
    "account_signup",
    "account_logout",
    "account_reset_password",
    "account_reset_password_done",
    "account_change_password",
    "account_reauthenticate",
    "mfa_index",
)


@pytest.mark.parametrize("name", PAGES)
def test_each_page_has_our_look_and_no_inline_code(rhea: User, name: str) -> None:
    for browser in (Client(), sign_in(rhea)):
        response = browser.get(reverse(name), follow=True)
        page = response.content.decode()
        assert response.status_code == 200
        assert not INLINE.search(page)
        assert "Menu:" not in page
        assert "Blindfold" in page
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]


def test_two_factor_sign_in_can_be_turned_on(rhea: User) -> None:
    browser = sign_in(rhea)
    url = reverse("mfa_activate_totp")
    form = {"password": PASSWORD, "next": url}
    page = browser.post(reverse("account_reauthenticate"), form, follow=True)
    html = page.content.decode()
    assert "<svg" in html
    assert "data:image" not in html
    assert not INLINE.search(html)
    secret = page.context["form"].secret
    assert secret in html
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    browser.post(url, {"code": code})
    second = sign_in_by_form(PASSWORD)
    assert second.headers["Location"] == reverse("mfa_authenticate")
