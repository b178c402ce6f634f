"""What a coordinator does from the monitor: answer a rater, take the conduct along."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from ratings import access, asking, audit, conducting
from ratings.asking import AskingRefused
from ratings.models import Study
from ratings.rater_forms import AnswerForm
from ratings.views import SignedInRequest
from ratings.views.monitoring import describe


@login_required
@require_POST
def answer_rater(
    request: SignedInRequest, study_id: UUID, question_id: int
) -> HttpResponse:
    """Send an answer; one that is refused stays in its field with the reason."""
    study = access.find_study(user=request.user, study_id=study_id, act="monitor")
    asked = get_object_or_404(asking.of_study(study), pk=question_id)
    code = asked.presentation.session.enrolment.code
    form = AnswerForm(request.POST)
    if form.is_valid():
        try:
            asking.reply(asked=asked, actor=request.user, **form.cleaned_data)
        except AskingRefused as refusal:
            form.add_error("text", str(refusal))
        else:
            messages.success(request, f"{code} can read your answer now.")
            return redirect(f"{reverse('monitor', args=[study.pk])}#words")
    # the field may be far below a long table of raters
    messages.error(
        request, f"Your answer to {code} was not sent: see why at its field."
    )
    context = describe(study) | {"refused": asked.pk, "answer": form}
    return render(request, "ratings/monitor.html", context, status=422)


@login_required
@never_cache
@require_GET
def send_conduct(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="monitor")
    if study.state == Study.State.DRAFT:
        raise Http404
    return take_conduct(study, request.user)


def take_conduct(study: Study, actor: User) -> HttpResponse:
    """The table as a file; whoever took it stands in the chain of access."""
    audit.note_access(study=study, actor=actor, verb="export_conduct", payload={})
    table = conducting.write_csv(study)
    response = HttpResponse(table, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="conduct.csv"'
    return response
