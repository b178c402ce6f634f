"""Cases that are left out of a study are no part of what is said of its masks."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inference.measuring import run_job
from ratings import invitations, looking, measuring, protocol, selecting, separating
from ratings.models import Case, Study
from ratings.withdrawing import withdraw_case
from tests.ratings.conftest import AddCases, end_collecting, make_user

RULE = "Artefacts."


@pytest.fixture
def chosen(study: Study, ada: User, add_cases: AddCases) -> Study:
    """A draft of five cases, of which two are left out."""
    add_cases(5)
    out = study.cases.filter(label__in=("C001", "C002")).values_list("pk", flat=True)
    selecting.leave_out(
        study=study, actor=ada, ids=list(out), reason=RULE,
        revision=study.cases_revision,
    )  # fmt: skip
    return Study.objects.get(pk=study.pk)


@pytest.fixture
def unblinded(chosen: Study, ada: User) -> Study:
    """The same, one more case withdrawn, unblinded and measured."""
    make_user("rhea")
    invitations.add_rater(
        study=chosen, actor=ada, name="rhea", email="rhea@example.org"
    )
    protocol.lock(study=chosen, actor=ada)
    protocol.open_study(study=chosen, actor=ada)
    case = Case.objects.get(study=chosen, label="C003")
    withdraw_case(case=case, actor=ada, reason="Wrong contrast.")
    end_collecting(chosen, ada)
    protocol.unblind(study=chosen, actor=ada, typed_title=chosen.title)
    reference = chosen.arms.get(key=chosen.reference_arm)
    run_job(
        measuring.request(chosen, reference),
        report=lambda share, text: None, cancelled=lambda: False,
    )  # fmt: skip
    return chosen


def test_the_test_set_is_what_was_compared_and_says_what_is_missing(
    unblinded: Study, coordinator: Client
) -> None:
    page = reverse("comparison", args=[unblinded.pk])
    text = coordinator.get(page).content.decode()
    note = "Of 5 cases 3 are not counted (Artefacts., 2; withdrawn, 1)."
    assert text.count(note) == 2, "under the test set and under the flow of images"
    sheet = measuring.lay_out_test_set(unblinded)
    assert [row[-1] for row in sheet.rows] == [2]
    reference = unblinded.arms.get(key=unblinded.reference_arm)
    rows = measuring.build_rows(unblinded, reference)
    assert [row.case for row in rows] == ["C004", "C005"]
    flow = reverse("comparison-file", args=[unblinded.pk, "flow", "csv"])
    assert coordinator.get(flow).content.decode().splitlines()[1].endswith(",2")


def test_the_masks_that_are_shown_are_those_that_are_compared(
    unblinded: Study, coordinator: Client
) -> None:
    arm = unblinded.arms.get(key="model")
    tiles = looking.list_tiles(unblinded, arm, order="dice", chosen={})
    assert {tile.case.label for tile in tiles} == {"C004", "C005"}
    wall = reverse("masks", args=[unblinded.pk])
    assert "2 of 2 cases" in coordinator.get(wall).content.decode()
    first = unblinded.cases.get(label="C004")
    before, after = looking.find_neighbours(unblinded, first)
    assert (before, after and after.label) == (None, "C005")
    out = unblinded.cases.get(label="C001")
    viewer = reverse("masks-viewer", args=[unblinded.pk, out.pk])
    assert coordinator.get(viewer).status_code == 404


def test_the_separability_audit_is_of_the_chosen_cases(
    chosen: Study, ada: User
) -> None:
    found = separating.audit(chosen, by=ada)
    assert found.results["arms"][0]["n"] == 3
    frozen = separating.freeze(chosen)
    assert frozen["separability"]["arms"][0]["n"] == 3
    selecting.take_in(
        study=chosen, actor=ada, ids=[chosen.cases.get(label="C001").pk],
        revision=chosen.cases_revision,
    )  # fmt: skip
    assert separating.freeze(chosen) == {}, "an audit of other cases is not this one's"


def test_a_study_of_all_its_cases_says_nothing_of_absent_ones(
    study: Study, add_cases: AddCases
) -> None:
    add_cases(2)
    assert measuring.tell_absent(study) == ""
    assert len(measuring.lay_out_test_set(study).notes) == 1
