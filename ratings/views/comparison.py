"""The desk's page that sets the arms' masks side by side, and its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from ratings import access, audit, enclosures, measuring, relating
from ratings.models import Arm, Job, Study
from ratings.statistics.lesion_table import table_lesions
from ratings.statistics.mask_tables import MaskRow, make_tables, table_cases
from ratings.statistics.relation import Point, Relation
from ratings.statistics.segmentation import PUBLISHED, RULES
from ratings.statistics.sheets import Sheet, sheet_csv, sheet_latex
from ratings.statistics.test_set import count_flow
from ratings.strata import list_strata
from ratings.views import SignedInRequest

TYPES = {"csv": "text/csv", "tex": "text/x-tex", "svg": "image/svg+xml",
         "png": "image/png"}  # fmt: skip
WORST = 8


@dataclass(frozen=True)
class Choice:
    """What of a study's masks is looked at; names that are unknown are not taken."""

    arms: list[Arm]
    reference: Arm
    rule: str
    by: str
    baseline: str

    @property
    def query(self) -> str:
        """The same choice for the address of a file."""
        told = {"reference": self.reference.key, "rule": self.rule, "by": self.by}
        return urlencode(told | {"baseline": self.baseline})

    @property
    def rivals(self) -> list[Arm]:
        return [arm for arm in self.arms if arm != self.reference]


def read_choice(request: SignedInRequest, study: Study) -> Choice | None:
    """The choice that the address names; None while two arms have no masks."""
    arms = measuring.list_arms(study)
    if len(arms) < 2:
        return None
    keys = {arm.key: arm for arm in arms}
    reference = keys.get(request.GET.get("reference", ""), arms[0])
    rules = {rule.name for rule in RULES}
    rule = request.GET.get("rule", "")
    known = list_strata(study)
    by = request.GET.get("by", "")
    rivals = [arm.label for arm in arms if arm != reference]
    baseline = request.GET.get("baseline", "")
    return Choice(
        arms=arms,
        reference=reference,
        rule=rule if rule in rules else PUBLISHED.name,
        by=by if by in known else next(iter(known), "set"),
        baseline=baseline if baseline in rivals else rivals[0],
    )


def find_open(request: SignedInRequest, study_id: UUID) -> Study:
    """The study, if its masks may be compared now; else 404."""
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    if not measuring.may_show(study):
        raise Http404
    return study


def show_sealed(request: SignedInRequest, study: Study) -> HttpResponse:
    """What stands in place of a page about masks until the study is unblinded."""
    context = {"study": study}
    return render(request, "ratings/comparison/sealed.html", context, status=423)


@login_required
@require_GET
def show_comparison(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    study = access.find_study(user=request.user, study_id=study_id, act="results")
    if not measuring.may_show(study):
        return show_sealed(request, study)
    choice = read_choice(request, study)
    context: dict[str, Any] = {
        "study": study, "choice": choice, "rules": RULES,
        "strata": list_strata(study),
        "test_set": measuring.lay_out_test_set(study),
        "absent": measuring.tell_absent(study),
    }  # fmt: skip
    if choice is None:
        return render(request, "ratings/comparison/comparison.html", context)
    missing = measuring.list_missing(study, choice.reference)
    job = last_job(study, choice.reference)
    failed = job is not None and job.status == Job.Status.FAILED
    if missing:
        over = job is None or job.status in (Job.Status.DONE, Job.Status.CANCELLED)
        context["job"] = measuring.request(study, choice.reference) if over else job
        context["waiting"] = len(missing)
    if request.htmx and (failed or not missing):
        # A whole page has its own styles and scripts, which a fragment lacks.
        return HttpResponseClientRefresh()
    context["sheets"] = list_sheets(study, choice)
    context["questions"] = [
        lay_out(study, question) for question in list_questions(study, choice)
    ]
    audit.note_access(
        study=study, actor=request.user, verb="read_comparison", payload={}
    )
    return render(request, "ratings/comparison/comparison.html", context)


def last_job(study: Study, reference: Arm) -> Job | None:
    own = study.jobs.filter(kind=Job.Kind.MEASURE, payload__reference=reference.key)
    return own.order_by("-created_at").first()


def list_rows(study: Study, choice: Choice) -> list[MaskRow]:
    return measuring.build_rows(study, choice.reference, rule=choice.rule)


def list_sheets(study: Study, choice: Choice) -> tuple[Sheet, ...]:
    rows = list_rows(study, choice)
    if not rows:
        return ()
    return make_tables(rows, by=choice.by, baseline=choice.baseline)


@dataclass(frozen=True)
class Disagreement:
    """A case that experts and Dice rank apart, and where it can be looked at."""

    arm: str
    point: Point
    url: str


@dataclass(frozen=True)
class ScoresPart:
    """What the page shows of one question."""

    question: relating.Question
    relations: tuple[Relation, ...]
    sheet: Sheet
    worst: list[Disagreement]


def list_questions(study: Study, choice: Choice) -> list[relating.Question]:
    return relating.relate_scores(
        study,
        rows=list_rows(study, choice),
        arms=choice.arms,
        reference=choice.reference,
    )


def lay_out(study: Study, question: relating.Question) -> ScoresPart:
    ids = dict(study.cases.values_list("label", "pk"))
    parted = [(one.arm, p) for one in question.relations for p in one.disagreements]
    parted.sort(key=lambda pair: -abs(pair[1].gap))
    return ScoresPart(
        question=question,
        relations=(*question.relations, *question.differences),
        sheet=relating.table_relations(question),
        worst=[
            Disagreement(arm, point, find_viewer(study, ids.get(point.case)))
            for arm, point in parted[:WORST]
        ],
    )


def find_viewer(study: Study, case_id: UUID | None) -> str:
    """The address of a case's masks side by side; empty where there is none."""
    try:
        return reverse("masks-viewer", args=[study.pk, case_id]) if case_id else ""
    except NoReverseMatch:
        return ""


@login_required
@require_POST
def measure_again(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """A new attempt after a failed one."""
    study = find_open(request, study_id)
    arms = {arm.key: arm for arm in measuring.list_arms(study)}
    reference = arms.get(request.POST.get("reference", study.reference_arm))
    if reference is None:
        raise Http404
    measuring.request(study, reference)
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})


@login_required
@require_GET
def send_file(
    request: SignedInRequest, study_id: UUID, name: str, kind: str
) -> HttpResponse:
    """One table as CSV or LaTeX, or the flow diagram as SVG, PNG or CSV."""
    return take_file(request, find_open(request, study_id), name, kind)


def take_file(
    request: SignedInRequest, study: Study, name: str, kind: str
) -> HttpResponse:
    if name == "flow":
        data = draw_flow(study, kind)
    elif name == "scatter":
        data = draw_scatter(request, study, kind)
    else:
        data = write_sheet(find_sheet(request, study, name), kind)
    response = HttpResponse(data, content_type=TYPES[kind])
    if kind != "svg":
        response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


def find_sheet(request: SignedInRequest, study: Study, name: str) -> Sheet:
    for sheet in list_tables(request, study):
        if sheet.key == name:
            return sheet
    raise Http404


def list_tables(request: SignedInRequest, study: Study) -> list[Sheet]:
    """Every table that there is of what the address names."""
    choice = read_choice(request, study)
    sheets = [measuring.lay_out_test_set(study)]
    if choice is not None and (rows := list_rows(study, choice)):
        sheets += [*list_sheets(study, choice), table_cases(rows)]
        kept = measuring.list_current(study, choice.reference)
        sheets.append(table_lesions(enclosures.list_lesions(kept, choice.rule)))
        question = find_question(request, study, choice)
        if question is not None:
            sheets.append(relating.table_relations(question))
            sheets.append(relating.table_points(question))
    return sheets


def write_sheet(sheet: Sheet, kind: str) -> bytes:
    if kind not in ("csv", "tex"):
        raise Http404
    return (sheet_csv(sheet) if kind == "csv" else sheet_latex(sheet)).encode()


def draw_flow(study: Study, kind: str) -> bytes:
    flow = count_flow(measuring.describe_cases(study))
    if not flow or kind not in ("svg", "png", "csv"):
        raise Http404
    # Here and not above: matplotlib takes a second to load.
    from ratings.figures.flow import flow_diagram

    figure = flow_diagram(
        flow, absent=measuring.tell_absent(study), simulated=study.simulated
    )
    return figure.files()[kind]


def find_question(
    request: SignedInRequest, study: Study, choice: Choice
) -> relating.Question | None:
    """The question that the address names, else the first."""
    questions = list_questions(study, choice)
    wanted = request.GET.get("question", "")
    named = (question for question in questions if question.key == wanted)
    return next(named, questions[0] if questions else None)


def draw_scatter(request: SignedInRequest, study: Study, kind: str) -> bytes:
    choice = read_choice(request, study)
    question = find_question(request, study, choice) if choice else None
    if question is None or kind not in ("svg", "png"):
        raise Http404
    from ratings.figures.scatter import scores_against_dice

    figure = scores_against_dice(
        (*question.relations, *question.differences),
        question=question.text,
        simulated=study.simulated,
    )
    return figure.files()[kind]
