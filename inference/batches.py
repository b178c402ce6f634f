"""Asks for the predictions of a whole study, one job per case, and withdraws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from inference.predictions import make_payload
from inference.sources import Source
from ratings import arms, audit, importing, jobs, originals, removal
from ratings.arms import MADE_HERE
from ratings.models import Arm, Job, Mask, Original, Study

Status = Job.Status
LIVE = (Status.QUEUED, Status.RUNNING)
AGAIN = (Status.FAILED, Status.CANCELLED)


class BatchRefused(Exception):
    """Why predictions can't be asked for or withdrawn; a sentence with the remedy."""


@dataclass(frozen=True)
class Batch:
    """What one request led to: how many cases were queued, and how many had a mask."""

    arm: Arm
    queued: int
    present: int


def list_arms(study: Study) -> list[Arm]:
    """The arms that were made by predicting here, oldest first."""
    return list(study.arms.filter(kind__in=MADE_HERE))


def list_jobs(arm: Arm) -> QuerySet[Job]:
    """The prediction jobs of one arm: at most one per case."""
    return Job.objects.filter(
        study=arm.study_id, kind=Job.Kind.PREDICT, payload__arm=arm.key
    )


def submit(
    *,
    study: Study,
    actor: User,
    source: Source,
    label: str,
    settings: dict[str, Any],
) -> Batch:
    """Queue a prediction for each case to be rated that has neither mask nor job."""
    with transaction.atomic():
        check_draft(study)
        if not study.chosen_cases().exists():
            raise BatchRefused("There is no case to be rated yet. Add cases first.")
        arm = find_arm(study=study, source=source, label=label, settings=settings)
        batch = queue_cases(arm=arm, source=source, settings=settings)
        audit.record(
            study=study, actor=actor, verb="predict",
            payload={**arm.source, "arm": arm.key, "cases": batch.queued},
        )  # fmt: skip
    return batch


def check_draft(study: Study) -> None:
    """Hold the study's row, so that it can't be locked between check and change."""
    state = Study.objects.select_for_update().values_list("state", flat=True)
    if state.get(pk=study.pk) != Study.State.DRAFT:
        raise BatchRefused(
            "The study is locked, so its masks are fixed. Nothing was changed."
        )


def find_arm(
    *, study: Study, source: Source, label: str, settings: dict[str, Any]
) -> Arm:
    """The arm of that label, new or from the very same engine and settings."""
    key = arms.make_key(label)
    origin = {**source.to_json(), "settings": settings}
    known = study.arms.all()
    arm = known.filter(label=label).first() or known.filter(key=key).first()
    if arm is None:
        refuse_name(study, key=key, label=label)
        arm = importing.ensure_arm(
            study=study, key=key, label=label, kind=source.arm_kind
        )
        arm.source = origin
        arm.save(update_fields=["source"])
    if arm.kind not in MADE_HERE:
        raise BatchRefused(
            f"The arm “{arm.label}” holds uploaded masks. Choose another name."
        )
    if arm.source != origin:
        raise BatchRefused(
            f"The arm “{arm.label}” is predicted by another engine or with other "
            "settings, and an arm has one source. Choose another name, or remove its "
            "predictions first."
        )
    return arm


def refuse_name(study: Study, *, key: str, label: str) -> None:
    """A name of masks that came or come from elsewhere is no name of a new arm."""
    if key == arms.MANUAL:
        raise BatchRefused(
            "“Manual” is the arm of the manual masks. Choose another name."
        )
    waiting = arms.list_waiting(study)
    if key in waiting or any(arms.is_same(label, one) for one in waiting.values()):
        raise BatchRefused(
            f"Uploaded masks named “{label}” wait for their import. Import or remove "
            "them, or choose another name."
        )


def queue_cases(*, arm: Arm, source: Source, settings: dict[str, Any]) -> Batch:
    chosen = Mask.objects.filter(arm=arm, case__left_out="")
    masked = set(chosen.values_list("case_id", flat=True))
    known = {job.payload["case"]: job for job in list_jobs(arm)}
    queued = 0
    for case in arm.study.chosen_cases():
        if case.pk not in masked:
            payload = make_payload(case=case, arm=arm, source=source, settings=settings)
            queued += queue_case(arm.study, payload, known.get(payload["case"]))
    return Batch(arm=arm, queued=queued, present=len(masked))


def queue_case(study: Study, payload: dict[str, Any], known: Job | None) -> bool:
    """Queue one case, by its former job where there is one; False if it is live."""
    if known and known.status in LIVE:
        return False
    if known and known.status in AGAIN:
        return jobs.retry(job_id=known.pk)
    if known:
        known.delete()
    jobs.submit(kind=Job.Kind.PREDICT, payload=payload, study=study)
    return True


def retry(*, study: Study, job: Job) -> None:
    with transaction.atomic():
        check_draft(study)
        jobs.retry(job_id=job.pk)


def retry_failed(arm: Arm) -> int:
    """Queue the failed and cancelled jobs of an arm again; how many there were."""
    with transaction.atomic():
        check_draft(arm.study)
        again = list_jobs(arm).filter(status__in=AGAIN).values_list("pk", flat=True)
        return sum(jobs.retry(job_id=job_id) for job_id in list(again))


def cancel_all(arm: Arm) -> int:
    """Cancel what waits and ask what runs to stop; how many there were."""
    live = list_jobs(arm).filter(status__in=LIVE).values_list("pk", flat=True)
    return sum(jobs.cancel(job_id=job_id) for job_id in list(live))


def withdraw(*, arm: Arm, actor: User) -> int:
    """Delete an arm's predictions, jobs and files; how many masks there were."""
    with transaction.atomic():
        check_draft(arm.study)
        if list_jobs(arm).filter(status__in=LIVE).exists():
            raise BatchRefused(
                f"Predictions of “{arm.label}” are still running. Cancel them first."
            )
        masks = list(Mask.objects.filter(arm=arm))
        paths = removal.list_paths(masks)
        audit.record(
            study=arm.study, actor=actor, verb="withdraw_predictions",
            payload={"arm": arm.key, "masks": len(masks)},
        )  # fmt: skip
        list_jobs(arm).delete()
        originals.drop(Original.objects.filter(arm=arm))
        arm.delete()
        cases = [mask.case_id for mask in masks]
        transaction.on_commit(lambda: removal.forget(paths, cases))
    return len(masks)
