"""A removed case or arm is forgotten by all that named it; no label is given again."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ratings import audit, conflicts, importing, protocol, removal, selecting
from ratings.design import read_design
from ratings.models import Study
from ratings.sampling import Rule
from tests.ratings.conftest import AddCases
from tests.ratings.script import PASSWORD, Script
from tests.ratings.test_lock_pages import address, ready

__all__ = ["ready"]

NAMED = {
    "calibration": [
        {"case": "C002", "arm": "manual", "values": {"quality": 4}, "note": ""},
        {"case": "C003", "arm": "model", "values": {"quality": 2}, "note": ""},
    ],
    "planes": {"C002": "axial", "C003": "coronal"},
    "authors": {"C002": {"manual": "R01"}, "C003": {"manual": "R02", "model": "R01"}},
}


@pytest.fixture
def named(ready: Study) -> Study:
    """Six cases, of which the design names C002 and C003."""
    ready.design = {**ready.design, **NAMED, "conflict": "flag"}
    ready.save()
    return ready


def remove(study: Study, actor: User, *labels: str) -> int:
    ids = list(study.cases.filter(label__in=labels).values_list("pk", flat=True))
    return removal.remove_cases(study=study, actor=actor, ids=ids)


def test_a_label_is_never_given_twice(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(3)
    assert importing.next_label(study) == "C004"
    remove(study, ada, "C003")
    assert importing.next_label(study) == "C004"
    remove(study, ada, "C001", "C002")
    add_cases(2)
    labels = list(study.cases.order_by("label").values_list("label", flat=True))
    assert labels == ["C004", "C005"]


def test_the_design_forgets_a_removed_case_on_record(named: Study, ada: User) -> None:
    remove(named, ada, "C002", "C005")
    design = Study.objects.get(pk=named.pk).design
    assert [row.case for row in read_design(design).calibration] == ["C003"]
    assert design["planes"] == {"C003": "coronal"}
    assert design["authors"] == {"C003": {"manual": "R02", "model": "R01"}}
    assert {**named.design, **{key: design[key] for key in NAMED}} == design
    last, before = named.audit.order_by("-n")[:2]
    assert before.payload == {"cases": ["C002", "C005"]}
    assert (last.verb, last.payload) == (
        "change_design",
        {"changed": ["authors", "calibration", "planes"], "removed": ["C002", "C005"]},
    )
    assert audit.verify(named) == []


def test_removing_a_case_that_nothing_names_leaves_the_design(
    named: Study, ada: User
) -> None:
    remove(named, ada, "C005")
    after = Study.objects.get(pk=named.pk)
    assert (after.design, after.design_revision) == (named.design, 0)
    assert not named.audit.filter(verb="change_design").exists()


def test_the_design_forgets_a_removed_arm_on_record(named: Study, ada: User) -> None:
    removal.remove_arm(study=named, actor=ada, key="model")
    design = Study.objects.get(pk=named.pk).design
    rows = [(row.case, row.arm) for row in read_design(design).calibration]
    assert rows == [("C002", "manual")]
    assert design["authors"] == {"C002": {"manual": "R01"}, "C003": {"manual": "R02"}}
    assert design["planes"] == NAMED["planes"]
    last, before = named.audit.order_by("-n")[:2]
    assert before.verb == "remove_arm"
    assert (last.verb, last.payload) == (
        "change_design",
        {"changed": ["authors", "calibration"], "removed_arm": "model"},
    )
    assert audit.verify(named) == []


def test_removing_an_arm_that_nothing_names_leaves_the_design(
    named: Study, ada: User
) -> None:
    importing.ensure_arm(study=named, key="other")
    removal.remove_arm(study=named, actor=ada, key="other")
    after = Study.objects.get(pk=named.pk)
    assert (after.design, after.design_revision) == (named.design, 0)
    assert not named.audit.filter(verb="change_design").exists()


def test_a_draft_is_tried_and_locked_after_an_arm_of_its_practice_went(
    ready: Study, script: Script
) -> None:
    one = f"studies/{ready.pk}"
    items = [{"case": "C001", "arm": "model", "values": [3]}]
    assert script.patch(one, {"calibration": items}).status_code == 200
    assert script.delete(f"{one}/arms/model").status_code == 204
    checked = script.get(f"{one}/checklist").json()
    assert checked["ready"], checked
    assert script.post(f"{one}/preview").status_code == 201
    body = {"typed_title": ready.title, "password": PASSWORD, "seen": checked["seen"]}
    assert script.post(f"{one}/lock", body).status_code == 200


def test_a_case_that_comes_after_a_removal_inherits_nothing(
    named: Study, ada: User, add_cases: AddCases
) -> None:
    remove(named, ada, "C002")
    add_cases(1)
    after = Study.objects.get(pk=named.pk)
    new = after.cases.order_by("label").last()
    assert new is not None
    assert new.label == "C007"
    assert conflicts.list_touched(after.design, ["R01", "R02"]) == {
        "R01": ["C003"], "R02": ["C003"],
    }  # fmt: skip
    protocol.lock(study=after, actor=ada)
    assert [row["case"] for row in (after.protocol or {})["design"]["calibration"]] == [
        "C003"
    ]


def test_a_draw_stays_told_as_it_was_and_the_checklist_says_what_differs(
    ready: Study, ada: User, coordinator: Client
) -> None:
    rule = Rule(mode="every")
    drawn = selecting.draw_cases(study=ready, actor=ada, rule=rule, revision=0)
    remove(ready, ada, "C002")
    after = Study.objects.get(pk=ready.pk)
    assert after.selection["chosen"] == list(drawn.chosen)
    page = coordinator.get(address(ready))
    assert "differs from what was drawn" in page.text
    assert after.cases_revision == 2
