"""A score file is read whole, or refused in one sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings.statistics.cells import neutralise, restore
from ratings.statistics.rows import parse_scale
from ratings.statistics.table import (
    ScoreFileError,
    ScoreRow,
    ScoreTable,
    make_table,
    natural,
    read_scores,
)
from tests.ratings import golden

HEADER = "rater,case,arm,score\n"
GOOD = HEADER + "R1,C1,manual,3\nR1,C1,pred,4\n"


def read(folder: Path, text: str | bytes, **options: str) -> ScoreTable:
    file = folder / "scores.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_scores(file, **{"scale": (1, 5), "reference": "manual"} | options)  # type: ignore[arg-type]


def refusal(folder: Path, text: str | bytes, **options: str) -> str:
    with pytest.raises(ScoreFileError) as caught:
        read(folder, text, **options)
    message = str(caught.value)
    assert message.startswith("scores.csv")
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_the_simple_form_is_read(tmp_path: Path) -> None:
    table = read(tmp_path, GOOD)
    assert table.arms == ("manual", "pred")
    assert table.scores.tolist() == [[[3.0, 4.0]]]
    assert table.levels == (1, 2, 3, 4, 5)


def test_the_long_form_keeps_every_column(tmp_path: Path) -> None:
    text = (
        "rater,case,arm,rep,score,contrast,site,position,seconds,guess,question,"
        'reason,comment\nR1,C1,manual,0,,T2w,S1,7,12.5,unsure,quality,blurred,"a, b"\n'
    )
    assert read(tmp_path, text).rows == (
        ScoreRow(
            *("R1", "C1", "manual", None, 0, "T2w", "S1", 7, 12.5),
            *("unsure", "quality", "blurred", "a, b"),
        ),
    )


def test_hidden_repeats_never_enter_the_scores() -> None:
    table = golden.table("repeats_4x30")
    assert len(table.repeats) > 0
    assert {row.rep for row in table.repeats} == {1}
    main = [row for row in table.rows if row.rep == 0 and row.score is not None]
    assert np.count_nonzero(~np.isnan(table.scores)) == len(main)


def test_a_mark_at_the_start_and_spaces_do_no_harm(tmp_path: Path) -> None:
    spaced = GOOD.replace("R1,", " R1 ,")
    assert read(tmp_path, b"\xef\xbb\xbf" + spaced.encode()).raters == ("R1",)


def test_blank_lines_and_whole_decimals_are_accepted(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD.replace("3\n", "3.0\n\n,,,\n")).scores[0, 0, 0] == 3


def test_labels_stand_in_natural_order(tmp_path: Path) -> None:
    rows = "".join(f"R{n},C1,manual,3\n" for n in (10, 2, 1))
    assert read(tmp_path, HEADER + rows).raters == ("R1", "R2", "R10")


def test_a_score_column_named_like_a_stratum_is_a_score(tmp_path: Path) -> None:
    text = "rater,case,arm,contrast,noise\nR1,C1,manual,2,9\nR1,C2,manual,4,1\n"
    table = read(tmp_path, text, score_column="contrast")
    assert table.scores[0, :, 0].tolist() == [2, 4]
    assert table.strata["contrast"] == ("", "")
    assert table.unused_columns == ("noise",)


def test_one_question_is_picked_when_a_file_answers_several(tmp_path: Path) -> None:
    text = (
        "rater,case,arm,score,question\nR1,C1,manual,3,quality\nR1,C1,manual,5,usable\n"
    )
    assert "quality, usable" in refusal(tmp_path, text)
    assert read(tmp_path, text, question="usable").scores.ravel().tolist() == [5]
    assert "“speed”" in refusal(tmp_path, text, question="speed")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        (b"\xff\xfer\x00a\x00", "not UTF-8"),
        ("rater,case,arm,score\nR\xe9,1,manual,2\n".encode("latin-1"), "line 2"),
        (b"PK\x03\x04", "spreadsheet"),
        (HEADER, "no rows"),
        ("score\n3\n", "column “rater” is missing"),
        ("rater;case;arm;score\n1;2;3;4\n", "semicolons"),
        ("rater,case,arm\n1,2,3\n", "column “score” is missing"),
        ("rater,case,arm,score,score\n1,2,manual,4,4\n", "there twice"),
        (GOOD + "R1,C2,manual\n", "line 4: the row has 3 cells and the header 4"),
        (GOOD + "R1,C2,manual,good\n", "line 4: score is “good”"),
        (GOOD + 'R1,C2,manual,"3,5"\n', "line 4: score is “3,5”"),
        (GOOD + "R1,C2,manual,3.5\n", "line 4: score is “3.5”"),
        (GOOD + "R1,C2,manual,nan\n", "line 4: score is “nan”"),
        (GOOD + "R1,C2,manual,6\n", "line 4: score is 6, outside the scale 1 to 5"),
        (GOOD + "R1,C2,manual,0\n", "line 4: score is 0, outside the scale 1 to 5"),
        (GOOD + "R1,C1,pred,4\n", "line 4: rater R1 already scored case C1, arm pred"),
        (GOOD + ",C2,manual,4\n", "line 4: rater is empty"),
        (GOOD + 'R1,"C2,manual,4\n', "line 4: this is not valid CSV"),
        (GOOD.replace("manual", "man"), "no row has the reference arm “manual”"),
        ("rater,case,arm,score,rep\n1,2,manual,4,x\n", "line 2: rep is “x”"),
        ("rater,case,arm,score,seconds\n1,2,manual,4,-1\n", "seconds is “-1”"),
        (
            "rater,case,arm,score,site\n1,2,manual,4,A\n1,2,pred,4,B\n",
            "case 2 has two values of site (A and B)",
        ),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    assert expected in refusal(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoreFileError, match=r"none\.csv: the file cannot be read"):
        read_scores(tmp_path / "none.csv", scale=(1, 5), reference="manual")


def test_rater_case_and_arm_cannot_be_the_score(tmp_path: Path) -> None:
    assert "cannot be the score" in refusal(tmp_path, GOOD, score_column="case")


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    text = 'rater,case,arm,score,comment\nR1,C1,manual,3,"two\nlines"\nR1,C2,pred,9,\n'
    assert "line 4" in refusal(tmp_path, text)


def test_the_real_study_is_refused_at_its_stray_six(shared: Path) -> None:
    file = shared / "data" / "reader-study" / "abdomen.csv"
    with pytest.raises(ScoreFileError, match=r"abdomen\.csv, line 405: structure is 6"):
        read_scores(file, scale=(1, 5), reference="LDCT", score_column="structure")


@pytest.mark.parametrize("text", ["5-1", "1", "a-b", "3-3", "1-500", ""])
def test_a_scale_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the scale"):
        parse_scale(text)


def test_scales_are_read() -> None:
    assert parse_scale("1-5") == (1, 5)
    assert parse_scale(" 0 – 10 ") == (0, 10)
    assert parse_scale("-2:2") == (-2, 2)


def test_a_table_refuses_a_rating_given_twice() -> None:
    row = ScoreRow("R1", "C1", "manual", 3)
    with pytest.raises(ValueError, match="twice"):
        make_table([row, row], levels=range(1, 6))


def test_the_data_hash_knows_the_data_and_not_their_order() -> None:
    table = golden.table("null_5x16")
    turned = make_table(table.rows[::-1], levels=table.levels)
    fewer = make_table(table.rows[1:], levels=table.levels)
    wider = make_table(table.rows, levels=range(1, 8))
    assert turned.data_hash() == table.data_hash()
    assert len({t.data_hash() for t in (table, fewer, wider)}) == 3


@given(st.lists(st.text(min_size=1), unique=True))
def test_any_labels_sort_to_one_order(labels: list[str]) -> None:
    backwards = labels[::-1]
    assert sorted(labels, key=natural) == sorted(backwards, key=natural)


@given(st.text())
def test_cells_come_back_as_they_were_and_never_run(text: str) -> None:
    safe = neutralise(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert restore(safe) == text
