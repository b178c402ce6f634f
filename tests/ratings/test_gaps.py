"""A rater who never rated is counted and named wherever scores are counted."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from ratings import protocol, results, scoring
from ratings.blinding import StillBlind, list_expected
from ratings.models import Case, Item, Study
from ratings.recomputing import list_damage, read_bundle
from ratings.statistics.rows import ScoreRow
from ratings.statistics.summary import analyse
from ratings.statistics.table import make_table
from ratings.withdrawing import withdraw_case
from tests.ratings import golden
from tests.ratings.test_results import run

WHY = "Never joined: on leave since June."


def score_for(study: Study, code: str) -> None:
    own = Item.objects.filter(presentation__session__enrolment__study=study)
    there = own.filter(presentation__case__withdrawal=None)
    for item in there.filter(presentation__session__enrolment__code=code):
        answers = (scoring.Answer("quality", 1 + item.pk % 5, ""),)
        submission = scoring.Submission(
            client_key=uuid4(), answers=answers, comment="", active_ms=5000, conduct={}
        )
        scoring.record(item=item, submission=submission)


def finish(study: Study, actor: User) -> Study:
    """Only R01 rates; the study is closed with a word about R02, and unblinded."""
    score_for(study, "R01")
    gaps = {gap.rater: WHY for gap in protocol.list_gaps(study)}
    assert list(gaps) == ["R02"]
    protocol.close(study=study, actor=actor, dispositions=gaps, unfinished=["R01"])
    protocol.unblind(study=study, actor=actor, typed_title=study.title)
    return study


@pytest.fixture
def half(open_study: Study, ada: User) -> Study:
    return finish(open_study, ada)


def test_the_page_counts_the_silent_rater_and_says_why(
    half: Study, coordinator: Client
) -> None:
    run(half)
    text = coordinator.get(reverse("results", args=[half.pk])).content.decode()
    assert "2 × 6" in text
    assert "12 of 24 scores given" in text
    row = text[text.index('<th scope="row">R02</th><td class="num">0 of 6') :]
    assert f"12: {WHY}" in row[: row.index("</tr>")]


@pytest.mark.slow
def test_the_export_says_the_same_and_computes_itself_again(
    half: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(half)
    path = tmp_path / "export.zip"
    path.write_bytes(results.read_bundle(half))
    found = read_bundle(path)
    assert list_damage(found) == []
    methods, grras = found["methods.md"].decode(), found["grras.csv"].decode()
    assert methods.startswith("1 of 2 raters scored 6 cases in 2 arms")
    for text in (methods, grras):
        assert "12 of 24 scores" in text
        assert f"R02 12 ({WHY})" in text
    rows = list(csv.DictReader(io.StringIO(found["scores_long.csv"].decode())))
    silent = [row for row in rows if row["rater"] == "R02"]
    assert len(silent) == 12
    assert {(row["score"], row["reason"]) for row in silent} == {("", WHY)}
    assert "--every-place" in found["README.txt"].decode()
    call_command("analyse", str(path))
    assert "the same, bit for bit" in capsys.readouterr().out


def test_a_withdrawn_case_is_expected_of_nobody(open_study: Study, ada: User) -> None:
    withdraw_case(
        case=Case.objects.get(label="C003"), actor=ada, reason="Wrong contrast."
    )
    table = results.build_tables(finish(open_study, ada))["quality"]
    assert table.expected.shape == (2, 5, 2)
    assert table.expected.all()


def test_what_the_lock_left_out_for_a_rater_is_not_expected_of_them() -> None:
    table = make_table(
        [
            ScoreRow(rater="R1", case="C1", arm="a", score=3),
            ScoreRow(rater="R1", case="C2", arm="a", score=None, reason="Ill."),
            ScoreRow(rater="R2", case="C2", arm="a", score=4),
        ],
        levels=range(1, 6),
        every_place=True,
    )
    found = analyse(table, reference="a", seed=1)
    assert (found.design.n_expected, found.design.n_scored) == (3, 2)
    counts = {c.rater: (c.n_given, c.n_expected) for c in found.conduct.counts}
    assert counts == {"R1": (1, 2), "R2": (1, 1)}
    assert found.arms[0].overall.n_expected == 3


def test_places_stay_sealed_until_the_key_is_opened(open_study: Study) -> None:
    with pytest.raises(StillBlind):
        list_expected(open_study)


def test_a_silent_rater_changes_no_test() -> None:
    table = golden.table("paper_8x40")
    empty = [
        ScoreRow(rater="R99", case=case, arm=arm, score=None, reason=WHY)
        for case in table.cases
        for arm in table.arms
    ]
    more = make_table([*table.rows, *empty], levels=table.levels, every_place=True)
    before = golden.analysis("paper_8x40")
    after = analyse(
        more, reference=before.reference, seed=before.seed, margin=before.margin
    )
    assert after.sentence == before.sentence
    old, new = before.comparisons[0], after.comparisons[0]
    assert (new.main.value, new.main.ci, new.main.p) == (
        old.main.value, old.main.ci, old.main.p,
    )  # fmt: skip
    assert new.as_published == old.as_published
    assert new.sentences == old.sentences
    assert new.sensitivity.bootstrap_both.ci == old.sensitivity.bootstrap_both.ci
    # What was not given could still have changed the answer, and is counted.
    assert (old.sensitivity.missing.n_missing, old.difference.both.n_excluded) == (0, 0)
    assert (new.sensitivity.missing.n_missing, new.difference.both.n_excluded) == (
        80, 40,
    )  # fmt: skip
    assert [(g.rater, g.n) for g in after.conduct.gaps] == [("R99", 80)]


def test_a_file_without_the_empty_rows_is_read_as_ever() -> None:
    found = golden.analysis("missing_6x24")
    assert found.design.n_expected == 6 * 24 * 2
    assert found.conduct.reasons
    assert "gaps" not in found.to_json()["conduct"]
