"""From unblinded scores to a stored analysis with its figures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from ratings import (
    blinding,
    bundling,
    files,
    gaps,
    jobs,
    revealing,
    withdrawing,
)
from ratings.design import read_design
from ratings.models import AnalysisRun, Arm, Job, Presentation, ScoreImport, Study
from ratings.moving.study import read_tables

if TYPE_CHECKING:
    from ratings.exporting import Report
    from ratings.statistics.summary import Analysis
    from ratings.statistics.table import ScoreRow, ScoreTable
    from ratings.statistics.withdrawn import Withdrawn

COMPARED = (Presentation.Kind.MAIN, Presentation.Kind.REPEAT)


def build_tables(study: Study) -> dict[str, ScoreTable]:
    """A table of scores per question, as the statistics take it.

    Calibration and control presentations are no part of the comparison, and the scores
    of withdrawn cases stand apart in it.
    """
    from ratings.statistics.table import make_table

    moved = ScoreImport.objects.filter(study=study).first()
    if moved is not None:
        return read_tables(study, moved)
    given, taken = list_given(study), list_given(study, withdrawn=True)
    places = blinding.list_expected(study)
    lost = blinding.list_expected(study, withdrawn=True)
    told, why = gaps.read_dispositions(study), withdrawing.read_reasons(study)
    return {
        question: make_table(
            gaps.fill(
                found, places=places, question=question,
                why=lambda place: told.get(place.rater, ""),
            ),
            levels=study.levels,
            every_place=True,
            withdrawn=gaps.fill(
                taken[question], places=lost, question=question,
                why=lambda place: f"Case withdrawn: {why[place.case]}",
            ),
        )
        for question, found in given.items()
        if found
    }  # fmt: skip


def list_given(study: Study, *, withdrawn: bool = False) -> dict[str, list[ScoreRow]]:
    """The scores given, by question, of withdrawn cases or of all others."""
    rows: dict[str, list[ScoreRow]] = {q["key"]: [] for q in study.questions}
    meant = name_guesses(study)
    for score in blinding.unseal(study, withdrawn=withdrawn):
        if score.kind in COMPARED:
            rows[score.question].append(make_row(score, meant=meant))
    return rows


def name_guesses(study: Study) -> dict[str, str]:
    """What a guess of a person or a program means among the arms of this study.

    "A person" is the arm of manual masks, or else an uploaded reference. Where the
    reference is itself a program, "a program" is it only if no other arm is one too;
    otherwise, and without any person's arm, no guess could be right or wrong.
    """
    arms = [arm for arm in study.arms.all() if arm.kind != Arm.Kind.CONTROL]
    people = [arm.key for arm in arms if arm.kind == Arm.Kind.MANUAL]
    reference = study.reference_arm
    if not people:
        kinds = {arm.key: arm.kind for arm in arms}
        people = [reference] if kinds.get(reference) == Arm.Kind.UPLOAD else []
    if reference in people or (people and not reference):
        return {"manual": reference or people[0]}
    programs = [arm.key for arm in arms if arm.key not in people]
    if people and len(programs) == 1:
        return {"manual": people[0], "automatic": programs[0]}
    return {"manual": "", "automatic": "", "unsure": ""}


def make_row(score: blinding.UnsealedScore, *, meant: dict[str, str]) -> ScoreRow:
    """One unsealed score as a row; `meant` says what a guess means."""
    from ratings.statistics.table import ScoreRow

    return ScoreRow(
        rater=score.rater,
        case=score.case,
        arm=score.arm,
        score=score.value,
        rep=score.repeat,
        contrast=score.strata.get("contrast", ""),
        site=score.strata.get("site", ""),
        acquisition=score.strata.get("acquisition", ""),
        position=score.position,
        session=score.session,
        side=str(score.slot + 1) if score.shown_together > 1 else "",
        seconds=score.seconds,
        guess=meant.get(score.guess, score.guess),
        confidence=score.confidence,
        unlooked=None if score.unlooked is None else int(score.unlooked),
        conflict=None if score.conflict is None else int(score.conflict),
        question=score.question,
        reason=score.reason,
        comment=score.comment,
    )


def choose_reference(study: Study, table: ScoreTable) -> str:
    return study.reference_arm if study.reference_arm in table.arms else table.arms[0]


def make_seed(study_id: UUID) -> int:
    """The seed of the bootstrap: the same for a study on every machine."""
    return int.from_bytes(hashlib.sha256(study_id.bytes).digest()[:4], "big")


def analyse_table(study: Study, table: ScoreTable) -> Analysis:
    from ratings.statistics.summary import analyse

    return analyse(
        table,
        reference=choose_reference(study, table),
        seed=make_seed(study.pk),
        margin=study.design.get("margin"),
        primary=read_design(study.design).primary,
    )


def find_runs(study: Study) -> list[AnalysisRun]:
    """The stored analyses of the scores as they are, one a question, in order."""
    runs = AnalysisRun.objects.filter(study=study).order_by("pk")
    if ScoreImport.objects.filter(study=study).exists():
        # Moved scores never change, and a million of them take a while to read.
        newest = {run.question: run for run in runs}
        found = [newest.get(question["key"]) for question in study.questions]
    else:
        by_scores = {(run.question, run.data_sha256): run for run in runs}
        tables = build_tables(study)
        found = [by_scores.get((k, table.data_hash())) for k, table in tables.items()]
    needed = {"withdrawn"} if study.withdrawals.exists() else set()
    return [run for run in found if run is not None and is_current(run, needed)]


def is_current(run: AnalysisRun, needed: set[str]) -> bool:
    """Whether this version wrote the run; what an older one wrote is computed anew.

    So is a run without one of the `needed` parts, which not every study has.
    """
    from ratings.statistics.summary import SCHEMA

    analysis = run.results.get("analysis", {})
    return bool(analysis.get("schema") == SCHEMA and needed <= run.results.keys())


def is_analysed(study: Study) -> bool:
    """Whether results are stored that can be shown, asked without reading a score."""
    from ratings.statistics.summary import SCHEMA

    runs = AnalysisRun.objects.filter(study=study)
    return runs.filter(results__analysis__schema=SCHEMA).exists()


def request(study: Study) -> Job:
    """The job that analyses the study: the one under way, else a new one."""
    under_way = study.jobs.filter(
        kind=Job.Kind.ANALYSE, status__in=(Job.Status.QUEUED, Job.Status.RUNNING)
    ).first()
    return under_way or jobs.submit(
        kind=Job.Kind.ANALYSE, payload={"study": str(study.pk)}, study=study
    )


def renew_bundle(study: Study) -> None:
    """Have a bundle that exists written again, after what it encloses was measured."""
    if study.state == Study.State.UNBLINDED and find_runs(study):
        request(study)


def locate_figures(run: AnalysisRun) -> Path:
    """The folder of a run's figures: name.svg, name.png and name.csv each."""
    name = hashlib.sha256(f"{run.question}/{run.data_sha256}".encode()).hexdigest()
    return files.locate(f"figures/{run.study_id}/{name[:32]}")


def locate_bundle(study: Study, hashes: list[str]) -> Path:
    """The zip of an analysis of exactly these scores."""
    name = hashlib.sha256("/".join(hashes).encode()).hexdigest()
    return files.locate(f"bundles/{study.pk}/{name[:32]}.zip")


def read_bundle(study: Study) -> bytes:
    """The zip made together with the stored analyses."""
    return locate_bundle(study, [r.data_sha256 for r in find_runs(study)]).read_bytes()


def run_job(
    job: Job, *, report: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> None:
    """The job kind "analyse": all questions of one study, numbers, figures, bundle."""
    # Here and not above: the comparison asks this module for the scores.
    from ratings import enclosures
    from ratings.exporting import StudyFacts, make_report, write_bundle
    from ratings.statistics.withdrawn import tell

    study = Study.objects.get(pk=job.payload["study"])
    report(0.0, "Reading the scores")
    tables = build_tables(study)
    if not tables:
        raise jobs.JobFailed(
            "There is no score in this study, so nothing to analyse. Those of "
            "withdrawn cases do not count."
        )
    analyses = analyse_questions(study, tables, report=report)
    reports = {}
    for number, (question, table) in enumerate(tables.items()):
        share = 0.5 + 0.4 * number / len(tables)
        report(share, f"Drawing the figures{of_question(question)}")
        reports[question] = make_report(
            table=table, analysis=analyses[question], simulated=study.simulated
        )
    report(0.95, "Writing the bundle")
    taken = withdrawing.list_counted(study, list(tables.values()))
    words = tell(taken)
    facts = StudyFacts(study.title, study.simulated, settings.VERSION, words)
    bundle = write_bundle(
        reports=list(reports.values()),
        facts=facts,
        more={
            **bundling.describe(study, list(analyses.values()), taken),
            **revealing.reveal(study),
            **enclosures.describe(study),
        },
    )
    if cancelled():
        raise jobs.LeaseLost(str(job.pk))
    hashes = [table.data_hash() for table in tables.values()]
    files.write_durably(locate_bundle(study, hashes), bundle)
    for question, drawn in reports.items():
        store_run(study=study, question=question, report=drawn, withdrawn=taken)


def analyse_questions(
    study: Study,
    tables: dict[str, ScoreTable],
    *,
    report: Callable[[float, str], None],
) -> dict[str, Analysis]:
    """One analysis a question, each knowing how many there are."""
    from ratings.statistics.family import across_questions

    found = []
    for number, (question, table) in enumerate(tables.items()):
        share = 0.05 + 0.45 * number / len(tables)
        report(share, f"Analysing the scores{of_question(question)}")
        found.append(analyse_table(study, table))
    return dict(zip(tables, across_questions(found), strict=True))


def of_question(key: str) -> str:
    """Which question a sentence is about; the only one of a table has no name."""
    return f" of “{key}”" if key else ""


def store_run(
    *,
    study: Study,
    question: str,
    report: Report,
    withdrawn: Sequence[Withdrawn] = (),
) -> None:
    """Keep one question's analysis; the same scores analysed again replace it."""
    run = AnalysisRun(
        study=study, question=question, data_sha256=report.table.data_hash()
    )
    folder = locate_figures(run)
    for figure in report.figures:
        files.write_durably(folder / f"{figure.name}.svg", figure.svg)
        files.write_durably(folder / f"{figure.name}.png", figure.png)
        files.write_durably(folder / f"{figure.name}.csv", figure.csv.encode())
    captions = {figure.name: figure.caption for figure in report.figures}
    sizes = {figure.name: list(figure.size) for figure in report.figures}
    AnalysisRun.objects.update_or_create(
        study=study,
        question=question,
        data_sha256=run.data_sha256,
        defaults={
            "versions": dict(report.analysis.versions),
            "results": {
                "analysis": report.analysis.to_json(),
                "captions": captions,
                "sizes": sizes,
                "withdrawn": [asdict(one) for one in withdrawn],
            },
        },
    )
