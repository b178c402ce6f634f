"""The page where a locked protocol's words are amended: a reason and a password."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ratings import access, amending
from ratings.amending import AmendmentRefused
from ratings.models import Study
from ratings.signed_forms import AmendForm
from ratings.views import SignedInRequest


@login_required
@require_http_methods(["GET", "POST"])
def amend_protocol(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="lock")
    if not amending.may_amend(study):
        messages.error(
            request, "A protocol is amended after the lock and before unblinding."
        )
        return redirect("lock", study_id=study.pk)
    posted = request.POST if request.method == "POST" else None
    last = amending.find_last(study)
    form = AmendForm(
        posted, study=study, request=request,
        initial={
            **amending.read_parts(last.document, study), "after": last.number,
        },
    )  # fmt: skip
    if form.is_valid() and amend(request, study, form):
        return redirect("lock", study_id=study.pk)
    context = {"study": study, "form": form, "number": last.number + 1}
    status = 422 if posted is not None else 200
    return render(request, "ratings/amend.html", context, status=status)


def amend(request: SignedInRequest, study: Study, form: AmendForm) -> bool:
    data = form.cleaned_data
    try:
        version = amending.amend(
            study=study, actor=request.user, password=data["password"],
            reason=data["reason"], after=data["after"],
            texts={part: data[part] for part in amending.PARTS},
        )  # fmt: skip
    except AmendmentRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, f"Version {version.number} of the protocol is on record.")
    return True
