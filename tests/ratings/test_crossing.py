"""Strata that are crossed stay apart, whatever their values are called."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from ratings import sampling
from ratings.crossing import find_name, name_strata
from ratings.models import Case, Study
from ratings.sampling import Candidate, Rule, RuleRefused
from tests.ratings.conftest import AddCases
from tests.ratings.script import Script

WORDS = [
    "",
    "not given",
    "all",
    "x",
    "x, y",
    "y",
    "y, z",
    "z",
    '"x", "y"',
    '"x"',
    "a\nb",
]


@given(st.sets(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), min_size=1))
def test_no_two_strata_have_one_name(strata: set[tuple[str, str]]) -> None:
    names = name_strata(sorted(strata))
    assert names.keys() == strata
    assert len(set(names.values())) == len(strata)


@pytest.mark.parametrize(
    ("strata", "names"),
    [
        ([("T2w", "Lyon"), ("T2w", "")], ["T2w, Lyon", "T2w, not given"]),
        ([("x, y", "z"), ("x", "y, z")], ['"x, y", "z"', '"x", "y, z"']),
        ([("",), ("not given",), ("T2w",)], ["not given", '"not given"', "T2w"]),
        ([()], ["all"]),
        (
            [("x, y", "z"), ("x", "y, z"), ('"x, y"', '"z"')],
            ['"x, y", "z"', '"x", "y, z"', r'"\"x, y\"", "\"z\""'],
        ),
    ],
)
def test_a_name_is_plain_unless_another_reads_the_same(
    strata: list[tuple[str, ...]], names: list[str]
) -> None:
    assert list(name_strata(strata).values()) == names


def test_a_line_of_a_form_finds_the_name_that_it_means() -> None:
    assert find_name("a b", ["a\nb", "c"]) == "a\nb"
    assert find_name("a b", ["a\nb", "a b"]) == "a b"
    assert find_name("a b", ["a\nb", "a  b"]) == "a b", "two could be meant"


def make_pool() -> list[Candidate]:
    strata: list[dict[str, str]] = [
        {"site": "x, y", "k": "z"}, {"site": "x, y", "k": "z"},
        {"site": "x", "k": "y, z"},
    ]  # fmt: skip
    return [Candidate(f"C{n}", one) for n, one in enumerate(strata)]


def test_crossed_strata_that_read_alike_are_drawn_apart() -> None:
    rule = Rule(
        mode="targets", by=("site", "k"),
        targets={'"x, y", "z"': 1, '"x", "y, z"': 1},
    )  # fmt: skip
    drawn = sampling.draw(make_pool(), rule, seed="s")
    rows = [(row.name, row.pool, row.drawn) for row in drawn.strata]
    assert rows == [('"x", "y, z"', 1, 1), ('"x, y", "z"', 2, 1)]
    vague = Rule(mode="targets", by=("site", "k"), targets={"x, y, z": 1})
    with pytest.raises(RuleRefused, match="there is no x, y, z") as refusal:
        sampling.draw(make_pool(), vague, seed="s")
    assert 'The strata are: "x", "y, z"; "x, y", "z".' in str(refusal.value)


def test_a_draw_of_before_is_repeated_by_its_plain_names() -> None:
    words = ("T2w", "T1w", "")
    pool = [
        Candidate(f"C{n:02d}", {"contrast": words[n % 3]} if n % 3 < 2 else {})
        for n in range(24)
    ]
    rule = Rule(mode="proportional", by=("contrast",), size=6)
    drawn = sampling.draw(pool, rule, seed="5eed")
    # what the version before drew from this seed
    assert drawn.chosen == ("C05", "C06", "C12", "C13", "C16", "C17")
    assert [row.name for row in drawn.strata] == ["T1w", "T2w", "not given"]


@pytest.fixture
def broken(study: Study, add_cases: AddCases) -> Study:
    """Four cases of a site with a line break in its name, and two of none."""
    add_cases(6)
    labels = [f"C00{n}" for n in range(1, 5)]
    Case.objects.filter(label__in=labels).update(strata={"site": "Lyon\nSud"})
    return study


RULE: dict[str, Any] = {"mode": "targets", "by": ["site"], "revision": 0}


def test_a_script_draws_from_a_stratum_with_a_line_break(
    broken: Study, script: Script
) -> None:
    one = f"studies/{broken.pk}/draw"
    body = {**RULE, "targets": {"Lyon\nSud": 3, "not given": 1}}
    drawn = script.post(one, body)
    assert drawn.status_code == 201, drawn.content
    chosen = broken.cases.filter(left_out="")
    assert [case.strata.get("site") for case in chosen].count("Lyon\nSud") == 3
    assert len(drawn.json()["chosen"]) == 4
    again = {**RULE, "revision": drawn.json()["revision"], "reason": "More."}
    assert script.post(one, again).status_code == 400, "a number is needed"
    wrong = script.post(one, {**again, "targets": {"Oslo": 1}})
    assert (wrong.status_code, "no Oslo" in wrong.json()["detail"]) == (409, True)


def test_the_page_draws_from_it_by_a_name_on_one_line(
    broken: Study, coordinator: Client
) -> None:
    url = reverse("choose", args=[broken.pk])
    form = {"act": "draw", **RULE, "targets": "Lyon Sud: 3"}
    assert "3 cases of 6" in coordinator.post(url, form, follow=True).text
    shown = coordinator.get(url).context["form"]
    assert shown["targets"].value() == "Lyon Sud: 3"
