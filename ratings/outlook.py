"""Says in a sentence what is to be done next in a study, and on which page."""

from __future__ import annotations

from dataclasses import dataclass

from ratings import finishing
from ratings.models import Study
from ratings.steps import READY, Step

State = Study.State


@dataclass(frozen=True)
class Outlook:
    """What is next, and the step on whose page it is done; a problem comes first."""

    sentence: str
    verb: str
    step: str
    url: str
    problem: bool = False


SENTENCES = {
    "cases": ("Upload images and their masks.", "Upload files"),
    "raters": ("Add the people who will rate.", "Add raters"),
    "lock": ("Everything is ready: check the study and lock it.", "Check and lock"),
    "monitor": ("Raters are at work. Watch how far they are.", "Monitor"),
    "results": ("Rating is closed. Unblind to see the results.", "Unblind"),
}
# For each problem also the step whose page says more about it.
PROBLEMS = {
    "design": ("The design can’t be locked as it is: Check and lock says why.", "lock"),
    "cases": ("Some cases lack a mask: upload it, or remove the case.", "cases"),
    "raters": ("A rater has nothing to rate: Check and lock says why.", "lock"),
    "predictions": (
        "Some predictions are missing: see why, and run them again.",
        "predictions",
    ),
}


def find_outlook(study: Study, steps: list[Step]) -> Outlook | None:
    """The one thing to do now: a problem, else the next step; None if not yours."""
    urls = {step.key: step.url for step in steps}
    for step in steps:
        if step.status == "problem":
            sentence, where = PROBLEMS[step.key]
            return Outlook(sentence, "Look", where, urls[where], problem=True)
    for step in steps:
        if step.status == "next":
            sentence, verb = say(study, step)
            return Outlook(sentence, verb, step.key, step.url)
    return rest(study, urls)


def say(study: Study, step: Step) -> tuple[str, str]:
    """What the next step is, and the words of the link to it."""
    if step.key == "lock" and study.state == State.LOCKED:
        return "The study is locked. Open it for rating.", "Open"
    sentence, verb = SENTENCES[step.key]
    if step.key == "lock" and step.note != READY:
        return "Something is left to say or mend before the lock.", verb
    if step.key == "monitor" and step.complete:
        return say_rated(study), verb
    return sentence, verb


def say_rated(study: Study) -> str:
    """To close the study, unless somebody who rated everything has something left."""
    codes = finishing.list_codes(study)
    if not codes:
        return "Every item is rated. Close the study."
    verb = "has" if len(codes) == 1 else "have"
    return (
        f"Every item is rated; {', '.join(codes)} {verb} yet to sign off or to answer "
        "the source questions."
    )


def rest(study: Study, urls: dict[str, str]) -> Outlook | None:
    """Nothing waits for the coordinator: predictions run, or the study is over."""
    if study.state == State.UNBLINDED:
        return Outlook("The study is unblinded.", "Results", "results", urls["results"])
    if "predictions" not in urls:
        return None
    sentence = "Predictions are running. Lock the study when they are done."
    return Outlook(sentence, "Predictions", "predictions", urls["predictions"])
