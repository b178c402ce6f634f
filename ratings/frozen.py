"""What locking freezes: the protocol as plain JSON, built from the study as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ratings import conflicts, outdated
from ratings.allocation import VERSION
from ratings.models import Case, Enrolment, Mask, Study
from ratings.statistics.primary import CROSSED, TESTS

ANALYSIS = {
    "missing": "available scores; a missing score is never replaced, and counts as 0 "
    "nowhere",
}


EACH_QUESTION = (
    "each has its primary test and none comes before the others; the p-values of all "
    "questions and arms are corrected together (Holm), and a claim about any one "
    "question needs the corrected p"
)


# What a coordinator can state about faces; one of them must be before a signed lock.
FACES = {
    "none": "No face is in the field of view of any image",
    "removed": "Faces were in view and were removed or blurred in every image",
    "allowed": "Faces are in view, and consent or approval covers showing them to the "
    "raters",
}


def describe_protocol(study: Study) -> dict[str, Any]:
    """What locking freezes, as plain JSON; the arms appear, their masks by digest."""
    arms, cases = study.rated_arms(), study.chosen_cases()
    cases = cases.prefetch_related("companions")
    masks = Mask.objects.filter(arm__in=arms, case__left_out="").select_related(
        "case", "arm"
    )
    raters = study.enrolments.filter(role=Enrolment.Role.RATER)
    codes = sorted(raters.values_list("code", flat=True))
    told = {
        "title": study.title,
        "instructions": study.instructions,
        "scale": study.scale,
        "questions": study.questions,
        "design": study.design,
        "reference_arm": study.reference_arm,
        "analysis": describe_analysis(study.design, len(study.questions)),
        "arms": [{"key": a.key, "kind": a.kind} for a in arms.order_by("key")],
        "cases": [describe_case(case) for case in cases.order_by("label")],
        "masks": sorted([m.case.label, m.arm.key, m.sha256] for m in masks),
        "raters": codes,
        "drawing": {
            "version": VERSION,
            "excluded": conflicts.list_excluded(study.design, codes),
            "empty_cases": sorted({m.case.label for m in masks if m.voxels}),
        },
    }
    stated = {"faces": FACES[study.faces]} if study.faces else {}
    return told | stated | describe_selection(study)


def describe_analysis(design: Mapping[str, Any], questions: int) -> dict[str, Any]:
    return {
        "primary": TESTS[design.get("primary", CROSSED)].words,
        **ANALYSIS,
        **({"questions": EACH_QUESTION} if questions > 1 else {}),
        "margin": design.get("margin"),
    }


def describe_selection(study: Study) -> dict[str, Any]:
    """How the cases came to be these; studies that take all of them say nothing."""
    out = study.cases.exclude(left_out="").order_by("label")
    left_out = [list(pair) for pair in out.values_list("label", "left_out")]
    if not left_out and not study.selection:
        return {}
    told = {**study.selection, "left_out": left_out}
    if removed := outdated.list_removed(study):
        told |= {"removed": removed, "text": outdated.write_text(study)}
    return {"selection": told}


def describe_case(case: Case) -> dict[str, Any]:
    """Digests of what is shown and measured; a case names only the maps it has."""
    told = {"label": case.label, "image": case.image_sha256, "strata": case.strata}
    maps = {companion.kind: companion.sha256 for companion in case.companions.all()}
    second = maps.pop("second", "")
    return (
        told
        | ({"context": second} if second else {})
        | ({"maps": maps} if maps else {})
    )
