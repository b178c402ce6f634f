"""The desk compares the arms' masks when no blind can depend on it, and only then."""

from __future__ import annotations

import csv
import io

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inference.measuring import run_job
from ratings import jobs, measuring, protocol
from ratings.models import Job, MaskComparison, Study
from tests.ratings.conftest import AddCases, end_collecting


def page(study: Study) -> str:
    return reverse("comparison", args=[study.pk])


def file(study: Study, name: str, kind: str) -> str:
    return reverse("comparison-file", args=[study.pk, name, kind])


def work(study: Study) -> int:
    """Do the measuring that waits; how many pairs were measured."""
    job = study.jobs.get(kind=Job.Kind.MEASURE, status=Job.Status.QUEUED)
    seen: list[str] = []
    run_job(
        job, report=lambda _, message: seen.append(message), cancelled=lambda: False
    )
    Job.objects.filter(pk=job.pk).update(status=Job.Status.DONE)
    return len(seen)


@pytest.fixture
def measured(study: Study, coordinator: Client, add_cases: AddCases) -> Study:
    """A study that nobody rates, whose masks were measured as the page asked."""
    add_cases(3)
    coordinator.get(page(study))
    assert work(study) == 3
    return study


def test_an_empty_study_says_what_a_comparison_needs(
    coordinator: Client, study: Study
) -> None:
    answer = coordinator.get(page(study)).content.decode()
    assert "Nothing to compare yet" in answer
    assert not study.jobs.exists()


def test_a_study_without_raters_is_measured_and_shown_at_any_time(
    coordinator: Client, measured: Study
) -> None:
    answer = coordinator.get(page(measured)).content.decode()
    for title in ("Agreement with the reference", "Dice by contrast", "The test set",
                  "Methods side by side", "Volumes, lesions"):  # fmt: skip
        assert title in answer
    assert "T2w" in answer
    assert "n_empty" in answer


def test_while_masks_are_measured_the_page_says_so_and_asks_once(
    coordinator: Client, study: Study, add_cases: AddCases
) -> None:
    add_cases(2)
    answer = coordinator.get(page(study)).content.decode()
    coordinator.get(page(study))
    assert "Masks are being measured" in answer
    assert "2 masks to go" in answer
    assert study.jobs.filter(kind=Job.Kind.MEASURE).count() == 1


def test_what_was_measured_is_not_measured_again_and_new_masks_are(
    coordinator: Client, measured: Study, add_cases: AddCases
) -> None:
    coordinator.get(page(measured))
    assert measured.jobs.count() == 1
    mask = measured.cases.get(label="C001").masks.get(arm__key="model")
    mask.sha256 = "0" * 64
    mask.save()
    coordinator.get(page(measured))
    assert work(measured) == 1
    assert MaskComparison.objects.count() == 3


def test_a_study_with_raters_opens_the_comparison_with_unblinding(
    coordinator: Client, ada: User, open_study: Study
) -> None:
    assert coordinator.get(page(open_study)).status_code == 423
    assert coordinator.get(file(open_study, "methods", "csv")).status_code == 404
    assert coordinator.get(file(open_study, "flow", "svg")).status_code == 404
    assert coordinator.post(page(open_study) + "again").status_code == 404
    end_collecting(open_study, ada)
    assert coordinator.get(page(open_study)).status_code == 423
    protocol.unblind(
        study=open_study, actor=ada, reason="All is in.", typed_title=open_study.title
    )
    assert coordinator.get(page(open_study)).status_code == 200
    assert work(open_study) == 6


def test_the_numbers_of_the_page_are_those_of_the_masks(measured: Study) -> None:
    reference = measuring.list_arms(measured)[0]
    assert reference.key == "manual"
    rows = measuring.build_rows(measured, reference)
    assert [row.case for row in rows] == ["C001", "C002", "C003"]
    for row in rows:
        truth = measured.cases.get(label=row.case).masks.get(arm=reference)
        assert row.reference_mm3 == pytest.approx(truth.volume_mm3)
        assert row.strata == {"contrast": "T2w"}


@pytest.mark.parametrize(
    "name", ["by_set", "dice_by_contrast", "methods", "methods_by_contrast", "volumes",
             "test_set", "cases", "lesions"]
)  # fmt: skip
def test_each_table_is_a_file_for_a_spreadsheet_and_for_latex(
    coordinator: Client, measured: Study, name: str
) -> None:
    text = coordinator.get(file(measured, name, "csv")).content.decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    latex = coordinator.get(file(measured, name, "tex")).content.decode()
    assert latex.startswith(r"\begin{table}")
    assert latex.count("{") == latex.count("}")


def test_the_flow_of_images_is_a_figure_with_its_numbers(
    coordinator: Client, measured: Study
) -> None:
    assert b"<svg" in coordinator.get(file(measured, "flow", "svg")).content
    text = coordinator.get(file(measured, "flow", "csv")).content.decode()
    assert text.splitlines()[1] == "not given,axial,T2w,3"


def test_an_unknown_file_or_kind_is_not_found(
    coordinator: Client, measured: Study
) -> None:
    assert coordinator.get(file(measured, "nothing", "csv")).status_code == 404
    assert coordinator.get(file(measured, "methods", "svg")).status_code == 404
    assert coordinator.get(file(measured, "flow", "tex")).status_code == 404


def test_another_arm_can_be_the_reference(coordinator: Client, measured: Study) -> None:
    coordinator.get(page(measured) + "?reference=model&rule=26-connectivity")
    assert work(measured) == 3
    model = measured.arms.get(key="model")
    manual = {r.case: r for r in measuring.build_rows(
        measured, measured.arms.get(key="manual"))}  # fmt: skip
    for row in measuring.build_rows(measured, model):
        assert row.dice == manual[row.case].dice
        assert row.reference_mm3 == manual[row.case].prediction_mm3


def test_a_job_that_lost_its_reference_says_so(study: Study) -> None:
    job = jobs.submit(
        kind=Job.Kind.MEASURE,
        payload={"study": str(study.pk), "reference": "gone"},
        study=study,
    )
    with pytest.raises(jobs.JobFailed, match="no longer in the study"):
        run_job(job, report=lambda *_: None, cancelled=lambda: False)


def test_a_cancelled_job_keeps_what_it_measured(
    study: Study, add_cases: AddCases
) -> None:
    add_cases(3)
    reference = study.arms.get(key="manual")
    job = measuring.request(study, reference)
    answers = iter([False, True])
    with pytest.raises(jobs.LeaseLost):
        run_job(job, report=lambda *_: None, cancelled=lambda: next(answers))
    assert MaskComparison.objects.count() == 1
    assert len(measuring.list_missing(study, reference)) == 2
