"""The design: kept on error, fixed by the lock, and on record when it changes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ratings.design import Reference, read_design
from ratings.models import AuditEntry, Study
from tests.ratings.conftest import AddCases

WORDS = ("useless", "weak", "usable", "good", "perfect")

PRESENTATION = {
    "mode": "single", "repeat_percent": "0", "session_maximum": "0",
    "control_bad": "0", "control_empty": "0", "edit_policy": "final",
    "plane": "auto", "planes": "", "zoom_mm": "0", "guess": "off",
    "guess_percent": "25",
}  # fmt: skip


def address(study: Study) -> str:
    return reverse("design", args=[study.pk])


def fill_in(**changes: Any) -> dict[str, Any]:
    anchors = {f"anchor_{n}": word for n, word in enumerate(WORDS, 1)}
    return {
        "title": "Cord lesions", "contact": "Ada", "instructions": "Look well.",
        "question": "How good is this mask?", "points": "5", "min_distance": "8",
        "reference_arm": "manual", **PRESENTATION, **anchors, **changes,
    }  # fmt: skip


def test_a_saved_design_is_what_the_study_has(
    study: Study, coordinator: Client
) -> None:
    answer = coordinator.post(address(study), fill_in(), follow=True)
    study.refresh_from_db()
    assert "The design was saved." in answer.text
    assert [point["anchor"] for point in study.scale] == list(WORDS)
    assert study.levels == [1, 2, 3, 4, 5]
    assert study.questions == [{"key": "quality", "text": "How good is this mask?"}]
    assert study.design["min_distance"] == 8
    assert study.design["plane"] == "auto"


def test_what_changed_is_on_record_and_nothing_else(
    study: Study, coordinator: Client
) -> None:
    coordinator.post(address(study), fill_in())
    coordinator.post(address(study), fill_in(question="Is this mask good?"))
    coordinator.post(address(study), fill_in(question="Is this mask good?"))
    entries = AuditEntry.objects.filter(study=study, verb="change_design")
    assert [entry.payload["changed"] for entry in entries][1:] == [["questions"]]


@pytest.mark.parametrize("points", [2, 3, 10])
def test_a_scale_has_from_two_to_ten_points(
    points: int, study: Study, coordinator: Client
) -> None:
    anchors = {f"anchor_{n}": f"word {n}" for n in range(1, 11)}
    coordinator.post(address(study), fill_in(points=str(points), **anchors))
    study.refresh_from_db()
    assert study.levels == list(range(1, points + 1))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"anchor_3": " "}, "Give point 3 a word."),
        ({"question": ""}, "Write the question that raters answer."),
        ({"title": ""}, "Give the study a name."),
        ({"min_distance": "0"}, "Give a whole number from 1 to 500."),
        ({"min_distance": "far"}, "Give a whole number from 1 to 500."),
        ({"repeat_percent": "31"}, "Give a whole number from 0 to 30."),
        ({"planes": "C009 axial"}, "There is no case C009."),
        ({"planes": "C001 slanted"}, "is not a case and a plane"),
        ({"further": "x\n" * 8}, "Ask at most 8 questions in all; raters tire."),
        (
            {"calibration_0_case": "C001", "calibration_0_values": "6"},
            "Give a whole number from 1 to 5 for this item.",
        ),
        ({"points": "1"}, "Select a valid choice."),
        ({"points": "11"}, "Select a valid choice."),
        ({"reference_arm": "nobody"}, "Select a valid choice."),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_is_lost(
    change: dict[str, str],
    sentence: str,
    study: Study,
    coordinator: Client,
    add_cases: AddCases,
) -> None:
    add_cases(1)
    answer = coordinator.post(address(study), fill_in(**change))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Look well." in answer.text
    study.refresh_from_db()
    assert study.instructions == ""


def test_the_whole_design_can_be_chosen_in_words(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(2)
    coordinator.post(
        address(study),
        fill_in(
            mode="side_by_side", repeat_percent="20", session_maximum="50",
            control_bad="2", control_empty="1", edit_policy="revisable",
            change_reason="on", structured_reasons="on", plane="axial",
            planes="C002: sagittal", zoom_mm="60", context="on", guess="end",
            further="Is the boundary right?\n\nIs any missed?",
            calibration_0_case="C001", calibration_0_arm="model",
            calibration_0_values="4 3 5", calibration_0_note="A good one.",
        ),
    )  # fmt: skip
    study.refresh_from_db()
    assert [q["key"] for q in study.questions] == [
        "quality",
        "question_2",
        "question_3",
    ]
    read = read_design(study.design)
    assert read.calibration == (
        Reference("C001", "model",
                  {"quality": 4, "question_2": 3, "question_3": 5}, "A good one."),
    )  # fmt: skip
    assert (read.mode, read.repeat_percent, read.session_maximum) == (
        "side_by_side", 20, 50,
    )  # fmt: skip
    assert (read.control_bad, read.control_empty, read.guess_percent) == (2, 1, 25)
    assert all((read.revisable, read.change_reason, read.structured_reasons))
    assert (read.plane_of("C001"), read.plane_of("C002")) == ("axial", "sagittal")
    assert (read.zoom_mm, read.context, read.guess) == (60, True, "end")
    again = coordinator.get(address(study)).text
    assert all(text in again for text in ("Is the boundary right?", "A good one."))
    coordinator.post(address(study), fill_in(further="Is the boundary right?"))
    study.refresh_from_db()
    assert read_design(study.design).calibration == ()
    assert len(study.questions) == 2


def test_the_reference_is_one_of_the_arms(
    study: Study, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(1)
    coordinator.post(address(study), fill_in(reference_arm="model"))
    study.refresh_from_db()
    assert study.reference_arm == "model"


def test_a_locked_design_is_read_only_and_shows_its_hash(
    open_study: Study, coordinator: Client
) -> None:
    before = open_study.scale
    text = coordinator.get(address(open_study)).text
    assert open_study.protocol_sha256 in text
    assert "<textarea" not in text
    answer = coordinator.post(address(open_study), fill_in(), follow=True)
    open_study.refresh_from_db()
    assert "locked" in answer.text
    assert open_study.scale == before


def test_strangers_cannot_change_a_design(study: Study, outsider: Client) -> None:
    assert outsider.post(address(study), fill_in()).status_code == 404


def test_the_frozen_design_tells_side_by_side_what_was_wanted_and_reached(
    open_study: Study, coordinator: Client
) -> None:
    page = coordinator.get(address(open_study)).text
    wanted = page.partition("<dt>Least distance wanted</dt>")[2]
    assert wanted.partition("<dt>")[2].startswith("Least distance reached</dt>")


def test_the_help_on_modes_tells_what_is_confirmed_together(
    study: Study, coordinator: Client
) -> None:
    page = coordinator.get(address(study)).text
    assert "the masks of a case in turn, each confirmed by itself" in page
    assert "shows them at once, confirmed together" in page
