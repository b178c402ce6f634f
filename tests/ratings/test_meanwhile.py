"""What a colleague changed while a page stood open is not lost, nor locked unseen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import (
    audit,
    checklist,
    conflicts,
    declaring,
    designing,
    invitations,
    protocol,
    removal,
    selecting,
)
from ratings.invitations import InvitationRefused
from ratings.models import Case, Mask, Study
from ratings.protocol import ProtocolError
from tests.ratings.conftest import AddCases
from tests.ratings.test_lock_pages import SIGNED, address, ready

__all__ = ["ready"]

Change = Callable[[Study, User], object]
DAY = date(2030, 1, 31)


def add_rater(study: Study, actor: User) -> object:
    return invitations.add_rater(
        study=study, actor=actor, name="Nora", email="nora@example.org"
    )


def say_who_drew_what(study: Study, actor: User) -> object:
    return conflicts.change_conflicts(
        study=study, actor=actor, rule="exclude", sites={},
        authors={"C002": {"manual": "R01"}},
    )  # fmt: skip


def remove_case(study: Study, actor: User) -> object:
    ids = study.cases.filter(label="C006").values_list("pk", flat=True)
    return removal.remove_cases(study=study, actor=actor, ids=list(ids))


def remove_model(study: Study, actor: User) -> object:
    return removal.remove_arm(study=study, actor=actor, key="model")


def swap_a_mask(study: Study, actor: User) -> object:
    masks = Mask.objects.filter(case__study=study, case__label="C001")
    return masks.filter(arm__key="model").update(sha256="0" * 64)


def state_faces(study: Study, actor: User) -> None:
    checklist.state_faces(study=study, actor=actor, answer="removed")


CHANGES: list[Change] = [
    add_rater, say_who_drew_what, remove_case, remove_model, swap_a_mask, state_faces,
]  # fmt: skip


def read_again(study: Study) -> Study:
    return Study.objects.get(pk=study.pk)


def test_a_study_locked_meanwhile_takes_no_further_rater(
    ready: Study, ada: User
) -> None:
    before = read_again(ready)
    protocol.lock(study=ready, actor=ada)
    with pytest.raises(InvitationRefused, match="The study is locked"):
        add_rater(before, ada)
    assert not User.objects.filter(email="nora@example.org").exists()
    assert ready.audit.filter(verb="add_rater").count() == 2


@pytest.mark.parametrize("change", CHANGES)
def test_the_lock_page_locks_what_it_showed_and_nothing_else(
    change: Change, ready: Study, ada: User, coordinator: Client
) -> None:
    form = {"typed_title": ready.title, **SIGNED}
    form["seen"] = coordinator.get(address(ready)).context["seen"]
    change(read_again(ready), ada)
    refused = coordinator.post(address(ready), form)
    assert "Somebody else changed the design, the cases or the raters" in refused.text
    ready = read_again(ready)
    assert (ready.state, ready.protocol) == ("draft", None)
    form["seen"] = refused.context["seen"]
    coordinator.post(address(ready), form)
    ready = read_again(ready)
    assert ready.state == "locked"
    assert ready.audit.get(verb="locked").payload["protocol"] == ready.protocol_sha256


def test_a_case_imported_meanwhile_is_not_locked_unseen(
    ready: Study, coordinator: Client, add_cases: AddCases
) -> None:
    seen = coordinator.get(address(ready)).context["seen"]
    add_cases(1)
    form = {"typed_title": ready.title, "seen": seen, **SIGNED}
    assert "Look through the checklist" in coordinator.post(address(ready), form).text
    assert read_again(ready).state == "draft"


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_while_the_lock_checks_is_not_locked_unseen(
    change: Change, ready: Study, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_long(study: Study) -> list[str]:
        change(read_again(study), ada)
        return []

    monkeypatch.setattr(protocol, "list_leaks", look_long)
    with pytest.raises(ProtocolError, match="Somebody else changed"):
        protocol.lock(study=ready, actor=ada)
    assert read_again(ready).state == "draft"


def test_a_lock_writes_over_nothing_that_it_does_not_freeze(
    ready: Study, ada: User
) -> None:
    before = read_again(ready)
    declaring.set_deadline(study=ready, actor=ada, day=DAY)
    Study.objects.filter(pk=ready.pk).update(keep_originals=True)
    protocol.lock(study=before, actor=ada)
    after = read_again(ready)
    assert (after.state, after.deadline, after.keep_originals) == ("locked", DAY, True)


def test_a_rule_about_own_masks_given_meanwhile_is_kept_and_frozen(
    ready: Study, ada: User
) -> None:
    before = read_again(ready)
    say_who_drew_what(ready, ada)
    with pytest.raises(ProtocolError, match="Somebody else changed"):
        protocol.lock(study=before, actor=ada)
    protocol.lock(study=read_again(ready), actor=ada)
    after = read_again(ready)
    assert after.design["conflict"] == "exclude"
    assert (after.protocol or {})["drawing"]["excluded"] == {"R01": ["C002"]}
    assert after.protocol_sha256 == audit.digest(after.protocol)


@pytest.mark.parametrize("change", [remove_case, remove_model])
def test_what_was_removed_meanwhile_makes_a_choice_of_cases_stale(
    change: Change, ready: Study, ada: User, coordinator: Client
) -> None:
    url = reverse("choose", args=[ready.pk])
    case = Case.objects.get(study=ready, label="C001")
    seen = coordinator.get(url).context["form"]["revision"].value()
    change(ready, ada)
    form = {"act": "leave_out", "case": [str(case.pk)], "revision": seen, "why": "x"}
    answer = coordinator.post(url, form, follow=True)
    assert "Somebody else changed the choice" in answer.text
    case.refresh_from_db()
    assert case.left_out == ""
    with pytest.raises(selecting.SelectionStale):
        selecting.take_in(study=ready, actor=ada, ids=[case.pk], revision=seen)


def test_a_removed_case_that_the_design_names_makes_a_page_of_it_stale(
    ready: Study, ada: User
) -> None:
    wishes = designing.read_wishes(ready)
    design = {**ready.design, "planes": {"C006": "axial"}}
    Study.objects.filter(pk=ready.pk).update(design=design)
    remove_case(ready, ada)
    wishes = designing.Wishes(**{**vars(wishes), "title": "Other"})
    with pytest.raises(designing.DesignStale) as stale:
        designing.change_design(study=ready, actor=ada, wishes=wishes, revision=0)
    assert stale.value.by == "ada"
