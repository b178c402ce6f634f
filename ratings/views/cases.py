"""The page of the cases: what was uploaded, how it pairs, and what was imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from ratings import (
    access,
    committing,
    companions,
    filenames,
    images,
    pictures,
    refused_rows,
    removal,
    repeats,
    selecting,
    strata,
    transfers,
)
from ratings.importing import ImportRefused
from ratings.meanwhile import Stale
from ratings.models import Case, Companion, Mask, Study
from ratings.pairing import Pair
from ratings.removal import RemovalRefused
from ratings.steps import plural
from ratings.views import SignedInRequest
from ratings.views.meanwhile import show_stale
from ratings.views.preview import is_id, list_uploads, read_pairs
from ratings.views.uploads import UploadRefused, check_file, send_picture


@dataclass(frozen=True)
class CaseRow:
    """One imported case, its masks in the order of the arms, and what was noticed."""

    case: Case
    masks: tuple[Mask | None, ...]
    warnings: tuple[str, ...]


@login_required
@require_GET
def show_cases(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    return render_page(request, study)


def render_page(
    request: SignedInRequest,
    study: Study,
    *,
    chosen: list[Pair] | None = None,
    refusal: ImportRefused | None = None,
    good: bool = False,
) -> HttpResponse:
    draft = study.state == Study.State.DRAFT
    context = {
        "study": study,
        "draft": draft,
        "faults": refusal.faults if refusal else [],
        "some_good": good,
        "limit": settings.UPLOAD_LIMIT_BYTES,
        "companion_kinds": Companion.Kind.choices,
        "contrasts": sorted(set(filenames.CONTRASTS.values())),
        "strata": strata.list_names(study) if draft else [],
        "seen": strata.find_seen(study),
        **list_imported(study),
        **(
            list_uploads(study, chosen, refusal.rows if refusal else {})
            if draft
            else {}
        ),
        "unfinished": (unfinished := transfers.list_unfinished(study) if draft else []),
        # what a colleague is sending just now is not let go of with all the rest
        "idle": [
            row
            for row in unfinished
            if not row.busy or row.transfer.user_id == request.user.pk
        ],
    }
    status = 422 if refusal else 200
    return render(request, "ratings/cases.html", context, status=status)


def list_imported(study: Study) -> dict[str, Any]:
    arms = list(study.rated_arms())
    rows = []
    cases = list(study.cases.prefetch_related("masks__arm", "companions"))
    twins = repeats.list_twins(cases)
    for case in cases:
        by_arm = {mask.arm_id: mask for mask in case.masks.all()}
        masks = tuple(by_arm.get(arm.pk) for arm in arms)
        told = explain_warnings(case, masks, twins.get(case.label, []))
        rows.append(CaseRow(case, masks, told))
    counts = [sum(row.masks[i] is not None for row in rows) for i in range(len(arms))]
    return {
        "arms": list(zip(arms, counts, strict=True)),
        "rows": rows,
        "left_out": sum(bool(case.left_out) for case in cases),
        "companions": [one for case in cases for one in case.companions.all()],
    }


def explain_warnings(
    case: Case, masks: tuple[Mask | None, ...], twins: list[str]
) -> tuple[str, ...]:
    """Sentences for what was noticed; a mere change of axis order needs none."""
    same = [f"The same image as {' and '.join(twins)}."] if twins else []
    # what the case repeats is seen anew, as that may have been removed since
    found = [("", code) for code in case.warnings if code != repeats.CODE]
    for mask in masks:
        if mask:
            found += [(f"{mask.arm.label}: ", code) for code in mask.warnings]
    return *same, *(
        start + images.WARNINGS[code] for start, code in found if code != "reordered"
    )


@login_required
@require_POST
def import_cases(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    rows, good_only = read_pairs(request.POST), "good" in request.POST
    # a case without a new mask is passed by
    pairs = [pair for pair in rows if pair.image or pair.masks]
    standing = refused_rows.list_faults(study)
    try:
        outcome = committing.commit_pairs(
            study=study, user=request.user, pairs=pairs, good_only=good_only,
            names_confirmed="names_confirmed" in request.POST, standing=standing,
        )  # fmt: skip
    except ImportRefused as refusal:
        return render_page(
            request, study, chosen=rows, refusal=refusal,
            good=len(pairs) > len(refusal.rows),
        )  # fmt: skip
    left = len(pairs) - len(outcome.cases) + len(standing)
    messages.success(request, describe_import(outcome.pairs, study.keep_originals))
    if any(case.left_out == selecting.AFTER_DRAW for case in outcome.cases):
        messages.warning(request, f"{LATE} Draw again, or take them in by hand.")
    if left:
        messages.warning(
            request, f"{plural(left, 'row')} with a fault stayed in the list."
        )
    return redirect("cases", study_id=study.pk)


LATE = "The cases were drawn before this import, so new ones are left out for now."


def describe_import(pairs: Sequence[Pair], kept: bool) -> str:
    new = [pair for pair in pairs if pair.image]
    masks = sum(len(pair.masks) for pair in pairs)
    if not new:
        cases = plural(len(pairs), "case")
        made = f"{plural(masks, 'mask')} added to {cases}."
    else:
        made = f"{plural(len(new), 'case')} imported with {plural(masks, 'mask')}."
    return f"{made} {ALSO_KEPT if kept else DELETED}"


DELETED = "The uploaded files were deleted; the study keeps its own copies."
ALSO_KEPT = "The uploaded files are kept as well: see the page of the originals."


@login_required
@require_GET
def show_picture(
    request: SignedInRequest, study_id: UUID, case_id: UUID
) -> HttpResponse:
    """A slice with the masks of all arms: who rates must never get this."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    case = study.cases.filter(id=case_id).first()
    if case is None:
        raise Http404
    return draw_case(study, case)


def draw_case(study: Study, case: Case) -> HttpResponse:
    by_arm = {mask.arm_id: mask for mask in case.masks.all()}
    masks = [by_arm.get(arm.pk) for arm in study.rated_arms()]
    return send_picture(pictures.show_case(case, masks))


@login_required
@require_POST
def remove_cases(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    ids = [UUID(value) for value in request.POST.getlist("case") if is_id(value)]
    try:
        count = removal.remove_cases(study=study, actor=request.user, ids=ids)
    except RemovalRefused as refusal:
        messages.error(request, str(refusal))
    else:
        if count:
            messages.success(request, f"{plural(count, 'case')} removed.")
        else:
            messages.error(request, "No case was marked, so none was removed.")
    return redirect("cases", study_id=study.pk)


@login_required
@require_POST
def change_stratum(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Say of the marked cases what contrast, site or the like they are of."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    name, value = request.POST.get("stratum", ""), request.POST.get("value", "")
    ids = [UUID(one) for one in request.POST.getlist("case") if is_id(one)]
    seen = request.POST.get("seen", "")
    try:
        changed = strata.change_stratum(
            study=study, actor=request.user, name=name, value=value, ids=ids,
            seen=int(seen) if seen.isdigit() and len(seen) < 10 else None,
        )  # fmt: skip
    except Stale as stale:
        return show_stale(
            request, study, stale, seen=str(strata.find_seen(study)), step="cases",
            back=reverse("cases", args=[study.pk]),
        )  # fmt: skip
    except ImportRefused as refusal:
        messages.error(request, str(refusal))
    else:
        told = strata.tell_change(name=name, value=value, labels=changed)
        messages.success(request, told)
        if gone := len(set(ids)) - len(changed):
            sentence = f"{plural(gone, 'marked case')} had been removed meanwhile."
            messages.warning(request, sentence)
    return redirect("cases", study_id=study.pk)


@login_required
@require_POST
def change_companion(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Add or take away the second series or another map of one case."""
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    chosen, kind = request.POST.get("case", ""), request.POST.get("kind", "second")
    case_id = UUID(chosen) if is_id(chosen) else UUID(int=0)
    word = dict(Companion.Kind.choices).get(kind)
    try:
        if word is None:
            raise ImportRefused(["Choose what the file is: a second series or a map."])
        if "remove" in request.POST:
            case = companions.remove_companion(
                study=study, user=request.user, case_id=case_id, kind=kind
            )
            messages.success(request, f"{case.label} has no {word} now.")
        else:
            file = check_file(study, request.FILES.get("file"))
            made = companions.replace_companion(
                study=study, user=request.user, case_id=case_id, kind=kind,
                name=file.name or "", chunks=file.chunks(),
            )  # fmt: skip
            text = f"{made.source_name} is the {word} of {made.case.label}."
            messages.success(request, text)
    except (ImportRefused, UploadRefused) as refusal:
        messages.error(request, str(refusal))
    return redirect("cases", study_id=study.pk)


@login_required
@require_POST
def remove_arm(request: SignedInRequest, study_id: UUID, key: str) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    try:
        arm = removal.remove_arm(study=study, actor=request.user, key=key)
    except RemovalRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"All masks of “{arm.label}” were removed.")
    return redirect("cases", study_id=study.pk)
