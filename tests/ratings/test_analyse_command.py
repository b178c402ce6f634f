"""`manage.py analyse` works on a file alone and refuses in one sentence."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from scipy import stats

from tests.ratings import golden

ROOT = Path(__file__).resolve().parents[2]


def analyse(scores: Path, out: Path, *more: str, reference: str = "manual") -> str:
    said = StringIO()
    options = ["--scale", "1-5", "--reference", reference, "--out", str(out), *more]
    call_command("analyse", str(scores), *options, stdout=said)
    return said.getvalue()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a coordinator's script calls it, in a process of its own."""
    return subprocess.run(
        [sys.executable, "manage.py", "analyse", *arguments],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_a_file_becomes_results_tables_and_figures(tmp_path: Path) -> None:
    name = "tiny_ties_zeros_1x8"
    said = analyse(golden.path(name), tmp_path / "report", "--seed", "20261122")
    tree = json.loads((tmp_path / "report" / "results.json").read_text())
    study = tree.pop("study")
    assert study["title"] == f"Analysis of {name}.csv"
    assert tree == golden.analysis(name).to_json()
    assert tree["sentence"] in said
    names = {p.name for p in (tmp_path / "report").rglob("*") if p.is_file()}
    assert {"README.txt", "comparisons.csv", "violin_per_rater.svg"} <= names


def test_the_simple_form_is_enough(tmp_path: Path) -> None:
    scores = tmp_path / "simple.csv"
    scores.write_text(
        "rater,case,arm,score\n"
        + "".join(
            f"R{r},C{c},{arm},{1 + (r + c * (arm == 'pred')) % 5}\n"
            for r in range(1)
            for c in range(4)
            for arm in ("manual", "pred")
        )
    )
    assert "manual" in analyse(scores, tmp_path / "report")


@pytest.mark.slow
def test_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    for name in ("one", "two"):
        analyse(golden.path("tiny_ties_zeros_1x8"), tmp_path / name)
    one, two = (
        {p.relative_to(tmp_path / name): p.read_bytes() for p in files}
        for name in ("one", "two")
        for files in [[p for p in (tmp_path / name).rglob("*") if p.is_file()]]
    )
    assert one == two


@pytest.mark.slow
def test_a_margin_gives_a_verdict(tmp_path: Path) -> None:
    name = "tiny_allpos_1x6"
    analyse(golden.path(name), tmp_path / "report", "--margin", "0.5")
    table = (tmp_path / "report" / "tables" / "comparisons.csv").read_text()
    rows = {row["statistic"]: row for row in csv.DictReader(StringIO(table))}
    d = golden.table(name).difference(arm="pred", reference="manual")[0]
    want = stats.ttest_1samp(d, -0.5, alternative="greater").pvalue
    assert float(rows["non_inferiority"]["p"]) == pytest.approx(want)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(CommandError, match="the folder is not empty"):
        analyse(golden.path("tiny_ties_zeros_1x8"), tmp_path)
    analyse(golden.path("tiny_ties_zeros_1x8"), tmp_path, "--overwrite")
    assert (tmp_path / "mine.txt").read_text() == "keep"
    with pytest.raises(CommandError, match="this is a file"):
        analyse(golden.path("tiny_ties_zeros_1x8"), tmp_path / "mine.txt")


def test_columns_that_nothing_reads_are_named(tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    scores.write_text("rater,case,arm,score,age\nR1,C1,manual,3,50\n")
    assert "Columns that were not used: age." in analyse(scores, tmp_path / "report")


def test_a_refused_file_leaves_no_folder(tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    scores.write_text("rater,case,arm,score\nR1,C1,manual,9\n")
    with pytest.raises(CommandError, match=r"scores\.csv, line 2: score is 9"):
        analyse(scores, tmp_path / "report")
    assert not (tmp_path / "report").exists()


@pytest.mark.slow
def test_the_exit_code_and_the_one_sentence(tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    scores.write_text("rater,case,arm,score\nR1,C1,manual,9\n")
    out = ("--out", str(tmp_path / "report"))
    refused = run(str(scores), "--scale", "1-5", "--reference", "manual", *out)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
    assert "outside the scale 1 to 5" in refused.stderr
    misspelt = run(str(scores), "--scale", "high", "--reference", "manual", *out)
    assert misspelt.returncode == 2
    assert "the scale “high”" in misspelt.stderr
    help_ = run("--help")
    assert help_.returncode == 0
    assert "the arm that every other arm is compared with" in help_.stdout


@pytest.mark.slow
def test_the_real_study_gives_results_for_all_fourteen_arms(
    tmp_path: Path, shared: Path
) -> None:
    scores = shared / "data" / "reader-study" / "abdomen.csv"
    column = ("--score-column", "contrast")
    said = analyse(scores, tmp_path / "report", *column, reference="LDCT")
    assert "Columns that were not used: label, noise, structure." in said
    tree = json.loads((tmp_path / "report" / "results.json").read_text())
    assert len(tree["arms"]) == 14
    assert len(tree["comparisons"]) == 13
    for comparison in tree["comparisons"]:
        assert comparison["difference"]["both"]["value"] is not None
    drawn = Counter(
        figure.stem.lstrip("0123456789_")
        for figure in (tmp_path / "report" / "figures").glob("*.svg")
    )
    of_all = {"violin_overall", "likert_overall"}
    of_all |= {"preference_per_arm", "forest_per_arm"}
    assert {name for name, count in drawn.items() if count == 1} == of_all
    assert {count for name, count in drawn.items() if name not in of_all} == {13}
    assert len(drawn) == len(of_all) + 10


def test_the_real_study_is_refused_at_its_stray_six(
    tmp_path: Path, shared: Path
) -> None:
    scores = shared / "data" / "reader-study" / "abdomen.csv"
    with pytest.raises(CommandError, match=r"abdomen\.csv, line 405"):
        analyse(
            scores,
            tmp_path / "report",
            *("--score-column", "structure"),
            reference="LDCT",
        )
