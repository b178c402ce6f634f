"""What was withdrawn after the lock is told wherever the results are read."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from ratings import protocol, results
from ratings.exporting import RECIPE, StudyFacts, make_report, report_files
from ratings.models import AnalysisRun, Case, Enrolment, Study
from ratings.recomputing import list_damage, read_bundle, recompute
from ratings.statistics.rows import ScoreRow
from ratings.statistics.summary import analyse
from ratings.statistics.table import ScoreTable, make_table
from ratings.statistics.withdrawn import Withdrawn, list_cases, tell
from ratings.withdrawing import withdraw_case, withdraw_rater
from tests.ratings import golden
from tests.ratings.test_gaps import score_for
from tests.ratings.test_results import run, url

WHY, GONE = "A zebra, not a patient.", "Moved abroad."
CASE_WORDS = (
    "Withdrawn after the lock, so that no score there enters any result: case C003 "
    f"(2 of 4 scores given; {WHY})."
)
RATER_WORDS = f"results: rater R02 (0 of 12 scores given; {GONE})."


@pytest.fixture
def half(open_study: Study, ada: User) -> Study:
    """R01 scored everything, then C003 and the silent R02 were withdrawn."""
    score_for(open_study, "R01")
    case = Case.objects.get(study=open_study, label="C003")
    withdraw_case(case=case, actor=ada, reason=WHY)
    rater = Enrolment.objects.get(study=open_study, code="R02")
    withdraw_rater(enrolment=rater, actor=ada, reason=GONE)
    protocol.close(study=open_study, actor=ada, unfinished=["R01"])
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    run(open_study)
    return open_study


def unpack(study: Study, folder: Path) -> dict[str, bytes]:
    path = folder / "export.zip"
    path.write_bytes(results.read_bundle(study))
    return read_bundle(path)


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


@pytest.mark.slow
def test_every_score_given_is_in_the_export_and_what_was_withdrawn_is_named(
    half: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = unpack(half, tmp_path)
    assert list_damage(found) == []
    kept, apart = (
        rows_of(found[name]) for name in ("scores_long.csv", "withdrawn_scores.csv")
    )
    assert {row["case"] for row in apart} == {"C003"}
    assert "C003" not in {row["case"] for row in kept}
    given = [row for row in (*kept, *apart) if row["score"]]
    assert len(given) == 12
    empty = [row["reason"] for row in apart if not row["score"]]
    assert empty == [f"Case withdrawn: {WHY}"] * 2
    case, rater = rows_of(found["withdrawn.csv"])
    at = case.pop("withdrawn_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", at)
    assert case == {
        "what": "case", "name": "C003", "by": "a coordinator", "reason": WHY,
        "scores_asked_for": "4", "scores_given": "2", "repeats_given": "0",
        "scores_in_results": "0",
    }  # fmt: skip
    assert (rater["what"], rater["name"], rater["reason"]) == ("rater", "R02", GONE)
    assert (rater["scores_asked_for"], rater["scores_given"]) == ("12", "0")
    for name in ("methods.md", "README.txt"):
        assert CASE_WORDS in found[name].decode()
        assert RATER_WORDS in found[name].decode()
    assert CASE_WORDS in rows_of(found["grras.csv"])[10]["answer"]
    assert "--withdrawn withdrawn_scores.csv" in found["README.txt"].decode()
    call_command("analyse", str(tmp_path / "export.zip"))
    assert "the same, bit for bit" in capsys.readouterr().out
    again = results.request(half)
    results.run_job(again, report=lambda *_: None, cancelled=lambda: False)
    assert results.read_bundle(half) == (tmp_path / "export.zip").read_bytes()


def test_the_results_page_says_it_and_the_counts_say_how_many(
    half: Study, coordinator: Client
) -> None:
    text = coordinator.get(url("results", half)).content.decode()
    assert CASE_WORDS in text
    assert RATER_WORDS in text
    words = "10 of 20 scores given; 4 more asked for on withdrawn cases are excluded"
    assert f"{words}, 2 of them given" in text
    assert '<th scope="row">R01</th><td class="num">5 of 5 (1)</td>' in text
    table = text[text.index("<caption>Withdrawn after the lock") :]
    assert f"<td>{WHY}</td>" in table[: table.index("</table>")]
    assert "withdrawn_scores.csv" in coordinator.get(url("export", half)).text


def test_no_rater_reads_any_of_it(half: Study, rater: Client) -> None:
    for name in ("results", "export"):
        assert rater.get(url(name, half)).status_code == 404
    for word in ("zebra", "abroad"):
        assert word not in rater.get(reverse("home")).text


def test_a_run_from_before_it_was_told_is_computed_anew(half: Study) -> None:
    old = AnalysisRun.objects.get(study=half)
    del old.results["withdrawn"]
    old.save()
    assert results.find_runs(half) == []
    run(half)
    assert len(results.find_runs(half)) == 1


def small() -> ScoreTable:
    """A table without its last case, which was withdrawn with a repeat."""
    whole = golden.table("tiny_ties_zeros_1x8")
    last = whole.cases[-1]
    first = next(row for row in whole.rows if row.case == last)
    again = ScoreRow(first.rater, last, first.arm, 2, rep=1)
    return make_table(
        [row for row in whole.rows if row.case != last],
        levels=whole.levels,
        withdrawn=[*(row for row in whole.rows if row.case == last), again],
    )


def test_a_file_of_withdrawn_scores_is_counted_and_changes_no_number(
    tmp_path: Path,
) -> None:
    table = small()
    (one,) = list_cases([table])
    assert (one.asked, one.given, one.repeats, one.in_results) == (2, 2, 1, 0)
    assert "2 of 2 scores given and 1 repeated" in tell([one])
    alone = make_table(table.rows, levels=table.levels)
    assert table.data_hash() == alone.data_hash()
    more, less = (analyse(t, reference="manual", seed=1) for t in (table, alone))
    assert (more.design.withdrawn, more.design.n_excluded) == ((one.name,), 2)
    assert more.comparisons == less.comparisons
    assert "withdrawn" not in less.to_json()["design"]
    assert "n_excluded" not in less.to_json()["conduct"]["counts"][0]
    report = make_report(table=table, analysis=more)
    files = report_files(reports=[report], facts=StudyFacts("A study"))
    assert recompute(files).different == ()
    assert b"withdrawn" not in files[RECIPE]
    for name in ("scores_long.csv", "withdrawn_scores.csv"):
        (tmp_path / name).write_bytes(files[name])
    out = tmp_path / "out"
    call_command(
        "analyse", str(tmp_path / "scores_long.csv"), "--scale=1-5",
        "--reference=manual", "--out", str(out), "--seed=1",
        "--withdrawn", str(tmp_path / "withdrawn_scores.csv"),
    )  # fmt: skip
    assert f"enters any result: case {one.name}" in (out / "README.txt").read_text()
    assert (out / "withdrawn_scores.csv").read_bytes() == files["withdrawn_scores.csv"]


def test_a_case_in_both_files_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("rater,case,arm,score\nR1,C1,manual,3\n")
    with pytest.raises(CommandError, match="case C1 is among the withdrawn ones"):
        call_command(
            "analyse", str(path), "--scale=1-5", "--reference=manual",
            "--out", str(tmp_path / "out"), "--withdrawn", str(path),
        )  # fmt: skip


def test_nothing_withdrawn_is_no_sentence() -> None:
    assert tell([]) == ""
    assert "case C1 (not scored)" in tell([Withdrawn("case", "C1", 0, 0, 0, 0)])
    two = [Withdrawn("rater", f"R{n}", 4, 3, 0, 3, reason="Ill.") for n in (1, 2)]
    assert tell(two).endswith(
        "kept in the results: raters R1 (3 of 4 scores given; Ill.); "
        "R2 (3 of 4 scores given; Ill.)."
    )
