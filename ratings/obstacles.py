"""Tells what must be mended before a draft can be locked, and where it is mended."""

from __future__ import annotations

from ratings import conflicts, training
from ratings.models import Enrolment, Job, Mask, Study

UNSTATED = (
    "State first whether faces can be seen in the images: one of the lines under Check "
    "and lock, or the field faces of a script."
)

ONLY_PRACTICE = (
    "Every chosen case is a practice case, so nothing is left to rate. Take in more "
    "cases under Cases, or name fewer practice cases under Design."
)

LEAKS = "The blinding audit found faults: mend them, run it again on Check and lock."


def find_obstacles(study: Study) -> list[str]:
    """A sentence for each thing that must be mended before the study can be locked."""
    return [sentence for _, sentence in list_obstacles(study)]


def find_hindrances(study: Study, *, signed: bool) -> list[str]:
    """What stops this very lock: it audits anew, and an operator's states nothing."""
    passes = {"audit"} if signed else {"audit", "lock"}
    return [text for step, text in list_obstacles(study) if step not in passes]


def list_obstacles(study: Study) -> list[tuple[str, str]]:
    """The obstacles, each with the step ("cases", "raters" …) where it is mended."""
    found = []
    cases, arms = study.chosen_cases().count(), list(study.rated_arms())
    if not cases:
        sentence = "There is no case yet. Upload images and masks under Cases."
        found.append(("cases", sentence))
    if not arms:
        sentence = "There is no mask yet. Upload masks under Cases, or predict them."
        found.append(("predictions", sentence))
    for arm in arms:
        missing = cases - Mask.objects.filter(arm=arm, case__left_out="").count()
        if missing:
            predicted = arm.kind in (arm.Kind.MODEL, arm.Kind.TOOL)
            step = "predictions" if predicted else "cases"
            sentence = (
                f"{missing} of {cases} cases have no mask of the arm “{arm.label}”. "
                "Every case needs a mask of every arm."
            )
            found.append((step, sentence))
    if arms and study.reference_arm not in {arm.key for arm in arms}:
        sentence = (
            "No mask belongs to the arm that the others are compared with "
            f"(“{study.reference_arm}”). Choose another reference under Design and "
            "save it."
        )
        found.append(("design", sentence))
    found += [("design", sentence) for sentence in list_practice_faults(study)]
    if not study.enrolments.filter(role=Enrolment.Role.RATER).exists():
        sentence = "There is no rater yet. Add at least one under Raters."
        found.append(("raters", sentence))
    found += [("raters", sentence) for sentence in list_idle(study)]
    waiting = (Job.Status.QUEUED, Job.Status.RUNNING)
    if study.jobs.filter(kind=Job.Kind.PREDICT, status__in=waiting).exists():
        sentence = "Predictions are still running. Wait for them, or cancel."
        found.append(("predictions", sentence))
    if not study.faces:
        found.append(("lock", UNSTATED))
    last = study.audit.filter(verb="audit_blinding").last()
    if last and last.payload.get("faults"):
        found.append(("audit", LEAKS))
    return found


def list_practice_faults(study: Study) -> list[str]:
    """A sentence for each mask that practice lacks, and if it takes every case."""
    labels = dict(study.arms.values_list("key", "label"))
    found = [
        f"Practice shows the mask “{labels.get(arm, arm)}” of {case}, which is not "
        "there. Bring it in under Cases, or take that practice item out under Design."
        for case, arm in training.list_lacking(study)
    ]
    chosen = set(study.chosen_cases().values_list("label", flat=True))
    if chosen and chosen <= training.list_practised(study):
        found.append(ONLY_PRACTICE)
    return found


def list_idle(study: Study) -> list[str]:
    """A sentence for each rater whom own masks and practice leave nothing."""
    raters = study.enrolments.filter(role=Enrolment.Role.RATER)
    codes = raters.values_list("code", flat=True)
    cases = set(study.chosen_cases().values_list("label", flat=True))
    cases -= training.list_practised(study)
    return [
        f"{rater} or the same site drew a mask of every case to rate, and such cases "
        "are left out, so nothing is left. Change the rule, or remove the rater."
        for rater, own in conflicts.list_excluded(study.design, codes).items()
        if cases and cases <= set(own)
    ]
