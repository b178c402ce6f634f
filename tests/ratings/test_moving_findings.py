"""Whatever is odd in moved scores is listed with its row, and done as was chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings.moving.entries import Entry
from ratings.moving.findings import KINDS, Verdict, judge, read_score
from ratings.moving.study import report_csv
from ratings.statistics.table import make_table

FINE = Entry("s.csv", 2, "A", "c1", "manual", "3")


def look(*entries: Entry, **choices: str) -> Verdict:
    return judge(entries, scales={"": (1, 5)}, choices=choices)


@pytest.mark.parametrize(
    ("text", "score", "kind"),
    [
        ("3", 3, ""),
        (" 5 ", 5, ""),
        (None, None, "unrated"),
        ("", None, "unrated"),
        ("NA", None, "unrated"),
        ("null", None, "unrated"),
        ("0", None, "cleared"),
        ("7", None, "out_of_scale"),
        ("-1", None, "out_of_scale"),
        ("3,0", 3, "decimal"),
        ("3.0", 3, "decimal"),
        ("3,5", None, "not_whole"),
        ("3.5", None, "not_whole"),
        ("good", None, "text"),
        ("3 or 4", None, "text"),
        ("1e1", None, "text"),
        ("٣", None, "text"),
    ],
)
def test_a_cell_is_a_score_or_says_what_it_is(
    text: str | None, score: int | None, kind: str
) -> None:
    assert read_score(text, 1, 5)[:2] == (score, kind)


def test_zero_is_a_score_where_the_scale_has_it() -> None:
    assert read_score("0", 0, 4)[:2] == (0, "")


@pytest.mark.parametrize("text", ["", "0", "7", "2,5", "bad"])
def test_an_odd_score_is_never_analysed_and_stays_in_the_record(text: str) -> None:
    odd = replace(FINE, score=text, row=3, case="c2")
    kept = look(FINE, odd)
    assert [row.score for row in kept.rows] == [3, None]
    assert kept.rows[1].reason
    assert [(f.file, f.row) for f in kept.findings] == [("s.csv", 3)]
    kind = kept.findings[0].kind
    dropped = look(FINE, odd, **{kind: "drop"})
    assert ([row.case for row in dropped.rows], dropped.n_dropped) == (["c1"], 1)


@pytest.mark.parametrize(
    ("choice", "scores"),
    [("first", [3]), ("last", [5]), ("drop", []), ("repeat", [3, 4, 5])],
)
def test_duplicates_are_settled_as_chosen(choice: str, scores: list[int]) -> None:
    group = [replace(FINE, row=n, score=str(n + 1)) for n in (2, 3, 4)]
    verdict = look(*group, duplicate=choice)
    assert verdict.open == ()
    assert [row.score for row in verdict.rows] == scores
    assert [row.rep for row in verdict.rows] == list(range(len(scores)))
    assert verdict.count("duplicate") == 3
    assert "rows 2, 3, 4 say 3, 4, 5" in verdict.findings[0].what


def test_repeats_that_the_file_names_are_no_duplicates() -> None:
    verdict = look(FINE, replace(FINE, row=3, rep="1"), replace(FINE, row=4, rep="2.0"))
    assert [row.rep for row in verdict.rows] == [0, 1, 2]
    assert verdict.findings == ()


def test_a_new_repeat_never_takes_the_number_of_one_there_is() -> None:
    entries = [FINE, replace(FINE, row=3), replace(FINE, row=4, rep="1")]
    verdict = look(*entries, duplicate="repeat")
    assert sorted(row.rep for row in verdict.rows) == [0, 1, 2]


def test_raters_named_alike_are_joined_only_on_request() -> None:
    entries = [
        replace(FINE, rater="R01"),
        replace(FINE, rater="R01", case="c2"),
        replace(FINE, rater="r1", case="c3"),
    ]
    asked = look(*entries)
    assert asked.open == ("alike_raters",)
    assert {row.rater for row in asked.rows} == {"R01", "r1"}
    joined = look(*entries, alike_raters="same")
    assert {row.rater for row in joined.rows} == {"R01"}
    apart = look(*entries, alike_raters="different")
    assert (apart.open, len({row.rater for row in apart.rows})) == ((), 2)


def test_joining_can_uncover_duplicates_which_are_then_asked_about() -> None:
    entries = [replace(FINE, rater="R01"), replace(FINE, rater="r1", row=3)]
    assert look(*entries, alike_raters="same").open == ("duplicate",)


def test_a_row_without_a_rater_or_an_unknown_item_is_listed_and_left_out() -> None:
    verdict = look(FINE, replace(FINE, rater="", row=3), replace(FINE, known=False))
    assert {f.kind for f in verdict.findings} == {"incomplete", "unknown"}
    assert (len(verdict.rows), verdict.n_dropped) == (1, 2)
    assert set(verdict.open) == {"incomplete", "unknown"}


def test_masks_that_a_report_leaves_out_count_as_not_rated() -> None:
    expected = [("c1", "manual"), ("c1", "pred")]
    verdict = judge([FINE], scales={"": (1, 5)}, choices={}, expected=expected)
    assert [(row.arm, row.score) for row in verdict.rows] == [
        ("manual", 3),
        ("pred", None),
    ]
    assert verdict.findings[0].kind == "absent"


def test_a_case_has_one_contrast() -> None:
    entries = [
        replace(FINE, details={"contrast": "T2w"}),
        replace(FINE, arm="pred", details={"contrast": "T1w"}),
        replace(FINE, arm="third"),
    ]
    assert look(*entries).open == ("stratum",)
    first = look(*entries, stratum="first")
    assert {row.contrast for row in first.rows} == {"T2w"}
    assert {row.contrast for row in look(*entries, stratum="blank").rows} == {""}


def test_an_unusable_detail_costs_the_detail_or_the_row_as_chosen() -> None:
    odd = replace(FINE, details={"seconds": "soon", "position": "4"})
    verdict = look(odd, number="blank")
    assert (verdict.rows[0].seconds, verdict.rows[0].position) == (None, 4)
    assert look(odd, number="drop").rows == ()
    comma = replace(FINE, details={"seconds": "12,5"})
    assert look(comma).rows[0].seconds == 12.5


def test_a_choice_that_does_not_exist_is_no_choice() -> None:
    verdict = look(replace(FINE, score="7"), out_of_scale="clip")
    assert verdict.open == ("out_of_scale",)


def test_the_report_names_file_row_and_fate_of_every_finding() -> None:
    verdict = look(FINE, replace(FINE, case="=c2", score="7"), out_of_scale="missing")
    lines = report_csv(verdict).splitlines()
    assert lines[0] == "file,row,finding,what,done"
    assert lines[1].startswith("s.csv,2,Outside the scale,")
    assert lines[1].endswith("keep it as “not rated”")


LABEL = st.sampled_from(["A", "a", "B", ""])
ENTRIES = st.lists(
    st.builds(
        Entry,
        file=st.just("s.csv"),
        row=st.integers(2, 99),
        rater=LABEL,
        case=st.sampled_from(["c1", "c2", ""]),
        arm=st.sampled_from(["m", "p"]),
        score=st.sampled_from(["1", "5", "0", "7", "x", "2,5", "3.0", None]),
        rep=st.sampled_from(["", "0", "1", "?"]),
        known=st.booleans(),
    ),
    max_size=12,
)
CHOICES = st.fixed_dictionaries(
    {
        kind: st.sampled_from([value for value, _ in one.options])
        for kind, one in KINDS.items()
    }
)


@given(entries=ENTRIES, choices=CHOICES)
def test_nothing_is_lost_doubled_or_invented(
    entries: list[Entry], choices: dict[str, str]
) -> None:
    verdict = judge(entries, scales={"": (1, 5)}, choices=choices)
    assert len(verdict.rows) + verdict.n_dropped == len(entries)
    assert verdict.open == ()
    given_scores = [e.score for e in entries]
    for row in verdict.rows:
        assert row.score is None or 1 <= row.score <= 5
    scored = sum(row.score is not None for row in verdict.rows)
    assert scored <= sum(score in ("1", "5", "3.0") for score in given_scores)
    make_table(verdict.rows, levels=range(1, 6))
