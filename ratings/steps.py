"""The steps of a study: their pages, what state each is in, and what comes next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.urls import reverse

from ratings import access, obstacles, reading, results
from ratings.models import Arm, Enrolment, Job, Mask, ScoreImport, Study

State, Role = Study.State, Enrolment.Role
WORDS = {
    "done": "Done",
    "next": "Next",
    "todo": "To do",
    "problem": "Problem",
    "running": "Running",
    "optional": "Optional",
    "later": "Later",
}


@dataclass(frozen=True)
class Facts:
    """Counts that the states of all steps follow from, asked of the database once."""

    state: str
    cases: int
    arms: tuple[tuple[str, str, int], ...]
    running: int
    raters: int
    obstacles: tuple[tuple[str, str], ...]
    items: int
    scored: int
    changed_design: bool = True
    analysed: bool = False

    @property
    def draft(self) -> bool:
        return self.state == State.DRAFT

    @property
    def all_rated(self) -> bool:
        return 0 < self.items == self.scored

    def count_missing(self, kinds: frozenset[str]) -> int:
        return sum(self.cases - n for _, kind, n in self.arms if kind in kinds)


@dataclass(frozen=True)
class Step:
    """One line of the column at the left; without a url it can't be opened yet.

    A `complete` step only has to be ended.
    """

    key: str
    label: str
    status: str
    note: str
    url: str
    complete: bool = False

    @property
    def word(self) -> str:
        return WORDS[self.status]


def count_facts(study: Study) -> Facts:
    draft = study.state == State.DRAFT
    scored, items = (0, 0) if draft else reading.count_whole(study)
    waiting = (Job.Status.QUEUED, Job.Status.RUNNING)
    return Facts(
        state=study.state,
        cases=study.chosen_cases().count(),
        arms=tuple(
            (
                arm.label,
                arm.kind,
                Mask.objects.filter(arm=arm, case__left_out="").count(),
            )
            for arm in study.rated_arms()
        ),
        running=study.jobs.filter(kind=Job.Kind.PREDICT, status__in=waiting).count(),
        raters=study.enrolments.filter(role=Enrolment.Role.RATER).count(),
        obstacles=tuple(obstacles.list_obstacles(study)) if draft else (),
        items=items,
        scored=scored,
        changed_design=study.design_revision > 0,
        analysed=study.state == State.UNBLINDED and results.is_analysed(study),
    )


READY = "ready to lock"
HERE = ("lock", "audit")
PREDICTED = frozenset({Arm.Kind.MODEL, Arm.Kind.TOOL})
UPLOADED = frozenset({Arm.Kind.MANUAL, Arm.Kind.UPLOAD})


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def judge_cases(facts: Facts) -> tuple[str, str]:
    if not facts.cases:
        return "todo", "no case yet"
    missing = facts.count_missing(UPLOADED)
    if missing:
        return "problem", f"{plural(missing, 'mask')} missing"
    return "done", plural(facts.cases, "case")


def judge_predictions(facts: Facts) -> tuple[str, str]:
    if facts.running:
        return "running", f"{facts.running} to go"
    predicted = [arm for arm in facts.arms if arm[1] in PREDICTED]
    if not predicted:
        uploaded = any(kind == Arm.Kind.UPLOAD for _, kind, _ in facts.arms)
        return "optional", "uploaded" if uploaded else ""
    missing = facts.count_missing(PREDICTED)
    if missing:
        return "problem", f"{plural(missing, 'mask')} missing"
    return "done", plural(len(predicted), "ensemble")


def judge_design(facts: Facts) -> tuple[str, str]:
    if any(step == "design" for step, _ in facts.obstacles):
        return "problem", "to be mended"
    if not facts.draft:
        return "done", "frozen"
    # what a new study starts with can be locked, but nobody has to have seen it
    return ("done", "") if facts.changed_design else ("optional", "unchanged")


def judge_raters(facts: Facts) -> tuple[str, str]:
    if facts.raters and any(step == "raters" for step, _ in facts.obstacles):
        return "problem", "nothing to rate"
    if facts.raters:
        return "done", plural(facts.raters, "rater")
    return "todo", "nobody yet"


def judge_lock(facts: Facts) -> tuple[str, str]:
    if facts.state == State.LOCKED:
        return "todo", "open for rating"
    if not facts.draft:
        return "done", "locked"
    if not facts.obstacles:
        return "todo", READY
    # What is left to do on the page itself makes it the next one to go to.
    here = all(step in HERE for step, _ in facts.obstacles)
    left = f"{plural(len(facts.obstacles), 'thing')} left"
    return ("todo" if here else "later"), left


def judge_monitor(facts: Facts) -> tuple[str, str]:
    if facts.state in (State.DRAFT, State.LOCKED):
        return "later", "after opening"
    place = f"{facts.scored} / {facts.items} rated"
    return ("todo" if facts.state == State.COLLECTING else "done"), place


def judge_results(facts: Facts) -> tuple[str, str]:
    if facts.state == State.UNBLINDED:
        return "done", "unblinded"
    if facts.state == State.CLOSED:
        return "todo", "unblind first"
    return "later", "after unblinding"


def judge_export(facts: Facts) -> tuple[str, str]:
    if facts.state == State.UNBLINDED:
        return tell_export(facts.analysed)
    return "later", "after unblinding"


def tell_export(analysed: bool) -> tuple[str, str]:
    """The export holds the results, so there is none before they are computed."""
    return ("done", "ready") if analysed else ("later", "after the analysis")


def judge_comparison(facts: Facts) -> tuple[str, str]:
    """Open to the desk once unblinded, and at any time where nobody rates."""
    if facts.state != State.UNBLINDED and facts.raters:
        return "later", "after unblinding"
    measured = sum(bool(n) for _, _, n in facts.arms)
    return "optional", plural(measured, "arm") if measured > 1 else ""


Judge = Callable[[Facts], tuple[str, str]]
STEPS: tuple[tuple[str, str, Judge], ...] = (
    ("cases", "Cases", judge_cases),
    ("predictions", "Predictions", judge_predictions),
    ("design", "Design", judge_design),
    ("raters", "Raters", judge_raters),
    ("lock", "Check and lock", judge_lock),
    ("monitor", "Monitor", judge_monitor),
    ("results", "Results", judge_results),
    ("comparison", "Comparison", judge_comparison),
    ("export", "Export", judge_export),
)
FIXED_BY_LOCK = ("cases", "predictions", "design", "raters")
# From which state on a step's page exists; the others exist from the start.
OPENS = {
    "monitor": (State.LOCKED, State.COLLECTING, State.CLOSED, State.UNBLINDED),
    "results": (State.CLOSED, State.UNBLINDED),
    "export": (State.UNBLINDED,),
}


# What somebody must be let do to see a step's page.
ACTS = {
    "raters": "invite",
    "lock": "lock",
    "monitor": "monitor",
    **dict.fromkeys(("cases", "predictions", "design"), "edit"),
    **dict.fromkeys(("moved", "results", "comparison", "export"), "results"),
}


def list_steps(
    study: Study, facts: Facts | None = None, *, role: str = Role.COORDINATOR
) -> list[Step]:
    """The steps that a role may see, in order; the first that waits is "next".

    Nothing is next while a problem stands.
    """
    if ScoreImport.objects.filter(study=study).exists():
        steps = list_moved(study)
    else:
        facts = facts or count_facts(study)
        steps = [make_step(study, facts, *entry) for entry in STEPS]
    seen = [step for step in steps if role in access.ACTS[ACTS[step.key]]]
    if role not in access.ACTS["unblind"]:
        return [wait(step) for step in seen]
    if any(step.status == "problem" for step in seen):
        return seen
    waiting = [n for n, step in enumerate(seen) if step.status == "todo"]
    for n in waiting[:1]:
        seen[n] = replace(seen[n], status="next")
    return seen


def wait(step: Step) -> Step:
    """The step for whoever can do nothing about it but come back later."""
    if step.status != "todo":
        return step
    return replace(step, status="later", note="after unblinding", url="")


def list_moved(study: Study) -> list[Step]:
    """The steps of a study that was rated elsewhere: its scores are all it has."""
    people = study.enrolments.count()
    entries = (
        ("moved", "Moved scores", "done", "checked"),
        (
            "raters",
            "Colleagues",
            "done",
            "1 person" if people == 1 else f"{people} people",
        ),
        ("results", "Results", "done", "unblinded"),
        ("export", "Export", *tell_export(results.is_analysed(study))),
    )
    return [
        Step(key, label, status, note, reverse(key, args=[study.pk]))
        for key, label, status, note in entries
    ]


def make_step(study: Study, facts: Facts, key: str, label: str, judge: Judge) -> Step:
    status, note = judge(facts)
    if key in FIXED_BY_LOCK and not facts.draft:
        status = "done"
    reachable = study.state in OPENS.get(key, tuple(State))
    if key == "comparison":
        reachable = status != "later"
    url = reverse(key, args=[study.pk]) if reachable else ""
    return Step(key, label, status, note, url, key == "monitor" and facts.all_rated)
