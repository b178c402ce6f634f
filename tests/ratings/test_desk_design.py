"""The design by script: its lists, what differs meanwhile, a preview, and power."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ratings import protocol
from ratings.models import AccessEntry, Enrolment, Study
from tests.ratings.conftest import AddCases, end_collecting
from tests.ratings.script import Script
from tests.ratings.test_results import score_all


@pytest.fixture
def one(study: Study, add_cases: AddCases) -> str:
    """The address of a draft with three cases and two arms."""
    add_cases(3)
    return f"studies/{study.pk}"


def test_words_of_the_scale_and_practice_items_are_sent_as_lists(
    script: Script, one: str, study: Study
) -> None:
    items = [
        {"case": f"C00{n}", "arm": "manual", "values": [n], "note": "Look."}
        for n in (1, 2, 3)
    ]
    items += [{**item, "arm": "model"} for item in items[:2]]
    told = script.patch(one, {"anchors": ["bad", "fair", "good"], "calibration": items})
    assert told.status_code == 200, told.content
    words = [point["anchor"] for point in told.json()["scale"]]
    assert words == ["bad", "fair", "good"]
    stored = told.json()["design"]["calibration"]
    assert len(stored) == 5
    assert stored[0] == {
        "case": "C001", "arm": "manual", "values": {"quality": 1}, "note": "Look.",
    }  # fmt: skip
    fewer = script.patch(one, {"calibration": items[:1]})
    assert len(fewer.json()["design"]["calibration"]) == 1
    assert len(fewer.json()["scale"]) == 3, "what is not sent stays"


def test_a_practice_item_off_the_scale_is_named(script: Script, one: str) -> None:
    item = {"case": "C001", "arm": "manual", "values": [9]}
    wrong = script.patch(one, {"calibration": [item]})
    assert list(wrong.json()["errors"]) == ["calibration_0_values"]
    odd = script.patch(one, {"calibration": [{**item, "value": 1}]})
    assert odd.json()["errors"]["calibration"]["0"].keys() == {"value"}
    assert script.patch(one, {"anchors": ["only"]}).status_code == 400


def test_who_comes_second_reads_what_differs(script: Script, one: str) -> None:
    assert script.patch(one, {"contact": "Ada", "revision": 0}).status_code == 200
    late = script.patch(one, {"contact": "Otto", "revision": 0})
    assert late.status_code == 409
    assert late.json()["differences"] == ["contact: now “Ada”, you wrote “Otto”"]
    script.send("put", f"{one}/faces", {"faces": "removed"})
    late = script.send("put", f"{one}/faces", {"faces": "allowed", "seen": "none"})
    assert late.status_code == 409
    assert late.json()["differences"][0].startswith("Faces: now “Faces were in view")
    read = script.get(f"{one}/conflicts").json()
    script.send("put", f"{one}/conflicts", {"rule": "flag", "seen": read["seen"]})
    late = script.send(
        "put", f"{one}/conflicts", {"rule": "exclude", "seen": read["seen"]}
    )
    (difference,) = late.json()["differences"]
    assert difference.startswith("The rule: now “")


def test_a_draft_is_tried_by_a_link_and_a_locked_study_is_not(
    script: Script, coordinator: Client, one: str, study: Study
) -> None:
    made = script.post(f"{one}/preview")
    assert made.status_code == 201, made.content
    room = made.json()["link"].partition("8000")[2]
    assert coordinator.get(room).status_code == 200
    assert study.audit.filter(verb="preview").count() == 1
    Study.objects.filter(pk=study.pk).update(state="locked")
    assert script.post(f"{one}/preview").status_code == 409


def test_power_is_simulated_of_the_study_as_it_is_and_as_is_asked(
    script: Script, one: str, coordinator: Client, study: Study
) -> None:
    usual = script.get(f"{one}/power").json()["usual"]
    assert (usual["cases"], usual["raters"]) == ("3", "8")
    body = {"cases": 20, "raters": 4, "effect": 0.6, "margin": 0.5}
    told = script.post(f"{one}/power", body)
    assert told.status_code == 200, told.content
    found = told.json()
    assert found["plan"]["cases"] == 20
    assert 0 < found["difference"] < 1
    assert found["not_worse"] > found["difference"] / 2
    assert found["curve"] == []
    page = coordinator.get(f"/studies/{study.pk}/power/", {**usual, **body}).text
    assert f"{found['difference'] * 100:.0f}" in page
    drawn = script.post(f"{one}/power", {**body, "curve": True}).json()["curve"]
    assert {"raters": 4, "cases": 20} in [
        {key: point[key] for key in ("raters", "cases")} for point in drawn
    ]
    wrong = script.post(f"{one}/power", {"raters": 1, "pilot": "x"})
    assert set(wrong.json()["errors"]) == {"raters", "pilot"}
    assert script.post(f"{one}/power", {"curve": "yes"}).status_code == 400


def test_a_finished_study_lends_its_spreads_on_record(
    script: Script, open_study: Study, ada: User
) -> None:
    score_all(open_study)
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    plan = Study.objects.create(title="Next", created_by=ada)
    Enrolment.objects.create(study=plan, user=ada, role="coordinator")
    one = f"studies/{plan.pk}/power"
    (pilot,) = script.get(one).json()["pilots"]
    assert pilot["name"] == open_study.title
    bare = script.post(one, {}).json()["plan"]
    lent = script.post(one, {"pilot": pilot["key"], "sd_case": 0.5}).json()["plan"]
    assert lent["sd_residual"] != bare["sd_residual"]
    assert lent["sd_case"] == 0.5, "what is sent goes before the pilot"
    assert AccessEntry.objects.filter(verb="read_results").count() == 1
