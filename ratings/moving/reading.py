"""Read the files of an import, at once or by a job, and keep what its page shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from ratings import files, jobs
from ratings.models import Job, ScoreImport
from ratings.moving import study as moving
from ratings.moving.entries import MoveRefused
from ratings.moving.findings import Verdict
from ratings.moving.grid import WORKBOOKS, Grid
from ratings.moving.study import Plan, Source
from ratings.statistics.table import natural

SHOWN = 100  # findings of a kind, and arms, on the page; the report has them all
SAMPLE = 5
# A workbook is a zip: a byte of it holds as many scores as eight of a plain table.
PACKED = 8
CHECK, IMPORT = "check", "import"

Report = Callable[[float, str], None]
Ask = Callable[[], None]


def is_small(name: str, size: int) -> bool:
    """Whether a file is read within the request that brings it."""
    packed = PACKED if name.lower().endswith(WORKBOOKS) else 1
    return bool(size * packed <= settings.READ_AT_ONCE_BYTES)


def begin(found: ScoreImport, *, act: str) -> Job | None:
    """Read what takes a second or two now, and give the rest to a worker."""
    if all(is_small(file["name"], file["size"]) for file in found.files):
        read(found, act=act)
        return None
    return jobs.submit(
        kind=Job.Kind.IMPORT, payload={"move": str(found.pk), "act": act}
    )


def last_job(found: ScoreImport) -> Job | None:
    own = Job.objects.filter(kind=Job.Kind.IMPORT, payload__move=str(found.pk))
    return own.order_by("-created_at").first()


def discard(found: ScoreImport) -> None:
    """Forget an import that never became a study, with its files and its job."""
    if job := last_job(found):
        jobs.cancel(job_id=job.pk)
    for path in (*(file["path"] for file in found.files), found.report_path):
        files.remove(path)
    found.delete()


def run_job(job: Job, *, report: Report, cancelled: Callable[[], bool]) -> None:
    """The job kind "import": read the files of one import, and import if asked to."""
    found = ScoreImport.objects.filter(pk=job.payload["move"]).first()
    if found is None or found.study_id is not None:
        return  # discarded, or stored by a worker that died before it could say so

    def ask() -> None:
        if cancelled():
            raise jobs.LeaseLost(str(job.pk))

    try:
        read(found, act=job.payload["act"], report=report, ask=ask)
    except MoveRefused as refusal:
        raise jobs.JobFailed(str(refusal)) from refusal


def read(
    found: ScoreImport,
    *,
    act: str,
    report: Report = lambda _, __: None,
    ask: Ask = lambda: None,
) -> None:
    """Judge every score by the kept plan; import when asked to and all is decided.

    Raises:
        MoveRefused: the files can't be read at all.
    """
    report(0.0, "Reading the files")
    kept = moving.read_plan(found)
    source = moving.open_source(found, sheet=kept.sheet if kept else "")
    ask()
    report(0.2, "Looking at columns, names and scales")
    plan = _complete(source, kept)
    faults, verdict = moving.list_faults(source, plan), None
    if not faults:
        report(0.4, "Judging every score")
        verdict = moving.look(source, plan)
    ask()
    if verdict and act == IMPORT:
        report(0.7, "Writing the scores")
        try:
            moving.commit(found=found, plan=plan, verdict=verdict, ask=ask)
        except MoveRefused as refusal:
            faults.append(str(refusal))
        else:
            return
    report(0.9, "Listing what is odd")
    _keep(found, plan, verdict, {**_describe(source, plan, verdict), "faults": faults})


def _complete(source: Source, kept: Plan | None) -> Plan:
    """The plan with what it leaves open; a new one for another sheet."""
    if kept is None or (source.is_table and kept.mapping is None):
        return moving.propose(source)
    return moving.settle(source, kept)


def _keep(
    found: ScoreImport, plan: Plan, verdict: Verdict | None, reading: dict[str, Any]
) -> None:
    files.remove(found.report_path)
    path = ""
    if verdict is not None:
        path = files.new_name(folder="moved", suffix=".csv")
        report = moving.report_csv(verdict).encode()
        files.write_durably(files.locate(path), report)
    moving.keep_plan(found, plan, reading=reading, report_path=path)


def _describe(source: Source, plan: Plan, verdict: Verdict | None) -> dict[str, Any]:
    """What the page shows of the files and of the verdict, as plain JSON."""
    return {
        "grid": _describe_grid(source.grids[0]) if source.grids else None,
        "reports": list(source.reports),
        "key_arms": list(source.arms_of_key()),
        "arms": [plan.reference],
        **(_describe_verdict(verdict) if verdict else {}),
    }


def _describe_grid(grid: Grid) -> dict[str, Any]:
    return {
        "name": grid.name,
        "header": list(grid.header),
        "sheet": grid.sheet,
        "sheets": list(grid.sheets),
        "sample": [[number, list(cells)] for number, cells in grid.rows[:SAMPLE]],
    }


def _describe_verdict(verdict: Verdict) -> dict[str, Any]:
    arms = sorted({row.arm for row in verdict.rows}, key=natural)
    return {
        "judged": True,
        "arms": arms[:SHOWN],
        "n_arms": len(arms),
        "n_raters": len({row.rater for row in verdict.rows}),
        "n_cases": len({row.case for row in verdict.rows}),
        "n_scored": sum(row.score is not None for row in verdict.rows),
        "n_read": verdict.n_entries,
        "n_left_out": verdict.n_dropped,
        "findings": [_describe_findings(verdict, kind) for kind in verdict.kinds],
    }


def _describe_findings(verdict: Verdict, kind: str) -> dict[str, Any]:
    found = [finding for finding in verdict.findings if finding.kind == kind]
    return {
        "kind": kind,
        "count": len(found),
        "chosen": verdict.choices[kind],
        "first": [
            {"file": f.file, "row": f.row, "what": f.what} for f in found[:SHOWN]
        ],
    }
