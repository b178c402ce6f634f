"""Which cases are rated: drawn or left out, on record and in the protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from ratings import audit, frozen, invitations, protocol, sampling, selecting
from ratings.models import AuditEntry, Case, Item, Mask, Study
from ratings.sampling import Rule
from ratings.selecting import SelectionRefused, SelectionStale
from tests.ratings.conftest import AddCases

RULE = {"mode": "proportional", "size": "4", "by": ["contrast"], "minimum": "1"}


def address(study: Study) -> str:
    return reverse("choose", args=[study.pk])


@pytest.fixture
def pool(study: Study, add_cases: AddCases) -> Study:
    """Eight cases, five of them T2w and three T1w; the first has two empty masks."""
    add_cases(8)
    for case in study.cases.order_by("label")[5:]:
        Case.objects.filter(pk=case.pk).update(
            strata={"contrast": "T1w", "site": "Oslo"}
        )
    Mask.objects.filter(case__label="C001").update(volume_mm3=0.0, voxels=0)
    return study


def post(client: Client, study: Study, **changes: Any) -> Any:
    study.refresh_from_db()
    form = {"act": "draw", "revision": study.cases_revision, **RULE, **changes}
    return client.post(address(study), form, follow=True)


def test_the_page_and_its_filter_say_alike_which_cases_are_in_the_study(
    pool: Study, coordinator: Client
) -> None:
    page = coordinator.get(address(pool)).content.decode()
    assert "8 of 8 cases are in the study." in page
    assert page.count('data-state="ok">in the study</span>') == 8
    assert ">in the study</option>" in page


def test_a_draw_takes_its_cases_and_says_how(pool: Study, coordinator: Client) -> None:
    answer = post(coordinator, pool, exclude=["all_empty"])
    pool.refresh_from_db()
    assert pool.chosen_cases().count() == 4
    assert pool.cases.get(label="C001").left_out == "every mask of it is empty"
    for part in ("4 cases of 8", "was excluded (every mask of it is empty, 1)",
                 "stratified by contrast", pool.selection["seed"]):  # fmt: skip
        assert part in answer.text
    entry = AuditEntry.objects.get(study=pool, verb="draw_cases")
    assert entry.payload["chosen"] == pool.selection["chosen"]
    assert audit.verify(pool) == []


def test_the_same_seed_and_rule_give_the_same_cases_again(
    pool: Study, coordinator: Client
) -> None:
    post(coordinator, pool)
    pool.refresh_from_db()
    told = pool.selection["rule"]
    rule = Rule(**{**told, "by": tuple(told["by"]), "exclude": tuple(told["exclude"])})
    candidates = selecting.read_candidates(pool)
    again = sampling.draw(candidates, rule, seed=pool.selection["seed"])
    assert list(again.chosen) == pool.selection["chosen"]


def test_a_case_that_comes_after_the_draw_is_not_rated_in_silence(
    pool: Study, coordinator: Client, add_cases: AddCases
) -> None:
    post(coordinator, pool)
    pool.refresh_from_db()
    add_cases(1)
    new = pool.cases.get(label="C009")
    assert new.left_out == "imported after the draw"
    assert "1 case came after this draw" in coordinator.get(address(pool)).text
    post(coordinator, pool, act="take_in", case=[str(new.pk)])
    assert pool.chosen_cases().filter(pk=new.pk).exists()
    assert "came after this draw" not in coordinator.get(address(pool)).text


def test_drawing_again_wants_a_reason_and_is_counted(
    pool: Study, coordinator: Client
) -> None:
    post(coordinator, pool)
    pool.refresh_from_db()
    before = pool.selection
    assert "Say why they are drawn again" in post(coordinator, pool).text
    pool.refresh_from_db()
    assert pool.selection == before
    answer = post(coordinator, pool, reason="Two more sites came in")
    pool.refresh_from_db()
    assert pool.selection["number"] == 2
    assert pool.selection["seed"] != before["seed"]
    assert "after one earlier draw" in answer.text
    assert "Two more sites came in" in answer.text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"size": ""}, "Say how many cases to draw."),
        ({"size": "40"}, "only 8 are left to draw from"),
        ({"mode": "targets", "targets": ""}, "Give a number for at least one stratum."),
        ({"mode": "targets", "targets": "T2w: 9"}, "T2w has 5 of the 9 wanted"),
        ({"mode": "targets", "targets": "many"}, "is not a stratum and a number"),
        ({"mode": "targets", "targets": "T2w: 2\nT2w: 3"}, "“T2w” stands there twice"),
        ({"exclude": ["volume"]}, "Give the range: from, to, or both."),
        ({"exclude": ["volume"], "smallest": "9", "largest": "3"}, "ends before it"),
    ],
)
def test_a_wrong_rule_draws_nothing_and_says_why(
    change: dict[str, Any], sentence: str, pool: Study, coordinator: Client
) -> None:
    answer = post(coordinator, pool, **change)
    assert answer.status_code == 422
    assert sentence in answer.text
    pool.refresh_from_db()
    assert pool.selection == {}
    assert pool.chosen_cases().count() == 8


def test_targets_by_stratum_are_met(pool: Study, coordinator: Client) -> None:
    post(coordinator, pool, mode="targets", targets="T2w: 2\nT1w: 1")
    chosen = pool.chosen_cases()
    assert sorted(case.strata["contrast"] for case in chosen) == ["T1w", "T2w", "T2w"]


def test_cases_are_left_out_by_hand_with_a_reason_and_taken_in_again(
    pool: Study, coordinator: Client
) -> None:
    case = pool.cases.get(label="C003")
    form = {"act": "leave_out", "case": [str(case.pk)], "revision": 0}
    assert "Say why" in coordinator.post(address(pool), form, follow=True).text
    form["why"] = "Metal artefact"
    assert "1 case left out" in coordinator.post(address(pool), form, follow=True).text
    case.refresh_from_db()
    assert case.left_out == "Metal artefact"
    form = {"act": "take_in", "case": [str(case.pk)], "revision": 1}
    assert "taken in" in coordinator.post(address(pool), form, follow=True).text
    assert pool.chosen_cases().count() == 8
    verbs = list(pool.audit.values_list("verb", flat=True))
    assert verbs[-2:] == ["leave_out_cases", "take_in_cases"]


def test_two_coordinators_do_not_overwrite_each_other_s_choice(
    pool: Study, ada: User, coordinator: Client
) -> None:
    ids = [case.pk for case in pool.cases.all()[:2]]
    selecting.leave_out(
        study=pool, actor=ada, ids=ids[:1], reason="blurred", revision=0
    )
    with pytest.raises(SelectionStale):
        selecting.leave_out(
            study=pool, actor=ada, ids=ids[1:], reason="blurred", revision=0
        )
    form = {"act": "draw", "revision": 0, **RULE}
    answer = coordinator.post(address(pool), form, follow=True)
    assert answer.status_code == 409
    assert "Somebody else changed the choice" in answer.text
    pool.refresh_from_db()
    assert pool.selection == {}
    assert pool.chosen_cases().count() == 7
    # what was typed still stands, and can be sent again by whoever looked
    for name, value in RULE.items():
        assert answer.context["form"][name].value() == value
    again = {**form, "revision": answer.context["form"]["revision"].value()}
    assert coordinator.post(address(pool), again).status_code == 302


@pytest.mark.parametrize("name", ["smallest", "largest"])
def test_a_range_whose_rule_is_not_ticked_is_not_passed_by(
    pool: Study, coordinator: Client, name: str
) -> None:
    form = {"act": "draw", "revision": pool.cases_revision, **RULE, name: "400"}
    answer = coordinator.post(address(pool), form)
    assert answer.status_code == 422
    assert "Tick the rule that this range belongs to" in answer.text


def test_the_filters_find_cases_by_stratum_choice_emptiness_and_volume(
    pool: Study, coordinator: Client, ada: User
) -> None:
    last = pool.cases.get(label="C008")
    selecting.leave_out(study=pool, actor=ada, ids=[last.pk], reason="x", revision=0)

    def find(**values: str) -> list[str]:
        answer = coordinator.get(address(pool), values)
        return [row.case.label for row in answer.context["rows"]]

    assert find(stratum_0="T1w") == ["C006", "C007", "C008"]
    assert find(stratum_0="T1w", standing="in") == ["C006", "C007"]
    assert find(standing="out") == ["C008"]
    assert find(empty="all") == find(high="0") == ["C001"]
    assert "C001" not in find(low="1")
    assert find(stratum_1="Oslo") == ["C006", "C007", "C008"]
    assert find(verdict="clean") == [f"C{n:03d}" for n in range(1, 9)]
    assert find(verdict="noticed") == []
    assert (
        "No case fits these filters."
        in coordinator.get(address(pool), {"verdict": "noticed"}).text
    )


def test_only_chosen_cases_are_locked_rated_and_frozen(
    pool: Study, ada: User, coordinator: Client
) -> None:
    invitations.add_rater(study=pool, actor=ada, name="rhea", email="rhea@example.org")
    post(coordinator, pool)
    pool.refresh_from_db()
    # a case that is left out may lack a mask
    Mask.objects.filter(case__in=pool.cases.exclude(left_out="")).first().delete()  # type: ignore[union-attr]
    pool.design["min_distance"] = 1
    pool.save()
    protocol.lock(study=pool, actor=ada)
    frozen = pool.protocol or {}
    labels = [case["label"] for case in frozen["cases"]]
    assert labels == pool.selection["chosen"]
    assert {label for label, _, _ in frozen["masks"]} == set(labels)
    assert frozen["selection"]["text"] == pool.selection["text"]
    assert len(frozen["selection"]["left_out"]) == 4
    shown = Item.objects.values_list("mask__case__label", flat=True)
    assert set(shown) == set(labels)
    with pytest.raises(DatabaseError), transaction.atomic():
        Case.objects.filter(study=pool).update(left_out="changed")
    with pytest.raises(SelectionRefused, match="locked"):
        selecting.take_in(study=pool, actor=ada, ids=[], revision=1)
    page = coordinator.get(address(pool)).text
    assert "the choice is fixed" in page
    assert "Draw again" not in page


def test_strangers_and_raters_choose_nothing(
    open_study: Study, rater: Client, outsider: Client
) -> None:
    for client in (rater, outsider):
        assert client.get(address(open_study)).status_code == 404
        assert client.post(address(open_study), {}).status_code == 404


def test_a_filter_that_is_no_number_says_that_it_was_left_out(
    pool: Study, coordinator: Client
) -> None:
    page = coordinator.get(address(pool), {"low": "abc", "high": "-3"}).text
    assert "Left out: Enter a number." in page
    assert "Left out: Ensure this value is greater than or equal to 0." in page


def test_leaving_out_without_a_reason_keeps_the_marks(
    pool: Study, coordinator: Client
) -> None:
    page = coordinator.get(address(pool)).text
    assert 'name="why" maxlength="200"' in page
    assert "required></label>" in page, "the browser asks for it too"
    assert 'value="take_in" formnovalidate' in page, "taking in needs no reason"
    cases = pool.cases.filter(label__in=("C002", "C005"))
    ids = [str(case.pk) for case in cases]
    answer = post(coordinator, pool, act="leave_out", case=ids, why=" ")
    assert answer.status_code == 422
    assert "Say why these cases are left out" in answer.text
    long = post(coordinator, pool, act="leave_out", case=ids, why="x" * 201)
    assert long.status_code == 422
    assert "The reason has 201 characters" in long.text, "it is not cut in silence"
    for case in pool.cases.all():
        marked = f'aria-label="Mark {case.label}" checked' in answer.text
        assert marked == (str(case.pk) in ids)
    assert pool.chosen_cases().count() == 8
    stale = post(coordinator, pool, act="leave_out", case=ids, why="Metal", revision=77)
    assert stale.status_code == 409
    assert 'value="Metal"' in stale.text


def test_cases_without_a_value_are_a_stratum_by_one_name(
    pool: Study, coordinator: Client
) -> None:
    """Sites are given of three cases, and contrast now of all but two."""
    for case in pool.cases.filter(label__in=("C002", "C003")):
        Case.objects.filter(pk=case.pk).update(strata={})
    page = coordinator.get(address(pool)).text
    assert "T1w: 3 · T2w: 3 · not given: 2" in page
    assert "Contrast (3)" in page
    assert "Site (2)" in page
    assert "unknown" not in page
    found = coordinator.get(f"{address(pool)}?stratum_0=not+given").text
    assert "2 of 8 cases shown" in found
    assert "Mark C002" in found
    assert "Mark C001" not in found
    post(coordinator, pool, size="3")
    pool.refresh_from_db()
    assert "not given 1 of 2" in pool.selection["text"]


def test_a_stratum_with_nothing_to_draw_from_is_not_printed(
    pool: Study, coordinator: Client
) -> None:
    case = pool.cases.get(label="C001")
    Case.objects.filter(pk=case.pk).update(strata={})
    post(coordinator, pool, exclude=["all_empty"])
    pool.refresh_from_db()
    assert "(every mask of it is empty, 1)" in pool.selection["text"]
    assert "0 of 0" not in pool.selection["text"]
    assert "not given" not in pool.selection["text"]
    (row,) = [r for r in pool.selection["strata"] if r["name"] == "not given"]
    assert (row["pool"], row["excluded"], row["drawn"]) == (1, 1, 0), "in the table"


def leave_out(study: Study, actor: User, label: str, reason: str) -> None:
    study.refresh_from_db()
    selecting.leave_out(
        study=study, actor=actor, ids=[study.cases.get(label=label).pk],
        reason=reason, revision=study.cases_revision,
    )  # fmt: skip
    study.refresh_from_db()


def test_a_further_draw_keeps_out_what_was_left_out_by_hand(
    pool: Study, ada: User, coordinator: Client
) -> None:
    leave_out(pool, ada, "C003", "Motion artefact")
    post(coordinator, pool, mode="every")
    leave_out(pool, ada, "C006", "Wrong contrast")
    post(coordinator, pool, mode="every", reason="Once more")
    pool.refresh_from_db()
    out = dict(pool.cases.exclude(left_out="").values_list("label", "left_out"))
    assert out == {"C003": "Motion artefact", "C006": "Wrong contrast"}
    assert pool.selection["text"] == (
        "Of 8 available cases 2 were excluded (left out by hand, 2). Left out by hand: "
        "C003 (Motion artefact); C006 (Wrong contrast). All 6 others were taken."
    )
    post(coordinator, pool, act="take_in", case=[str(pool.cases.get(label="C003").pk)])
    post(coordinator, pool, mode="every", reason="C003 is good after all")
    pool.refresh_from_db()
    assert len(pool.selection["chosen"]) == 7
    assert "Motion artefact" not in pool.selection["text"]


@pytest.mark.parametrize(
    "word", ["not drawn", "Imported after the draw.", "Every mask of it is empty"]
)
def test_no_reason_by_hand_reads_like_the_draw_s_own(
    word: str, pool: Study, ada: User
) -> None:
    with pytest.raises(SelectionRefused, match="what a draw itself writes"):
        leave_out(pool, ada, "C003", word)


def test_the_rule_holds_what_its_way_of_drawing_asks_for_and_each_name_once(
    pool: Study, coordinator: Client
) -> None:
    twice = ["contrast", "contrast"]
    post(coordinator, pool, by=twice, targets="T2w: 9", exclude=["noticed"] * 2)
    pool.refresh_from_db()
    rule = pool.selection["rule"]
    assert (rule["targets"], rule["by"], rule["size"]) == ({}, ["contrast"], 4)
    assert rule["exclude"] == ["noticed"]
    assert "stratified by contrast in proportion" in pool.selection["text"]
    assert "T2w, T2w" not in pool.selection["text"]
    post(coordinator, pool, mode="targets", targets="T2w: 1", reason="Fewer")
    pool.refresh_from_db()
    rule = pool.selection["rule"]
    assert (rule["size"], rule["minimum"], rule["targets"]) == (0, 0, {"T2w": 1})


def test_a_reader_of_the_protocol_can_draw_again_from_what_it_holds(
    pool: Study, ada: User, coordinator: Client
) -> None:
    leave_out(pool, ada, "C002", "Metal")
    post(coordinator, pool, size="3", exclude=["all_empty"])
    pool.refresh_from_db()
    told = json.loads(json.dumps(frozen.describe_selection(pool)["selection"]))
    stored = {**told["rule"], **{k: tuple(told["rule"][k]) for k in ("by", "exclude")}}
    candidates = selecting.read_pool(told)
    again = sampling.draw(candidates, Rule(**stored), seed=told["seed"])
    assert list(again.chosen) == told["chosen"]
    assert sorted(again.left_out.items()) == [tuple(pair) for pair in told["left_out"]]
    sites = [case.strata for case in candidates if case.label == "C008"]
    assert sites == [{"contrast": "T1w"}], "of the strata only what it was drawn by"
