"""The page where a study is checked, locked and opened for rating."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)
from django_htmx.http import HttpResponseClientRefresh

from ratings import (
    access,
    amending,
    audit,
    checklist,
    frozen,
    protocol,
    separating,
    sizing,
    steps,
)
from ratings.checklist import StatementRefused
from ratings.design import read_design
from ratings.meanwhile import Stale
from ratings.models import Study
from ratings.proof import auditing
from ratings.proof.twins import SOME_CASES
from ratings.protocol import ProtocolError
from ratings.signed_forms import LockForm
from ratings.steps import Facts, plural
from ratings.views import SignedInRequest
from ratings.views.meanwhile import show_stale

# Most of it goes into looking through the slices, which is done once for a mask; a
# further question is read and answered from the same look. An assumption, not measured.
SECONDS_AN_ITEM, SECONDS_A_FURTHER_QUESTION = 45, 10


@login_required
@require_http_methods(["GET", "POST"])
def show_lock(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="lock")
    if request.htmx:
        return show_separating(request, study)
    if study.state != Study.State.DRAFT:
        return show_locked(request, study)
    posted = request.POST if request.method == "POST" else None
    form = LockForm(posted, study=study, request=request, initial={"open_now": True})
    if form.is_valid() and lock(request, study, form.cleaned_data):
        return redirect("lock", study_id=study.pk)
    # Before all else that the page says: a change in between is a refusal too many,
    # never one too few.
    seen = protocol.tell_revision(study)
    facts = steps.count_facts(study)
    context = {
        "study": study,
        "form": form,
        "checks": checklist.list_checks(study, facts, request.user),
        "faces": frozen.FACES,
        "audit": checklist.describe_audit(study),
        "complete": all(step in steps.HERE for step, _ in facts.obstacles),
        "ready": not facts.obstacles,
        "seen": seen,
        "burden": describe_burden(study, facts),
        "remarks": list_remarks(facts),
        "arms": len(facts.arms),
        "separability": separating.find_audit(study),
        "separating": separating.find_job(study),
    }
    status = 422 if posted is not None else 200
    return render(request, "ratings/lock.html", context, status=status)


def show_separating(request: SignedInRequest, study: Study) -> HttpResponse:
    """How far the separability audit is; the whole page once it is over."""
    job = separating.find_job(study)
    if job is None or study.state != Study.State.DRAFT:
        return HttpResponseClientRefresh()
    context = {"study": study, "separating": job}
    return render(request, "ratings/separability_job.html", context)


def lock(request: SignedInRequest, study: Study, data: dict[str, Any]) -> bool:
    open_now = data["open_now"]
    try:
        with transaction.atomic():
            protocol.lock(
                study=study, actor=request.user, password=data["password"],
                seen=request.POST.get("seen", ""),
            )  # fmt: skip
            if open_now:
                protocol.open_study(study=study, actor=request.user)
    except ProtocolError as refusal:
        messages.error(request, str(refusal))
        study.refresh_from_db()
        return False
    opened = " and open for rating" if open_now else ""
    messages.success(request, f"The study is locked{opened}.")
    return True


def show_locked(request: SignedInRequest, study: Study) -> HttpResponse:
    if request.method == "POST":
        messages.error(request, "The study is locked already.")
        return redirect("lock", study_id=study.pk)
    entry = study.audit.filter(verb=Study.State.LOCKED).last()
    facts = steps.count_facts(study)
    context = {
        "study": study,
        "entry": entry,
        "locked_by": audit.tell_actor(entry) if entry else "",
        "report": study.allocation_report,
        "facts": facts,
        "cases": sizing.tell_cases(study),
        "rivals": len(facts.arms) > 1,
        "paired": read_design(study.design).paired,
        "burden": describe_burden(study, facts),
        "amendments": amending.list_amendments(study),
        "amendable": amending.may_amend(study),
    }
    return render(request, "ratings/locked.html", context)


def describe_burden(study: Study, facts: Facts) -> str:
    """How long it takes: "88 masks a rater (80, 8 hidden repeats) ≈ 1 h 6 min …"."""
    count = protocol.count_burden(study)
    if not count.total:
        return ""
    kinds = {
        "hidden repeat": count.repeats,
        "control": count.controls,
        "practice mask": count.calibration,
    }
    more = [plural(number, noun) for noun, number in kinds.items() if number]
    of_which = f" ({', '.join([str(count.main), *more])})" if more else ""
    text = f"{plural(count.total, 'mask')} a rater{of_which} ≈ "
    text += tell_time(count.total, further=len(study.questions) - 1)
    return text + (f"; {plural(facts.raters, 'rater')}" if facts.raters else "")


def tell_time(masks: int, *, further: int) -> str:
    """How long so many masks take, and what is assumed of each."""
    seconds = SECONDS_AN_ITEM + SECONDS_A_FURTHER_QUESTION * further
    hours, rest = divmod(round(masks * seconds / 60), 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours)
    why = f", {SECONDS_A_FURTHER_QUESTION} s of it for each further question"
    return f"{' '.join(parts)} at {seconds} s each{why if further else ''}"


def list_remarks(facts: Facts) -> list[str]:
    """What does not hinder locking but should be known before."""
    remarks = []
    if len(facts.arms) == 1:
        remarks.append(
            "All masks come from one source, so scores can be described but there "
            "will be nothing to compare."
        )
    if facts.raters == 1:
        remarks.append(
            "There is one rater, so agreement between raters can't be measured."
        )
    return remarks


@login_required
@require_POST
def state_faces(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Store the statement about faces, one of the lines of the checklist."""
    study = access.find_study(user=request.user, study_id=study_id, act="lock")
    try:
        checklist.state_faces(
            study=study, actor=request.user, answer=request.POST.get("faces", ""),
            seen=request.POST.get("seen"),
        )  # fmt: skip
    except Stale as stale:
        study.refresh_from_db()
        back = reverse("lock", args=[study.pk])
        return show_stale(
            request, study, stale, seen=study.faces, step="lock", back=back
        )
    except StatementRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The statement was stored.")
    return redirect("lock", study_id=study.pk)


@login_required
@require_POST
def audit_blinding(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Run the blinding audit now, put its outcome on record and show it."""
    study = access.find_study(user=request.user, study_id=study_id, act="lock")
    findings = auditing.audit_blinding(study)
    faults = auditing.list_faults(findings)
    audit.record(
        study=study, actor=request.user, verb="audit_blinding",
        payload={"faults": len(faults), "of": checklist.digest_draft(study)},
    )  # fmt: skip
    context = {
        "study": study,
        "findings": findings,
        "faults": faults,
        "cases": study.chosen_cases().count(),
        "some": SOME_CASES,
    }
    status = 422 if faults else 200
    return render(request, "ratings/blinding_audit.html", context, status=status)


@login_required
@require_POST
def audit_separability(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """Ask whether the look of the masks tells the arms apart; masks stay as they are.

    Only before the lock: afterwards the answer would be about a blind in use.
    """
    study = access.find_study(user=request.user, study_id=study_id, act="lock")
    if study.state != Study.State.DRAFT:
        raise Http404
    separating.request(study, user=request.user)
    audit.record(study=study, actor=request.user, verb="audit_separability", payload={})
    messages.success(request, "The separability audit was asked for.")
    return redirect("lock", study_id=study.pk)


@login_required
@require_POST
def open_study(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="lock")
    try:
        protocol.open_study(study=study, actor=request.user)
    except ProtocolError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The study is open for rating.")
    return redirect("lock", study_id=study.pk)


@login_required
@require_GET
def send_protocol(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """The protocol as it is now, in the spelling that its hash was taken of.

    `?version=1` asks for an earlier one.
    """
    study = access.find_study(user=request.user, study_id=study_id, act="lock")
    return write_protocol(study, request.GET.get("version", ""))


def write_protocol(study: Study, asked: str) -> JsonResponse:
    versions = study.protocol_versions.order_by("-number")
    if asked:
        versions = versions.filter(number=int(asked) if asked.isdecimal() else 0)
    version = versions.first()
    if version is None:
        raise Http404
    response = JsonResponse(
        version.document,
        json_dumps_params={
            "sort_keys": True, "separators": (",", ":"), "ensure_ascii": False,
        },
    )  # fmt: skip
    name = f"protocol_version_{version.number}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
