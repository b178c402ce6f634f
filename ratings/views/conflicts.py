"""The page where it is said who drew the masks, and what follows for raters."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ratings import access, audit, conflicts
from ratings.conflict_forms import ConflictForm
from ratings.conflicts import ConflictRefused, ConflictStale
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
    stale = None
    if request.method == "POST" and form.is_valid():
        stale = save(request, study, form)
        if stale is None:
            return redirect("conflicts", study_id=study.pk)
        study.refresh_from_db()
    touched = conflicts.list_touched(study.design, [r.code for r in form.raters])
    context = {
        "study": study,
        "form": form,
        "stale": stale,
        "seen": audit.digest(conflicts.read_entries(study.design)),
        "rule": conflicts.read_rule(study.design),
        "touched": touched,
    }
    status = 409 if stale else 422 if form.errors else 200
    return render(request, "ratings/conflicts.html", context, status=status)


def save(
    request: SignedInRequest, study: Study, form: ConflictForm
) -> ConflictStale | None:
    """Store the entries, unless somebody else stored others since the page opened."""
    try:
        changed = conflicts.change_conflicts(
            study=study, actor=request.user, rule=form.cleaned_data["conflict"],
            sites=form.read_sites(), authors=form.read_authors(),
            seen=request.POST.get("seen"),
        )  # fmt: skip
    except ConflictStale as stale:
        return stale
    except ConflictRefused as refusal:
        messages.error(request, str(refusal))
        return None
    said = "Saved." if changed else "Nothing differed, nothing changed."
    messages.success(request, said)
    return None
