"""Tells the desk's viewer what there is of a case, soft maps included."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from inference.measuring import find_soft
from inference.models import Prediction
from ratings import companions, files, images, importing, measuring
from ratings.api import send_bytes
from ratings.models import Case, Companion, Mask
from ratings.views import SignedInRequest
from ratings.views.looking import find_case, find_mask

# No arm can be called so: the keys of arms don't begin with a line.
UPLOADED = "_uploaded"
METRICS = {
    "dice": "Dice", "recall": "Recall", "ppv": "PPV", "f1": "F1", "hd95": "HD95, mm"
}  # fmt: skip


@login_required
@require_GET
def describe_case(
    request: SignedInRequest, study_id: UUID, case_id: UUID
) -> JsonResponse:
    """Addresses of the image, of each arm's mask and of the soft maps."""
    case = find_case(request, study_id, case_id)
    masks = {mask.arm_id: mask for mask in case.masks.select_related("arm")}
    arms = [arm for arm in measuring.list_arms(case.study) if arm.pk in masks]
    told = tell_metrics(case)
    owned = any(companions.name_soft(mask) for mask in masks.values())
    nobodys = case.find_companion("soft") and not owned
    facts = {
        "image": reverse("masks-image", args=[study_id, case_id]),
        "reference": case.study.reference_arm,
        "metrics": list(METRICS.values()),
        "arms": [
            describe_mask(case, masks[arm.pk]) | {"metrics": told.get(arm.label, [])}
            for arm in arms
        ],
        "uploaded": name_soft(case, UPLOADED) if nobodys else "",
    }
    return JsonResponse(facts, headers={"Cache-Control": "no-store"})


def tell_metrics(case: Case) -> dict[str, list[str]]:
    """What was measured of each arm against the study's reference, as words."""
    reference = case.study.arms.filter(key=case.study.reference_arm).first()
    if reference is None:
        return {}
    rows = measuring.build_rows(case.study, reference, case=case)
    return {row.arm: [spell(getattr(row, name)) for name in METRICS] for row in rows}


def spell(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def describe_mask(case: Case, mask: Mask) -> dict[str, Any]:
    kept = Prediction.objects.filter(mask=mask).exclude(result=None)
    predicted = kept.exclude(result__soft_path="").exists()
    uploaded = UPLOADED if companions.name_soft(mask) else ""
    soft = mask.arm.key if predicted else uploaded
    return {
        "key": mask.arm.key,
        "label": mask.arm.label,
        "mm3": mask.volume_mm3,
        "mask": reverse("masks-mask", args=[case.study_id, case.pk, mask.arm.key]),
        "soft": name_soft(case, soft) if soft else "",
    }


def name_soft(case: Case, key: str) -> str:
    return reverse("masks-soft", args=[case.study_id, case.pk, key])


@login_required
@require_GET
def send_soft(
    request: SignedInRequest, study_id: UUID, case_id: UUID, key: str
) -> HttpResponse:
    """A soft map in the layout of a canonical image, 0 to 1 in each voxel."""
    case = find_case(request, study_id, case_id)
    if key == UPLOADED:
        return send_bytes(read_uploaded(case.find_companion("soft")))
    soft = find_soft(find_mask(case, key))
    if soft is None:
        raise Http404
    grid = importing.find_grid(case)
    volume = images.Volume(soft.astype(np.float32), grid, "RAS", ())
    return send_bytes(images.encode_image(volume))


def read_uploaded(companion: Companion | None) -> bytes:
    if companion is None:
        raise Http404
    return files.locate(companion.path).read_bytes()
