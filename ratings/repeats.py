"""Says which image is the same as another file that waits, or as a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ratings.models import Case, Study, Upload
from ratings.pairing import Pair

CODE = "duplicate_image"
ADVICE = "Leave it out, unless it is to be rated twice"


def note_repeats(
    study: Study, uploads: Iterable[Upload], pairs: Sequence[Pair] = ()
) -> None:
    """Add to each image's verdict, as it is shown now, what it is the same as.

    Nothing is saved: what it repeats may be gone before the import, which looks again.
    """
    images = [one for one in uploads if one.kind == Upload.Kind.IMAGE]
    if not images:
        return
    digests = {one.facts["sha256"] for one in images}
    cases, first = find_cases(study, digests), find_first(study, digests)
    masks = find_masks(study) if cases and pairs else {}
    chosen = {
        pair.image: {arm: masks.get(pk, "") for arm, pk in pair.masks.items()}
        for pair in pairs
    }
    for one in images:
        digest = one.facts["sha256"]
        other = first.get(digest, one)
        if twin := cases.get(digest):
            told = describe_case(one, twin, chosen.get(str(one.pk), {}))
        elif other.pk != one.pk:
            told = f"the same image as {other.name}, which waits too. {ADVICE}."
        else:
            continue
        one.verdict = add_remark(one.verdict, told)


def find_cases(study: Study, digests: set[str]) -> dict[str, Case]:
    """By digest the first case with that image."""
    found = study.cases.filter(image_sha256__in=digests).order_by("-label")
    found = found.prefetch_related("masks__arm")
    return {case.image_sha256: case for case in found}


def find_masks(study: Study) -> dict[str, str]:
    """The digest of each waiting mask by its id."""
    waiting = study.uploads.filter(kind=Upload.Kind.MASK)
    return {str(pk): sha for pk, sha in waiting.values_list("pk", "facts__sha256")}


def find_first(study: Study, digests: set[str]) -> dict[str, Upload]:
    """By digest the first waiting file with that image, in the order of the list."""
    waiting = study.uploads.filter(
        kind=Upload.Kind.IMAGE, facts__sha256__in=list(digests)
    )
    found = waiting.order_by("-name", "-created_at", "-pk")
    return {one.facts["sha256"]: one for one in found}


def describe_case(image: Upload, case: Case, masks: dict[str, str]) -> str:
    """With the digests of the row's masks by arm: the case may have those too."""
    told = f"the same image as case {case.label} ({case.source_name})"
    known = {mask.arm.key: mask.sha256 for mask in case.masks.all()}
    if masks and masks.items() <= known.items():
        return f"{told}, with the same masks. {ADVICE}."
    return (
        f"{told}. {ADVICE}: masks of a new source are then offered for {case.label}, "
        "and to replace one, remove that case first."
    )


def add_remark(verdict: dict[str, object], told: str) -> dict[str, object]:
    """The verdict with one more warning; what was said of the file comes first."""
    warnings = [*list_warnings(verdict), CODE]
    if verdict["verdict"] == "warn":
        message = f"{verdict['message']} It is {told}"
        return verdict | {"message": message, "warnings": warnings}
    return verdict | {
        "verdict": "warn", "code": CODE, "warnings": warnings,
        "message": f"{verdict['file']}: {told}",
    }  # fmt: skip


def list_warnings(verdict: dict[str, object]) -> list[str]:
    told = verdict.get("warnings")
    return list(told) if isinstance(told, list) else []


def list_twins(cases: Iterable[Case]) -> dict[str, list[str]]:
    """By label of a case the labels of the others with the same image."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for case in cases:
        alike[case.image_sha256].append(case.label)
    return {
        label: [other for other in labels if other != label]
        for labels in alike.values()
        for label in labels
        if len(labels) > 1
    }
