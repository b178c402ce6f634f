"""Tells how far a study's predictions are, in counts, words and times; no changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.utils import timezone

from inference import batches
from inference.sources import Source, list_sources
from ratings.models import Arm, Case, Job, Study, WorkerBeat

Status = Job.Status
SILENT_SECONDS = 30
WORDS = {
    Status.QUEUED: "Waiting",
    Status.RUNNING: "Running",
    Status.DONE: "Done",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Cancelled",
}


@dataclass(frozen=True)
class Row:
    """One case of one arm, as a line of the table."""

    case: Case
    job: Job
    word: str
    percent: int
    elapsed: float | None
    remaining: float | None

    @property
    def live(self) -> bool:
        return self.job.status in batches.LIVE

    @property
    def repeatable(self) -> bool:
        return self.job.status in batches.AGAIN

    @property
    def has_log(self) -> bool:
        """Whether the log tells more than the reason: a program's, or of a surprise."""
        log, surprise = self.job.log, "unexpected error" in self.job.error
        return bool(log) and (surprise or not log.startswith("Traceback"))


@dataclass(frozen=True)
class Overview:
    """One predicted arm: its source, its rows and their sums."""

    arm: Arm
    source: Source | None
    rows: tuple[Row, ...]
    cases: int
    done: int
    counts: dict[str, int]
    remaining: float | None

    @property
    def described(self) -> str:
        """The engine and how it was asked to work, in a line."""
        return ", ".join(
            [describe_source(self.arm, self.source), *describe_how(self.arm)]
        )

    @property
    def live(self) -> int:
        return self.counts[Status.QUEUED] + self.counts[Status.RUNNING]

    @property
    def repeatable(self) -> int:
        return self.counts[Status.FAILED] + self.counts[Status.CANCELLED]

    @property
    def missing(self) -> int:
        """Cases that nothing has been asked for yet."""
        return max(self.cases - self.done - self.live - self.repeatable, 0)


def describe_source(arm: Arm, source: Source | None) -> str:
    if source is None:
        return f"{name_source(arm).partition(':')[2]}, no longer registered"
    if source.ensemble is None:
        return f"{source.label}, a program of the operator’s"
    folds = source.ensemble.folds
    return f"{source.label}, {folds} fold{'' if folds == 1 else 's'}"


def describe_how(arm: Arm) -> list[str]:
    """What was asked for of an ensemble beyond the defaults, and its rule."""
    asked = arm.source.get("settings") or {}
    said = [f"rule “{asked['rule']}”"] if "rule" in asked else []
    if asked.get("threshold") is not None:
        said.append(f"threshold {asked['threshold']:g}")
    if asked.get("mirroring") is not None:
        said.append(f"mirroring {'on' if asked['mirroring'] else 'off'}")
    return said


def survey(study: Study) -> list[Overview]:
    """All predicted arms of a study, each with one row per case asked for."""
    cases = {str(case.pk): case for case in study.cases.all()}
    known = {source.key: source for source in list_sources()}
    return [
        describe_arm(arm, cases, known.get(name_source(arm)))
        for arm in batches.list_arms(study)
    ]


def name_source(arm: Arm) -> str:
    kind = "tool" if "tool" in arm.source else "ensemble"
    return f"{kind}:{arm.source.get(kind, '')}"


def describe_arm(arm: Arm, cases: dict[str, Case], source: Source | None) -> Overview:
    now = timezone.now()
    found = [job for job in batches.list_jobs(arm) if job.payload["case"] in cases]
    typical = find_typical(found)
    # a case left out since counts as far as something was made or asked for it
    masked = {str(pk) for pk in arm.masks.values_list("case_id", flat=True)}
    wanted = {pk for pk, case in cases.items() if not case.left_out}
    wanted |= {job.payload["case"] for job in found}
    rows = [
        describe_job(cases[job.payload["case"]], job, now, typical) for job in found
    ]
    return Overview(
        arm=arm,
        source=source,
        rows=tuple(sorted(rows, key=lambda row: row.case.label)),
        cases=len(wanted | masked),
        done=len(masked),
        counts={status: sum(j.status == status for j in found) for status in Status},
        remaining=sum_remaining(rows, typical),
    )


def find_typical(found: list[Job]) -> float | None:
    """Median seconds of the finished jobs; unknown before the first."""
    times = [
        (job.finished_at - job.started_at).total_seconds()
        for job in found
        if job.status == Status.DONE and job.started_at and job.finished_at
    ]
    return median(times) if times else None


def describe_job(case: Case, job: Job, now: datetime, typical: float | None) -> Row:
    elapsed = measure(job, now)
    running = job.status == Status.RUNNING
    stopping = running and job.cancel_requested
    return Row(
        case=case,
        job=job,
        word="Stopping" if stopping else WORDS[Status(job.status)],
        percent=round(100 * job.progress),
        elapsed=elapsed,
        remaining=estimate(job, elapsed, typical) if running else None,
    )


def measure(job: Job, now: datetime) -> float | None:
    """Seconds a job took, or has taken so far; None before it began."""
    if job.started_at is None or job.status == Status.QUEUED:
        return None
    return max(((job.finished_at or now) - job.started_at).total_seconds(), 0.0)


def estimate(job: Job, elapsed: float | None, typical: float | None) -> float | None:
    """Seconds left by the job's own pace, before that by the others'."""
    if elapsed is None:
        return None
    if job.progress >= 0.1:
        return elapsed * (1 - job.progress) / job.progress
    return max(typical - elapsed, 0.0) if typical is not None else None


def sum_remaining(rows: list[Row], typical: float | None) -> float | None:
    """Seconds until the last one, if one worker does them one after the other."""
    queued = sum(row.job.status == Status.QUEUED for row in rows)
    known = [row for row in rows if row.remaining is not None]
    paces = [(row.elapsed or 0.0) + (row.remaining or 0.0) for row in known]
    pace = typical if typical is not None else max(paces, default=None)
    if (queued and pace is None) or (not queued and not known):
        return None
    return sum(row.remaining or 0.0 for row in known) + queued * (pace or 0.0)


def hears_worker() -> bool:
    """Whether any worker drew breath of late."""
    since = timezone.now() - timedelta(seconds=SILENT_SECONDS)
    return WorkerBeat.objects.filter(beat_at__gte=since).exists()
