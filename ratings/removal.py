"""Takes uploads, cases and arms out of a draft again, with their bytes and a record."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from ratings import audit, designing, files, originals, pictures, selecting
from ratings.models import Arm, Companion, Job, Mask, Original, Study


class RemovalRefused(Exception):
    """Why something stays in the study; a sentence."""


def check_removable(study: Study) -> Study:
    """The draft, held against other writers, if nothing computes with its cases."""
    current = Study.objects.select_for_update().get(pk=study.pk)
    if current.state != Study.State.DRAFT:
        raise RemovalRefused("The study is locked, so its cases and masks are fixed.")
    waiting = (Job.Status.QUEUED, Job.Status.RUNNING)
    if study.jobs.filter(kind=Job.Kind.PREDICT, status__in=waiting).exists():
        raise RemovalRefused(
            "Predictions are running. Wait for them or cancel them, then remove."
        )
    return current


def remove_cases(*, study: Study, actor: User, ids: Iterable[UUID]) -> int:
    """Delete the cases with all their masks; how many there were."""
    with transaction.atomic():
        held = check_removable(study)
        cases = list(study.cases.filter(id__in=ids))
        masks = Mask.objects.filter(case__in=cases)
        paths = [case.image_path for case in cases]
        paths += list_paths(masks)
        paths += list_paths(Companion.objects.filter(case__in=cases))
        labels, keys = [case.label for case in cases], [case.pk for case in cases]
        originals.drop(Original.objects.filter(case__in=cases))
        for case in cases:
            case.delete()
        if labels:
            audit.record(
                study=held, actor=actor, verb="remove_cases",
                payload={"cases": labels},
            )  # fmt: skip
            designing.forget_cases(held=held, actor=actor, labels=labels)
            selecting.count_change(held)
        transaction.on_commit(lambda: forget_cases(paths, keys))
    return len(cases)


def forget_cases(paths: list[str], cases: list[UUID]) -> None:
    """With a removed case goes all that was computed of its image."""
    forget(paths, cases)
    for case in cases:
        files.remove_derived(case)


def remove_arm(*, study: Study, actor: User, key: str) -> Arm:
    """Delete an arm with all its masks; the cases stay."""
    with transaction.atomic():
        held = check_removable(study)
        arm = study.arms.filter(key=key).first()
        if arm is None:
            raise RemovalRefused("These masks were already removed.")
        paths = list_paths(arm.masks.all())
        keys = list(arm.masks.values_list("case_id", flat=True))
        payload = {"arm": arm.key, "masks": arm.masks.count()}
        originals.drop(Original.objects.filter(arm=arm))
        arm.delete()
        audit.record(study=held, actor=actor, verb="remove_arm", payload=payload)
        designing.forget_arm(held=held, actor=actor, key=arm.key)
        selecting.count_change(held)
        transaction.on_commit(lambda: forget(paths, keys))
    return arm


def list_paths(maps: Iterable[Mask | Companion]) -> list[str]:
    """The stored files of masks and of what else lies with a case."""
    return [one.path for one in maps]


def forget(paths: list[str], cases: list[UUID]) -> None:
    for path in paths:
        files.remove(path)
    for case in cases:
        pictures.forget(case)
