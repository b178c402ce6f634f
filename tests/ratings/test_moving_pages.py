"""A finished study moves here through pages that decide nothing by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ratings import audit, files, jobs, results
from ratings.exporting import Report
from ratings.models import AuditEntry, Job, ScoreImport, Study
from ratings.moving import reading
from ratings.verifying import verify_study

pytestmark = pytest.mark.any_database

TABLE = (
    "rater,case,arm,score\n"
    + "".join(
        f"R{r},C{c},{arm},{1 + (r + c + (arm == 'pred')) % 5}\n"
        for r in range(3)
        for c in range(4)
        for arm in ("manual", "pred")
    )
    + "R0,C9,manual,7\n"
)


def begin(coordinator: Client, text: str = TABLE, title: str = "Old study") -> str:
    """Send the files; the address of the page that follows."""
    file = SimpleUploadedFile("scores.csv", text.encode())
    sent = {"title": title, "files": file}
    answer = coordinator.post(reverse("move-new"), sent)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.headers["Location"])


LONG = {
    "layout": "long", "column:rater": "rater", "column:case": "case",
    "column:arm": "arm", "scores": "score", "scale:": "1-5", "reference": "manual",
}  # fmt: skip


def test_the_page_shows_columns_and_lists_what_is_odd(coordinator: Client) -> None:
    page = coordinator.get(begin(coordinator)).content.decode()
    assert "25 scores read: 24 usable" in page
    assert "R0, C9, manual: 7 is not on the scale 1 to 5" in page
    assert "Choose what to do" in page


def test_enter_in_a_field_reads_again_and_imports_nothing(coordinator: Client) -> None:
    """Browsers press the first button of a form."""
    page = coordinator.get(begin(coordinator)).text
    assert page.index('name="act" value="check"') < page.index('value="import"')


def test_nothing_is_imported_before_everything_odd_is_decided(
    coordinator: Client,
) -> None:
    url = begin(coordinator)
    answer = coordinator.post(url, {**LONG, "act": "import"})
    assert answer.status_code == 422
    assert "Choose what to do with: “Outside the scale”" in answer.content.decode()
    assert not Study.objects.exists()


def move(coordinator: Client, **more: str) -> Study:
    url = begin(coordinator)
    choice = {"choice:out_of_scale": "missing", "act": "import"}
    answer = coordinator.post(url, {**LONG, **choice, **more})
    assert answer.status_code == 302, answer.content.decode()
    return Study.objects.get()


def test_the_moved_study_is_analysed_like_any_other(coordinator: Client) -> None:
    study = move(coordinator)
    assert (study.state, study.reference_arm) == ("unblinded", "manual")
    table = results.build_tables(study)[""]
    assert (len(table.raters), len(table.cases), table.levels) == (
        3,
        5,
        (1, 2, 3, 4, 5),
    )
    assert sum(row.score is None for row in table.rows) == 1
    answer = coordinator.get(reverse("results", args=[study.pk]))
    assert "The analysis is under way" in answer.content.decode()


def test_the_choices_are_on_the_record_and_on_their_page(coordinator: Client) -> None:
    study = move(coordinator)
    entry = AuditEntry.objects.get(study=study, verb="import_scores")
    decided = entry.payload["report"]["findings"]["out_of_scale"]
    assert (decided["count"], decided["choice"]) == (1, "missing")
    assert entry.payload["files"][0]["name"] == "scores.csv"
    assert audit.verify(study) == []
    page = coordinator.get(reverse("moved", args=[study.pk])).content.decode()
    assert "Outside the scale" in page
    assert "Keep it as “not rated”" in page
    report = coordinator.get(reverse("move-report", args=[study.moved.pk]))
    assert b"scores.csv,26,Outside the scale" in report.content


def test_imported_scores_that_change_on_the_disk_are_noticed(
    coordinator: Client,
) -> None:
    study = move(coordinator)
    assert verify_study(study) == []
    rows = files.locate(ScoreImport.objects.get().rows_path)
    rows.chmod(0o600)
    rows.write_text(rows.read_text().replace(",5,", ",4,", 1))
    (fault,) = verify_study(study)
    assert fault.startswith("The table of imported scores: its file was changed")


def test_the_steps_of_a_moved_study_are_its_scores_results_and_export(
    coordinator: Client,
) -> None:
    study = move(coordinator)
    page = coordinator.get(reverse("moved", args=[study.pk])).content.decode()
    assert "Moved scores" in page
    assert "Check and lock" not in page
    assert "Later</span> · after the analysis" in page
    assert "1 person" in page
    people = coordinator.get(reverse("raters", args=[study.pk])).text
    assert "<h1>Colleagues</h1>" in people
    assert "Add a colleague" in people
    assert "raters can no longer be added" not in people
    assert coordinator.get(reverse("home")).status_code == 200


def test_several_criteria_are_analysed_each_on_its_own_scale(
    coordinator: Client,
) -> None:
    text = "rater,case,arm,noise,detail\nA,c1,x,11,3\nA,c1,y,12,4\nB,c1,x,9,2\n"
    url = begin(coordinator, text)
    sent = {
        **LONG, "scores": ["noise", "detail"], "scale:noise": "1-14",
        "scale:detail": "1-5", "reference": "x", "act": "import",
    }  # fmt: skip
    assert coordinator.post(url, sent).status_code == 302
    tables = results.build_tables(Study.objects.get())
    assert [tables[q].levels[-1] for q in ("noise", "detail")] == [14, 5]


def test_a_scale_that_is_none_is_refused_in_words(coordinator: Client) -> None:
    url = begin(coordinator)
    answer = coordinator.post(url, {**LONG, "scale:": "five", "act": "import"})
    assert answer.status_code == 422
    assert "not two whole numbers such as 1-5" in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "the file is empty"), ("score\n3\n", "one column only")],
)
def test_what_cannot_be_read_leaves_nothing_behind(
    coordinator: Client, text: str, said: str
) -> None:
    file = SimpleUploadedFile("scores.csv", text.encode())
    answer = coordinator.post(reverse("move-new"), {"title": "Old", "files": file})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ScoreImport.objects.exists()
    folder = files.locate("moved")
    assert not Path(folder).exists() or not list(Path(folder).iterdir())


def test_discarding_deletes_the_files(coordinator: Client) -> None:
    begin(coordinator)
    found = ScoreImport.objects.get()
    path = files.locate(found.files[0]["path"])
    assert path.exists()
    coordinator.post(reverse("move-discard", args=[found.pk]))
    assert not path.exists()
    assert not ScoreImport.objects.exists()


def test_another_coordinator_cannot_see_or_discard_it(
    coordinator: Client, outsider: Client
) -> None:
    url = begin(coordinator)
    found = ScoreImport.objects.get()
    assert outsider.get(url).status_code == 404
    assert outsider.post(reverse("move-discard", args=[found.pk])).status_code == 404
    assert ScoreImport.objects.exists()
    study_url = reverse("moved", args=[move(coordinator).pk])
    assert outsider.get(study_url).status_code == 404


def test_an_import_that_is_done_leads_to_its_study(
    coordinator: Client, ada: User
) -> None:
    study = move(coordinator)
    answer = coordinator.get(reverse("move", args=[study.moved.pk]))
    assert answer.headers["Location"] == reverse("moved", args=[study.pk])


def work_off(job: Job | None) -> None:
    """What the worker does with an import's job."""
    assert job is not None
    assert job.status == Job.Status.QUEUED
    reading.run_job(job, report=lambda _, __: None, cancelled=lambda: False)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.DONE)


@pytest.fixture
def large(settings: Any) -> None:
    """Every file is too large to be read within a request."""
    settings.READ_AT_ONCE_BYTES = 10


@pytest.mark.usefixtures("large")
def test_a_large_file_is_read_and_imported_by_jobs_while_the_page_waits(
    coordinator: Client,
) -> None:
    url = begin(coordinator)
    found = ScoreImport.objects.get()
    assert "The files are being read" in coordinator.get(url).content.decode()
    work_off(reading.last_job(found))
    page = coordinator.get(url).content.decode()
    assert "25 scores read: 24 usable" in page
    assert "R0, C9, manual: 7 is not on the scale 1 to 5" in page
    sent = {**LONG, "choice:out_of_scale": "missing", "act": "import"}
    assert coordinator.post(url, sent).headers["Location"] == url
    assert "The scores are being moved" in coordinator.get(url).content.decode()
    work_off(reading.last_job(found))
    study = Study.objects.get()
    assert coordinator.get(url).headers["Location"] == reverse("moved", args=[study.pk])
    polled = coordinator.get(url, headers={"HX-Request": "true"})
    assert polled.headers["HX-Redirect"] == reverse("results", args=[study.pk])
    assert len(results.build_tables(study)[""].rows) == 25


@pytest.mark.usefixtures("large")
def test_what_a_job_finds_undecided_is_said_on_the_page(coordinator: Client) -> None:
    url = begin(coordinator)
    found = ScoreImport.objects.get()
    work_off(reading.last_job(found))
    coordinator.post(url, {**LONG, "act": "import"})
    work_off(reading.last_job(found))
    said = coordinator.get(url).content.decode()
    assert "Choose what to do with: “Outside the scale”" in said
    assert not Study.objects.exists()


@pytest.mark.usefixtures("large")
def test_why_a_job_could_not_read_a_file_is_said_and_can_be_tried_again(
    coordinator: Client,
) -> None:
    url = begin(coordinator, "score and nothing else\n3\n")
    job = reading.last_job(ScoreImport.objects.get())
    with pytest.raises(jobs.JobFailed, match="one column only") as failure:
        work_off(job)
    Job.objects.update(status=Job.Status.FAILED, error=str(failure.value))
    assert "one column only" in coordinator.get(url).content.decode()
    assert coordinator.post(url, {"act": "again"}).headers["Location"] == url
    assert Job.objects.filter(status=Job.Status.QUEUED).count() == 1


@pytest.mark.usefixtures("large")
def test_a_job_that_comes_twice_makes_one_study_and_after_discarding_none(
    coordinator: Client,
) -> None:
    sent = {**LONG, "choice:out_of_scale": "missing", "act": "import"}
    url = begin(coordinator)
    first = ScoreImport.objects.get()
    work_off(reading.last_job(first))
    coordinator.post(url, sent)
    job = reading.last_job(first)
    work_off(job)
    work_off(job)
    assert Study.objects.count() == 1
    begin(coordinator)
    second = ScoreImport.objects.get(study=None)
    waiting = reading.last_job(second)
    coordinator.post(reverse("move-discard", args=[second.pk]))
    assert reading.last_job(second).status == Job.Status.CANCELLED  # type: ignore[union-attr]
    work_off(waiting)
    assert not ScoreImport.objects.filter(study=None).exists()


def test_the_results_of_moved_scores_are_shown_without_reading_them_again(
    coordinator: Client,
) -> None:
    study = move(coordinator)
    table = results.build_tables(study)[""]
    analysis = results.analyse_table(study, table)
    results.store_run(study=study, question="", report=Report(table, analysis, ()))
    files.locate(study.moved.rows_path).unlink()
    page = coordinator.get(reverse("results", args=[study.pk]))
    assert "pred − manual" in page.content.decode()


def test_a_name_too_long_is_refused_and_stays_whole_in_its_field(
    coordinator: Client,
) -> None:
    title = "Old study " * 20 + "of Basel"
    sent = {"title": title, "files": SimpleUploadedFile("s.csv", b"rater,case\n")}
    answer = coordinator.post(reverse("move-new"), sent)
    assert answer.status_code == 422
    assert "has 208 characters, and at most 200 are kept" in answer.text
    assert f'value="{title}"' in answer.text
    assert not ScoreImport.objects.exists()


@pytest.mark.slow
def test_of_many_arms_each_opens_on_its_own(coordinator: Client) -> None:
    arms = ("manual", "A", "B", "C", "D")
    text = "rater,case,arm,score\n" + "".join(
        f"R{r},C{c},{arm},{1 + (r * c + i + c) % 5}\n"
        for r in range(3)
        for c in range(4)
        for i, arm in enumerate(arms)
    )
    url = begin(coordinator, text)
    assert coordinator.post(url, {**LONG, "act": "import"}).status_code == 302
    study = Study.objects.get()
    results.run_job(
        results.request(study), report=lambda _, __: None, cancelled=lambda: False
    )
    page = coordinator.get(reverse("results", args=[study.pk])).content.decode()
    for arm in arms[1:]:
        assert page.count(f"<summary>Figures of {arm} − manual</summary>") == 4
        assert page.count(f"<summary>{arm} − manual</summary>") == 3
    assert page.count("<details") == page.count("</details>")
