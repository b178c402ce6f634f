"""The page where it is said who drew the masks, and what follows for raters."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ratings import access, conflicts
from ratings.conflict_forms import ConflictForm
from ratings.conflicts import ConflictRefused
from ratings.models import Study
from ratings.views import SignedInRequest


@login_required
@require_http_methods(["GET", "POST"])
def edit_conflicts(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    if study.state != Study.State.DRAFT:
        messages.error(request, "The study is locked, so who drew what is fixed.")
        return redirect("raters", study_id=study.pk)
    form = ConflictForm(request.POST or None, study=study)
    if request.method == "POST" and form.is_valid():
        save(request, study, form)
        return redirect("conflicts", study_id=study.pk)
    touched = conflicts.list_touched(study.design, [r.code for r in form.raters])
    context = {
        "study": study,
        "form": form,
        "rule": conflicts.read_rule(study.design),
        "touched": touched,
    }
    status = 422 if form.errors else 200
    return render(request, "ratings/conflicts.html", context, status=status)


def save(request: SignedInRequest, study: Study, form: ConflictForm) -> None:
    try:
        changed = conflicts.change_conflicts(
            study=study, actor=request.user, rule=form.cleaned_data["conflict"],
            sites=form.read_sites(), authors=form.read_authors(),
        )  # fmt: skip
    except ConflictRefused as refusal:
        messages.error(request, str(refusal))
        return
    said = "Saved." if changed else "Nothing differed, nothing changed."
    messages.success(request, said)
