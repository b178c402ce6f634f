"""Measures the arms' masks of a study against a reference arm, and keeps the numbers.

Only the desk may see them, and only when no rater's blind can depend on it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratings import files, images, jobs, sweeping
from ratings.models import Arm, Case, Enrolment, Job, Mask, MaskComparison, Study
from ratings.statistics.mask_tables import MaskRow
from ratings.statistics.segmentation import (
    PUBLISHED,
    RULES,
    compare_masks,
    partial_volume,
)
from ratings.statistics.sheets import Sheet
from ratings.statistics.test_set import (
    NOT_GIVEN,
    CaseFacts,
    find_plane,
    table_test_set,
)
from ratings.sweeping import Maps

SCHEMA = "3"
FindMaps = Callable[[Mask], Maps]
PARTICIPANT = re.compile(r"(?:^|[/_])(sub-[A-Za-z0-9]+)")


def may_show(study: Study) -> bool:
    """Whether the desk may see how the arms differ: unblinded, or nobody rates."""
    if study.state == Study.State.UNBLINDED:
        return True
    return not study.enrolments.filter(role=Enrolment.Role.RATER).exists()


def list_arms(study: Study) -> list[Arm]:
    """The arms that have masks of chosen cases, the study's reference first."""
    arms = [
        arm
        for arm in study.rated_arms()
        if arm.masks.filter(case__left_out="").exists()
    ]
    return sorted(arms, key=lambda arm: arm.key != study.reference_arm)


def list_pairs(
    study: Study, reference: Arm, case: Case | None = None
) -> list[tuple[Mask, Mask]]:
    """Each mask of another arm with the reference mask of its case, if it is chosen."""
    found = Mask.objects.filter(case=case) if case else Mask.objects
    masks = (
        found.filter(
            arm__in=study.rated_arms(), case__withdrawal=None, case__left_out=""
        )
        .select_related("case__study", "arm")
        .prefetch_related("case__companions", "case__masks__arm")
        .order_by("case__label", "arm_id")
    )
    truth = {mask.case_id: mask for mask in masks if mask.arm_id == reference.pk}
    return [
        (truth[mask.case_id], mask)
        for mask in masks
        if mask.arm_id != reference.pk and mask.case_id in truth
    ]


def make_key(truth: Mask, mask: Mask) -> str:
    further = sweeping.name_companions(mask)
    text = "/".join((SCHEMA, truth.sha256, mask.sha256, further))
    return hashlib.sha256(text.encode()).hexdigest()


def find_kept(
    study: Study, reference: Arm, case: Case | None = None
) -> dict[tuple[Any, int], MaskComparison]:
    """What is kept, by case and arm, whether or not it is of the masks of today."""
    kept = MaskComparison.objects.filter(case__study=study, reference=reference)
    kept = kept.filter(case=case) if case else kept
    kept = kept.select_related("arm", "case")
    return {(one.case_id, one.arm_id): one for one in kept}


def list_missing(study: Study, reference: Arm) -> list[tuple[Mask, Mask]]:
    """The pairs that nobody measured yet as they are."""
    kept = find_kept(study, reference)
    return [
        (truth, mask)
        for truth, mask in list_pairs(study, reference)
        if (one := kept.get((mask.case_id, mask.arm_id))) is None
        or one.key != make_key(truth, mask)
    ]


def request(study: Study, reference: Arm) -> Job:
    """The job that measures the study: the one under way, else a new one."""
    under_way = study.jobs.filter(
        kind=Job.Kind.MEASURE,
        status__in=(Job.Status.QUEUED, Job.Status.RUNNING),
        payload__reference=reference.key,
    ).first()
    return under_way or jobs.submit(
        kind=Job.Kind.MEASURE,
        payload={"study": str(study.pk), "reference": reference.key},
        study=study,
    )


def run(
    job: Job,
    *,
    report: Callable[[float, str], None],
    cancelled: Callable[[], bool],
    find_maps: FindMaps,
) -> None:
    """The job kind "measure": what is missing, pair by pair; each is kept at once."""
    study = Study.objects.get(pk=job.payload["study"])
    reference = study.arms.filter(key=job.payload["reference"]).first()
    if reference is None:
        raise jobs.JobFailed(
            "The arm to compare with is no longer in the study. Choose another."
        )
    missing = list_missing(study, reference)
    for number, (truth, mask) in enumerate(missing):
        if cancelled():
            raise jobs.LeaseLost(str(job.pk))
        case = mask.case.label
        report(number / len(missing), f"Measuring {case}, {mask.arm.label}")
        maps = sweeping.with_uploaded(mask, find_maps(mask))
        results = measure(truth, mask, maps=maps)
        MaskComparison.objects.update_or_create(
            case=mask.case, arm=mask.arm, reference=reference,
            defaults={"key": make_key(truth, mask), "results": results},
        )  # fmt: skip


def read_mask(mask: Mask) -> tuple[NDArray[np.bool_], images.Grid]:
    return images.decode_mask(files.locate(mask.path).read_bytes())


def measure(truth: Mask, mask: Mask, *, maps: Maps) -> dict[str, Any]:
    """Every number of one pair, as plain JSON."""
    from ratings.statistics.surface import measure_surface

    reference, grid = read_mask(truth)
    prediction, _ = read_mask(mask)
    results: dict[str, Any] = {"rules": {}}
    levels = sweeping.read_levels(mask.case)
    for rule in RULES:
        told = compare_masks(
            reference=reference, prediction=prediction, spacing=grid.zooms, rule=rule,
            levels=levels,
        )  # fmt: skip
        results["rules"][rule.name] = asdict(told)
    surface = measure_surface(
        reference=reference, prediction=prediction, spacing=grid.zooms
    )
    results["surface"] = asdict(surface)
    results["soft_mm3"] = (
        None if maps.soft is None else partial_volume(maps.soft, spacing=grid.zooms)
    )
    results["robustness"] = sweeping.measure(
        case=mask.case, reference=reference, prediction=prediction,
        spacing=grid.zooms, maps=maps,
    )  # fmt: skip
    return results


def list_measured(
    study: Study, reference: Arm
) -> list[tuple[Mask, Mask, MaskComparison]]:
    """Each pair with what is kept of it, where that is of the masks as they are."""
    kept = find_kept(study, reference)
    pairs = list_pairs(study, reference)
    found = ((t, m, kept.get((m.case_id, m.arm_id))) for t, m in pairs)
    return [(t, m, one) for t, m, one in found if one and one.key == make_key(t, m)]


def list_current(study: Study, reference: Arm) -> list[MaskComparison]:
    """What is kept of the masks as they are."""
    return [one for _, _, one in list_measured(study, reference)]


def find_coarser_job(study: Study) -> Job | None:
    """The last job that predicted from coarser images, whatever became of it."""
    asked = study.jobs.filter(kind=Job.Kind.MEASURE, payload__has_key="resolutions")
    return asked.order_by("-created_at").first()


def request_coarser(study: Study, reference: Arm) -> Job:
    """The job that predicts from coarser images: the one under way, else a new one."""
    last = find_coarser_job(study)
    if last and last.status in (Job.Status.QUEUED, Job.Status.RUNNING):
        return last
    return jobs.submit(
        kind=Job.Kind.MEASURE,
        payload={"study": str(study.pk), "resolutions": reference.key},
        study=study,
    )


def build_rows(
    study: Study,
    reference: Arm,
    *,
    rule: str = PUBLISHED.name,
    case: Case | None = None,
) -> list[MaskRow]:
    """What is kept of the masks as they are, one row a case and arm."""
    kept = find_kept(study, reference, case)
    rows = []
    for truth, mask in list_pairs(study, reference, case):
        one = kept.get((mask.case_id, mask.arm_id))
        if one is not None and one.key == make_key(truth, mask):
            rows.append(make_row(mask, one.results, rule))
    return rows


NAMES = {field.name for field in fields(MaskRow)}


def make_row(mask: Mask, results: dict[str, Any], rule: str) -> MaskRow:
    told = {k: v for k, v in results["rules"][rule].items() if k in NAMES}
    return MaskRow(
        **told,
        case=mask.case.label,
        arm=mask.arm.label,
        strata=mask.case.strata,
        hd95=results["surface"]["hd95"],
        average_distance=results["surface"]["average"],
        soft_mm3=results["soft_mm3"],
    )


def describe_cases(study: Study) -> list[CaseFacts]:
    """The facts of the test set's table, of each case that is compared."""
    return [describe_case(case) for case in study.compared_cases().order_by("label")]


def tell_absent(study: Study) -> str:
    """How many cases are no part of the test set and by which rule; "" if all are."""
    out = study.cases.exclude(left_out="").values_list("left_out", flat=True)
    counts = sorted(Counter(out).items())
    if withdrawn := study.chosen_cases().exclude(withdrawal=None).count():
        counts.append(("withdrawn", withdrawn))
    if not counts:
        return ""
    listed = "; ".join(f"{why}, {n}" for why, n in counts)
    total = sum(n for _, n in counts)
    return f"Of {study.cases.count()} cases {total} are not counted ({listed})."


def lay_out_test_set(study: Study) -> Sheet:
    """Table 1, with a note on the cases that are not in it."""
    return table_test_set(describe_cases(study), absent=tell_absent(study))


def describe_case(case: Case) -> CaseFacts:
    told, (x, y, z) = case.strata, case.geometry["zooms"]
    named = PARTICIPANT.search(case.source_name)
    return CaseFacts(
        case=case.label,
        zooms=(x, y, z),
        participant=told.get("participant")
        or case.subject
        or (named.group(1) if named else ""),
        acquisition=told.get("acquisition") or find_plane((x, y, z)),
        orientation=case.geometry.get("stored_as") or NOT_GIVEN,
        **dict(list_given(told)),
    )


def list_given(strata: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name in ("site", "field_strength", "contrast"):
        if strata.get(name):
            yield name, strata[name]
