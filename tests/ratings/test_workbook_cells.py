"""Of the cells of a manifest's workbook: numbers, dates, and the texts they share."""

from __future__ import annotations

import time

import pytest

from ratings import manifests
from tests.ratings.test_moving_tables import workbook
from tests.ratings.test_workbooks import (
    HEAD,
    NAME,
    NAMESPACE,
    SAVE_AGAIN,
    lay_out,
    refuse,
    rewrite,
)


@pytest.mark.parametrize(
    "value", ["1e999", "-1e999", "NaN", "nan", "Infinity", "-inf", "0" * 70 + "1e999"]
)
def test_a_number_that_is_none_is_named_by_its_cell(value: str) -> None:
    cell = f'<row r="3"><c r="B3"><v>{value}</v></c></row>'
    told = refuse(rewrite(sheet=lay_out(HEAD + cell)))
    assert told.startswith("cell B3 holds ")
    assert told.endswith("which is no number. Write a number or a text there.")


def test_a_text_that_is_spelt_like_no_number_stays_a_text() -> None:
    lines = manifests.read_lines(NAME, workbook(("C", [["image", "x"], ["a", "NaN"]])))
    assert lines[1] == ["a", "NaN"]


def write_date(form: int, value: str) -> bytes:
    styles = (
        f'<styleSheet xmlns="{NAMESPACE}"><cellXfs><xf numFmtId="{form}"/></cellXfs>'
        "</styleSheet>"
    )
    cell = f'<row r="2"><c r="A2" s="0"><v>{value}</v></c></row>'
    return rewrite(sheet=lay_out(HEAD + cell), styles=styles)


@pytest.mark.parametrize(
    ("form", "value"), [(14, "-1e18"), (46, "-1e18"), (46, "1e18")]
)
def test_a_date_at_which_the_reader_panics_is_a_sentence(form: int, value: str) -> None:
    assert refuse(write_date(form, value)) == SAVE_AGAIN


def test_a_date_is_read_as_people_write_it() -> None:
    assert manifests.read_lines(NAME, write_date(14, "22481"))[1] == ["1961-07-19"]


def test_a_long_text_in_many_cells_is_not_copied_into_each() -> None:
    texts = f'<sst xmlns="{NAMESPACE}"><si><t>{"x" * 100_000}</t></si></sst>'
    cells = "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 1001)
    )
    told = refuse(rewrite(sheet=lay_out(cells), texts=texts))
    assert told.startswith("1,000 cells hold texts, of which the longest has 100,000 ")


def test_texts_that_cells_share_are_read() -> None:
    texts = (
        f'<sst xmlns="{NAMESPACE}" uniqueCount="2"><si><t>image</t></si>'
        "<si><t>a.nii.gz</t></si></sst>"
    )
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
        '<row r="2"><c r="A2" t="s"><v>1</v></c></row>'
    )
    (row,) = manifests.read_table(NAME, rewrite(sheet=lay_out(rows), texts=texts)).rows
    assert row.files == {"image": "a.nii.gz"}


def test_a_cell_of_a_hundred_thousand_letters_is_judged_at_once() -> None:
    start = time.process_time()
    text = f"image,site\na.nii.gz,{'a' * 100_000}\n"
    (row,) = manifests.read_table("manifest.csv", text.encode()).rows
    assert row.strata == {"site": "a" * 40}
    assert time.process_time() - start < 1
