"""What the job kind "predict" does: one image, through an engine, to a mask."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from django.conf import settings as site
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction
from numpy.typing import NDArray

from inference import command, engine, registering, results, sources
from inference.ahead import read_ahead
from inference.errors import Cancelled, ImageError, ModelError
from inference.models import Prediction, Result
from inference.sources import Source
from inference.tools import Tool, ToolsRefused
from ratings import files, images, importing, jobs
from ratings.models import Arm, Case, Job, Mask, Study
from ratings.nifti import ImageRefused

Report = Callable[[float, str], None]
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL = (
    "The disk of the data folder is full or fails, so nothing was stored. Ask the "
    "operator to make room, then retry."
)


@dataclass(frozen=True)
class Task:
    """What the payload of a job asks for, as rows of the database."""

    job: Job
    case: Case
    arm: Arm
    source: Source
    settings: dict[str, Any]

    @property
    def image(self) -> Path:
        return files.locate(self.case.image_path)

    @property
    def how(self) -> engine.Settings:
        here = {"device": site.DEVICE, "precision": site.PRECISION}
        return engine.read_settings(self.settings | here)


def make_payload(
    *, case: Case, arm: Arm, source: Source, settings: dict[str, Any]
) -> dict[str, Any]:
    return {
        "case": str(case.pk),
        "arm": arm.key,
        source.kind: source.name,
        "settings": settings,
    }


def run_job(job: Job, *, report: Report, cancelled: Callable[[], bool]) -> None:
    """Predict one mask and store it together with the end of the job.

    Raises jobs.JobFailed with a sentence when there can be no mask, and
    jobs.LeaseLost, with no mask stored, when the job is no longer wanted.
    """
    task = find_task(job)
    check_open(task.case.study)
    if is_done(task):
        return
    with said_in_sentences(task):
        if task.source.tool:
            result = run_tool(task, task.source.tool, report, cancelled)
        else:
            result = run_ensemble(task, report, cancelled)
        report(0.99, "Storing the mask")
        jobs.persist(partial(store, task=task, result=result))


@contextmanager
def said_in_sentences(task: Task) -> Iterator[None]:
    """Turn all that can go wrong into a sentence with what to do."""
    try:
        yield
    except Cancelled as error:
        raise jobs.LeaseLost(str(task.job.pk)) from error
    except ImageError as error:
        # People know the image by its case, not by the random name it is stored under.
        known_as = f"The image of case {task.case.label} ({task.case.source_name})"
        sentence = str(error).replace(task.image.name, known_as)
        raise jobs.JobFailed(sentence) from error
    except (registering.RegistrationRefused, ModelError, ToolsRefused) as error:
        raise jobs.JobFailed(str(error)) from error
    except command.ToolFailed as error:
        raise jobs.JobFailed(str(error), log=error.log) from error
    except ImageRefused as refusal:
        raise jobs.JobFailed(refusal.message) from refusal
    except OperationalError as error:
        # As SQLite says it: of a full disk, and of a file that may not grow.
        if not any(words in str(error) for words in ("disk is full", "disk I/O")):
            raise
        raise jobs.JobFailed(FULL) from error
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise jobs.JobFailed(FULL) from error
    except MemoryError as error:
        raise jobs.JobFailed(
            "The machine ran out of memory on this image. Crop the image, or run the "
            "worker on a machine with more memory, then retry."
        ) from error


def find_task(job: Job) -> Task:
    payload = job.payload
    try:
        case = Case.objects.select_related("study").get(
            pk=payload["case"], study=job.study_id
        )
        arm = Arm.objects.get(study=case.study, key=payload["arm"])
        source = sources.find_source(payload)
    except (Case.DoesNotExist, ValidationError) as error:
        raise jobs.JobFailed(
            "The case was removed from the study, so there is nothing to predict."
        ) from error
    except Arm.DoesNotExist as error:
        raise jobs.JobFailed(
            "These predictions were removed from the study. Ask for them anew."
        ) from error
    except ToolsRefused as error:
        raise jobs.JobFailed(str(error)) from error
    if source is None:
        raise jobs.JobFailed(describe_missing(payload))
    return Task(job, case, arm, source, payload["settings"])


def describe_missing(payload: dict[str, Any]) -> str:
    if name := payload.get("tool"):
        return (
            f"No program “{name}” is in the operator's list any more. Ask the operator "
            f"to put it back into {site.TOOLS_FILE}, then retry."
        )
    return (
        f"No ensemble “{payload['ensemble']}” is registered any more. Ask the "
        "operator to register it again, then retry."
    )


def check_open(study: Study) -> None:
    if study.state != Study.State.DRAFT:
        raise jobs.JobFailed(
            "The study was locked before this prediction was made, so its masks are "
            "fixed and nothing was stored."
        )


def is_done(task: Task) -> bool:
    """Whether this very mask is there already; another one is never replaced."""
    mask = Mask.objects.filter(case=task.case, arm=task.arm).first()
    if mask is None:
        return False
    same = Prediction.objects.filter(
        mask=mask, settings=task.settings, ensemble=task.source.ensemble,
        tool=task.source.tool.name if task.source.tool else "",
    )  # fmt: skip
    if not same.exists():
        raise jobs.JobFailed(
            f"Case {task.case.label} already has a mask of the arm “{task.arm.label}” "
            "from elsewhere; it was kept. Choose another arm for these predictions."
        )
    return True


def run_ensemble(task: Task, report: Report, cancelled: Callable[[], bool]) -> Result:
    """The maps of the folds: from the cache, or by running the networks."""
    ensemble = task.source.ensemble
    assert ensemble is not None
    folder = registering.find_folder(ensemble)
    seen = engine.digest_image(task.image)
    key = sources.make_key(facts=ensemble.facts, settings=task.how, image=seen)
    if known := results.find(case=task.case, key=key):
        return known
    show = read_ahead(
        progress=report, next_image=find_next(task), ensemble=folder, settings=task.how
    )
    predicted = engine.predict(
        image=task.image,
        ensemble=folder,
        settings=task.how,
        progress=show,
        cancelled=cancelled,
    )
    maps: dict[str, NDArray[Any]] = {
        "votes_path": predicted.votes,
        "soft_path": predicted.soft,
        "mask_path": predicted.mask,
    }
    return results.keep(
        case=task.case, key=key, maps=maps, provenance=predicted.provenance
    )


def find_next(task: Task) -> Path | None:
    """The image that this worker will most likely predict next."""
    queued = Job.objects.filter(
        study=task.job.study_id, kind=Job.Kind.PREDICT, status=Job.Status.QUEUED,
        payload__arm=task.arm.key,
    )  # fmt: skip
    waiting = queued.values_list("payload", flat=True).first()
    found = Case.objects.filter(pk=waiting["case"]).first() if waiting else None
    return files.locate(found.image_path) if found else None


def run_tool(
    task: Task, tool: Tool, report: Report, cancelled: Callable[[], bool]
) -> Result:
    """The mask that a program writes, if it passes the gate of any upload."""
    seen = engine.digest_image(task.image)
    with TemporaryDirectory() as place:
        folder = Path(place).resolve()
        identity = command.identify(tool, folder=folder)
        key = sources.make_tool_key(tool=tool, identity=identity, image=seen)
        if known := results.find(case=task.case, key=key):
            return known
        report(0.0, f"Running {tool.label}")
        output = command.mark(
            tool=tool, identity=identity, image=task.image, folder=folder,
            cancelled=cancelled,
        )  # fmt: skip
        try:
            marked = read_output(task, output.path)
        except ImageRefused as refusal:
            raise command.ToolFailed(
                f"“{tool.label}” wrote a mask that can't be used: {refusal.message}",
                output.log,
            ) from refusal
    return results.keep(
        case=task.case,
        key=key,
        maps={"mask_path": marked},
        provenance=output.facts | {"input_digest": seen, "blindfold": site.VERSION},
        log=output.log,
    )


def read_output(task: Task, path: Path) -> NDArray[np.uint8]:
    name = f"Mask of {task.case.label}"
    volume = images.read_mask(path=path, name=name)
    grid = importing.find_grid(task.case)
    return images.place_mask(mask=volume, grid=grid, name=name).astype(np.uint8)


def store(*, task: Task, result: Result) -> None:
    """Put the mask through the gate of any upload, and end the job with it."""
    array = results.make_mask(result, settings=task.how)
    provenance = describe_origin(task, result)
    written: list[str] = []
    with TemporaryDirectory(dir=site.FILE_UPLOAD_TEMP_DIR) as folder:
        path = Path(folder) / "mask.nii.gz"
        engine.write_mask(array=array, like=task.image, out=path)
        try:
            with transaction.atomic():
                check_open(Study.objects.select_for_update().get(pk=task.arm.study_id))
                mask = add_mask(task=task, path=path, provenance=provenance)
                written.append(mask.path)
                enter(task=task, result=result, mask=mask)
                jobs.finish(
                    job_id=task.job.pk, worker=task.job.worker,
                    message=describe(mask),
                )  # fmt: skip
        except BaseException:
            for relative in written:
                files.remove(relative)
            raise


def describe_origin(task: Task, result: Result) -> dict[str, Any]:
    """The work's provenance, with the settings that this very mask was made by."""
    if task.source.tool:
        return dict(result.provenance)
    facts: dict[str, Any] = result.provenance
    asked = {"rule": task.how.rule, "threshold": task.how.threshold}
    return facts | {"settings": facts["settings"] | asked}


def enter(*, task: Task, result: Result, mask: Mask) -> None:
    Prediction.objects.update_or_create(
        job=task.job,
        defaults={
            "case": task.case, "ensemble": task.source.ensemble,
            "tool": task.source.tool.name if task.source.tool else "",
            "mask": mask, "result": result, "settings": task.settings,
            "provenance": mask.provenance,
        },
    )  # fmt: skip


def add_mask(*, task: Task, path: Path, provenance: dict[str, Any]) -> Mask:
    try:
        return importing.add_mask(
            case=task.case, arm=task.arm, path=path,
            name=f"Prediction for {task.case.label}", provenance=provenance,
        )  # fmt: skip
    except IntegrityError as error:
        raise jobs.JobFailed(
            f"Case {task.case.label} was given a mask of the arm “{task.arm.label}” "
            "meanwhile; it was kept."
        ) from error


def describe(mask: Mask) -> str:
    if not mask.voxels:
        return "No lesion found: the mask is empty."
    return f"{mask.volume_mm3:,.0f} mm³ marked."
