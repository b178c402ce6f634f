"""The page where the cases that are rated are chosen: filters, draw, by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ratings import access, outdated, selecting
from ratings.choosing_forms import DrawForm, FilterForm, Sight
from ratings.crossing import NOT_GIVEN
from ratings.models import Case, Study
from ratings.sampling import Candidate
from ratings.selecting import SelectionRefused
from ratings.steps import plural
from ratings.views import SignedInRequest
from ratings.views.cases import list_imported
from ratings.views.preview import is_id


@dataclass(frozen=True)
class ChoiceRow:
    """One case of the pool with the volumes of its masks, in the order of the arms."""

    case: Case
    strata: tuple[tuple[str, str], ...]
    volumes: tuple[float | None, ...]
    warnings: tuple[str, ...]


@login_required
@require_http_methods(["GET", "POST"])
def choose_cases(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="edit")
    form = None
    if request.method == "POST":
        if request.POST.get("act") != "draw":
            return choose_by_hand(request, study)
        form = make_form(study, request.POST)
        try:
            if form.is_valid() and draw(request, study, form):
                return redirect("choose", study_id=study.pk)
        except selecting.SelectionStale as stale:
            return show_stale(request, study, stale)
    return show(request, study, form)


def show_stale(
    request: SignedInRequest, study: Study, stale: selecting.SelectionStale
) -> HttpResponse:
    """The choice as it is now, beside what was typed, which can be sent again."""
    study.refresh_from_db()
    posted = request.POST.copy()
    posted["revision"] = str(study.cases_revision)
    form = make_form(study, posted)
    form.add_error(None, f"{stale} What you typed stands below.")
    response = show(request, study, form)
    response.status_code = 409
    return response


def make_form(study: Study, posted: Any = None) -> DrawForm:
    strata = list_values(selecting.read_candidates(study))
    stored = study.selection.get("rule", {})
    targets = stored.get("targets") or {}
    initial = {
        "by": ["contrast"] if "contrast" in strata else [],
        **{k: v for k, v in stored.items() if v not in (None, 0)},
        "targets": "\n".join(f"{fold(name)}: {n}" for name, n in targets.items()),
        "revision": study.cases_revision,
    }
    return DrawForm(
        posted, strata=strata, reference=study.reference_arm, initial=initial
    )


def fold(name: str) -> str:
    """A stratum's name on one line."""
    return " ".join(name.split())


def draw(request: SignedInRequest, study: Study, form: DrawForm) -> bool:
    data = form.cleaned_data
    try:
        drawn = selecting.draw_cases(
            study=study, actor=request.user, rule=form.rule(),
            revision=data["revision"], reason=data["reason"],
        )  # fmt: skip
    except selecting.SelectionStale:
        raise
    except SelectionRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    pool = len(drawn.chosen) + len(drawn.left_out)
    said = f"{plural(len(drawn.chosen), 'case')} of {pool} taken and put on record."
    messages.success(request, said)
    return True


def choose_by_hand(request: SignedInRequest, study: Study) -> HttpResponse:
    """Back to the page; with the marks and the reason as they were if refused."""
    try:
        messages.success(request, set_by_hand(request, study))
    except SelectionRefused as refusal:
        messages.error(request, str(refusal))
        study.refresh_from_db()
        stale = isinstance(refusal, selecting.SelectionStale)
        return show(request, study, None, status=409 if stale else 422)
    return redirect("choose", study_id=study.pk)


def read_marked(request: SignedInRequest) -> list[UUID]:
    return [UUID(value) for value in request.POST.getlist("case") if is_id(value)]


def set_by_hand(request: SignedInRequest, study: Study) -> str:
    """What was done, as a sentence."""
    ids = read_marked(request)
    typed = request.POST.get("revision", "")
    revision = int(typed) if typed.isdigit() and len(typed) < 10 else -1
    if request.POST.get("act") == "take_in":
        count = selecting.take_in(
            study=study, actor=request.user, ids=ids, revision=revision
        )
        return f"{plural(count, 'case')} taken in again."
    count = selecting.leave_out(
        study=study, actor=request.user, ids=ids, revision=revision,
        reason=request.POST.get("why", ""),
    )  # fmt: skip
    return f"{plural(count, 'case')} left out."


def show(
    request: SignedInRequest, study: Study, form: DrawForm | None, status: int = 200
) -> HttpResponse:
    pool = selecting.read_candidates(study)
    strata = list_values(pool)
    # one column says all, and is sorted by what stands first
    order = sorted(strata, key=lambda key: key != "contrast")
    filters = FilterForm(request.GET, strata=strata)
    filters.is_valid()
    noticed = {case.label: case.noticed for case in pool}
    listed = list_imported(study)
    arms = [arm for arm, _ in listed["arms"]]
    rows = []
    for one in listed["rows"]:
        case = one.case
        volumes = tuple(mask.volume_mm3 if mask else None for mask in one.masks)
        sight = Sight(case.strata, volumes, noticed[case.label], case.left_out)
        if filters.fits(sight):
            values = tuple(
                (name_stratum(key), str(case.strata.get(key) or NOT_GIVEN))
                for key in order
            )
            rows.append(ChoiceRow(case, values, volumes, one.warnings))
    chosen = sorted(case.label for case in study.chosen_cases())
    context = {
        "study": study,
        "draft": study.state == Study.State.DRAFT,
        "form": form or make_form(study),
        "filters": filters,
        "strata": [name_stratum(key) for key in order],
        "arms": arms,
        "rows": rows,
        "pool": len(pool),
        "chosen": len(chosen),
        "selection": study.selection,
        "text": outdated.write_text(study),
        "as_drawn": chosen == study.selection.get("chosen"),
        "outdated": outdated.tell(study),
        "newcomers": study.cases.filter(left_out=selecting.AFTER_DRAW).count(),
        "earlier": selecting.list_earlier(study),
        "sizes": count_strata(pool),
        "marked": read_marked(request),
        "why": request.POST.get("why", ""),
    }
    status = 422 if form is not None and form.errors else status
    return render(request, "ratings/choose.html", context, status=status)


def list_values(pool: list[Candidate]) -> dict[str, list[str]]:
    """The values of each stratum; that a case has none is one of them, the last."""
    return {
        key: values + [NOT_GIVEN] * any(not case.strata.get(key) for case in pool)
        for key, values in selecting.list_strata(pool).items()
    }


def count_strata(pool: list[Candidate]) -> list[tuple[str, str]]:
    """Each stratum with the sizes of its values, "T2w: 26 · UNIT1: 4"."""
    found = []
    for key, values in list_values(pool).items():
        sizes = Counter(case.strata.get(key) or NOT_GIVEN for case in pool)
        texts = [f"{value}: {sizes[value]}" for value in values]
        found.append((name_stratum(key), " · ".join(texts)))
    return found


def name_stratum(key: str) -> str:
    return key.replace("_", " ").capitalize()
