"""Quality-control reports of the Spinal Cord Toolbox, in every generation."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ratings.moving import study as moving
from ratings.moving.entries import MoveRefused
from ratings.moving.study import Source
from ratings.statistics.published import as_published
from ratings.statistics.summary import analyse
from ratings.statistics.table import make_table
from tests.ratings import golden

FOLDER = Path(__file__).resolve().parents[1] / "data" / "sct"
KEY = {
    "/data/sub-01_T2w.nii.gz": {
        "image": "sub-01_T2w.nii.gz",
        "label": "sub-01_T2w_labelA.nii.gz",
        "pred": "sub-01_T2w_labelB.nii.gz",
    }
}


BARE = {"x": {"image": "i.nii"}}


def item(letter: str, rank: Any, **more: Any) -> dict[str, Any]:
    line = (
        "sct_qc -i /x/sub-01_T2w.nii.gz -s /x/sc.nii.gz "
        f"-d /x/sub-01_T2w_label{letter}.nii.gz -p sct_deepseg_lesion -plane sagittal"
    )
    return {"cmdline": line, "rank": rank, "qc": "", **more}


def source(report: Any, name: str = "qc_report_R1.json", key: Any = KEY) -> Source:
    uploads = [(name, report), ("conversion_dict.json", key)]
    return moving.read_source([(n, json.dumps(v).encode()) for n, v in uploads])


def scores(report: Any, **more: Any) -> dict[str, int | None]:
    found = source(report, **more)
    verdict = moving.look(found, moving.propose(found))
    return {row.arm: row.score for row in verdict.rows}


@cache
def published_study() -> Source:
    return moving.read_source([(p.name, p.read_bytes()) for p in FOLDER.glob("*.json")])


def test_the_study_s_own_files_give_the_published_table_digit_for_digit() -> None:
    found = published_study()
    verdict = moving.look(found, moving.propose(found))
    assert verdict.findings == ()
    table = make_table(verdict.rows, levels=range(1, 6))
    expected = golden.table("paper_8x40")
    assert (table.scores == expected.scores).all()
    analysis = analyse(table, reference="manual", seed=1)
    comparison = analysis.comparisons[0]
    agreements = (*(a.agreement for a in analysis.arms), *comparison.agreement)
    again = as_published(
        raters=table.raters,
        agreements=agreements,
        reference=table.of_arm("manual"),
        arm=table.of_arm("pred"),
    )
    assert again.overall is not None
    assert again.overall.printed_means == "3.42 ± 1.27 vs 3.84 ± 1.08"
    printed = golden.FOLDER / "paper_mode" / "stdout.txt"
    assert again.overall.printed_test in printed.read_text()


@pytest.mark.parametrize(
    "report",
    [
        {"datasets": [item("A", 4), item("B", 2)]},
        [item("A", 4), item("B", 2)],
        {"0": item("A", "4"), "1": item("B", "2")},
        {"datasets": [item("A", 4.0, inputFile="sub-01_T2w.nii.gz"), item("B", 2)]},
        {"data": [item("A", 4), item("B", 2)]},
    ],
)
def test_every_generation_of_the_export_is_read(report: Any) -> None:
    assert scores(report) == {"manual": 4, "pred": 2}


@pytest.mark.parametrize("rank", ["", None, 0, 7, "x"])
def test_what_the_published_script_died_of_or_scored_is_listed(rank: Any) -> None:
    found = source({"datasets": [item("A", rank), item("B", 2)]})
    verdict = moving.look(found, moving.propose(found))
    assert {row.arm: row.score for row in verdict.rows} == {"manual": None, "pred": 2}
    kind = {"": "unrated", None: "unrated", 0: "cleared", 7: "out_of_scale"}
    assert verdict.findings[0].kind == kind.get(rank, "text")
    assert verdict.findings[0].row == 1


def test_a_duplicate_row_is_asked_about_and_the_last_does_not_win_by_itself() -> None:
    found = source([item("A", 4), item("B", 2), item("A", 1)])
    verdict = moving.look(found, moving.propose(found))
    assert verdict.open == ("duplicate",)
    with pytest.raises(MoveRefused, match="Rated twice"):
        moving._refuse_undecided(verdict)


def test_an_item_that_the_key_does_not_know_is_listed() -> None:
    stray = {"cmdline": "sct_qc -i a.nii.gz -d a_labelA.nii.gz", "rank": 5}
    found = source([item("A", 4), item("B", 2), stray])
    verdict = moving.look(found, moving.propose(found))
    assert [(f.kind, f.row) for f in verdict.findings] == [("unknown", 3)]
    assert len(verdict.rows) == 2


def test_swapped_letters_follow_the_key() -> None:
    other = json.loads(json.dumps(KEY))
    entry = next(iter(other.values()))
    entry["label"], entry["pred"] = entry["pred"], entry["label"]
    assert scores([item("A", 4), item("B", 2)], key=other) == {"manual": 2, "pred": 4}


@pytest.mark.parametrize(
    ("name", "rater"),
    [
        ("qc_report_R07.json", "R07"),
        ("qc_report (2).json", "(2)"),
        ("qc_report.json", "qc_report"),
        ("Dr Who.json", "Dr Who"),
    ],
)
def test_the_rater_comes_from_the_file_s_name_until_somebody_says_more(
    name: str, rater: str
) -> None:
    found = source([item("A", 4)], name=name)
    plan = moving.propose(found)
    assert {row.rater for row in moving.look(found, plan).rows} == {rater}
    plan.names[name] = "Ann"
    assert {row.rater for row in moving.look(found, plan).rows} == {"Ann"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "No file arrived"),
        ([("r.json", [item("A", 4)])], "add the study's conversion_dict.json"),
        ([("k.json", KEY)], "add the raters' reports"),
        ([("k.json", KEY), ("l.json", KEY), ("r.json", [item("A", 4)])], "both keys"),
        ([("k.json", KEY), ("r.json", {"a": 1})], "neither a quality-control report"),
        ([("k.json", KEY), ("r.json", [])], "no item"),
        ([("k.json", KEY), ("r.json", [{"cmdline": "x"}])], "kept no scores"),
        (
            [("k.json", {"x": {"image": "i.nii"}}), ("r.json", [item("A", 1)])],
            "no mask",
        ),
    ],
)
def test_files_that_make_no_study_are_refused(
    files: list[tuple[str, Any]], said: str
) -> None:
    with pytest.raises(MoveRefused, match=said):
        moving.read_source([(n, json.dumps(v).encode()) for n, v in files])


def test_broken_json_is_refused_with_its_line() -> None:
    with pytest.raises(MoveRefused, match=r"r.json, line 2: this is not valid JSON"):
        moving.read_source([("r.json", b'{"datasets":\n[}')])
    with pytest.raises(MoveRefused, match=r"r.json: this is nested too deeply"):
        moving.read_source([("r.json", b"[" * 50_000)])


def test_a_mask_that_stands_for_two_arms_is_refused() -> None:
    twice = {"a": {"image": "i.nii", "label": "m.nii", "pred": "m.nii"}}
    with pytest.raises(MoveRefused, match="two arms or cases"):
        source([item("A", 4)], key=twice)


def test_tables_and_reports_are_not_mixed() -> None:
    files = [("r.json", b"[]"), ("s.csv", b"a,b\n1,2\n")]
    with pytest.raises(MoveRefused, match="can't be read together"):
        moving.read_source(files)
