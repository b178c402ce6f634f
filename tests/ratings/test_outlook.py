"""The column at the left: what each role sees of it, what is next, what is wrong."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import outlook, protocol, steps
from ratings.models import Arm, Enrolment, Session, Study
from ratings.outlook import Outlook
from tests.ratings.conftest import AddCases, end_collecting, make_user, sign_in
from tests.ratings.test_finishing import sign
from tests.ratings.test_lock_pages import ready
from tests.ratings.test_monitor_pages import rate_all

__all__ = ["ready"]

STATISTICIAN = Enrolment.Role.STATISTICIAN


def look(study: Study) -> Outlook:
    found = outlook.find_outlook(study, steps.list_steps(study))
    assert found
    return found


def read_side(client: Client, study: Study, page: str) -> str:
    text = client.get(reverse(page, args=[study.pk])).text
    return text.partition('<aside class="side"')[2].partition("</aside>")[0]


@pytest.fixture
def stan(open_study: Study) -> Client:
    user = make_user("stan")
    Enrolment.objects.create(study=open_study, user=user, role=STATISTICIAN)
    return sign_in(user)


def test_a_problem_is_explained_on_its_own_page_and_leads_nowhere_in_a_circle(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(2)
    study.cases.first().masks.first().delete()  # type: ignore[union-attr]
    sentence = "Some cases lack a mask"
    assert f">{sentence}" in read_side(coordinator, study, "cases")
    assert "Look</a>" not in read_side(coordinator, study, "cases")
    assert "Look</a>" in read_side(coordinator, study, "design")


def test_nothing_is_next_while_a_problem_stands(
    study: Study, add_cases: AddCases
) -> None:
    add_cases(2)
    study.cases.first().masks.first().delete()  # type: ignore[union-attr]
    statuses = [step.status for step in steps.list_steps(study)]
    assert "problem" in statuses
    assert "next" not in statuses


def test_a_design_that_cannot_be_locked_says_so_itself_and_leads_to_the_checklist(
    ready: Study, coordinator: Client
) -> None:
    Study.objects.update(reference_arm="gone")
    ready.refresh_from_db()
    found = look(ready)
    assert (found.step, found.url) == ("lock", reverse("lock", args=[ready.pk]))
    page = coordinator.get(reverse("design", args=[ready.pk])).text
    assert "No mask belongs to the arm that the others are compared with" in page
    assert "Choose another reference under Design and save it." in page
    assert f'<a href="{found.url}">Look</a>' in page
    assert "Check and lock says why" not in read_side(coordinator, ready, "lock")


def test_a_rater_without_anything_to_rate_is_explained_by_the_checklist(
    ready: Study,
) -> None:
    own = {f"C00{n}": {"manual": "R02"} for n in range(1, 7)}
    ready.design |= {"conflict": "exclude", "authors": own}
    ready.save()
    assert look(ready).url == reverse("lock", args=[ready.pk])


def test_once_every_item_is_rated_the_study_is_to_be_closed(open_study: Study) -> None:
    assert look(open_study).sentence.startswith("Raters are at work")
    rate_all(open_study)
    codes = [one.enrolment.code for one in Session.objects.order_by("enrolment__code")]
    assert f"Every item is rated; {codes[0]}" in look(open_study).sentence
    assert "yet to sign off" in look(open_study).sentence
    for code in codes:
        sign(open_study, code)
    assert look(open_study).sentence == "Every item is rated. Close the study."


def test_the_monitor_speaks_of_sealed_scores_only_while_they_are(
    open_study: Study, ada: User, coordinator: Client
) -> None:
    url, sealed = reverse("monitor", args=[open_study.pk]), "Scores stay sealed"
    end_collecting(open_study, ada)
    assert sealed in coordinator.get(url).text
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    assert sealed not in coordinator.get(url).text


def test_a_statistician_sees_the_steps_that_are_theirs_and_can_open_each(
    open_study: Study, ada: User, stan: Client
) -> None:
    keys = ["results", "comparison", "export"]
    end_collecting(open_study, ada)
    closed = steps.list_steps(open_study, role=STATISTICIAN)
    assert [step.key for step in closed] == keys
    assert {(step.status, step.url) for step in closed} == {("later", "")}
    assert outlook.find_outlook(open_study, closed) is None
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    side = read_side(stan, open_study, "results")
    opened = steps.list_steps(open_study, role=STATISTICIAN)
    assert [step.key for step in opened if step.url in side] == keys
    assert all(stan.get(step.url).status_code == 200 for step in opened)
    assert "Monitor" not in side


@pytest.mark.parametrize("page", ["results", "export"])
def test_a_sealed_page_leads_nobody_to_a_page_that_is_not_theirs(
    page: str, open_study: Study, coordinator: Client, stan: Client
) -> None:
    url = reverse(page, args=[open_study.pk])
    assert "Go to the monitor" in coordinator.get(url).text
    assert "Go to the monitor" not in stan.get(url).text


def test_the_list_of_studies_says_what_one_does_there(
    open_study: Study, coordinator: Client, stan: Client
) -> None:
    assert "Studies that you coordinate<" in coordinator.get("/").text
    assert "Studies that you analyse<" in stan.get("/").text


def test_an_empty_study_has_no_tick_for_masks_or_for_a_design_nobody_touched(
    study: Study, coordinator: Client
) -> None:
    found = {step.key: step for step in steps.list_steps(study)}
    design = found["design"]
    assert (design.status, design.note) == ("optional", "unchanged")
    checks = coordinator.get(reverse("lock", args=[study.pk])).context["checks"]
    (masks,) = (check for check in checks if check.label == "Masks by source")
    assert (masks.fact, masks.state) == ("none yet", "bad")
    Study.objects.update(design_revision=1)
    study.refresh_from_db()
    assert steps.list_steps(study)[2].status == "done"


def test_of_one_arm_nothing_is_compared_on_the_page_after_the_lock(
    ready: Study, ada: User, coordinator: Client
) -> None:
    Arm.objects.filter(key="model").delete()
    protocol.lock(study=ready, actor=ada)
    page = coordinator.get(reverse("lock", args=[ready.pk])).text
    assert "Each source comes first" not in page
    assert "positions apart" not in page
