"""Templates, copies, conflicts and the trial of a design by its own coordinator."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from ratings import audit
from ratings.design import read_design
from ratings.models import Enrolment, Item, Session, Study
from ratings.starting import TEMPLATES
from tests.ratings.conftest import AddCases, make_user, sign_in
from tests.ratings.script import Script
from tests.ratings.test_design_pages import address, fill_in
from tests.ratings.test_scoring import body, current, put


def start(client: Client, study: Study, value: str, **more: Any) -> Any:
    url = reverse("design-start", args=[study.pk])
    return client.post(url, {"start": value, **more}, follow=True)


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_template_fills_the_design_and_leaves_the_words(
    key: str, study: Study, coordinator: Client
) -> None:
    coordinator.post(address(study), fill_in())
    answer = start(coordinator, study, f"template:{key}")
    study.refresh_from_db()
    assert "The design was filled in." in answer.text
    assert read_design(study.design) == TEMPLATES[key].design
    assert [point["anchor"] for point in study.scale] == list(TEMPLATES[key].anchors)
    assert (study.title, study.instructions) == ("Cord lesions", "Look well.")
    # what the template says can be saved again as it is
    form = answer.context["form"]
    again = {name: form[name].value() for name in form.fields}
    sent = {k: v for k, v in again.items() if v is not None and v is not False}
    assert (
        "Nothing differed" in coordinator.post(address(study), sent, follow=True).text
    )


def test_the_design_of_another_study_is_copied_without_its_cases(
    study: Study, ada: User, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(1)
    other = Study.objects.create(
        title="Last year", created_by=ada, instructions="As before.",
        questions=[{"key": "noise", "text": "How noisy?"}],
        design={"mode": "side_by_side", "planes": {"C009": "axial"}, "margin": 0.5},
    )  # fmt: skip
    Enrolment.objects.create(study=other, user=ada, role=Enrolment.Role.COORDINATOR)
    assert "Last year" in coordinator.get(address(study)).text
    start(coordinator, study, f"study:{other.pk}")
    study.refresh_from_db()
    read = read_design(study.design)
    assert (read.mode, read.margin, read.planes) == ("side_by_side", 0.5, {})
    assert study.questions == other.questions
    assert (study.title, study.instructions) == ("Cord lesions", "As before.")


def test_nobody_copies_from_a_study_that_is_not_theirs(
    study: Study, coordinator: Client, outsider: Client
) -> None:
    foreign = Study.objects.create(
        title="Secret", created_by=User.objects.get(first_name="olaf")
    )
    assert start(coordinator, study, f"study:{foreign.pk}").status_code == 404
    assert "Choose a template" in start(coordinator, study, "template:none").text
    assert start(outsider, study, "template:benveniste").status_code == 404


def test_a_second_coordinator_gets_the_difference_and_decides(
    study: Study, coordinator: Client
) -> None:
    bo = make_user("bo", staff=True)
    Enrolment.objects.create(study=study, user=bo, role=Enrolment.Role.COORDINATOR)
    first, second = coordinator, sign_in(bo)
    first.post(address(study), fill_in(revision="0", min_distance="12"))
    typed = fill_in(revision="0", question="Is it good?")
    answer = second.post(address(study), typed)
    study.refresh_from_db()
    assert answer.status_code == 409
    assert study.design["min_distance"] == 12
    assert study.questions[0]["text"] == "How good is this mask?"
    assert "ada saved it on" in answer.text
    told = {name: (stored, own) for name, stored, own in answer.context["differences"]}
    assert told["Least distance between two masks of a case"] == ("12", "8")
    assert told["Questions"] == ("How good is this mask?", "Is it good?")
    revision = answer.context["form"]["revision"].value()
    second.post(address(study), typed | {"revision": revision})
    study.refresh_from_db()
    assert study.questions[0]["text"] == "Is it good?"
    assert study.design["min_distance"] == 8


def test_one_s_own_other_window_is_no_colleague(
    study: Study, coordinator: Client, script: Script
) -> None:
    coordinator.post(address(study), fill_in(revision="0", min_distance="12"))
    answer = coordinator.post(address(study), fill_in(revision="0", contact="Bo"))
    assert answer.status_code == 409
    assert "You changed the design in another window" in answer.text
    assert "<p>You saved it on" in answer.text
    assert "Somebody else" not in answer.text
    sent = script.patch(f"studies/{study.pk}", {"contact": "Cy", "revision": 0})
    assert "changed by you in another window or script" in sent.json()["detail"]


def test_saving_the_same_twice_is_no_conflict(
    study: Study, coordinator: Client
) -> None:
    coordinator.post(address(study), fill_in(revision="0"))
    answer = coordinator.post(address(study), fill_in(revision="0"), follow=True)
    assert "Nothing differed" in answer.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("0", "Give a number above 0"), ("much", "such as 0.5"), ("4", "below 4")],
)
def test_a_margin_is_a_part_of_the_scale(
    typed: str, sentence: str, study: Study, coordinator: Client
) -> None:
    answer = coordinator.post(address(study), fill_in(margin=typed))
    assert answer.status_code == 422
    assert sentence in answer.text
    coordinator.post(address(study), fill_in(margin="0.5"))
    study.refresh_from_db()
    assert read_design(study.design).margin == 0.5


def try_it(client: Client, study: Study) -> Any:
    return client.post(reverse("design-preview", args=[study.pk]), follow=True)


def test_a_preview_ends_at_the_design_that_it_tries(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(8)
    Study.objects.filter(pk=study.pk).update(design={"min_distance": 3})
    page = try_it(coordinator, study).content.decode()
    assert f'data-home="{address(study)}" data-leave="End the preview">' in page


def test_a_rater_s_room_says_nothing_of_a_preview(
    session: Session, rater: Client
) -> None:
    page = rater.get(reverse("rate", args=[session.key])).content.decode()
    assert 'data-home="/">' in page
    assert "data-leave" not in page


def test_a_coordinator_rates_a_preview_that_nobody_can_analyse(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(8)
    Study.objects.filter(pk=study.pk).update(design={"min_distance": 3})
    answer = try_it(coordinator, study)
    copy = study.previews.get()
    session = Session.objects.get(enrolment__study=copy)
    assert answer.redirect_chain[-1][0] == reverse("rate", args=[session.key])
    items = Item.objects.filter(presentation__session=session)
    assert items.count() == 6 * 2
    current = coordinator.get(reverse("next", args=[session.key])).json()["current"]
    token = current["items"][0]["token"]
    for part in ("item-image", "item-mask"):
        assert coordinator.get(reverse(part, args=[token])).status_code == 200
    study.refresh_from_db()
    assert study.state == Study.State.DRAFT
    assert audit.verify(study) == audit.verify(copy) == []
    for name in ("design", "monitor", "results", "unblind", "export"):
        url = reverse(name, args=[copy.pk])
        assert coordinator.get(url).status_code == 404
    assert "Preview:" not in coordinator.get(reverse("home")).text


def test_a_site_with_a_rated_preview_is_verified_like_any_other(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(2)
    try_it(coordinator, study)
    session = Session.objects.get(enrolment__study__preview_of=study)
    answer = put(coordinator, current(session).token, body(4))
    assert answer.status_code == 200
    told = StringIO()
    call_command("verify", stdout=told)
    assert told.getvalue().count(": holds") == 2


def test_a_preview_says_what_it_lacks(
    study: Study, coordinator: Client, add_cases: AddCases, ada: User
) -> None:
    assert "nothing to try" in try_it(coordinator, study).text
    add_cases(2)
    study.cases.update(left_out="not drawn")
    assert "No case has a mask of every source" in try_it(coordinator, study).text
    assert not Study.objects.exclude(preview_of=None).exists()


def test_strangers_and_a_locked_study_have_no_preview(
    open_study: Study, coordinator: Client, rater: Client, outsider: Client
) -> None:
    assert "made of a draft" in try_it(coordinator, open_study).text
    for client in (rater, outsider):
        assert try_it(client, open_study).status_code == 404
