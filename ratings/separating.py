"""The separability audit: could raters tell the arms by the look of their masks?

It reads masks and changes none; it is kept by the digests of the masks, frozen with
the protocol, and stands beside the blinding index when the study is unblinded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User

from ratings import companions, jobs
from ratings.measuring import list_arms, list_pairs, read_mask
from ratings.models import Arm, Job, Mask, SeparabilityAudit, Study

SCHEMA = "1"


def make_key(study: Study) -> str:
    """Names the masks that an audit is of, whatever their order."""
    chosen = Mask.objects.filter(arm__in=study.rated_arms(), case__left_out="")
    masks = chosen.select_related("arm")
    lines = sorted(f"{m.case_id}/{m.arm.key}/{m.sha256}" for m in masks)
    text = "\n".join([SCHEMA, study.reference_arm, *lines])
    return hashlib.sha256(text.encode()).hexdigest()


def find_audit(study: Study) -> SeparabilityAudit | None:
    """The audit of the masks as they are, if there is one."""
    return study.separability_audits.filter(key=make_key(study)).first()


def request(study: Study, *, user: User) -> Job:
    """The job that audits the study: the one under way, else a new one."""
    return find_job(study) or jobs.submit(
        kind=Job.Kind.MEASURE,
        payload={"study": str(study.pk), "separability": True, "by": user.pk},
        study=study,
    )


def find_job(study: Study) -> Job | None:
    return study.jobs.filter(
        kind=Job.Kind.MEASURE,
        payload__separability=True,
        status__in=(Job.Status.QUEUED, Job.Status.RUNNING),
    ).first()


def audit(
    study: Study,
    *,
    by: User | None,
    report: Callable[[float, str], None] = lambda *_: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> SeparabilityAudit:
    """Compare every arm with the reference and keep the outcome.

    Raises jobs.JobFailed without two arms, jobs.LeaseLost when cancelled.
    """
    arms = list_arms(study)
    if len(arms) < 2 or arms[0].key != study.reference_arm:
        raise jobs.JobFailed(
            "The audit compares the masks of two arms, one of them the reference: "
            "upload or predict the masks first."
        )
    features: dict[tuple[Any, int], dict[str, float]] = {}
    pairs = list_pairs(study, arms[0])
    for number, (truth, mask) in enumerate(pairs):
        if cancelled():
            raise jobs.LeaseLost(str(study.pk))
        report(number / len(pairs), f"Looking at the masks of {mask.case.label}")
        for one in (truth, mask):
            if (one.case_id, one.arm_id) not in features:
                features[one.case_id, one.arm_id] = describe(one)
    results = [separate_arm(study, arm, arms[0], pairs, features) for arm in arms[1:]]
    kept, _ = SeparabilityAudit.objects.update_or_create(
        study=study, key=make_key(study),
        defaults={"results": {"arms": results}, "by": by},
    )  # fmt: skip
    return kept


def describe(mask: Mask) -> dict[str, float]:
    from ratings.statistics.mask_features import describe_mask

    voxels, grid = read_mask(mask)
    cord = companions.read_cord(mask.case)
    return describe_mask(voxels, spacing=grid.zooms, cord=cord)


def separate_arm(
    study: Study,
    arm: Arm,
    reference: Arm,
    pairs: list[tuple[Mask, Mask]],
    features: dict[tuple[Any, int], dict[str, float]],
) -> dict[str, Any]:
    # Here and not above: whoever only locks a study needs no SciPy.
    from ratings.results import make_seed
    from ratings.statistics.result import plain
    from ratings.statistics.separability import separate

    own = [
        (features[mask.case_id, arm.pk], features[mask.case_id, reference.pk])
        for _, mask in pairs
        if mask.arm_id == arm.pk
    ]
    told = separate(
        arm=arm.label, reference=reference.label, features=own,
        seed=make_seed(study.pk),
    )  # fmt: skip
    return {**plain(told), "sentence": told.sentence}


def freeze(study: Study) -> dict[str, Any]:
    """What the protocol keeps of the audit; nothing where none was made."""
    found = find_audit(study)
    if found is None:
        return {}
    return {"separability": {"masks": found.key, **found.results}}


def run_job(
    job: Job, *, report: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> None:
    study = Study.objects.get(pk=job.payload["study"])
    by = User.objects.filter(pk=job.payload.get("by")).first()
    audit(study, by=by, report=report, cancelled=cancelled)
