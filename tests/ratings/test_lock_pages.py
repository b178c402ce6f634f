"""The checklist, the typed name, and what is shown after the lock."""

from __future__ import annotations

import hashlib
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import audit, invitations, obstacles, protocol
from ratings.models import Arm, AuditEntry, Item, Mask, Study
from ratings.views.locking import tell_time
from tests.ratings.conftest import AddCases
from tests.ratings.script import Script

SIGNED = {"password": "a long enough password"}


def address(study: Study) -> str:
    return reverse("lock", args=[study.pk])


@pytest.fixture
def ready(study: Study, ada: User, add_cases: AddCases) -> Study:
    """A draft that lacks nothing."""
    add_cases(6)
    for name in ("rhea", "otto"):
        email = f"{name}@example.org"
        invitations.add_rater(study=study, actor=ada, name=name, email=email)
    return study


def test_every_obstacle_has_its_sentence_and_a_way_to_mend_it(
    study: Study, coordinator: Client
) -> None:
    answer = coordinator.get(address(study))
    text = answer.text
    for obstacle in obstacles.find_obstacles(study):
        assert obstacle in text
    for step in ("cases", "raters"):
        assert reverse(step, args=[study.pk]) in text
    assert not answer.context["ready"]
    assert "typed_title" not in text


def test_no_obstacle_is_left_out_of_the_checklist(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(2)
    study.cases.first().masks.all().delete()  # type: ignore[union-attr]
    Arm.objects.filter(key="model").update(kind="model")
    Study.objects.update(reference_arm="nobody")
    checks = coordinator.get(address(study)).context["checks"]
    shown = [sentence for check in checks for sentence in check.obstacles]
    study.refresh_from_db()
    assert sorted(shown) == sorted(obstacles.find_obstacles(study))
    assert len(shown) == 4


def test_a_study_with_obstacles_cannot_be_locked(
    study: Study, coordinator: Client
) -> None:
    answer = coordinator.post(address(study), {"typed_title": study.title})
    assert answer.status_code == 422
    study.refresh_from_db()
    assert study.state == "draft"


def test_the_burden_is_told_before_the_lock(ready: Study, coordinator: Client) -> None:
    text = coordinator.get(address(ready)).text
    assert "12 masks a rater ≈ 9 min at 45 s each; 2 raters" in text
    ready.design |= {
        "repeat_percent": 25, "control_bad": 2,
        "calibration": [{"case": "C001", "arm": "manual", "values": {"quality": 4}}],
    }  # fmt: skip
    ready.save()
    text = coordinator.get(address(ready)).text
    said = (
        "16 masks a rater (10, 3 hidden repeats, 2 controls, 1 practice mask) ≈ 12 min"
    )
    assert said in text


def test_further_questions_take_further_time_on_the_page_and_in_the_api(
    ready: Study, coordinator: Client, script: Script
) -> None:
    ready.questions += [{"key": f"q{n}", "text": "And this?"} for n in (2, 3)]
    ready.save()
    said = (
        "12 masks a rater ≈ 13 min at 65 s each, 10 s of it for each further question"
    )
    assert said in coordinator.get(address(ready)).text
    assert said in coordinator.get(reverse("design", args=[ready.pk])).text
    told = script.get(f"studies/{ready.pk}/checklist").json()["burden"]
    assert told == f"{said}; 2 raters"
    power = script.post(f"studies/{ready.pk}/power", {}).json()
    assert power["burden"] == told


def test_one_question_takes_as_long_as_it_always_did() -> None:
    assert tell_time(96, further=0) == "1 h 12 min at 45 s each"


@pytest.mark.parametrize("typed", ["", "cord", "cord lesions"])
def test_without_the_exact_name_nothing_is_locked(
    typed: str, ready: Study, coordinator: Client
) -> None:
    answer = coordinator.post(
        address(ready), {"typed_title": typed, "open_now": "on", **SIGNED}
    )
    assert answer.status_code == 422
    assert "Type the name exactly" in answer.text
    ready.refresh_from_db()
    assert ready.state == "draft"


@pytest.mark.parametrize("password", ["", "not the right one"])
def test_without_the_password_nothing_is_locked_or_signed(
    password: str, ready: Study, coordinator: Client
) -> None:
    form = {"typed_title": ready.title, "password": password}
    assert coordinator.post(address(ready), form).status_code == 422
    ready.refresh_from_db()
    assert ready.state == "draft"
    assert not ready.signatures.exists()


def test_the_lock_is_signed_with_name_time_meaning_and_digest(
    ready: Study, coordinator: Client
) -> None:
    coordinator.post(address(ready), {"typed_title": ready.title, **SIGNED})
    ready.refresh_from_db()
    signature = ready.signatures.get()
    assert signature.name == "ada"
    assert signature.meaning == "lock"
    assert signature.digest == ready.protocol_sha256
    assert signature.digest == audit.digest(ready.protocol_versions.get().document)


@pytest.mark.parametrize(
    ("ticked", "state"), [({"open_now": "on"}, "collecting"), ({}, "locked")]
)
def test_locking_opens_at_once_only_if_asked(
    ticked: dict[str, str], state: str, ready: Study, coordinator: Client
) -> None:
    coordinator.post(
        address(ready), {"typed_title": " Cord  lesions ", **SIGNED, **ticked}
    )
    ready.refresh_from_db()
    assert ready.state == state
    items = Item.objects.filter(presentation__session__enrolment__study=ready)
    assert items.count() == 2 * 6 * 2


def test_after_the_lock_hash_commitment_and_distance_are_shown(
    ready: Study, coordinator: Client
) -> None:
    coordinator.post(address(ready), {"typed_title": ready.title, **SIGNED})
    ready.refresh_from_db()
    text = coordinator.get(address(ready)).text
    entry = AuditEntry.objects.get(study=ready, verb="locked")
    assert ready.protocol_sha256 in text
    assert entry.payload["commitment"] in text
    assert "at least 6 positions apart" in text
    assert ready.allocation_report["notes"][0] in text
    assert ready.seed not in text


def test_the_protocol_can_be_downloaded_and_its_hash_checked(
    open_study: Study, coordinator: Client, rater: Client
) -> None:
    url = reverse("protocol", args=[open_study.pk])
    data = coordinator.get(url).content
    assert hashlib.sha256(data).hexdigest() == open_study.protocol_sha256
    assert rater.get(url).status_code == 404


def test_a_draft_has_no_protocol_yet(study: Study, coordinator: Client) -> None:
    assert coordinator.get(reverse("protocol", args=[study.pk])).status_code == 404


def test_a_locked_study_can_be_opened_later_but_once(
    ready: Study, coordinator: Client
) -> None:
    coordinator.post(address(ready), {"typed_title": ready.title, **SIGNED})
    url = reverse("open", args=[ready.pk])
    assert "open for rating" in coordinator.post(url, follow=True).text
    assert "Reload the page" in coordinator.post(url, follow=True).text
    ready.refresh_from_db()
    assert ready.state == "collecting"


def test_locking_twice_is_refused_in_words(
    open_study: Study, coordinator: Client
) -> None:
    form = {"typed_title": open_study.title}
    answer = coordinator.post(address(open_study), form, follow=True)
    assert "locked already" in answer.text


def test_a_comparison_without_a_second_source_is_remarked(
    ready: Study, coordinator: Client
) -> None:
    Arm.objects.filter(key="model").delete()
    text = coordinator.get(address(ready)).text
    assert "nothing to compare" in text


def test_neither_raters_nor_strangers_lock_or_open(
    open_study: Study, rater: Client, outsider: Client
) -> None:
    for client in (rater, outsider):
        assert client.post(address(open_study)).status_code == 404
        assert client.post(reverse("open", args=[open_study.pk])).status_code == 404


def state(client: Client, study: Study, answer: str) -> str:
    url = reverse("faces", args=[study.pk])
    return client.post(url, {"faces": answer}, follow=True).text


def test_without_a_statement_about_faces_nothing_is_locked(
    ready: Study, coordinator: Client
) -> None:
    Study.objects.update(faces="")
    form = {"typed_title": ready.title, **SIGNED}
    page = coordinator.get(address(ready))
    assert not page.context["ready"]
    ready.refresh_from_db()
    assert obstacles.find_obstacles(ready) == [obstacles.UNSTATED]
    assert "1 thing left" in page.text
    assert "ready to lock" not in page.text
    assert "typed_title" not in page.text
    answer = coordinator.post(address(ready), form)
    assert "State first whether faces" in answer.text
    ready.refresh_from_db()
    assert ready.state == "draft"
    assert "Choose the sentence" in state(coordinator, ready, "perhaps")
    assert "The statement was stored." in state(coordinator, ready, "removed")
    coordinator.post(address(ready), form)
    ready.refresh_from_db()
    assert ready.state == "locked"
    assert "were removed or blurred" in (ready.protocol or {})["faces"]
    assert ready.audit.get(verb="state_faces").payload["answer"] == "removed"
    assert "its statements are fixed" in state(coordinator, ready, "none")


def test_nobody_else_states_anything(
    open_study: Study, rater: Client, outsider: Client
) -> None:
    for client in (rater, outsider):
        url = reverse("faces", args=[open_study.pk])
        assert client.post(url, {"faces": "none"}).status_code == 404


def test_a_study_changed_by_another_meanwhile_is_not_locked_unseen(
    ready: Study, coordinator: Client
) -> None:
    seen = coordinator.get(address(ready)).context["seen"]
    Study.objects.filter(pk=ready.pk).update(design_revision=7)
    form = {"typed_title": ready.title, "seen": seen, **SIGNED}
    answer = coordinator.post(address(ready), form)
    assert "Somebody else changed the design" in answer.text
    ready.refresh_from_db()
    assert ready.state == "draft"
    Study.objects.filter(pk=ready.pk).update(cases_revision=3)
    with pytest.raises(protocol.ProtocolError, match="Somebody else"):
        protocol.lock(study=ready, actor=ready.created_by)


def test_the_checklist_remarks_on_words_links_and_the_last_audit(
    ready: Study, coordinator: Client
) -> None:
    page = coordinator.get(address(ready))
    remarks = {check.label: check.remarks for check in page.context["checks"]}
    assert "no instructions" in remarks["Design"][0]
    assert "no contact" in remarks["Design"][1]
    assert "R01, R02" in remarks["Raters"][0]
    assert page.context["audit"].state == "todo"
    coordinator.post(reverse("blinding-audit", args=[ready.pk]))
    fact = coordinator.get(address(ready)).context["audit"].fact
    assert re.fullmatch(r"passed on \d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d UTC", fact)
    assert "stored" in state(coordinator, ready, "removed")
    assert coordinator.get(address(ready)).context["audit"].state == "ok"
    Mask.objects.filter(case__study=ready).update(sha256="0" * 64)
    assert coordinator.get(address(ready)).context["audit"].state == "todo"


def test_the_checklist_remarks_where_raters_would_read_the_name_of_a_source(
    ready: Study, coordinator: Client
) -> None:
    ready.title, ready.instructions = "Man-ual against model2", "Judge the masks."
    ready.design["calibration"] = [
        {"case": "C001", "arm": "model", "values": {}, "note": "The model missed one."}
    ]
    ready.save()
    page = coordinator.get(reverse("lock", args=[ready.pk]))
    remarks = {check.label: check.remarks for check in page.context["checks"]}
    named = [text for text in remarks["Design"] if "the name of a source" in text]
    assert [text.partition(" under ")[2].partition(".")[0] for text in named] == [
        "name of the study", "notes on practice masks",
    ]  # fmt: skip
