"""Looks at the models that an operator put into MODELS_DIR, and has them registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from inference import registering
from inference.errors import Cancelled
from inference.models import Ensemble
from inference.registering import RegistrationRefused
from ratings import jobs
from ratings.models import Job

MOST_ENTRIES = 200
LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)


@dataclass(frozen=True)
class Entry:
    """A folder or zip on the shelf, as it looks from outside: nothing is opened."""

    name: str
    path: Path
    size: int
    folds: int
    ensembles: tuple[Ensemble, ...]
    job: Job | None

    @property
    def kind(self) -> str:
        return "folder" if self.path.is_dir() else "zip"

    @property
    def suggestion(self) -> str:
        """A name that the register would take."""
        return slugify(self.name.removesuffix(".zip"))[:60].strip("-") or "ensemble"

    @property
    def live(self) -> bool:
        return self.job is not None and self.job.status in LIVE

    @property
    def failed(self) -> bool:
        return self.job is not None and self.job.status == Job.Status.FAILED


def list_entries() -> list[Entry]:
    """What lies in MODELS_DIR and might be a model, by name."""
    home = Path(settings.MODELS_DIR)
    known: dict[str, list[Ensemble]] = {}
    for ensemble in Ensemble.objects.all():
        known.setdefault(str(ensemble.facts.get("source", "")), []).append(ensemble)
    latest = {job.payload["entry"]: job for job in list_jobs()}
    paths = sorted(filter(is_model, home.iterdir())) if home.is_dir() else []
    return [
        Entry(
            name=path.name,
            path=path,
            size=measure(path),
            folds=len(list(path.glob("fold_*")) or list(path.glob("*/fold_*"))),
            ensembles=tuple(known.get(str(path.resolve()), ())),
            job=latest.get(path.name),
        )
        for path in paths[:MOST_ENTRIES]
    ]


def is_model(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    if path.is_dir():
        return any(path.glob("plans.json")) or any(path.glob("*/plans.json"))
    return path.suffix == ".zip" and path.is_file()


def measure(path: Path) -> int:
    """Bytes of the zip, or of the folder's checkpoints."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.glob("**/checkpoint_*.pth"))


def list_jobs() -> list[Job]:
    return list(Job.objects.filter(kind=Job.Kind.REGISTER))


def submit(*, entry: str, name: str, label: str) -> Job:
    """Queue a registration; refuses what can be seen to fail, and a second one."""
    found = {known.name: known for known in list_entries()}.get(entry)
    if found is None:
        raise RegistrationRefused(
            f"“{entry}” is not in {settings.MODELS_DIR} any more."
        )
    registering.check_name(name)
    with transaction.atomic():
        if found.live:
            raise RegistrationRefused(f"“{entry}” is being registered already.")
        Job.objects.filter(kind=Job.Kind.REGISTER, payload__entry=entry).exclude(
            status__in=LIVE
        ).delete()
        return jobs.submit(
            kind=Job.Kind.REGISTER,
            payload={"entry": entry, "name": name, "label": label},
        )


def run_job(
    job: Job, *, report: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> None:
    """What the job kind "register" does, on a worker, which has torch."""
    asked: dict[str, Any] = job.payload
    report(0.1, "Checking the model")
    try:
        path = {entry.name: entry.path for entry in list_entries()}.get(asked["entry"])
        if path is None:
            raise RegistrationRefused(
                f"“{asked['entry']}” is not in {settings.MODELS_DIR} on the worker's "
                "machine: share that folder with the web server's."
            )
        ensemble, new = registering.register(
            name=asked["name"], source=path, label=asked["label"], cancelled=cancelled
        )
    except RegistrationRefused as refusal:
        raise jobs.JobFailed(str(refusal)) from refusal
    except Cancelled as error:
        raise jobs.LeaseLost(str(job.pk)) from error
    word = "Registered" if new else "Already registered"
    jobs.finish(job_id=job.pk, worker=job.worker, message=f"{word} as {ensemble.name}.")
