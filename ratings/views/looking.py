"""The viewer of a case's masks and the wall of all cases, for the desk alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from ratings import access, audit, files, looking, measuring, pictures
from ratings.api import send_bytes
from ratings.models import Arm, Case, Mask, Study
from ratings.views import SignedInRequest
from ratings.views.comparison import find_open, show_sealed
from ratings.views.uploads import send_picture


def find_case(request: SignedInRequest, study_id: UUID, case_id: UUID) -> Case:
    """The case, where the desk may see its masks by arm; else 404."""
    study = find_open(request, study_id)
    cases = study.compared_cases().select_related("study")
    return get_object_or_404(cases, pk=case_id)


def find_mask(case: Case, key: str) -> Mask:
    masks = Mask.objects.filter(case=case, arm__in=case.study.rated_arms())
    return get_object_or_404(masks, arm__key=key)


@login_required
@require_GET
def show_masks(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """All cases with one arm's masks, filtered and in order."""
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    if not measuring.may_show(study):
        return show_sealed(request, study)
    arms = measuring.list_arms(study)
    context: dict[str, Any] = {"study": study, "arms": arms}
    if arms:
        context |= choose(request, study, arms)
    audit.note_access(study=study, actor=request.user, verb="view_masks", payload={})
    return render(request, "ratings/masks/wall.html", context)


def choose(request: SignedInRequest, study: Study, arms: list[Arm]) -> dict[str, Any]:
    """What the address asks for; names that are unknown are not taken."""
    keys = {arm.key: arm for arm in arms}
    # A prediction is what one comes to see; the reference stands in the viewer.
    arm = keys.get(request.GET.get("arm", ""), arms[min(1, len(arms) - 1)])
    asked = request.GET.get("order", "")
    orders = [o for o in looking.ORDERS if is_ordering(o[0], study, arm)]
    order = asked if asked in [o[0] for o in orders] else "case"
    choices = looking.list_choices(study)
    chosen = {
        name: value
        for name, values in choices.items()
        if (value := request.GET.get(name, "")) in values
    }
    tiles = looking.list_tiles(study, arm, order=order, chosen=chosen)
    return {
        "arm": arm, "order": order, "orders": orders, "tiles": tiles,
        "total": study.compared_cases().count(),
        "filters": [(n, v, chosen.get(n, "")) for n, v in choices.items()],
    }  # fmt: skip


def is_ordering(order: str, study: Study, arm: Arm) -> bool:
    """Metrics need a reference, which has none against itself."""
    reference = study.arms.filter(key=study.reference_arm, masks__isnull=False)
    return order in ("case", "volume") or (
        reference.exists() and arm.key != study.reference_arm
    )


@login_required
@require_GET
def show_viewer(
    request: SignedInRequest, study_id: UUID, case_id: UUID
) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    if not measuring.may_show(study):
        return show_sealed(request, study)
    case = find_case(request, study_id, case_id)
    audit.note_access(
        study=case.study, actor=request.user, verb="view_masks",
        payload={"case": case.label},
    )  # fmt: skip
    before, after = looking.find_neighbours(case.study, case)
    context = {"study": case.study, "case": case, "before": before, "after": after}
    return render(request, "ratings/masks/viewer.html", context)


@login_required
@require_GET
def send_image(request: SignedInRequest, study_id: UUID, case_id: UUID) -> HttpResponse:
    case = find_case(request, study_id, case_id)
    return send_bytes(files.locate(case.image_path).read_bytes())


@login_required
@require_GET
def send_mask(
    request: SignedInRequest, study_id: UUID, case_id: UUID, key: str
) -> HttpResponse:
    mask = find_mask(find_case(request, study_id, case_id), key)
    return send_bytes(files.locate(mask.path).read_bytes())


@login_required
@require_GET
def send_tile(
    request: SignedInRequest, study_id: UUID, case_id: UUID, key: str
) -> HttpResponse:
    """The slice with most of the mask, its outline drawn."""
    mask = find_mask(find_case(request, study_id, case_id), key)
    try:
        return send_picture(pictures.show_outline(mask))
    except FileNotFoundError as error:
        raise Http404 from error
