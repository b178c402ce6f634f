"""Inviting by message, reminding, declaring, deadlines, leaving: through the pages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ratings import protocol, raters
from ratings.desk import tokens
from ratings.models import AccessEntry, Enrolment, Session, Study
from ratings.rater_forms import DeclarationForm
from tests.ratings.conftest import end_collecting, make_user, sign_in
from tests.ratings.script import Script

pytestmark = pytest.mark.django_db
PASSWORD = "a quiet spinal cord"
BOTH = {"password": PASSWORD, "again": PASSWORD}


def address(name: str, study: Study, *more: Any) -> str:
    return reverse(name, args=[study.pk, *more])


def add_colleague(client: Client, study: Study, role: str, name: str = "Sue") -> str:
    """The path of the link that the page then shows."""
    form = {"colleague": "sue@example.org", "name": name, "role": role}
    page = client.post(address("colleague-add", study), form, follow=True).text
    found = re.search(r"(/join/[\w-]{43})", page)
    return found.group(1) if found else page


def test_an_invitation_goes_out_by_mail_without_a_word_of_sources(
    coordinator: Client, study: Study
) -> None:
    form = {"name": "Rhea", "email": "rhea@example.org"}
    page = coordinator.post(address("raters", study), form, follow=True).text
    (message,) = mail.outbox
    assert message.to == ["rhea@example.org"]
    link = re.search(r"http://127\.0\.0\.1:8000(/join/[\w-]{43})", str(message.body))
    assert link
    assert link.group(1) in page
    assert not re.search(r"manual|predict|model|arm\b|score", str(message.body))
    assert Client().get(link.group(1)).status_code == 200
    told = AccessEntry.objects.get(verb="invite")
    assert told.payload["role"] == "rater"
    assert "@" not in str(told.payload) + told.actor


def test_a_mail_server_that_fails_is_said_and_the_link_still_handed_over(
    coordinator: Client, study: Study, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    form = {"name": "Rhea", "email": "rhea@example.org"}
    page = coordinator.post(address("raters", study), form, follow=True).text
    assert "could not be sent" in page
    assert "/join/" in page


def test_a_reminder_says_how_much_is_left_and_is_not_repeated_at_once(
    coordinator: Client, open_study: Study, session: Session
) -> None:
    one = session.enrolment
    url = address("rater-remind", open_study, one.pk)
    page = coordinator.post(url, follow=True).text
    assert "A reminder went to rhea@example.org" in page
    assert "0 of 12 items" in mail.outbox[0].body
    again = coordinator.post(url, follow=True).text
    assert "was reminded" in again
    coordinator.post(address("remind", open_study))
    assert [m.to for m in mail.outbox] == [["rhea@example.org"], ["otto@example.org"]]
    assert open_study.audit.filter(verb="remind").count() == 2


@pytest.mark.parametrize(
    ("years", "taken"), [("0", True), ("70", True), ("71", False), ("200", False),
                         ("-1", False), ("8.5", False), ("eight", False)],
)  # fmt: skip
def test_years_of_reading_are_a_whole_number_to_70(years: str, taken: bool) -> None:
    form = DeclarationForm({"years": years})
    assert form.is_valid() is taken
    said = [] if taken else ["Give a whole number from 0 to 70, such as 8."]
    assert form.errors.get("years", []) == said


def test_raters_are_asked_for_their_connection_with_the_images() -> None:
    page = str(DeclarationForm()["conflict"].label_tag())
    assert "Your connection with these images" in page


def test_a_reminder_of_who_never_came_holds_a_new_link(
    coordinator: Client, study: Study
) -> None:
    form = {"name": "Rhea", "email": "rhea@example.org"}
    coordinator.post(address("raters", study), form)
    one = study.enrolments.get(role="rater")
    coordinator.post(address("rater-remind", study, one.pk))
    old, new = (re.search(r"/join/[\w-]{43}", str(m.body)) for m in mail.outbox)
    assert old
    assert new
    assert Client().get(old.group()).status_code == 404
    assert Client().get(new.group()).status_code == 200


@pytest.mark.parametrize(
    ("way", "sentence"),
    [("console", "This site sends no mail"), ("smtp", "could not be sent")],
)
def test_a_reminder_that_nobody_gets_ends_no_link(
    coordinator: Client, study: Study, settings: Any, way: str, sentence: str
) -> None:
    form = {"name": "Rhea", "email": "rhea@example.org"}
    link = re.search(
        r"/join/[\w-]{43}",
        coordinator.post(address("raters", study), form, follow=True).text,
    )
    assert link
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{way}.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    one = study.enrolments.get(role="rater")
    for url in (address("rater-remind", study, one.pk), address("remind", study)):
        page = coordinator.post(url, follow=True).text
        assert sentence in page
        assert "EMAIL_URL" not in page
        assert "Reminders were sent" not in page
    assert Client().get(link.group()).status_code == 200
    assert not study.audit.filter(verb="remind").exists()


@pytest.mark.parametrize("state", ["closed", "unblinded"])
def test_nobody_is_reminded_once_rating_is_over(
    coordinator: Client, script: Script, open_study: Study, session: Session,
    ada: User, state: str,
) -> None:  # fmt: skip
    end_collecting(open_study, ada)
    if state == "unblinded":
        protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    over, one = "The study is closed, so nobody is reminded", session.enrolment.pk
    for call in (f"raters/{one}/reminder", "reminders"):
        answer = script.post(f"studies/{open_study.pk}/{call}")
        assert (answer.status_code, over in answer.text) == (409, True)
    for url in (
        address("rater-remind", open_study, one),
        address("remind", open_study),
    ):
        assert coordinator.post(url, follow=True).text.count(over) == 1
    assert mail.outbox == []


@pytest.mark.parametrize(("way", "shown"), [("console", False), ("smtp", True)])
def test_reminders_are_offered_only_where_the_site_sends_mail(
    coordinator: Client, open_study: Study, settings: Any, way: str, shown: bool
) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{way}.EmailBackend"
    one = open_study.enrolments.filter(role="rater")[0]
    people = coordinator.get(address("raters", open_study)).text
    person = coordinator.get(address("rater", open_study, one.pk)).text
    assert ("Remind all who have not finished" in people) is shown
    assert ("Send a reminder" in person) is shown
    for page in (people, person):
        assert ("This site sends no mail, so no" in page) is not shown
        assert "EMAIL_URL" not in page


def test_a_revoked_link_opens_nothing(coordinator: Client, study: Study) -> None:
    link = add_colleague(coordinator, study, "statistician")
    one = study.enrolments.get(role="statistician")
    coordinator.post(address("rater-revoke", study, one.pk))
    assert Client().get(link).status_code == 404
    assert Client().post(link, BOTH).status_code == 404
    assert AccessEntry.objects.filter(verb="revoke_link").count() == 1


def test_revoking_asks_about_a_person_and_leads_back_to_that_person(
    coordinator: Client, study: Study
) -> None:
    form = {"name": "Rhea Ray", "email": "rhea@example.org"}
    coordinator.post(address("raters", study), form)
    one = study.enrolments.get(role="rater")
    own = address("rater", study, one.pk)
    question = 'data-ask="Revoke the link of Rhea Ray?'
    assert question in coordinator.get(own).text
    answer = coordinator.post(address("rater-revoke", study, one.pk), follow=True)
    assert answer.redirect_chain == [(own, 302)]
    assert "The link of Rhea Ray no longer works." in answer.text
    assert "<dd>Link revoked" in answer.text
    assert question not in answer.text
    again = coordinator.post(address("rater-revoke", study, one.pk), follow=True)
    assert "Rhea Ray had no link that still worked." in again.text


def test_a_colleague_s_link_is_revoked_on_the_list(
    coordinator: Client, study: Study
) -> None:
    add_colleague(coordinator, study, "statistician", "Sue Stone")
    one = study.enrolments.get(role="statistician")
    people = coordinator.get(address("raters", study)).text
    assert 'data-ask="Revoke the link of Sue Stone?' in people
    answer = coordinator.post(address("rater-revoke", study, one.pk), follow=True)
    assert answer.redirect_chain == [(address("raters", study), 302)]
    assert "The link of Sue Stone no longer works." in answer.text


def test_the_link_to_the_description_says_that_it_is_a_download(
    coordinator: Client,
) -> None:
    page = coordinator.get(reverse("tokens")).text
    url = reverse("api-schema")
    assert f'<a href="{url}">Download the description (OpenAPI)</a>' in page
    assert coordinator.get(url).status_code == 200


def test_ending_a_token_asks_first_by_its_name(coordinator: Client, ada: User) -> None:
    tokens.make_token(user=ada, label="night run")
    page = coordinator.get(reverse("tokens")).text
    assert 'data-ask="End the token “night run” now?' in page


def test_an_invited_coordinator_coordinates_this_study_and_makes_none(
    coordinator: Client, study: Study
) -> None:
    sue = Client()
    page = sue.post(add_colleague(coordinator, study, "coordinator"), BOTH, follow=True)
    assert "You have joined “Cord lesions”" in page.text
    assert sue.get(address("cases", study)).status_code == 200
    assert sue.get(reverse("study-new")).status_code == 404


def test_a_statistician_sees_nothing_before_unblinding_and_the_results_after(
    coordinator: Client, open_study: Study, ada: User
) -> None:
    link = add_colleague(coordinator, open_study, "statistician")
    assert "results of this study" in Client().get(link).text
    sue = Client()
    sue.post(link, BOTH)
    sealed = ("cases", "monitor", "raters", "lock", "design", "protocol")
    for name in sealed:
        assert sue.get(address(name, open_study)).status_code == 404
    assert sue.get(address("results", open_study)).status_code == 423
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    assert sue.get(address("results", open_study)).status_code == 200
    assert sue.get(address("export", open_study)).status_code == 200
    for name in sealed:
        assert sue.get(address(name, open_study)).status_code == 404


def test_the_last_coordinator_stays_and_others_lose_access_at_once(
    coordinator: Client, study: Study
) -> None:
    own = study.enrolments.get(role="coordinator")
    url = address("colleague-remove", study, own.pk)
    assert "no coordinator who has joined" in coordinator.post(url, follow=True).text
    grace = make_user("grace", staff=True)
    add = {"colleague": grace.email, "role": "coordinator"}
    coordinator.post(address("colleague-add", study), add)
    browser = sign_in(grace)
    assert browser.get(address("cases", study)).status_code == 200
    hers = study.enrolments.get(user=grace)
    gone = address("colleague-remove", study, hers.pk)
    assert "This person loses access" in coordinator.get(gone).text
    told = browser.get(gone).text
    assert "End your own access" in told
    assert "This is you. You lose access" in told
    people = browser.get(address("raters", study)).text
    assert people.count("End my access…</a>") == people.count("End access…</a>") == 1
    coordinator.post(gone)
    assert browser.get(address("cases", study)).status_code == 404
    verbs = list(study.audit.values_list("verb", flat=True))
    assert verbs[-2:] == ["add_coordinator", "remove_coordinator"]


def test_a_rater_declares_when_joining_and_the_coordinator_reads_it(
    coordinator: Client, study: Study
) -> None:
    form = {"name": "Rhea", "email": "rhea@example.org"}
    coordinator.post(address("raters", study), form)
    link = re.search(r"/join/[\w-]{43}", str(mail.outbox[0].body))
    assert link
    told = {"years": "12", "specialty": "Neuroradiology", "conflict": "Drew case 3."}
    browser = Client()
    browser.post(link.group(), BOTH | told)
    one = study.enrolments.get(role="rater")
    assert (one.years, one.conflict) == (12, "Drew case 3.")
    assert "Declared a conflict" in coordinator.get(address("raters", study)).text
    page = coordinator.get(address("rater", study, one.pk)).text
    assert "Drew case 3." in page
    own = reverse("declaration", args=[one.pk])
    assert "Drew case 3." in browser.get(own).text
    browser.post(own, {"years": "13", "specialty": "Neuroradiology", "conflict": ""})
    one.refresh_from_db()
    assert (one.years, one.conflict) == (13, "")
    entries = study.audit.filter(verb="declare")
    assert [e.payload["conflict"] for e in entries] == [True, False]
    assert "case 3" not in str([e.payload for e in entries])


def join_again(coordinator: Client, study: Study, one: Enrolment) -> str:
    """The path of the link that a coordinator makes after voiding the password."""
    url = address("rater-reset", study, one.pk)
    found = re.search(r"/join/[\w-]{43}", coordinator.post(url, follow=True).text)
    assert found
    return found.group()


TOLD = {"years": "12", "specialty": "", "institution": "Bern", "conflict": "Drew C003."}


def test_who_joins_again_is_shown_what_was_declared_and_loses_none_of_it(
    coordinator: Client, rater: Client, open_study: Study, session: Session
) -> None:
    one = session.enrolment
    rater.post(reverse("declaration", args=[one.pk]), TOLD)
    link = join_again(coordinator, open_study, one)
    page = Client().get(link).text
    assert "Drew C003." in page
    assert 'value="Bern"' in page
    Client().post(link, BOTH | {"years": "13"})
    one.refresh_from_db()
    assert (one.years, one.institution, one.conflict) == (13, "Bern", "Drew C003.")
    link = join_again(coordinator, open_study, one)
    Client().post(link, BOTH | TOLD | {"conflict": ""})
    one.refresh_from_db()
    assert (one.years, one.institution, one.conflict) == (12, "Bern", "")


def test_what_a_coordinator_filled_in_before_stays_when_the_rater_joins(
    coordinator: Client, study: Study
) -> None:
    form = {"name": "Rhea", "email": "rhea@example.org"}
    coordinator.post(address("raters", study), form)
    one = study.enrolments.get(role="rater")
    coordinator.post(address("rater", study, one.pk), TOLD)
    link = re.search(r"/join/[\w-]{43}", str(mail.outbox[0].body))
    assert link
    browser = Client()
    shown = dict(browser.get(link.group()).context["form"].initial)
    assert browser.post(link.group(), BOTH | shown).status_code == 302
    one.refresh_from_db()
    assert (one.years, one.conflict) == (12, "Drew C003.")
    assert study.audit.filter(verb="declare").count() == 1, "nothing was changed"


@pytest.mark.parametrize("years", ["many", "-1", "200"])
def test_impossible_years_are_refused(
    rater: Client, other_rater: Client, open_study: Study, session: Session, years: str
) -> None:
    url = reverse("declaration", args=[session.enrolment.pk])
    assert other_rater.get(url).status_code == 404
    assert "field-wrong" in rater.post(url, {"years": years}).text
    assert not open_study.audit.filter(verb="declare").exists()


def test_a_deadline_is_shown_extended_for_one_and_never_keeps_a_score_out(
    coordinator: Client, rater: Client, other_rater: Client, open_study: Study,
    session: Session,
) -> None:  # fmt: skip
    today = timezone.now().date()
    later = today + timedelta(days=20)
    past = {"deadline": str(today - timedelta(days=1))}
    assert coordinator.post(address("deadline", open_study), past).status_code == 422
    coordinator.post(address("deadline", open_study), {"deadline": str(today)})
    own = address("rater-deadline", open_study, session.enrolment.pk)
    coordinator.post(own, {"deadline": str(later)})
    assert f"{later:%-d %b %Y}" in rater.get("/").text
    assert f"{today:%-d %b %Y}" in other_rater.get("/").text
    told = rater.get(f"/api/rate/{session.key}/").json()
    assert told["deadline"] == str(later)
    Study.objects.filter(pk=open_study.pk).update(deadline=today - timedelta(days=3))
    assert "was asked for by" in " ".join(other_rater.get("/").text.split())
    entries = open_study.audit.filter(verb="set_deadline")
    assert [e.payload["code"] for e in entries] == ["", session.enrolment.code]


def test_withdrawing_and_replacing_name_the_consequence_and_take_a_reason(
    coordinator: Client, open_study: Study, session: Session, other_session: Session
) -> None:
    one, other = session.enrolment, other_session.enrolment
    url = address("rater-withdraw", open_study, one.pk)
    assert "are kept and count" in " ".join(coordinator.get(url).text.split())
    assert coordinator.post(url, {"reason": ""}).status_code == 422
    page = coordinator.post(url, {"reason": "Moved."}, follow=True).text
    assert "Moved." in page
    assert "Withdrawn" in coordinator.get(address("raters", open_study)).text
    monitor = coordinator.get(address("monitor", open_study)).text
    assert f"<strong>{one.code}</strong>" in monitor
    swap = address("rater-replace", open_study, other.pk)
    assert "takes over the code" in coordinator.get(swap).text
    form = {"name": "Nora", "email": "nora@example.org", "reason": ""}
    assert "Link for Nora" in coordinator.post(swap, form, follow=True).text
    assert Enrolment.objects.get(pk=other.pk).user.first_name == "Nora"


def test_joined_is_said_of_the_person_and_not_of_one_who_had_the_place_before(
    coordinator: Client, study: Study
) -> None:
    make_user("nora")
    form = {"name": "Rhea", "email": "rhea@example.org"}
    page = coordinator.post(address("raters", study), form, follow=True).text
    link = re.search(r"/join/[\w-]{43}", page)
    assert link
    Client().post(link.group(), BOTH)
    one = study.enrolments.get(role="rater")
    assert raters.judge(one)[1] == "Joined"
    swap = {"name": "nora", "email": "nora@example.org"}
    url = address("rater-replace", study, one.pk)
    page = coordinator.post(url, swap, follow=True).text
    one = study.enrolments.get(role="rater")
    assert raters.judge(one) == ("joined", "Has an account already", None)
    link = re.search(r"/join/[\w-]{43}", page)
    assert link
    sign_in(one.user).post(link.group())
    assert raters.judge(one)[1] == "Joined"


@pytest.mark.parametrize(
    "name",
    ["rater", "rater-withdraw", "rater-replace", "rater-remind", "rater-deadline",
     "rater-revoke", "rater-link"],
)  # fmt: skip
def test_nobody_else_manages_a_rater(
    outsider: Client, other_rater: Client, open_study: Study, session: Session,
    name: str,
) -> None:  # fmt: skip
    one = session.enrolment
    url = address(name, open_study, one.pk)
    for client in (outsider, other_rater):
        assert client.post(url, {"reason": "x", "name": "x"}).status_code == 404
    one.refresh_from_db()
    assert one.user.first_name == "rhea"
    assert not hasattr(Enrolment.objects.get(pk=one.pk), "withdrawal")


def test_a_colleague_s_second_link_ends_the_first(
    coordinator: Client, study: Study, ada: User
) -> None:
    first = add_colleague(coordinator, study, "coordinator")
    one = study.enrolments.get(user__email="sue@example.org")
    page = coordinator.post(address("rater-link", study, one.pk), follow=True).text
    found = re.search(r"(/join/[\w-]{43})", page)
    assert found
    second = found.group(1)
    assert first != second
    assert Client().get(first).status_code == 404
    assert Client().post(first, BOTH).status_code == 404
    third = ask_for_link(ada, study, one)
    assert Client().get(second).status_code == 404
    sue = Client()
    assert sue.post(third, BOTH).status_code == 302
    assert sue.get(address("cases", study)).status_code == 200
    assert Client().get(third).status_code == 404, "it works once"


def ask_for_link(ada: User, study: Study, one: Enrolment) -> str:
    """A further link by a script, as a path."""
    call = f"studies/{study.pk}/colleagues/{one.pk}/invitation"
    answer = Script(ada).post(call)
    assert answer.status_code == 201, answer.content
    return str(urlsplit(answer.json()["link"]).path)
