"""The list of studies, the new study, and who may see which page of the desk."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import outlook, protocol, steps
from ratings.models import AnalysisRun, AuditEntry, Enrolment, Study
from ratings.statistics.summary import SCHEMA
from tests.ratings.conftest import AddCases, end_collecting, make_user, sign_in

PAGES = ("cases", "design", "lock")
FILLED = {"title": "  Cord   lesions ", "contact": "Ada", "instructions": "Look well."}


def statuses(study: Study) -> dict[str, str]:
    return {step.key: step.status for step in steps.list_steps(study)}


@pytest.mark.parametrize("page", PAGES)
def test_whoever_is_not_signed_in_is_sent_to_sign_in(page: str, study: Study) -> None:
    answer = Client().get(reverse(page, args=[study.pk]))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_another_study_does_not_exist(
    page: str, study: Study, outsider: Client
) -> None:
    assert outsider.get(reverse(page, args=[study.pk])).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_a_rater_of_the_study_does_not_reach_its_desk(
    page: str, open_study: Study, rater: Client
) -> None:
    assert rater.get(reverse(page, args=[open_study.pk])).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_the_coordinator_reaches_every_page_in_every_state(
    page: str, open_study: Study, coordinator: Client
) -> None:
    answer = coordinator.get(reverse(page, args=[open_study.pk]))
    assert answer.status_code == 200
    assert "Collecting" in answer.text


def test_pages_carry_no_inline_script_or_style(
    study: Study, coordinator: Client
) -> None:
    for page in PAGES:
        text = coordinator.get(reverse(page, args=[study.pk])).text
        assert "<style" not in text
        assert " style=" not in text
        assert text.count("<script") == text.count("<script defer src=")


def test_without_a_study_the_list_offers_to_make_one(coordinator: Client) -> None:
    text = coordinator.get("/").text
    assert "No study yet" in text
    assert reverse("study-new") in text


def test_a_person_of_no_study_is_told_how_studies_get_here(db: None) -> None:
    text = sign_in(make_user("rhea")).get("/").text
    assert "Nothing to rate yet" in text
    assert reverse("study-new") not in text


def test_the_list_tells_state_progress_and_what_is_next(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(2)
    text = coordinator.get("/").text
    assert "Draft" in text
    assert "Add the people who will rate." in text


def test_a_simulated_study_says_so(study: Study, coordinator: Client) -> None:
    assert "Simulated" not in coordinator.get("/").text
    Study.objects.update(simulated=True)
    assert "Simulated" in coordinator.get("/").text


def test_a_rater_finds_the_own_session_and_nobody_elses(
    open_study: Study, rater: Client
) -> None:
    keys = Enrolment.objects.exclude(code="").values_list(
        "sessions__key", "user__email"
    )
    text = rater.get("/").text
    assert "Start rating" in text
    for key, email in keys:
        assert (f"/rate/{key}/" in text) == (email == "rhea@example.org")


def test_a_rater_sees_neither_desk_nor_state_of_the_study(
    open_study: Study, rater: Client, ada: object
) -> None:
    text = rater.get("/").text
    assert "/studies/" not in text
    end_collecting(open_study, open_study.created_by)
    text = rater.get("/").text
    assert "Start rating" not in text
    assert "Closed" in text


def test_one_person_can_coordinate_one_study_and_rate_another(
    open_study: Study, rater: Client
) -> None:
    user = make_user("mia", staff=True)
    own = Study.objects.create(title="Her own", created_by=user)
    Enrolment.objects.create(study=own, user=user, role="coordinator")
    Enrolment.objects.create(study=open_study, user=user, role="rater", code="R09")
    text = sign_in(user).get("/").text
    assert "Your ratings" in text
    assert "Her own" in text


def test_making_a_study_enrols_the_coordinator_and_is_on_record(
    coordinator: Client,
) -> None:
    answer = coordinator.post(reverse("study-new"), FILLED)
    study = Study.objects.get()
    assert answer.headers["Location"] == reverse("cases", args=[study.pk])
    assert study.title == "Cord lesions"
    assert study.enrolments.get().role == "coordinator"
    entry = AuditEntry.objects.get(study=study)
    assert (entry.n, entry.verb) == (1, "create_study")


def test_a_study_needs_a_name_and_what_was_typed_is_kept(coordinator: Client) -> None:
    answer = coordinator.post(reverse("study-new"), {**FILLED, "title": " "})
    assert "Give the study a name." in answer.text
    assert "Look well." in answer.text
    assert not Study.objects.exists()


def test_only_the_staff_makes_studies(db: None) -> None:
    client = sign_in(make_user("rhea"))
    assert client.get(reverse("study-new")).status_code == 404
    assert client.post(reverse("study-new"), FILLED).status_code == 404
    assert not Study.objects.exists()


def test_a_post_without_the_page_s_own_token_is_refused(ada: object) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(
        make_user("eve", staff=True),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    assert client.post(reverse("study-new"), FILLED).status_code == 403


def test_the_steps_of_an_empty_study_begin_with_its_cases(study: Study) -> None:
    found = statuses(study)
    assert found["cases"] == "next"
    assert found["raters"] == "todo"
    assert found["lock"] == found["monitor"] == found["results"] == "later"


def test_a_missing_mask_is_a_problem_of_the_cases(
    study: Study, add_cases: AddCases
) -> None:
    add_cases(2)
    assert statuses(study)["cases"] == "done"
    study.cases.first().masks.first().delete()  # type: ignore[union-attr]
    assert statuses(study)["cases"] == "problem"
    said = outlook.find_outlook(study, steps.list_steps(study))
    assert said
    assert "lack a mask" in said.sentence


def test_steps_follow_the_study_to_its_end(open_study: Study, ada: object) -> None:
    actor = open_study.created_by
    assert statuses(open_study)["monitor"] == "next"
    end_collecting(open_study, actor)
    assert statuses(open_study)["results"] == "next"
    protocol.unblind(study=open_study, actor=actor, typed_title=open_study.title)
    assert statuses(open_study)["export"] == "later"
    page = sign_in(open_study.created_by).get(reverse("export", args=[open_study.pk]))
    assert "The analysis is not finished" in page.text
    AnalysisRun.objects.create(
        study=open_study, data_sha256="0" * 64, versions={},
        results={"analysis": {"schema": SCHEMA}},
    )  # fmt: skip
    assert statuses(open_study)["export"] == "done"
    listed = steps.list_steps(open_study)
    assert all(step.url for step in listed)
    said = outlook.find_outlook(open_study, listed)
    assert said
    assert said.step == "results"


def test_a_shortened_address_leads_on(study: Study, coordinator: Client) -> None:
    assert coordinator.get("/studies/")["Location"] == reverse("home")
    answer = coordinator.get(f"/studies/{study.pk}/")
    assert answer["Location"] == reverse("cases", args=[study.pk])


def test_a_shortened_address_of_a_running_study_leads_to_what_is_next(
    open_study: Study, coordinator: Client
) -> None:
    listed = steps.list_steps(open_study)
    said = outlook.find_outlook(open_study, listed)
    assert said
    url = said.url
    assert url != reverse("cases", args=[open_study.pk])
    assert coordinator.get(f"/studies/{open_study.pk}/")["Location"] == url


def test_a_statistician_is_led_to_the_results_once_there_are_some(
    open_study: Study, ada: User
) -> None:
    sue = make_user("sue")
    Enrolment.objects.create(study=open_study, user=sue, role="statistician")
    url = f"/studies/{open_study.pk}/"
    assert sign_in(sue).get(url)["Location"] == reverse("home")
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    assert sign_in(sue).get(url)["Location"] == reverse("results", args=[open_study.pk])


def test_a_foreign_study_s_shortened_address_does_not_exist(
    open_study: Study, rater: Client, outsider: Client
) -> None:
    for client in (rater, outsider):
        assert client.get(f"/studies/{open_study.pk}/").status_code == 404
