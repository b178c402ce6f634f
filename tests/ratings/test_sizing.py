"""What so few cases can't give is said before the lock, and after it as well."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import protocol, sizing, training
from ratings.models import Study
from tests.ratings.test_lock_pages import ready

__all__ = ["ready"]


def plan(study: Study, practice: int, **design: Any) -> Study:
    rows = [
        {"case": f"C00{n + 1}", "arm": "manual", "values": {"quality": 3}}
        for n in range(practice)
    ]
    study.design |= {"calibration": rows, **design}
    study.save()
    return study


def read_check(client: Client, study: Study, label: str) -> Any:
    checks = client.get(reverse("lock", args=[study.pk])).context["checks"]
    return next(check for check in checks if check.label == label)


def test_practice_cases_are_not_counted_as_cases_to_rate(
    ready: Study, coordinator: Client
) -> None:
    assert training.count_rated(plan(ready, 1)) == 5
    assert read_check(coordinator, ready, "Cases").fact == "5 cases, and 1 for practice"
    plan(ready, 1, primary="case_flips")
    remarks = read_check(coordinator, ready, "Design").remarks
    assert any("signed-rank test can never reach" in text for text in remarks)


@pytest.mark.parametrize(("practice", "warned"), [(3, False), (4, True), (5, True)])
def test_fewer_than_three_cases_to_rate_have_no_test_and_the_checklist_says_so(
    ready: Study, coordinator: Client, practice: int, warned: bool
) -> None:
    plan(ready, practice)
    check = read_check(coordinator, ready, "Cases")
    assert check.state == ("warn" if warned else "ok")
    said = [text for text in check.remarks if "neither an interval nor a test" in text]
    assert len(said) == warned


def test_the_distance_that_can_be_reached_is_said_before_the_lock(
    ready: Study, coordinator: Client
) -> None:
    assert sizing.list_distance_remarks(plan(ready, 0, min_distance=6)) == []
    plan(ready, 4, min_distance=10)
    sentence = (
        "With 2 cases to rate the masks of one case can stand at most 2 positions "
        "apart, not the 10 that are wanted"
    )
    assert sizing.list_distance_remarks(ready) == [f"{sentence}."]
    plan(ready, 4, repeat_percent=30)
    (said,) = sizing.list_distance_remarks(ready)
    assert said.startswith(f"{sentence}; hidden repeats and controls may bring")
    check = read_check(coordinator, ready, "Design")
    assert said in check.remarks
    assert "least distance wanted 10" in check.fact


def test_who_has_fewer_cases_is_named_and_one_showing_needs_no_distance(
    ready: Study,
) -> None:
    own = {f"C00{n}": {"manual": "R02"} for n in (1, 2)}
    plan(ready, 0, conflict="exclude", authors=own, min_distance=6)
    (said,) = sizing.list_distance_remarks(ready)
    assert said.startswith("With 4 cases to rate for R02 the masks of one case")
    assert sizing.list_distance_remarks(plan(ready, 0, mode="side_by_side")) == []


def test_after_the_lock_the_page_tells_practice_and_one_sentence_for_all_raters(
    ready: Study, ada: User, coordinator: Client
) -> None:
    plan(ready, 4, repeat_percent=30, control_bad=1)
    protocol.lock(study=ready, actor=ada)
    notes = Study.objects.get(pk=ready.pk).allocation_report["notes"]
    assert len([note for note in notes if "positions apart" in note]) == 1
    page = coordinator.get(reverse("lock", args=[ready.pk])).text
    assert "<dd>2 cases, and 1 for practice</dd>".replace("1", "4") in page


def test_the_notes_of_a_study_that_was_locked_before_are_shown_as_they_are(
    ready: Study, ada: User, coordinator: Client
) -> None:
    protocol.lock(study=ready, actor=ada)
    told = ["with 2 cases no order does better than 2", "than 1, which was used."]
    report = {**ready.allocation_report, "notes": told}
    Study.objects.filter(pk=ready.pk).update(allocation_report=report)
    page = coordinator.get(reverse("lock", args=[ready.pk])).text
    assert all(note in page for note in told)
