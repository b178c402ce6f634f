"""Tables of scores from elsewhere: any layout is read, and nothing is guessed."""

from __future__ import annotations

import io
import zipfile

import pytest

from ratings.moving.entries import MoveRefused, find_alike
from ratings.moving.findings import judge
from ratings.moving.grid import read_grid
from ratings.moving.mapping import FILE_NAME, check, list_entries, propose

LONG = "Reader,Image,Method,Rating\nA,c1,manual,3\nA,c1,pred,4\n"


def grid(text: str, name: str = "scores.csv") -> object:
    return read_grid(name, text.encode())


def rows(text: str, name: str = "scores.csv", **scales: tuple[int, int]) -> list[tuple]:  # type: ignore[type-arg]
    table = read_grid(name, text.encode())
    entries = list_entries([table], propose(table))
    verdict = judge(entries, scales=scales or {"": (1, 5)}, choices={})
    return [(r.rater, r.case, r.arm, r.question, r.score) for r in verdict.rows]


def test_a_long_table_is_read_by_the_usual_names_of_its_columns() -> None:
    assert rows(LONG) == [
        ("A", "c1", "manual", "", 3),
        ("A", "c1", "pred", "", 4),
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_separator_and_a_byte_order_mark_are_read(mark: str, encoding: str) -> None:
    text = LONG.replace(",", mark).replace("A", "Zoë")
    table = read_grid("scores.csv", text.encode(encoding))
    assert table.header == ("Reader", "Image", "Method", "Rating")
    assert table.rows[0] == (2, ("Zoë", "c1", "manual", "3"))


def test_a_column_for_each_arm() -> None:
    text = "rater,case,manual,pred\nA,c1,3,4\nB,c1,2,\n"
    assert rows(text) == [
        ("A", "c1", "manual", "", 3),
        ("A", "c1", "pred", "", 4),
        ("B", "c1", "manual", "", 2),
        ("B", "c1", "pred", "", None),
    ]


def test_a_column_for_each_rater() -> None:
    text = "case,arm,Ann,Bob\nc1,manual,3,4\nc1,pred,5,5\n"
    assert rows(text)[1] == ("Bob", "c1", "manual", "", 4)


def test_one_file_a_rater_takes_the_rater_from_the_file_s_name() -> None:
    text = "case,manual,pred\nc1,3,4\n"
    table = read_grid("Ann.csv", text.encode())
    assert propose(table).rater == FILE_NAME
    assert rows(text, "Ann.csv")[0] == ("Ann", "c1", "manual", "", 3)


def test_several_criteria_become_several_questions_and_contrast_can_be_one() -> None:
    text = "rater,case,arm,noise,contrast\nA,c1,x,11,3\nA,c2,x,12,4\n"
    found = rows(text, noise=(1, 14), contrast=(1, 5))
    assert found[:2] == [("A", "c1", "x", "noise", 11), ("A", "c1", "x", "contrast", 3)]


def test_an_mri_contrast_stays_one() -> None:
    table = read_grid("s.csv", b"rater,case,arm,score,contrast\nA,c1,x,3,T2w\n")
    mapping = propose(table)
    assert mapping.scores == ("score",)
    assert mapping.optional == {"contrast": "contrast"}


def test_the_real_reader_study_is_understood_at_once(shared: object) -> None:
    path = shared / "data" / "reader-study" / "abdomen.csv"  # type: ignore[operator]
    table = read_grid(path.name, path.read_bytes())
    mapping = propose(table)
    assert mapping.scores == ("noise", "contrast", "structure")
    scales = {"noise": (1, 14), "contrast": (1, 5), "structure": (1, 5)}
    verdict = judge(list_entries([table], mapping), scales=scales, choices={})
    assert len({row.arm for row in verdict.rows}) == 14
    assert [(f.kind, f.row) for f in verdict.findings] == [("out_of_scale", 405)]
    assert verdict.open == ("out_of_scale",)


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    """A workbook as the format's standard describes it, written by hand."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        kinds = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="application'
            '/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        book.writestr("[Content_Types].xml", CONTENT.format(kinds))
        book.writestr("_rels/.rels", RELS.format("officeDocument", "xl/workbook.xml"))
        names = "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>'
            for n, (name, _) in enumerate(sheets, 1)
        )
        book.writestr("xl/workbook.xml", BOOK.format(names))
        links = "".join(
            f'<Relationship Id="rId{n}" Type="http://schemas.openxmlformats.org/'
            'officeDocument/2006/relationships/worksheet" '
            f'Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        book.writestr("xl/_rels/workbook.xml.rels", LINKS.format(links))
        for n, (_, cells) in enumerate(sheets, 1):
            book.writestr(f"xl/worksheets/sheet{n}.xml", SHEET.format(_cells(cells)))
    return out.getvalue()


def _cells(cells: list[list[object]]) -> str:
    return "".join(
        f'<row r="{r}">'
        + "".join(
            f'<c r="{chr(65 + c)}{r}"><v>{cell}</v></c>'
            if isinstance(cell, int | float)
            else f'<c r="{chr(65 + c)}{r}" t="inlineStr"><is><t>{cell}</t></is></c>'
            for c, cell in enumerate(row)
            if cell is not None
        )
        + "</row>"
        for r, row in enumerate(cells, 1)
    )


HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CONTENT = (
    HEAD + f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override '
    'PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.sheet.main+xml"/>{}</Types>'
)
RELS = (
    HEAD + f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{OFFICE}/{{}}" Target="{{}}"/></Relationships>'
)
LINKS = HEAD + f'<Relationships xmlns="{PACKAGE}/relationships">' + "{}</Relationships>"
BOOK = (
    HEAD
    + f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{{}}</sheets></workbook>'
)
SHEET = HEAD + f'<worksheet xmlns="{MAIN}"><sheetData>{{}}</sheetData></worksheet>'


def test_a_workbook_is_read_with_the_row_numbers_that_it_shows() -> None:
    cells: list[list[object]] = [
        ["rater", "case", "arm", "score"],
        ["A", 1, "manual", 3],
        [],
        ["A", 2, "manual", None],
        ["A", 3, "manual", 3.5],
    ]
    table = read_grid("scores.xlsx", workbook(("Notes", []), ("Scores", cells)))
    assert (table.sheet, table.sheets) == ("Scores", ("Scores",))
    assert table.rows == (
        (2, ("A", "1", "manual", "3")),
        (4, ("A", "2", "manual", "")),
        (5, ("A", "3", "manual", "3.5")),
    )


def test_another_sheet_can_be_chosen() -> None:
    one = [["case", "a"], ["c1", 1]]
    two = [["case", "b"], ["c1", 2]]
    data = workbook(("One", one), ("Two", two))  # type: ignore[arg-type]
    assert read_grid("s.xlsx", data, sheet="Two").header == ("case", "b")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"  \n \n", "the file is empty"),
        (b"score\n3\n4\n", "one column only"),
        (b"case,score\n", "a header and no row"),
        ("case,arm\nä,ö\n".encode("latin-1"), "line 2: the text is not UTF-8"),
        (b"case,case\n1,2\n", "the column “case” is there twice"),
        (b"case,,score\n1,2,3\n", "column 2 has no name"),
        (b"case,score\n1,2,3\n", "row 2: 3 cells where the header has 2"),
        (b'case,score\n"1,2\n', "not valid CSV"),
        (b"case\0,score\n1,2\n", "not a text file"),
        (b"PK\x03\x04 nothing else", "this workbook can't be read"),
    ],
)
def test_what_is_no_table_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(MoveRefused, match=r"^scores\.csv") as refusal:
        read_grid("scores.csv", data)
    assert said in str(refusal.value)


def test_a_column_has_one_meaning_and_all_that_is_needed_is_asked_for() -> None:
    table = read_grid("s.csv", LONG.encode())
    mapping = propose(table)
    assert check(mapping, table) == []
    from dataclasses import replace

    twice = replace(mapping, rater=mapping.case)
    assert check(twice, table) == [
        "The column “Image” can't have two meanings: choose one."
    ]
    lacking = replace(mapping, case="", scores=(), rater="", arm="")
    assert len(check(lacking, table)) == 4
    assert "no column “gone”" in check(replace(mapping, case="gone"), table)[0]


def test_names_are_alike_in_spite_of_case_accents_zeros_and_titles() -> None:
    names = {"Dr. Müller", "muller", "R01", "r1", "R10", "Ann", "rater-1", "Rater 1"}
    assert find_alike(names) == [
        ("Dr. Müller", "muller"),
        ("R01", "r1"),
        ("Rater 1", "rater-1"),
    ]


@pytest.mark.slow
def test_a_million_rows_are_read() -> None:
    lines = (
        f"R{i % 50:02d},C{i // 100:05d},{'ab'[(i // 50) % 2]},{1 + i % 5}"
        for i in range(10**6)
    )
    text = "rater,case,arm,score\n" + "\n".join(lines)
    table = read_grid("big.csv", text.encode())
    entries = list_entries([table], propose(table))
    verdict = judge(entries, scales={"": (1, 5)}, choices={})
    assert (len(verdict.rows), verdict.findings) == (10**6, ())
