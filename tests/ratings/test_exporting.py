"""The bundle is whole, safe to open, the same every time, and can be analysed again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shlex
import subprocess
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratings.exporting import (
    Report,
    StudyFacts,
    long_csv,
    make_report,
    report_files,
    wide_csv,
    write_bundle,
    write_report,
)
from ratings.statistics.summary import analyse
from ratings.statistics.table import ScoreRow, make_table, read_scores
from tests.ratings import golden

FACTS = StudyFacts(title="Lesions in the cord", version="0.1.0")


@cache
def report(name: str) -> Report:
    return make_report(table=golden.table(name), analysis=golden.analysis(name))


@cache
def bundle(name: str) -> bytes:
    return write_bundle(reports=[report(name)], facts=FACTS)


def files_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.mark.slow
def test_the_bundle_holds_scores_results_tables_figures_and_sums() -> None:
    files = files_of(bundle("repeats_4x30"))
    assert {
        *("README.txt", "scores_long.csv", "scores_wide.csv", "results.json"),
        *("tables/means.csv", "tables/comparisons.csv", "tables/as_published.csv"),
        *("figures/violin_per_rater.svg", "figures/violin_per_rater.png"),
        *("figures/violin_per_rater.csv", "figures/captions.txt", "SHA256SUMS"),
    } <= set(files)


def test_every_file_stands_in_the_sums(tmp_path: Path) -> None:
    files = files_of(bundle("repeats_4x30"))
    lines = files["SHA256SUMS"].decode().splitlines()
    listed = {line[66:]: line[:64] for line in lines}
    assert listed.keys() == files.keys() - {"SHA256SUMS"}
    for name, digest in listed.items():
        assert hashlib.sha256(files[name]).hexdigest() == digest
    write_report(folder=tmp_path, reports=[report("repeats_4x30")], facts=FACTS)
    done = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_two_exports_are_the_same_bytes() -> None:
    name = "tiny_ties_zeros_1x8"
    again = make_report(table=golden.table(name), analysis=golden.analysis(name))
    assert write_bundle(reports=[again], facts=FACTS) == bundle(name)


def test_no_entry_of_the_zip_carries_a_date_of_writing() -> None:
    with zipfile.ZipFile(io.BytesIO(bundle("repeats_4x30"))) as opened:
        assert {entry.date_time for entry in opened.infolist()} == {
            (1980, 1, 1, 0, 0, 0)
        }


@pytest.mark.parametrize("name", ["repeats_4x30", "missing_6x24", "paper_8x40"])
def test_the_long_file_gives_the_same_analysis_again(name: str, tmp_path: Path) -> None:
    again = tmp_path / "scores_long.csv"
    again.write_text(long_csv(golden.table(name).rows))
    table = read_scores(again, scale=(1, 5), reference="manual")
    assert table.data_hash() == golden.table(name).data_hash()
    found = analyse(table, reference="manual", seed=20261122)
    assert found.to_text() == golden.analysis(name).to_text()


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(comment=TEXT, reason=TEXT, site=TEXT.map(str.strip))
@settings(max_examples=80, deadline=None)
def test_whatever_people_typed_comes_back(
    comment: str, reason: str, site: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    row = ScoreRow("R1", "C1", "m", 3, site=site, reason=reason, comment=comment)
    file = tmp_path_factory.mktemp("typed") / "long.csv"
    file.write_bytes(long_csv([row]).encode())
    back = read_scores(file, scale=(1, 5), reference="m").rows[0]
    assert (back.comment, back.reason, back.site) == (comment, reason, site)


def test_no_cell_runs_in_a_spreadsheet() -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
    rows = [ScoreRow(f"{e} rater", "C1", f"{e} arm", 3, comment=e) for e in evil]
    table = make_table(rows, levels=range(1, 6))
    analysis = analyse(table, reference=table.arms[0], seed=1)
    files = report_files(reports=[Report(table, analysis, ())], facts=FACTS)
    texts = {name: data.decode() for name, data in files.items() if name[-4:] == ".csv"}
    assert len(texts) >= 9
    for text in texts.values():
        for record in csv.reader(io.StringIO(text, newline="")):
            for cell in record:
                assert not cell.startswith(("=", "+", "@", "\t", "\r"))
                assert not cell.startswith("-") or float(cell) < 0


def test_the_wide_file_has_a_row_a_case_and_rater_and_a_column_an_arm() -> None:
    rows = list(csv.DictReader(io.StringIO(wide_csv(golden.table("repeats_4x30")))))
    assert len(rows) == 4 * 30
    table = golden.table("repeats_4x30")
    first = rows[0]
    assert (first["rater"], first["case"]) == ("R01", "C0001")
    assert list(first)[-4:] == [
        "manual",
        "pred",
        "manual (repeat 1)",
        "pred (repeat 1)",
    ]
    for row in rows:
        r, c = table.raters.index(row["rater"]), table.cases.index(row["case"])
        assert float(row["manual"]) == table.of_arm("manual")[r, c]
    repeats = [row for row in rows if row["pred (repeat 1)"]]
    assert len(repeats) == sum(row.arm == "pred" for row in table.repeats)


def test_results_are_strict_json_with_the_facts_of_the_study() -> None:
    tree = json.loads(files_of(bundle("tiny_allzero_1x6"))["results.json"])
    assert tree["study"] == {
        "title": "Lesions in the cord",
        "simulated": False,
        "blindfold": "0.1.0",
    }
    assert tree["comparisons"][0]["per_rater"][0]["signed_rank"]["value"] is None


def test_simulated_data_are_plainly_said_to_be_so() -> None:
    made = make_report(
        table=golden.table("tiny_ties_zeros_1x8"),
        analysis=golden.analysis("tiny_ties_zeros_1x8"),
        simulated=True,
    )
    files = report_files(reports=[made], facts=StudyFacts("Example", simulated=True))
    assert (
        "SIMULATED DATA: no person gave these scores." in files["README.txt"].decode()
    )
    assert json.loads(files["results.json"])["study"]["simulated"] is True
    assert "Simulated data." in files["figures/captions.txt"].decode()
    assert "SIMULATED" not in files_of(bundle("repeats_4x30"))["README.txt"].decode()


def test_several_questions_have_a_folder_each() -> None:
    reports = []
    for question, value in (("quality", 3), ("Would you use it?", 5)):
        rows = [ScoreRow("R1", "C1", "m", value, question=question)]
        table = make_table(rows, levels=range(1, 6))
        reports.append(Report(table, analyse(table, reference="m", seed=1), ()))
    files = report_files(reports=reports, facts=FACTS)
    assert "question_1_quality/results.json" in files
    assert "question_2_would-you-use-it/tables/means.csv" in files
    assert files["scores_long.csv"].decode().count("\n") == 3
    assert "--question 'Would you use it?'" in files["README.txt"].decode()


def test_the_readme_tells_the_command_that_computes_it_again() -> None:
    analysis = analyse(
        golden.table("null_5x16"), reference="manual", seed=7, margin=0.5
    )
    made = Report(golden.table("null_5x16"), analysis, ())
    text = report_files(reports=[made], facts=FACTS)["README.txt"].decode()
    line = next(line for line in text.splitlines() if "manage.py analyse" in line)
    assert shlex.split(line) == [
        *("manage.py", "analyse", "scores_long.csv", "--scale", "1-5"),
        *("--reference", "manual", "--seed", "7", "--margin", "0.5", "--out", "FOLDER"),
    ]
    assert analysis.data_sha256 in text
