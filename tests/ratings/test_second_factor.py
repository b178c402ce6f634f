"""A second factor, where required; devices and their end; throttled guessing."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from ratings import invitations, raters
from ratings.models import AccessEntry, Enrolment, Session, Study
from tests.ratings.conftest import make_user, sign_in
from tests.ratings.script import Script

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def no_throttle_left() -> None:
    cache.clear()


def by_form(name: str, password: str = PASSWORD, **more: Any) -> tuple[Client, Any]:
    browser = Client(**more)
    form = {"login": f"{name}@example.org", "password": password}
    return browser, browser.post(reverse("account_login"), form)


def code_of(secret: str, ahead: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead)))


def set_up(browser: Client, *, at_once: bool = False) -> str:
    """Turn the second factor on through the pages; the secret."""
    url = reverse("mfa_activate_totp")
    form = {"password": PASSWORD, "next": url}
    page = browser.post(reverse("account_reauthenticate"), form, follow=True)
    secret: str = page.context["form"].secret
    browser.post(url, {"code": code_of(secret)})
    if not at_once:
        cache.clear()
    return secret


def test_where_required_a_coordinator_is_led_to_set_it_up_and_nowhere_else(
    study: Study, ada: User, settings: Any
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    browser, _ = by_form("ada")
    for name in ("cases", "raters", "design"):
        answer = browser.get(reverse(name, args=[study.pk]))
        assert answer.headers["Location"] == reverse("mfa_activate_totp")
    set_up(browser)
    assert browser.get(reverse("cases", args=[study.pk])).status_code == 200
    held = reverse("mfa_deactivate_totp")
    assert "so it stays on" in browser.post(held).text
    assert Authenticator.objects.filter(type="totp").exists()


def test_a_token_goes_no_way_round_it(study: Study, ada: User, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    sam = make_user("sam")
    elsewhere = Study.objects.create(title="Other", created_by=ada)
    Enrolment.objects.create(study=elsewhere, user=sam, role="statistician")
    script, one = Script(sam), f"studies/{study.pk}/raters"
    assert script.get("studies").status_code == 200
    Enrolment.objects.create(study=study, user=sam, role="coordinator")
    refused = script.get(one)
    assert (refused.status_code, refused.json()["status"]) == (403, 403)
    assert "Sign in and set it up" in refused.json()["detail"]
    body = {"name": "Rhea", "email": "rhea@example.org"}
    assert script.post(one, body).status_code == 403
    assert not study.enrolments.filter(role="rater").exists()
    set_up(by_form("sam")[0])
    assert script.get(one).status_code == 200


def test_raters_are_not_asked_and_rate_as_ever(
    rater: Client, session: Session, settings: Any
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    assert rater.get("/").status_code == 200
    assert rater.get(f"/api/rate/{session.key}/next").status_code == 200


def test_without_the_setting_nobody_is_asked(coordinator: Client, study: Study) -> None:
    assert coordinator.get(reverse("cases", args=[study.pk])).status_code == 200


def test_the_message_of_new_codes_is_true_of_the_first_ones_too() -> None:
    """Allauth says the same at the first set-up and at every later making."""
    told = render_to_string("mfa/messages/recovery_codes_generated.txt")
    assert told.startswith("Recovery codes were made.")
    assert "Only the newest codes work." in told
    assert "those of before" not in told


def test_signing_in_takes_a_code_once_or_a_recovery_code_once(ada: User) -> None:
    browser, _ = by_form("ada")
    secret = set_up(browser)
    codes = browser.get(reverse("mfa_view_recovery_codes"))
    spare = codes.context["unused_codes"][0]
    for code in (code_of(secret), spare):
        for passes in (True, False):
            device, answer = by_form("ada")
            assert answer.headers["Location"] == reverse("mfa_authenticate")
            assert device.get("/").status_code == 302
            device.post(reverse("mfa_authenticate"), {"code": code})
            assert (device.get("/").status_code == 200) is passes
    verbs = set(AccessEntry.objects.values_list("verb", flat=True))
    assert {"totp_activated", "sign_in", "sign_in_failed"} & verbs


@pytest.mark.django_db(transaction=True)
def test_setting_it_up_and_a_wrong_code_speak_of_one_thing_and_of_a_remedy(
    ada: User,
) -> None:
    browser, _ = by_form("ada")
    url = reverse("mfa_activate_totp")
    known = {"password": PASSWORD, "next": url}
    page = browser.post(reverse("account_reauthenticate"), known, follow=True).text
    assert "<h1>Turn on the second factor</h1>" in page
    refused = browser.post(url, {"code": "12"})
    wrong, secret = refused.text, refused.context["form"].secret
    assert "Wait for the next six digits in the app" in wrong
    page = browser.post(url, {"code": code_of(secret)}, follow=True).text
    assert "The second factor is on: signing in now takes a code" in page
    for told in (wrong, page):
        assert "Incorrect code" not in told
        assert "two-factor" not in told


def test_the_code_that_set_it_up_signs_nobody_in(ada: User) -> None:
    secret = set_up(by_form("ada")[0], at_once=True)
    used, fresh = code_of(secret), code_of(secret, 1)
    pass_half_a_minute(used)
    for code, passes in ((used, False), (fresh, True)):
        device, _ = by_form("ada")
        device.post(reverse("mfa_authenticate"), {"code": code})
        assert (device.get("/").status_code == 200) is passes


def pass_half_a_minute(code: str) -> None:
    """What allauth remembers of a used code is gone, while the code still holds."""
    user = User.objects.get(first_name="ada")
    cache.delete(f"allauth.mfa.totp.used?user={user.pk}&code={code}")


def begin_half_minute() -> None:
    """The codes of now stay those of now while a test signs in a few times."""
    if (left := 30 - time.time() % 30) < 10:
        time.sleep(left)


def test_a_clock_may_be_half_a_minute_off_but_no_code_serves_twice(ada: User) -> None:
    secret = set_up(by_form("ada")[0])
    begin_half_minute()
    slow, slower = code_of(secret, -1), code_of(secret, -3)
    typed = f"{slow[:3]} {slow[3:]}"
    for code, passes in ((slower, False), (slow, True), (slow, False), (typed, False)):
        pass_half_a_minute(slow)
        device, _ = by_form("ada")
        device.post(reverse("mfa_authenticate"), {"code": code})
        assert (device.get("/").status_code == 200) is passes


def test_guessing_codes_ends_soon_and_even_the_right_one_waits(ada: User) -> None:
    secret = set_up(by_form("ada")[0])
    device, _ = by_form("ada")
    url = reverse("mfa_authenticate")
    said = [device.post(url, {"code": f"{n:06d}"}).text for n in range(8)]
    assert "Too many attempts" in said[-1]
    device.post(url, {"code": code_of(secret)})
    assert device.get("/").status_code == 302


def test_turning_it_off_takes_the_password_again(ada: User) -> None:
    browser, _ = by_form("ada")
    set_up(browser)
    session = browser.session
    for method in session["account_authentication_methods"]:
        method["at"] -= 3600
    session.save()
    browser.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(type="totp").exists()


def test_secrets_are_sealed_and_old_ones_still_open(ada: User) -> None:
    from config.second_factor import SealedFactors

    secret = set_up(by_form("ada")[0])
    assert secret not in str(list(Authenticator.objects.values_list("data")))
    box = SealedFactors()
    assert box.decrypt(box.encrypt("ABC")) == "ABC"
    assert box.decrypt("PLAIN") == "PLAIN"


def test_a_new_link_never_goes_round_the_second_factor(study: Study, ada: User) -> None:
    rhea = make_user("rhea")
    one = invitations.add_rater(
        study=study, actor=ada, name="rhea", email="rhea@example.org"
    )
    secret = set_up(by_form("rhea")[0])
    token = raters.reset(enrolment=one, actor=ada)
    browser = Client()
    form = {"password": PASSWORD, "again": PASSWORD}
    answer = browser.post(reverse("join", args=[token]), form)
    assert answer.headers["Location"] == reverse("mfa_authenticate")
    assert browser.get("/").status_code == 302
    browser.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert browser.get("/").status_code == 200
    assert rhea.pk


def test_the_operator_takes_a_lost_factor_off_on_record(ada: User) -> None:
    set_up(by_form("ada")[0])
    call_command("account", "ada@example.org", "--remove-second-factor")
    assert by_form("ada")[0].get("/").status_code == 200
    assert AccessEntry.objects.filter(verb="remove_second_factor").exists()
    with pytest.raises(CommandError, match="no account"):
        call_command("account", "nobody@example.org", "--erase")


def test_the_operator_gives_another_address_and_keeps_the_rest(ada: User) -> None:
    before, _ = by_form("ada")
    assert before.get("/").status_code == 200
    call_command("account", "ada@example.org", "--address", "Ada@Elsewhere.org")
    form = {"login": "ada@elsewhere.org", "password": PASSWORD}
    assert Client().post(reverse("account_login"), form).headers["Location"] == "/"
    assert by_form("ada")[1].status_code == 200
    assert before.get("/").status_code == 302
    assert AccessEntry.objects.filter(verb="change_address").exists()
    make_user("rhea")
    for wrong in ("rhea@example.org", "RHEA@example.org", "no address"):
        with pytest.raises(CommandError, match="address"):
            call_command("account", "ada@elsewhere.org", "--address", wrong)
    with pytest.raises(CommandError, match="no account"):
        call_command("account", "", "--address", "new@example.org")


def test_a_link_to_the_old_address_ends_with_it(study: Study, ada: User) -> None:
    one = invitations.add_rater(
        study=study, actor=ada, name="rhea", email="rhea@wrong.org"
    )
    token = invitations.hand_out(enrolment=one, actor=ada)
    assert Client().get(reverse("join", args=[token])).status_code == 200
    call_command("account", "rhea@wrong.org", "--address", "rhea@example.org")
    assert Client().get(reverse("join", args=[token])).status_code == 404


def test_another_device_is_listed_and_signed_out_from_here(ada: User) -> None:
    phone, _ = by_form("ada", HTTP_USER_AGENT="Mozilla/5.0 (iPhone) Safari/605")
    here, _ = by_form("ada", HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux) Firefox/140")
    page = here.get(reverse("account")).text
    assert "Safari on iPhone" in page
    assert "Firefox on Linux" in page
    (end,) = re.findall(r'action="(/account/devices/\d+/end)"', page)
    assert sign_in(make_user("eve")).post(end).status_code == 404
    assert phone.get("/").status_code == 200
    here.post(end)
    assert phone.get("/").status_code == 302
    assert here.get("/").status_code == 200


def test_guessing_ends_within_twenty_and_locks_nobody_else_out(ada: User) -> None:
    said = [by_form("ada", f"guess {n}")[1].text for n in range(20)]
    first = next(n for n, text in enumerate(said) if "Too many attempts" in text)
    assert first < 20
    assert by_form("ada")[0].get("/").status_code == 302
    elsewhere, _ = by_form("ada", REMOTE_ADDR="192.0.2.7")
    assert elsewhere.get("/").status_code == 200


@pytest.mark.parametrize(("proxies", "stopped"), [(0, True), (1, True), (2, False)])
def test_only_what_ones_own_proxies_saw_counts_as_the_address(
    ada: User, settings: Any, proxies: int, stopped: bool
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    for n in range(12):
        # what the browser says of itself, and what one proxy added
        way = f"203.0.113.{n}, 198.51.100.7"
        text = by_form("ada", f"guess {n}", HTTP_X_FORWARDED_FOR=way)[1].text
    assert ("Too many attempts" in text) is stopped


def test_erasing_takes_the_word_and_the_password(ada: User) -> None:
    make_user("rhea")
    browser, _ = by_form("rhea")
    url = reverse("account-erase")
    wrong = [{"word": "yes", "password": PASSWORD}, {"word": "ERASE", "password": "x"}]
    for form in wrong:
        assert browser.post(url, form).status_code == 422
    assert User.objects.filter(email="rhea@example.org").exists()
    page = browser.post(url, {"word": "erase", "password": PASSWORD}, follow=True)
    assert "Your account was erased." in page.text
    assert not User.objects.filter(email="rhea@example.org").exists()


def test_the_only_coordinator_is_told_before_typing_anything(
    study: Study, coordinator: Client
) -> None:
    page = coordinator.get(reverse("account-erase")).text
    assert "Nobody else coordinates" in page
    assert "Cord lesions" in page
