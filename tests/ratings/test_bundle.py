"""A bundle is whole, proves it, and gives every number again bit for bit."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from functools import cache
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from inference.measuring import run_job as run_measuring
from ratings import audit, bundling, measuring, results, writing
from ratings.exporting import StudyFacts, make_report, write_bundle
from ratings.models import Job, Study
from ratings.recomputing import BundleError, is_bundle, list_damage, read_bundle
from tests.ratings import golden
from tests.ratings.test_moving_pages import move
from tests.ratings.test_results import finished

__all__ = ["finished"]
FACTS = StudyFacts(title="Lesions in the cord", version="0.1.0")


@cache
def small() -> bytes:
    """A bundle of a file of scores, as `analyse` writes it too."""
    name = "tiny_ties_zeros_1x8"
    table, analysis = golden.table(name), golden.analysis(name)
    return write_bundle(
        reports=[make_report(table=table, analysis=analysis)], facts=FACTS
    )


def unpack(data: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        opened.extractall(folder)
    return folder


@pytest.mark.slow
def test_a_bundle_is_computed_again_bit_for_bit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(small())
    call_command("analyse", str(path))
    assert "the same, bit for bit" in capsys.readouterr().out
    call_command("analyse", str(unpack(small(), tmp_path / "folder")))
    assert "the same, bit for bit" in capsys.readouterr().out


@pytest.mark.slow
def test_a_changed_score_is_noticed_by_its_digest_and_by_the_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unpack(small(), tmp_path)
    scores = folder / "scores_long.csv"
    text = scores.read_text()
    scores.write_text(re.sub(r"(,manual,0,)\d", r"\g<1>1", text, count=1))
    assert scores.read_text() != text
    with pytest.raises(CommandError, match="differences"):
        call_command("analyse", str(folder))
    said = capsys.readouterr().err
    assert "scores_long.csv was changed: its digest differs." in said
    assert "results.json: computed again it is different." in said


@pytest.mark.parametrize("act", ["change", "remove", "add"])
def test_verify_names_the_file_that_was_touched(
    act: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unpack(small(), tmp_path)
    target = folder / ("extra.txt" if act == "add" else "results.json")
    if act == "remove":
        target.unlink()
    else:
        target.write_text("{}")
    with pytest.raises(CommandError, match="1 faults"):
        call_command("verify", str(folder))
    assert target.name in capsys.readouterr().err


def test_verify_says_that_a_bundle_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(small())
    call_command("verify", str(path))
    assert "export.zip: whole" in capsys.readouterr().out


def test_what_is_no_bundle_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("a.txt", "a")
    assert is_bundle(path)
    with pytest.raises(BundleError, match=r"other.zip: this is no bundle"):
        read_bundle(path)
    (tmp_path / "text.csv").write_text("a,b")
    assert not is_bundle(tmp_path / "text.csv")


@pytest.mark.slow
def test_a_study_s_bundle_has_protocol_order_record_and_words(
    finished: Study, tmp_path: Path
) -> None:
    job = results.request(finished)
    results.run_job(job, report=lambda share, text: None, cancelled=lambda: False)
    path = tmp_path / "export.zip"
    path.write_bytes(results.read_bundle(finished))
    found = read_bundle(path)
    assert list_damage(found) == []
    protocol = json.loads(found["protocol.json"])
    assert audit.digest(protocol) == finished.protocol_sha256
    record = json.loads(found["record.json"])
    states = [milestone["what"] for milestone in record["milestones"]]
    assert states == ["locked", "collecting", "closed", "unblinded"]
    assert audit.verify(finished, kept=record["head"]) == []
    rows = list(csv.DictReader(io.StringIO(found["allocation.csv"].decode())))
    assert len(rows) == 2 * 6 * 2
    assert {row["arm"] for row in rows} == {"manual", "model"}
    call_command("analyse", str(path))
    results.run_job(job, report=lambda share, text: None, cancelled=lambda: False)
    assert results.read_bundle(finished) == path.read_bytes()


@pytest.mark.slow
def test_a_study_s_bundle_has_the_comparison_once_its_masks_are_measured(
    finished: Study, tmp_path: Path
) -> None:
    job = results.request(finished)
    run(finished, job)
    assert not any("comparison/" in name for name in unzip(finished))
    measure(finished)
    renewed = results.request(finished)
    assert renewed.pk != job.pk
    run(finished, renewed)
    found, before = unzip(finished), results.read_bundle(finished)
    for name in ("test_set", "by_set", "dice_by_contrast", "methods",
                 "methods_by_contrast", "volumes", "scores_and_dice"):  # fmt: skip
        for kind in ("csv", "tex"):
            assert f"comparison/tables/{name}.{kind}" in found
    for name in ("flow", "sweep_sizes", "slice_thickness", "scores_and_dice"):
        for kind in ("svg", "png", "csv"):
            assert f"comparison/figures/{name}.{kind}" in found
    lesions = found["comparison/lesions.csv"].decode().splitlines()
    assert lesions[0].startswith(
        "case,arm,side,number,voxels,mm3,overlap,matched,level"
    )
    assert "comparison/" in found["README.txt"].decode()
    run(finished, renewed)
    assert results.read_bundle(finished) == before
    folder = unpack(before, tmp_path / "bundle")
    call_command("verify", str(folder))
    (folder / "comparison/cases.csv").write_text("case\n")
    with pytest.raises(CommandError, match="1 faults"):
        call_command("verify", str(folder))


def run(study: Study, job: Job) -> None:
    results.run_job(job, report=lambda *_: None, cancelled=lambda: False)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.DONE)


def measure(study: Study) -> None:
    job = measuring.request(study, study.arms.get(key=study.reference_arm))
    run_measuring(job, report=lambda *_: None, cancelled=lambda: False)


def unzip(study: Study) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(results.read_bundle(study))) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_documents_are_the_same_after_a_download_is_on_record(
    finished: Study,
) -> None:
    analyses = [golden.analysis("paper_8x40")]
    before = bundling.describe(finished, analyses)
    audit.record(study=finished, actor=None, verb="export", payload={})
    assert bundling.describe(finished, analyses) == before


def test_a_moved_study_tells_what_was_decided(coordinator: object) -> None:
    study = move(coordinator)  # type: ignore[arg-type]
    found = bundling.describe(study, [golden.analysis("paper_8x40")])
    decided = json.loads(found["moved.json"])
    assert decided["choices"] == {"out_of_scale": "missing"}
    assert b"scores.csv,26,Outside the scale" in found["moved_report.csv"]
    assert "allocation.csv" not in found
    assert "neither controlled the blinding" in found["methods.md"].decode()


def test_the_methods_cite_only_what_the_bibliography_has() -> None:
    for name in ("paper_8x40", "paradox_2x100", "arms3_6x20"):
        text = writing.methods([golden.analysis(name)], version="1", moved=False)
        cited = set(re.findall(r"@([a-z]+\d{4})", text))
        assert cited
        assert cited <= set(writing.ENTRIES)
        assert golden.analysis(name).sentence in text
    named = [*writing.OF_TESTS.values(), "crossed"]
    texts = [writing.bibliography(test) for test in named]
    found = {key for text in texts for key in re.findall(r"@article{(\w+),", text)}
    assert found == set(writing.ENTRIES)


def test_the_checklist_has_its_fifteen_items_and_fills_in_the_numbers() -> None:
    text = writing.grras([golden.analysis("paper_8x40")], moved=False)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["item"]) for row in rows] == list(range(1, 16))
    assert rows[10]["answer"].startswith("8 raters, 40 cases, 2 arms, 640 of 640")
    assert "mean quadratic kappa" in rows[12]["answer"]
    assert rows[3]["answer"] == writing.OURS


def test_the_checklist_says_how_the_cases_were_chosen() -> None:
    protocol = {
        "cases": [{"label": label} for label in ("C002", "C003")],
        "selection": {
            "text": "Of 4 available cases none was excluded beforehand.",
            "chosen": ["C001", "C002", "C005"],
            "removed": ["C005"],
            "left_out": [["C001", "motion"], ["C004", "not drawn"]],
        },
    }
    words = bundling.tell_sampling(protocol)
    assert words == (
        "Of 4 available cases none was excluded beforehand. Left out by hand: C001 "
        "(motion). Taken in by hand: C003."
    )
    text = writing.grras([golden.analysis("paper_8x40")], moved=False, sampled=words)
    answer = list(csv.DictReader(io.StringIO(text)))[6]["answer"]
    assert answer == f"Cases: {words} Raters: {writing.OURS}"


def test_without_a_choice_the_checklist_leaves_sampling_to_the_authors() -> None:
    assert bundling.tell_sampling({"cases": [{"label": "C1"}]}) == ""
    out = {"selection": {"left_out": [["C2", "metal"]]}, "cases": [{"label": "C1"}]}
    assert bundling.tell_sampling(out) == "Left out by hand: C2 (metal)."
    text = writing.grras([golden.analysis("paper_8x40")], moved=False)
    assert list(csv.DictReader(io.StringIO(text)))[6]["answer"] == writing.OURS
