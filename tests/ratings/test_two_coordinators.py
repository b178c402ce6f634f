"""Two coordinators: whoever stores second is shown what the first one stored."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import declaring, frozen, invitations
from ratings.models import Session, Study
from tests.ratings.conftest import AddCases

DAY = timedelta(days=1)


def read_hidden(page: str, form: str) -> dict[str, str]:
    """The hidden fields of the form of that address."""
    found = re.search(rf'action="{re.escape(form)}".*?</form>', page, re.DOTALL)
    assert found
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', found[0])
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


def save_again(client: Client, url: str, stale: Any) -> str:
    """Press the button that stores one's own in place of the other's."""
    sent: dict[str, list[str]] = {}
    fields = r'type="hidden" name="(\w+)" value="([^"]*)"'
    for name, value in re.findall(fields, stale.text):
        sent.setdefault(name, []).append(value)
    return client.post(url, sent, follow=True).text


@pytest.mark.parametrize("where", ["raters", "monitor"])
def test_the_second_of_two_deadlines_for_all_is_shown_beside_the_first(
    coordinator: Client, other_coordinator: Client, open_study: Study, where: str
) -> None:
    url = reverse("deadline", args=[open_study.pk])
    page = coordinator.get(reverse(where, args=[open_study.pk])).text
    seen = read_hidden(page, url)
    assert seen["seen"] == "none"
    first, second = declaring.today() + DAY, declaring.today() + 9 * DAY
    other_coordinator.post(url, {"deadline": str(first), "seen": "none"})
    stale = coordinator.post(url, {"deadline": str(second), **seen})
    assert stale.status_code == 409
    for words in ("bo stored this on", say(first), say(second), "Deadline for all"):
        assert words in stale.text
    open_study.refresh_from_db()
    assert open_study.deadline == first
    assert f"finish by {say(second)}" in save_again(coordinator, url, stale)
    open_study.refresh_from_db()
    assert open_study.deadline == second


def test_a_deadline_of_one_s_own_other_window_is_nobody_else_s(
    coordinator: Client, open_study: Study
) -> None:
    url = reverse("deadline", args=[open_study.pk])
    first, second = (str(declaring.today() + n * DAY) for n in (1, 9))
    coordinator.post(url, {"deadline": first, "seen": "none"})
    stale = coordinator.post(url, {"deadline": second, "seen": "none"})
    assert "You were first yourself, in another window" in stale.text
    assert "You stored this" in stale.text


def say(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


@pytest.mark.parametrize("where", ["rater", "monitor"])
def test_a_rater_s_own_deadline_is_chosen_from_the_one_that_held(
    coordinator: Client, other_coordinator: Client, session: Session, where: str
) -> None:
    study, rater = session.enrolment.study, session.enrolment
    url = reverse("rater-deadline", args=[study.pk, rater.pk])
    shown = [study.pk, rater.pk] if where == "rater" else [study.pk]
    seen = read_hidden(coordinator.get(reverse(where, args=shown)).text, url)
    first, second = declaring.today() + 9 * DAY, declaring.today() + DAY
    everyone = reverse("deadline", args=[study.pk])
    other_coordinator.post(everyone, {"deadline": str(first), "seen": "none"})
    stale = coordinator.post(url, {"deadline": str(second), **seen})
    assert stale.status_code == 409
    assert "Deadline of R01" in stale.text
    assert say(first) in stale.text
    rater.refresh_from_db()
    assert rater.deadline is None
    save_again(coordinator, url, stale)
    rater.refresh_from_db()
    assert rater.deadline == second


CONFLICT = {"years": "", "specialty": "", "institution": "", "conflict": "Drew C002."}


def test_a_conflict_declared_meanwhile_is_shown_and_not_erased(
    coordinator: Client, rater: Client, session: Session
) -> None:
    study, one = session.enrolment.study, session.enrolment
    url = reverse("rater", args=[study.pk, one.pk])
    seen = coordinator.get(url).context["form"]["seen"].value()
    assert f'name="seen" value="{seen}"' in coordinator.get(url).text
    rater.post(reverse("declaration", args=[one.pk]), CONFLICT)
    typed = {**CONFLICT, "years": "9", "conflict": "", "seen": seen}
    stale = coordinator.post(url, typed)
    assert stale.status_code == 409
    for words in ("rhea stored this on", "Drew C002.", "Years of reading"):
        assert words in stale.text
    one.refresh_from_db()
    assert (one.years, one.conflict) == (None, "Drew C002.")
    assert "Saved." in save_again(coordinator, url, stale)
    one.refresh_from_db()
    assert (one.years, one.conflict) == (9, "")


def test_a_rater_s_own_page_replaces_nothing_unseen_either(
    coordinator: Client, rater: Client, session: Session
) -> None:
    study, one = session.enrolment.study, session.enrolment
    url = reverse("declaration", args=[one.pk])
    seen = rater.get(url).context["form"]["seen"].value()
    coordinator.post(reverse("rater", args=[study.pk, one.pk]), CONFLICT)
    stale = rater.post(url, {**CONFLICT, "conflict": "Drew C001.", "seen": seen})
    assert stale.status_code == 409
    assert "Drew C002." in stale.text
    assert "Where the study stands" not in stale.text, "no steps of the coordinator"
    save_again(rater, url, stale)
    one.refresh_from_db()
    assert one.conflict == "Drew C001."


def test_words_about_one_rater_are_not_stored_of_the_next(
    coordinator: Client, other_coordinator: Client, session: Session
) -> None:
    study, one = session.enrolment.study, session.enrolment
    url = reverse("rater", args=[study.pk, one.pk])
    seen = coordinator.get(url).context["form"]["seen"].value()
    next_one = {"name": "Nora", "email": "nora@example.org"}
    other_coordinator.post(reverse("rater-replace", args=[study.pk, one.pk]), next_one)
    stale = coordinator.post(url, CONFLICT | {"seen": seen})
    assert stale.status_code == 409
    for words in ("Rater R01", "Nora", "the person before", "bo stored this on"):
        assert words in stale.text
    one.refresh_from_db()
    assert one.conflict == ""


def test_a_declaration_filled_in_while_the_rater_joins_is_shown_first(
    coordinator: Client, study: Study, ada: User
) -> None:
    one = invitations.add_rater(
        study=study, actor=ada, name="Rhea", email="rhea@example.org"
    )
    link, browser = f"/join/{invitations.invite(one)}", Client()
    seen = browser.get(link).context["form"]["seen"].value()
    coordinator.post(reverse("rater", args=[study.pk, one.pk]), CONFLICT)
    password = {"password": "a quiet spinal cord", "again": "a quiet spinal cord"}
    typed = {**CONFLICT, **password, "years": "9", "conflict": ""}
    shown = browser.post(link, {**typed, "seen": seen})
    assert "now “Drew C002.”, you wrote “nothing”" in shown.text
    form = shown.context["form"]
    assert (form["years"].value(), form["conflict"].value()) == ("9", "Drew C002.")
    sent = {name: form[name].value() or "" for name in (*CONFLICT, "seen")}
    assert browser.post(link, sent | password).status_code == 302
    one.refresh_from_db()
    assert (one.years, one.conflict) == (9, "Drew C002.")


def test_a_script_that_says_what_it_read_replaces_no_other_declaration(
    coordinator: Client, rater: Client, session: Session
) -> None:
    study, one = session.enrolment.study, session.enrolment
    url = reverse("api-declaration", args=[study.pk, one.pk])
    seen = coordinator.get(reverse("api-rater", args=[study.pk, one.pk])).json()["seen"]
    rater.post(reverse("declaration", args=[one.pk]), CONFLICT)
    body = {"years": 9, "conflict": "", "seen": seen}
    stale = coordinator.put(url, body, content_type="application/json")
    assert stale.status_code == 409
    assert any("Drew C002." in line for line in stale.json()["differences"])
    seen = coordinator.get(reverse("api-rater", args=[study.pk, one.pk])).json()["seen"]
    for more in ({"seen": seen}, {}):
        answer = coordinator.put(url, body | more, content_type="application/json")
        assert (answer.status_code, answer.json()["conflict"]) == (200, "")


def test_two_who_choose_the_same_day_are_no_conflict(
    coordinator: Client, other_coordinator: Client, open_study: Study
) -> None:
    url = reverse("deadline", args=[open_study.pk])
    typed = {"deadline": str(declaring.today() + DAY), "seen": "none"}
    assert other_coordinator.post(url, typed).status_code == 302
    assert coordinator.post(url, typed).status_code == 302


def test_a_script_that_says_what_it_read_replaces_no_other_deadline(
    coordinator: Client, open_study: Study
) -> None:
    url = reverse("api-deadline", args=[open_study.pk])
    first, second = (str(declaring.today() + n * DAY) for n in (1, 9))
    for day, seen, status in ((first, "none", 204), (second, "none", 409),
                              (second, first, 204)):  # fmt: skip
        body = {"deadline": day, "seen": seen}
        answer = coordinator.post(url, body, content_type="application/json")
        assert answer.status_code == status
    assert coordinator.post(url, {"deadline": ""}).status_code == 415


def test_what_a_colleague_said_of_a_case_meanwhile_is_not_replaced_unseen(
    coordinator: Client, other_coordinator: Client, study: Study, add_cases: AddCases
) -> None:
    add_cases(3)
    url = reverse("cases-stratum", args=[study.pk])
    keys = {case.label: str(case.pk) for case in study.cases.all()}
    seen = coordinator.get(reverse("cases", args=[study.pk])).context["seen"]
    theirs = {"stratum": "site", "value": "Lyon", "seen": seen}
    other_coordinator.post(url, {**theirs, "case": [keys["C001"], keys["C002"]]})
    typed = {**theirs, "value": "Bern"}
    mine = {**typed, "case": [keys["C002"], keys["C003"]]}
    stale = coordinator.post(url, mine)
    assert stale.status_code == 409
    for words in ("Site of C002", "Lyon", "Bern", "bo stored this on"):
        assert words in stale.text
    assert "C003" not in stale.text
    assert "site" not in study.cases.get(label="C003").strata
    # another stratum, or cases that nobody touched, are no conflict
    free = {**typed, "case": [keys["C003"]]}
    assert coordinator.post(url, free).status_code == 302
    other = {**mine, "stratum": "acquisition"}
    assert coordinator.post(url, other).status_code == 302
    assert "Site of C002, C003: Bern." in save_again(coordinator, url, stale)
    sites = [case.strata.get("site") for case in study.cases.order_by("label")]
    assert sites == ["Lyon", "Bern", "Bern"]


def test_marked_cases_that_a_colleague_removed_are_counted(
    coordinator: Client, other_coordinator: Client, study: Study, add_cases: AddCases
) -> None:
    add_cases(2)
    keys = [str(case.pk) for case in study.cases.order_by("label")]
    other_coordinator.post(reverse("cases-remove", args=[study.pk]), {"case": keys[0]})
    form = {"stratum": "site", "value": "Lyon", "case": keys}
    url = reverse("cases-stratum", args=[study.pk])
    page = coordinator.post(url, form, follow=True).text
    assert "Site of C002: Lyon." in page
    assert "1 marked case had been removed meanwhile." in page


def test_two_statements_about_faces_are_shown_side_by_side(
    coordinator: Client, other_coordinator: Client, study: Study
) -> None:
    Study.objects.update(faces="")
    url = reverse("faces", args=[study.pk])
    seen = read_hidden(coordinator.get(reverse("lock", args=[study.pk])).text, url)
    other_coordinator.post(url, {"faces": "none", **seen})
    stale = coordinator.post(url, {"faces": "removed", **seen})
    assert stale.status_code == 409
    for key in ("none", "removed"):
        assert frozen.FACES[key] in unescape(stale.text)
    study.refresh_from_db()
    assert study.faces == "none"
    assert "The statement was stored." in save_again(coordinator, url, stale)
    study.refresh_from_db()
    assert study.faces == "removed"
    same = {"faces": "removed", "seen": "none"}
    assert coordinator.post(url, same).status_code == 302
