"""Nobody judges a mask of their own unnoticed: left out or marked, as agreed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import (
    blinding,
    bundling,
    checklist,
    conflicts,
    designing,
    frozen,
    invitations,
    obstacles,
    protocol,
    results,
    starting,
)
from ratings.models import Enrolment, Item, Session, Study
from tests.ratings.conftest import AddCases, end_collecting, sign_in
from tests.ratings.test_scoring import body, current, put


@pytest.fixture
def draft(study: Study, ada: User, add_cases: AddCases) -> Study:
    """Six cases; R01 drew C002, R02 is of Basel, where C005 was drawn."""
    add_cases(6)
    for name in ("rhea", "otto"):
        invitations.add_rater(
            study=study, actor=ada, name=name, email=f"{name}@example.org"
        )
    study.design = {**study.design, "min_distance": 2}
    study.save()
    return study


def say(study: Study, actor: User, rule: str) -> Study:
    conflicts.change_conflicts(
        study=study, actor=actor, rule=rule, sites={"R01": "", "R02": " basel"},
        authors={"C002": {"manual": "N.N.; r01"}, "C005": {"manual": "Basel, Bern"}},
    )  # fmt: skip
    return Study.objects.get(pk=study.pk)


def seen_by(code: str) -> set[str]:
    items = Item.objects.filter(presentation__session__enrolment__code=code)
    return set(items.values_list("presentation__case__label", flat=True))


def test_own_cases_and_those_of_the_site_are_left_out(draft: Study, ada: User) -> None:
    study = say(draft, ada, "exclude")
    protocol.lock(study=study, actor=ada)
    every = {f"C00{n}" for n in range(1, 7)}
    assert seen_by("R01") == every - {"C002"}
    assert seen_by("R02") == every - {"C005"}
    assert study.protocol is not None
    assert study.protocol["drawing"]["excluded"] == {"R01": ["C002"], "R02": ["C005"]}
    assert study.allocation_report["spread_raters"] <= 1


def test_the_export_marks_scores_of_own_cases(draft: Study, ada: User) -> None:
    study = say(draft, ada, "flag")
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    for session in Session.objects.filter(enrolment__study=study):
        client = sign_in(session.enrolment.user)
        for _ in range(12):
            assert put(client, current(session).token, body(3)).status_code == 200
    end_collecting(study, ada)
    study = Study.objects.get(pk=study.pk)
    protocol.unblind(study=study, actor=ada, typed_title=study.title)
    marked = {(s.rater, s.case) for s in blinding.unseal(study) if s.conflict}
    assert marked == {("R01", "C002"), ("R02", "C005")}
    table = results.build_tables(study)["quality"]
    assert sum(row.conflict or 0 for row in table.rows) == 4
    assert {row.conflict for row in table.rows} == {0, 1}
    allocation = bundling.list_allocation(study).splitlines()
    assert allocation[0].endswith("case,arm,conflict")
    assert sum(line.endswith(",1") for line in allocation) == 4


def test_without_a_rule_nobody_is_left_out_or_marked(draft: Study, ada: User) -> None:
    study = say(draft, ada, "ignore")
    protocol.lock(study=study, actor=ada)
    assert len(seen_by("R01")) == 6
    assert conflicts.find_flagged(study) == set()


def test_a_rater_who_drew_everything_hinders_the_lock(draft: Study, ada: User) -> None:
    conflicts.change_conflicts(
        study=draft, actor=ada, rule="exclude", sites={},
        authors={f"C00{n}": {"manual": "R02"} for n in range(1, 7)},
    )  # fmt: skip
    study = Study.objects.get(pk=draft.pk)
    (obstacle,) = obstacles.find_obstacles(study)
    assert obstacle.startswith("R02 or the same site drew a mask of every case")


def test_who_drew_what_is_fixed_by_the_lock_and_changes_are_on_record(
    draft: Study, ada: User
) -> None:
    study = say(draft, ada, "flag")
    entry = study.audit.get(verb="change_conflicts")
    assert entry.payload == {"changed": ["authors", "conflict", "sites"]}
    assert say(study, ada, "flag").audit.filter(verb="change_conflicts").count() == 1
    protocol.lock(study=study, actor=ada)
    with pytest.raises(conflicts.ConflictRefused, match="locked"):
        say(study, ada, "exclude")


def test_the_coordinator_enters_it_on_a_page(draft: Study, coordinator: Client) -> None:
    url = reverse("conflicts", args=[draft.pk])
    data = {"conflict": "exclude", "site_R02": "Basel", "author_C002_manual": "R01",
            "rest_manual": "N.N."}  # fmt: skip
    page = coordinator.post(url, data, follow=True).content.decode()
    assert "Saved." in page
    assert "<strong>R01</strong>: 1 case (C002) left out of the order." in page
    design = Study.objects.get(pk=draft.pk).design
    assert design["authors"]["C002"] == {"manual": "R01"}
    assert design["authors"]["C001"] == {"manual": "N.N."}
    assert conflicts.list_touched(design, ["R01", "R02"]) == {"R01": ["C002"]}
    assert coordinator.post(url, {"conflict": "sometimes"}).status_code == 422
    assert "Say who drew which mask" in coordinator.get(
        reverse("raters", args=[draft.pk])
    ).content.decode()  # fmt: skip


def test_a_later_change_of_the_design_keeps_who_drew_what(
    draft: Study, ada: User, coordinator: Client
) -> None:
    from ratings import designing
    from ratings.design import read_design

    study = say(draft, ada, "flag")
    wishes = designing.read_wishes(study)
    designing.change_design(
        study=study, actor=ada,
        wishes=designing.Wishes(**{**vars(wishes), "title": "Other"}),
    )  # fmt: skip
    kept = Study.objects.get(pk=draft.pk).design
    assert kept["authors"] == study.design["authors"]
    assert read_design(kept).conflict == "flag"


def test_what_two_coordinators_say_of_who_drew_what_is_shown_as_a_difference(
    draft: Study, ada: User, coordinator: Client
) -> None:
    url = reverse("conflicts", args=[draft.pk])
    page = coordinator.get(url)
    say(draft, ada, "flag")
    typed = {"conflict": "ignore", "site_R01": "Bern", "seen": page.context["seen"]}
    stale = coordinator.post(url, typed)
    assert stale.status_code == 409
    assert "manual of C002: now “N.N.; r01”, you wrote “”" in stale.text
    assert "Site of R01: now “”, you wrote “Bern”" in stale.text
    assert 'value="Bern"' in stale.text
    kept = Study.objects.get(pk=draft.pk).design
    assert (kept["conflict"], sorted(kept["authors"])) == ("flag", ["C002", "C005"])
    again = {**typed, "seen": stale.context["seen"]}
    assert coordinator.post(url, again).status_code == 302
    assert Study.objects.get(pk=draft.pk).design["sites"] == {"R01": "Bern"}


def test_a_template_or_a_copy_leaves_the_rule_for_own_masks_as_it_is(
    draft: Study, ada: User
) -> None:
    other = Study.objects.create(title="Other", created_by=ada, design={})
    Enrolment.objects.create(study=other, user=ada, role=Enrolment.Role.COORDINATOR)
    study = say(draft, ada, "exclude")
    for wishes in (
        starting.start_from_template(study=study, key="benveniste"),
        starting.start_from_study(study=study, user=ada, key=str(other.pk)),
    ):
        designing.change_design(study=study, actor=ada, wishes=wishes)
        study = Study.objects.get(pk=study.pk)
        excluded = frozen.describe_protocol(study)["drawing"]["excluded"]
        assert excluded == {"R01": ["C002"], "R02": ["C005"]}


def test_the_checklist_says_where_nothing_comes_of_who_drew_what(
    draft: Study, ada: User
) -> None:
    assert checklist.list_author_remarks(draft) == []
    for rule, remarks in (("ignore", 1), ("flag", 0), ("exclude", 0)):
        found = checklist.list_author_remarks(say(draft, ada, rule))
        assert len(found) == remarks
    read = checklist.list_rater_remarks(say(draft, ada, "ignore"), ada)
    assert "“Treated like any other case”" in read[0]
