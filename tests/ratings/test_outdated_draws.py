"""The text of a draw is not handed to a paper once masks made it untrue."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import frozen, importing, outdated, removal, sampling, selecting
from ratings.models import Mask, Study
from ratings.sampling import Rule
from tests.ratings.conftest import AddCases
from tests.ratings.script import Script

NO_LONGER = "The text of the draw no longer holds: masks changed since"
RULE = Rule(exclude=("lacks_mask", "any_empty"))


def draw(study: Study, actor: User, rule: Rule = RULE, reason: str = "") -> Study:
    selecting.draw_cases(
        study=study, actor=actor, rule=rule, reason=reason,
        revision=Study.objects.get(pk=study.pk).cases_revision,
    )  # fmt: skip
    return Study.objects.get(pk=study.pk)


@pytest.fixture
def drawn(study: Study, ada: User, add_cases: AddCases) -> Study:
    """Four cases, of which C004 was excluded for an empty mask."""
    add_cases(4)
    empty("C004")
    return draw(study, ada)


def empty(*labels: str) -> None:
    masks = Mask.objects.filter(case__label__in=labels, arm__key="model")
    masks.update(volume_mm3=0.0, voxels=0)


def fill(*labels: str) -> None:
    masks = Mask.objects.filter(case__label__in=labels, arm__key="model")
    masks.update(volume_mm3=9.0, voxels=3)


def test_an_arm_that_comes_again_all_empty_is_remarked(
    drawn: Study, ada: User, script: Script, coordinator: Client
) -> None:
    page, one = reverse("choose", args=[drawn.pk]), f"studies/{drawn.pk}/checklist"
    assert NO_LONGER not in coordinator.get(page).text
    kept = list(Mask.objects.filter(arm__key="model").order_by("case__label"))
    removal.remove_arm(study=drawn, actor=ada, key="model")
    arm = importing.ensure_arm(study=drawn, key="model")
    for mask in kept:
        mask.arm, mask.voxels, mask.volume_mm3 = arm, 0, 0.0
        mask.save(force_insert=True)
    cases = script.get(one).json()["checks"][0]
    (remark,) = cases["remarks"]
    assert remark == (
        f"{NO_LONGER}, and its own rule would now judge C001 and 2 more otherwise. "
        "Draw again under “Choose which are rated”."
    )
    assert remark in coordinator.get(page).text
    with pytest.raises(selecting.SelectionRefused, match="no case at all"):
        draw(drawn, ada, reason="All masks came anew.")
    fill("C001")
    again = draw(drawn, ada, reason="All masks came anew.")
    assert again.selection["chosen"] == ["C001"]
    remarks = script.get(one).json()["checks"][0]["remarks"]
    assert not [one for one in remarks if NO_LONGER in one]


@pytest.mark.parametrize(
    ("change", "labels"),
    [
        (lambda: empty("C002"), ["C002"]),
        (lambda: fill("C004"), ["C004"]),
        (lambda: fill("C001"), []),
        (lambda: Mask.objects.filter(case__label="C003")[0].delete(), ["C003"]),
    ],
)
def test_the_rule_is_asked_again_of_cases_taken_and_excluded(
    drawn: Study, change: Callable[[], object], labels: list[str]
) -> None:
    assert outdated.list_outdated(drawn) == []
    change()
    assert outdated.list_outdated(drawn) == labels


def test_a_case_that_was_merely_not_drawn_counts_as_well(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(3)
    rule = Rule(mode=sampling.PROPORTIONAL, size=1, exclude=("any_empty",))
    held = draw(study, ada, rule)
    left = held.cases.filter(left_out=sampling.NOT_DRAWN).order_by("label")[0]
    empty(left.label)
    assert outdated.list_outdated(held) == [left.label]


def test_what_was_chosen_by_hand_or_came_later_is_not_the_draw_s(
    drawn: Study, ada: User, add_cases: AddCases
) -> None:
    ids = [drawn.cases.get(label="C004").pk]
    selecting.take_in(study=drawn, actor=ada, ids=ids, revision=drawn.cases_revision)
    add_cases(1)
    empty("C005")
    assert outdated.list_outdated(Study.objects.get(pk=drawn.pk)) == []


def test_a_study_that_was_never_drawn_has_no_such_remark(
    study: Study, add_cases: AddCases
) -> None:
    add_cases(1)
    empty("C001")
    assert outdated.tell(study) == ""


def test_a_removed_case_that_the_draw_counts_is_named_everywhere(
    study: Study, ada: User, script: Script, coordinator: Client, add_cases: AddCases
) -> None:
    add_cases(6)
    held = draw(study, ada, Rule(mode=sampling.PROPORTIONAL, size=3))
    chosen = held.selection["chosen"]
    left = sorted({f"C00{n}" for n in range(1, 7)} - set(chosen))
    add_cases(1)
    for label in (chosen[0], left[0], "C007"):
        ids = [study.cases.get(label=label).pk]
        removal.remove_cases(study=study, actor=ada, ids=ids)
    held = Study.objects.get(pk=study.pk)
    assert outdated.list_removed(held) == sorted([chosen[0], left[0]]), "C007 came late"
    first = sorted([chosen[0], left[0]])[0]
    remark = f"{first} and 1 more were removed from the study after the draw"
    assert outdated.tell(held).startswith(remark)
    checks = script.get(f"studies/{held.pk}/checklist").json()["checks"]
    assert outdated.tell(held) in checks[0]["remarks"]
    said = (
        f"Removed from the study after the draw: {chosen[0]} (drawn); "
        f"{left[0]} (not drawn)."
    )
    assert said in coordinator.get(reverse("choose", args=[held.pk])).text
    assert said in script.get(f"studies/{held.pk}/choice").json()["text"]
    told = frozen.describe_protocol(held)["selection"]
    assert told["removed"] == sorted([chosen[0], left[0]])
    assert told["text"] == f"{held.selection['text']} {said}"
    again = draw(held, ada, Rule(), reason="Two went.")
    assert outdated.tell(again) == ""
    assert "removed" not in frozen.describe_protocol(again)["selection"]


def test_of_a_draw_without_its_pool_the_drawn_cases_are_known(
    drawn: Study, ada: User
) -> None:
    del drawn.selection["pool"]
    drawn.save()
    ids = list(drawn.cases.filter(label__in=("C001", "C004")).values_list("pk"))
    removal.remove_cases(study=drawn, actor=ada, ids=[pk for (pk,) in ids])
    assert outdated.list_removed(drawn) == ["C001"]
    assert outdated.tell(drawn).startswith("C001 was removed from the study after")
