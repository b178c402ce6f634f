"""Practice shows masks that are there, and leaves something to rate."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import obstacles, previewing, protocol, selecting, training
from ratings.allocation import Burden
from ratings.models import Case, Item, Mask, Study
from ratings.previewing import PreviewRefused
from tests.ratings.script import Script
from tests.ratings.test_lock_pages import ready

__all__ = ["ready"]


def practise(study: Study, *pairs: tuple[str, str], **design: Any) -> Study:
    rows = [{"case": c, "arm": a, "values": {"quality": 3}} for c, a in pairs]
    study.design = {**study.design, **design, "min_distance": 1, "calibration": rows}
    study.save()
    return study


def leave_out(study: Study, actor: User, label: str) -> Study:
    ids = [study.cases.get(label=label).pk]
    selecting.leave_out(
        study=study, actor=actor, ids=ids, reason="blurred",
        revision=study.cases_revision,
    )  # fmt: skip
    return Study.objects.get(pk=study.pk)


def count_drawn(study: Study) -> Counter[str]:
    """What the first rater of a locked study is shown, by kind."""
    items = Item.objects.filter(
        presentation__session__enrolment__study=study,
        presentation__session__enrolment__code="R01",
    )
    return Counter(items.values_list("presentation__kind", flat=True))


def test_a_practice_mask_that_is_not_there_is_an_obstacle_and_never_a_fault(
    ready: Study, ada: User, coordinator: Client, script: Script
) -> None:
    practise(ready, ("C001", "model"), ("C002", "manual"))
    Mask.objects.filter(case__label="C001", arm__key="model").delete()
    leave_out(ready, ada, "C001")
    sentence = (
        "Practice shows the mask “model” of C001, which is not there. Bring it in "
        "under Cases, or take that practice item out under Design."
    )
    checked = script.get(f"studies/{ready.pk}/checklist").json()
    assert not checked["ready"]
    assert {c["label"]: c["obstacles"] for c in checked["checks"]}["Design"] == [
        sentence
    ]
    tried = script.post(f"studies/{ready.pk}/preview")
    assert (tried.status_code, sentence in tried.json()["detail"]) == (409, True)
    with pytest.raises(protocol.ProtocolError, match="which is not there"):
        protocol.lock(study=Study.objects.get(pk=ready.pk), actor=ada)
    home = coordinator.get(reverse("home")).text
    assert "The design can’t be locked as it is: Check and lock says why." in home


@pytest.mark.parametrize(
    ("row", "lacking"),
    [
        (("C001", "manual"), []),
        (("C001", "gone"), [("C001", "gone")]),
        (("C099", "manual"), [("C099", "manual"), ("C099", "model")]),
        (("C002", "manual"), [("C002", "model")]),
    ],
)
def test_masks_shown_together_are_all_needed_for_practice(
    ready: Study, row: tuple[str, str], lacking: list[tuple[str, str]]
) -> None:
    Mask.objects.filter(case__label="C002", arm__key="model").delete()
    practise(ready, row, mode="side_by_side")
    assert training.list_lacking(ready) == lacking
    practise(ready, row, mode="single")
    alone = [pair for pair in lacking if pair == row]
    assert training.list_lacking(ready) == alone


def test_a_study_of_practice_alone_is_not_locked(ready: Study, ada: User) -> None:
    every = [(case.label, "manual") for case in ready.cases.all()]
    practise(ready, *every)
    (obstacle,) = obstacles.find_obstacles(ready)
    assert obstacle == (
        "Every chosen case is a practice case, so nothing is left to rate. Take in "
        "more cases under Cases, or name fewer practice cases under Design."
    )
    with pytest.raises(protocol.ProtocolError, match="nothing is left to rate"):
        protocol.lock(study=ready, actor=ada)
    with pytest.raises(PreviewRefused, match="nothing is left to rate"):
        previewing.make_preview(study=ready, user=ada)
    practise(ready, *every[1:])
    assert obstacles.find_obstacles(ready) == []


def test_own_masks_and_practice_together_leave_a_rater_nothing(ready: Study) -> None:
    own = {f"C00{n}": {"manual": "R02"} for n in range(2, 7)}
    practise(ready, ("C001", "manual"), conflict="exclude", authors=own)
    (obstacle,) = obstacles.find_obstacles(ready)
    assert obstacle.startswith("R02 or the same site drew a mask of every case")
    practise(ready)
    assert obstacles.find_obstacles(ready) == []


def test_practice_on_a_case_that_is_left_out_is_counted_tried_and_drawn(
    ready: Study, ada: User
) -> None:
    practise(ready, ("C001", "manual"))
    study = leave_out(ready, ada, "C001")
    told = Burden(main=10, repeats=0, controls=0, calibration=1)
    assert protocol.count_burden(study) == told
    session = previewing.make_preview(study=study, user=ada)
    assert count_drawn(session.enrolment.study) == {"calibration": 1, "main": 10}
    protocol.lock(study=study, actor=ada)
    assert count_drawn(study) == {"calibration": 1, "main": 10}
    assert protocol.count_burden(study) == told


def test_empty_controls_are_counted_on_cases_that_are_rated(
    ready: Study, ada: User
) -> None:
    Mask.objects.exclude(case__label__in=["C001", "C002"]).update(voxels=0)
    practise(ready, ("C001", "manual"), control_empty=2)
    assert protocol.count_burden(ready).controls == 1
    protocol.lock(study=ready, actor=ada)
    assert count_drawn(ready)["control"] == 1


def test_a_study_that_was_moved_here_has_no_burden(study: Study) -> None:
    study.protocol, study.design = {"title": study.title, "moved": {}}, {}
    assert protocol.count_burden(study).total == 0


def test_the_design_of_a_draft_keeps_practice_on_a_case_that_is_left_out(
    ready: Study, ada: User, script: Script
) -> None:
    practise(ready, ("C001", "manual"))
    leave_out(ready, ada, "C001")
    Case.objects.filter(label="C002").update(left_out="not drawn")
    changed = script.patch(f"studies/{ready.pk}", {"contact": "Ada"})
    assert changed.status_code == 200, changed.content
    assert [row["case"] for row in changed.json()["design"]["calibration"]] == ["C001"]
    new = [{"case": "C002", "arm": "manual", "values": [3]}]
    assert script.patch(f"studies/{ready.pk}", {"calibration": new}).status_code == 400
