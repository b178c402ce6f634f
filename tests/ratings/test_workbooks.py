"""A workbook is looked through before it is read, so that none brings a server down."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable

import pytest

from ratings import manifests, workbooks, worksheets
from ratings.manifests import ManifestRefused
from ratings.worksheets import write_letters
from tests.ratings.test_layouts import plan_table
from tests.ratings.test_moving_tables import workbook

NAME = "manifest.xlsx"
SHEET = "xl/worksheets/sheet1.xml"
SAVE_AGAIN = "the workbook can't be read. Save it again as .xlsx or .csv."
HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>image</t></is></c></row>'
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def rewrite(**parts: str) -> bytes:
    """A workbook with some parts written anew, by the last word of their names."""
    source = zipfile.ZipFile(io.BytesIO(workbook(("Cases", [["image"]]))))
    names = {"sheet": SHEET, "texts": workbooks.TEXTS, "styles": workbooks.STYLES,
             "book": workbooks.BOOK, "links": workbooks.LINKS}  # fmt: skip
    told = {name: source.read(name) for name in source.namelist()}
    told |= {names[key]: text.encode() for key, text in parts.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, part in told.items():
            book.writestr(name, part)
    return out.getvalue()


def lay_out(rows: str, before: str = "") -> str:
    return (
        f'{before}<worksheet xmlns="{NAMESPACE}"><sheetData>{rows}</sheetData>'
        "</worksheet>"
    )


def refuse(data: bytes) -> str:
    with pytest.raises(ManifestRefused) as refusal:
        manifests.read_table(NAME, data)
    assert str(refusal.value).startswith(f"{NAME}: ")
    return str(refusal.value).removeprefix(f"{NAME}: ")


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("XFD1048576", "right of column GR"),
        ("XFD1", "right of column GR"),
        ("GS2", "right of column GR"),
        ("gs2", "right of column GR"),
        ("Z1048576", "below row 5,000"),
        ("A5001", "below row 5,000"),
        ("A4294967297", "below row 5,000"),
    ],
)
def test_a_value_far_from_the_table_is_named_and_nothing_is_laid_out(
    place: str, rule: str
) -> None:
    cell = f'<row r="2"><c r="{place}"><v>1</v></c></row>'
    start = time.process_time()
    told = refuse(rewrite(sheet=lay_out(HEAD + cell)))
    assert time.process_time() - start < 1
    assert told == (
        f"cell {place.upper()} is filled and lies {rule}, where a table ends at the "
        "latest. Clear what lies outside the table, or split it."
    )


def test_the_last_cell_within_the_limits_is_read() -> None:
    last = '<row r="5000"><c r="GR5000"><v>1</v></c></row>'
    lines = manifests.read_lines(NAME, rewrite(sheet=lay_out(HEAD + last)))
    assert (len(lines), len(lines[0]), lines[-1][-1]) == (5000, 200, "1")


def test_a_far_cell_that_is_only_coloured_is_no_fault() -> None:
    coloured = '<row r="1048576"><c r="XFD1048576" s="0"/></row>'
    table = manifests.read_lines(NAME, rewrite(sheet=lay_out(HEAD + coloured)))
    assert table == [["image"]]


def test_cells_and_rows_that_do_not_say_where_they_lie_are_counted() -> None:
    wide = "<row>" + "<c/>" * 200 + "<c><v>1</v></c></row>"
    long = "<row/>" * 4999 + "<row><c><v>1</v></c></row>"
    far = '<row r="1048576"><c><v>1</v></c></row>'
    assert refuse(rewrite(sheet=lay_out(HEAD + wide))).startswith("cell GS2 is filled")
    assert refuse(rewrite(sheet=lay_out(HEAD + long))).startswith("cell A5001 is ")
    assert refuse(rewrite(sheet=lay_out(HEAD + far))).startswith("cell A1048576 is ")
    near = "<row><c><v>1</v></c><c><v>2</v></c></row>"
    lines = manifests.read_lines(NAME, rewrite(sheet=lay_out(HEAD + near)))
    assert lines == [["image", ""], ["1", "2"]]


def test_a_prefix_hides_no_cell() -> None:
    rows = '<x:row r="2"><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>'
    sheet = (
        f'<x:worksheet xmlns:x="{NAMESPACE}"><x:sheetData>{rows}</x:sheetData>'
        "</x:worksheet>"
    )
    assert refuse(rewrite(sheet=sheet)).startswith("cell XFD1048576 is filled")


def nest() -> bytes:
    levels = "".join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(9)
    )
    return rewrite(sheet=lay_out(HEAD, f"<!DOCTYPE worksheet [{levels}]>"))


def share(sheet: str) -> bytes:
    """A workbook whose first sheet is said to be the part of the shared texts."""
    source = zipfile.ZipFile(io.BytesIO(rewrite()))
    links = source.read(workbooks.LINKS).decode()
    aside = links.replace("worksheets/sheet1.xml", "sharedStrings.xml")
    return rewrite(texts=sheet, links=aside)


def squeeze(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as book:
        book.writestr(workbooks.BOOK, "<workbook/>")
    return out.getvalue()


FAR = lay_out('<row r="2"><c r="XFD1048576"><v>1</v></c></row>')
UNREADABLE: dict[str, Callable[[], bytes]] = {
    "no zip": lambda: b"\xd0\xcf\x11\xe0 an old workbook",
    "no workbook": lambda: squeeze(zipfile.ZIP_DEFLATED),
    "a rare packing": lambda: squeeze(zipfile.ZIP_BZIP2),
    "cut off": lambda: rewrite()[:-40],
    "entities": nest,
    "markup that is cut off": lambda: rewrite(sheet="<worksheet><sheetData>"),
    "a place that is none": lambda: rewrite(sheet=lay_out('<row><c r="$A$1"/></row>')),
    "a row that is none": lambda: rewrite(sheet=lay_out('<row r="-1"/>')),
    "a number in parts": lambda: rewrite(
        sheet=lay_out('<row r="1"><c r="A1"><v>1e999<x/></v></c></row>')
    ),
    "a sheet in another's place": lambda: share(FAR),
    "room for more texts than there are": lambda: rewrite(
        texts=f'<sst xmlns="{NAMESPACE}" uniqueCount="99999999999"/>'
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_is_no_workbook_is_a_sentence(what: str) -> None:
    assert refuse(UNREADABLE[what]()) == SAVE_AGAIN


def test_a_part_that_unpacks_to_much_is_let_go_of_unread() -> None:
    spaces = " " * 2**26
    data = rewrite(sheet=lay_out(HEAD + spaces))
    assert len(data) < 2**17
    assert refuse(data).startswith("it unpacks to more than 32 MiB, which no table")


def test_more_elements_than_a_table_has_are_not_read_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = rewrite(sheet=lay_out(HEAD + "<row/>" * 2000))
    assert manifests.read_lines(NAME, data) == [["image"]]
    monkeypatch.setattr(worksheets, "MOST_ELEMENTS", 1000)
    assert refuse(data).startswith("the workbook holds more than a table of cases.")


def test_only_the_first_sheet_is_judged() -> None:
    rows: list[list[object]] = [[str(n)] for n in range(5100)]
    book = workbook(("Cases", [["image"], ["a.nii"]]), ("Notes", rows))
    assert manifests.read_lines(NAME, book) == [["image"], ["a.nii"]]


def test_the_plan_of_a_set_names_the_fault_and_has_no_case() -> None:
    plan = plan_table(rewrite(sheet=FAR), name=NAME)
    assert plan.entries == ()
    (fault,) = plan.faults
    assert fault.startswith(f"{NAME}: cell XFD1048576 is filled")


def test_a_csv_table_has_no_more_columns_either() -> None:
    line = b"image" + b"," * 200 + b"\n"
    with pytest.raises(ManifestRefused, match="more than 200 columns"):
        manifests.read_table("manifest.csv", line)


@pytest.mark.parametrize(
    ("number", "letters"),
    [(1, "A"), (26, "Z"), (27, "AA"), (200, "GR"), (16384, "XFD")],
)
def test_columns_are_named_as_a_spreadsheet_names_them(
    number: int, letters: str
) -> None:
    assert write_letters(number) == letters
