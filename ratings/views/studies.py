"""The list of studies and of rating sessions, and the page that makes a study."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from ratings import (
    access,
    asking,
    audit,
    declaring,
    finishing,
    guessing,
    outlook,
    reading,
    steps,
)
from ratings.forms import StudyForm
from ratings.models import Enrolment, Problem, Study
from ratings.views import SignedInRequest

Role = Enrolment.Role
VERBS = {Role.COORDINATOR: "coordinate", Role.STATISTICIAN: "analyse"}


@dataclass(frozen=True)
class StudyRow:
    """One study as its coordinator or statistician sees it in the list."""

    study: Study
    done: int
    total: int
    unit: str
    outlook: outlook.Outlook | None
    url: str


@dataclass(frozen=True)
class RatingRow:
    """One study as its rater sees it in the list: never more than own progress."""

    study: Study
    enrolment: UUID
    key: str
    done: int
    total: int
    open: bool
    left: bool = False
    deadline: date | None = None
    words: tuple[Problem, ...] = ()
    todo: str = ""
    missed: str = ""

    @property
    def answers(self) -> int:
        return sum(len(asking.answers_to(asked)) for asked in self.words)

    @property
    def verb(self) -> str:
        return self.todo or ("Continue rating" if self.done else "Start rating")

    @property
    def late(self) -> bool:
        return self.deadline is not None and self.deadline < declaring.today()


@login_required
@require_GET
def show_home(request: SignedInRequest) -> HttpResponse:
    enrolments = request.user.enrolments.filter(study__preview_of=None)
    enrolments = enrolments.select_related("study").order_by("-study__created_at")
    desk = [e for e in enrolments if e.role in access.ACTS["view"]]
    rating = [e for e in enrolments if e.role in access.ACTS["rate"]]
    context = {
        "rows": [describe_study(enrolment) for enrolment in desk],
        "ratings": [describe_rating(enrolment) for enrolment in rating],
        "does": " or ".join(
            verb for role, verb in VERBS.items() if any(e.role == role for e in desk)
        ),
        "may_create": access.may_create_study(request.user),
    }
    return render(request, "ratings/home.html", context)


@login_required
@require_GET
def lead_home(request: SignedInRequest) -> HttpResponse:
    """The list of studies is the home page; people shorten addresses to this one."""
    return redirect("home")


@login_required
@require_GET
def lead_into(request: SignedInRequest, study_id: UUID) -> HttpResponse:
    """The page where a study goes on, as in the list of studies."""
    study = access.find_study(user=request.user, study_id=study_id, act="view")
    enrolment = study.enrolments.select_related("study").get(user=request.user)
    # a statistician has no page yet while there are no results
    return redirect(describe_study(enrolment).url or "home")


def describe_study(enrolment: Enrolment) -> StudyRow:
    study = enrolment.study
    facts = steps.count_facts(study)
    listed = steps.list_steps(study, facts, role=enrolment.role)
    following = outlook.find_outlook(study, listed)
    urls = {step.key: step.url for step in listed}
    if any(step.key == "moved" for step in listed):
        return StudyRow(study, 0, 0, "moved here", following, urls["results"])
    if enrolment.role != Role.COORDINATOR or following is None:
        return StudyRow(
            study, facts.scored, facts.items, "items rated", None, urls["results"]
        )
    if facts.draft:
        done = sum(step.status in ("done", "optional") for step in listed[:5])
        return StudyRow(study, done, 5, "steps", following, following.url)
    return StudyRow(
        study, facts.scored, facts.items, "items rated", following, following.url
    )


def describe_rating(enrolment: Enrolment) -> RatingRow:
    """The session that is to be rated next stands for the study."""
    session = reading.find_open_session(enrolment)
    left = hasattr(enrolment, "withdrawal")
    if session is None:
        return RatingRow(enrolment.study, enrolment.pk, "", 0, 0, False, left)
    place = reading.count_place(session)
    collecting = enrolment.study.state == Study.State.COLLECTING and not left
    rest = find_rest(enrolment) if collecting and place.finished else None
    key, todo = rest or (session.key, "")
    return RatingRow(
        enrolment.study, enrolment.pk, key, place.done, place.total,
        collecting and (not place.finished or rest is not None), left,
        None if place.finished else declaring.find_deadline(enrolment),
        tuple(asking.list_own(enrolment)), todo, tell_missed(enrolment),
    )  # fmt: skip


def tell_missed(enrolment: Enrolment) -> str:
    """What a rater who rated everything can't do any more, as the study is closed."""
    if enrolment.study.state != Study.State.CLOSED:
        return ""
    rest = finishing.find_rest(enrolment)
    if rest is None:
        return ""
    told = ["signed off"] if rest.unsigned else []
    told += ["answered the last questions"] if rest.questions else []
    return f"The study was closed before you {' and '.join(told)}."


def find_rest(enrolment: Enrolment) -> tuple[str, str] | None:
    """Once all is rated, the session and what is left to do in it."""
    sessions = enrolment.sessions.order_by("number")
    if unsigned := sessions.filter(signature=None).first():
        return unsigned.key, "Sign off"
    last = sessions.last()
    if last and guessing.tell_state(enrolment) == "open":
        return last.key, "Answer the last questions"
    return None


@login_required
@require_http_methods(["GET", "POST"])
def create_study(request: SignedInRequest) -> HttpResponse:
    if not access.may_create_study(request.user):
        raise Http404
    form = StudyForm(request.POST or None, initial={"contact": request.user.email})
    if not form.is_valid():
        return render(request, "ratings/study_new.html", {"form": form})
    study = add_study(actor=request.user, data=form.cleaned_data)
    messages.success(request, f"The study “{study.title}” was made.")
    return redirect("cases", study_id=study.pk)


def add_study(*, actor: User, data: dict[str, Any]) -> Study:
    """A draft with whoever made it as its coordinator."""
    with transaction.atomic():
        study = Study.objects.create(created_by=actor, **data)
        Enrolment.objects.create(study=study, user=actor, role=Role.COORDINATOR)
        audit.record(
            study=study, actor=actor, verb="create_study",
            payload={"title": study.title},
        )  # fmt: skip
    return study
