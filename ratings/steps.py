"""The steps of a study: their pages, what state each is in, and what comes next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.urls import reverse

from ratings import obstacles, reading
from ratings.models import Arm, Enrolment, Job, Mask, ScoreImport, Study

State = Study.State
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

    @property
    def draft(self) -> bool:
        return self.state == State.DRAFT

    def count_missing(self, kinds: frozenset[str]) -> int:
        return sum(self.cases - n for _, kind, n in self.arms if kind in kinds)


@dataclass(frozen=True)
class Step:
    """One line of the column at the left; without a url it can't be opened yet."""

    key: str
    label: str
    status: str
    note: str
    url: str

    @property
    def word(self) -> str:
        return WORDS[self.status]


@dataclass(frozen=True)
class Outlook:
    """What is next in the study, as a sentence, and the page where it is done."""

    sentence: str
    verb: str
    step: str
    url: str


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
    return "done", "" if facts.draft else "frozen"


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
        return "done", "ready"
    return "later", "after unblinding"


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


def list_steps(study: Study, facts: Facts | None = None) -> list[Step]:
    """All steps in order; the first that waits for the coordinator is "next"."""
    if ScoreImport.objects.filter(study=study).exists():
        return list_moved(study)
    facts = facts or count_facts(study)
    steps = [make_step(study, facts, *entry) for entry in STEPS]
    for index, step in enumerate(steps):
        if step.status == "todo":
            steps[index] = replace(step, status="next")
            break
    return steps


def list_moved(study: Study) -> list[Step]:
    """The steps of a study that was rated elsewhere: its scores are all it has."""
    entries = (
        ("moved", "Moved scores", "checked"),
        ("results", "Results", "unblinded"),
        ("export", "Export", "ready"),
    )
    return [
        Step(key, label, "done", note, reverse(key, args=[study.pk]))
        for key, label, note in entries
    ]


def make_step(study: Study, facts: Facts, key: str, label: str, judge: Judge) -> Step:
    status, note = judge(facts)
    if key in FIXED_BY_LOCK and not facts.draft:
        status = "done"
    reachable = study.state in OPENS.get(key, tuple(State))
    if key == "comparison":
        reachable = status != "later"
    url = reverse(key, args=[study.pk]) if reachable else ""
    return Step(key=key, label=label, status=status, note=note, url=url)


SENTENCES = {
    "cases": ("Upload images and their masks.", "Upload files"),
    "raters": ("Add the people who will rate.", "Add raters"),
    "lock": ("Everything is ready: check the study and lock it.", "Check and lock"),
    "monitor": ("Raters are at work. Watch how far they are.", "Monitor"),
    "results": ("Rating is closed. Unblind to see the results.", "Unblind"),
}
PROBLEMS = {
    "design": "The design can’t be locked as it is: Check and lock says why.",
    "cases": "Some cases lack a mask: upload it, or remove the case.",
    "raters": "A rater has nothing to rate: see why.",
    "predictions": "Some predictions are missing: see why, and run them again.",
}


def find_outlook(study: Study, steps: list[Step]) -> Outlook:
    """The one thing to do now: a problem first, else the next step."""
    for step in steps:
        if step.status == "problem":
            return Outlook(PROBLEMS[step.key], "Look", step.key, step.url)
    for step in steps:
        if step.status == "next":
            sentence, verb = SENTENCES[step.key]
            if step.key == "lock" and study.state == State.LOCKED:
                sentence, verb = "The study is locked. Open it for rating.", "Open"
            elif step.key == "lock" and step.note != READY:
                sentence = "Something is left to say or mend before the lock."
            return Outlook(sentence, verb, step.key, step.url)
    return rest(study, steps)


def rest(study: Study, steps: list[Step]) -> Outlook:
    """Nothing waits for the coordinator: predictions run, or the study is over."""
    urls = {step.key: step.url for step in steps}
    if study.state == State.UNBLINDED:
        return Outlook("The study is unblinded.", "Results", "results", urls["results"])
    sentence = "Predictions are running. Lock the study when they are done."
    return Outlook(sentence, "Predictions", "predictions", urls["predictions"])
