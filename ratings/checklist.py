"""The list that is gone through before a study is locked: what holds, what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from ratings import (
    audit,
    conflicts,
    frozen,
    giveaways,
    outdated,
    raters,
    selecting,
    sizing,
    training,
)
from ratings.design import CONFLICTS, read_design
from ratings.frozen import FACES
from ratings.meanwhile import Difference, Stale
from ratings.models import AuditEntry, Study
from ratings.statistics.primary import CASE_FLIPS, HILLIS, MIN_INFORMATIVE
from ratings.steps import Facts, plural


class StatementRefused(Exception):
    """Why a statement can't be stored; a sentence."""


@dataclass(frozen=True)
class Check:
    """One line of the list: a step, what holds of it, and what must be mended.

    `remarks` do not keep the study from being locked.
    """

    label: str
    fact: str
    obstacles: tuple[str, ...]
    url: str
    remarks: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        return "bad" if self.obstacles else "warn" if self.remarks else "ok"


@dataclass(frozen=True)
class AuditState:
    """When the blinding audit last ran, and whether it still speaks of this draft."""

    state: str
    fact: str


def list_checks(study: Study, facts: Facts, actor: User) -> list[Check]:
    """The steps before locking, in order, with their obstacles and remarks."""
    out = study.cases.exclude(left_out="").count()
    cases = sizing.tell_cases(study) if facts.cases else "none yet"
    cases += f", {out} left out" if out else ""
    arms = ", ".join(f"{label}: {n}" for label, _, n in facts.arms) or "none yet"
    count = plural(facts.raters, "rater") if facts.raters else "none yet"
    scale = f"Scale 1 to {len(study.scale)}, {plural(len(study.questions), 'question')}"
    scale += " (p corrected for all of them)" if len(study.questions) > 1 else ""
    distance = f"least distance wanted {study.design.get('min_distance', 10)}"
    rows = (
        ("cases", "Cases", cases, list_case_remarks(study)),
        ("predictions", "Masks by source", arms, ()),
        ("design", "Design", f"{scale}, {distance}", list_design_remarks(study)),
        ("raters", "Raters", count, list_rater_remarks(study, actor)),
    )
    return [
        Check(
            label=label,
            fact=fact,
            obstacles=tuple(s for step, s in facts.obstacles if step == key),
            url=reverse(key, args=[study.pk]),
            remarks=tuple(remarks),
        )
        for key, label, fact, remarks in rows
    ]


def list_case_remarks(study: Study) -> list[str]:
    late = study.cases.filter(left_out=selecting.AFTER_DRAW).count()
    found = [f"Left out because imported after the draw: {late}."] if late else []
    drawn = study.selection.get("chosen")
    now = sorted(study.chosen_cases().values_list("label", flat=True))
    if drawn is not None and drawn != now:
        found.append(
            "The choice of cases differs from what was drawn; the protocol says so."
        )
    untrue = outdated.tell(study)
    found += [untrue] if untrue else []
    return [*found, *sizing.list_test_remarks(study)]


def list_design_remarks(study: Study) -> list[str]:
    found = list_test_remarks(study)
    if not study.instructions.strip():
        found.append("There are no instructions for raters.")
    if not study.contact.strip():
        found.append("Raters have nobody to ask: there is no contact.")
    far = sizing.list_distance_remarks(study)
    return [*list_telling_words(study), *found, *far]


def list_telling_words(study: Study) -> list[str]:
    """Where raters would read the name of a source, though it may mean another."""
    notes = [row.note for row in read_design(study.design).calibration]
    read = {
        "name of the study": [study.title],
        "contact": [study.contact],
        "instructions": [study.instructions],
        "questions": [question["text"] for question in study.questions],
        "words of the scale": [point["anchor"] for point in study.scale],
        "notes on practice masks": notes,
    }
    named = {part: find_source(study, texts) for part, texts in read.items()}
    return [
        f"Raters read “{word}”, the name of a source, under {part}. Say it in other "
        "words if it tells where masks come from."
        for part, word in named.items()
        if word
    ]


def find_source(study: Study, texts: list[str]) -> str:
    """Where one text ends and the next begins, no name is spread over both."""
    found = (giveaways.find_source(study, text) for text in texts)
    return next(filter(None, found), "")


def list_test_remarks(study: Study) -> list[str]:
    """Why the chosen primary test may have no p-value, or never a small one."""
    design = read_design(study.design)
    found, cases = [], training.count_rated(study)
    if design.primary == HILLIS and design.conflict == "exclude":
        found.append(
            "The primary test needs every rater to score every case, but raters’ own "
            "cases are left out. It will have no p-value if any are."
        )
    if design.primary == CASE_FLIPS and cases < MIN_INFORMATIVE:
        found.append(
            f"With fewer than {MIN_INFORMATIVE} cases to rate the signed-rank test can "
            "never reach p < 0.05. Take more cases or another primary test."
        )
    return found


def list_rater_remarks(study: Study, actor: User) -> list[str]:
    """Who could not come in today, and who would rate their own masks."""
    rows = raters.list_raters(study=study, actor=actor)
    absent = [row.enrolment.code for row in rows if row.state == "bad"]
    found = list_author_remarks(study)
    if absent:
        found.append(
            f"Without a valid link: {', '.join(absent)}. Make one under Raters."
        )
    return found


def list_author_remarks(study: Study) -> list[str]:
    """That nothing comes of who drew which mask, where the rule looks at nobody."""
    if not study.design.get("authors") or conflicts.read_rule(study.design) != "ignore":
        return []
    return [
        "It is stated who drew which mask, but the rule for raters’ own masks is "
        f"“{CONFLICTS['ignore']}”. Choose another under “Say who drew which mask” if "
        "they are to be left out or marked."
    ]


def digest_draft(study: Study) -> str:
    """What an audit was of: all that locking would freeze but the words on faces."""
    told = frozen.describe_protocol(study)
    return audit.digest({key: told[key] for key in told if key != "faces"})


def describe_audit(study: Study) -> AuditState:
    entries = AuditEntry.objects.filter(study=study)
    last = entries.filter(verb="audit_blinding").last()
    if last is None:
        return AuditState("todo", "not run yet; locking runs it")
    when = f"{datetime.fromisoformat(last.at):%-d %b %Y, %H:%M} UTC"
    if last.payload.get("faults"):
        found = f"{plural(last.payload['faults'], 'fault')} found on {when}"
        return AuditState("bad", f"{found}; mend them, then run it again")
    if last.payload.get("of") != digest_draft(study):
        return AuditState("todo", f"passed on {when}; the study changed since")
    return AuditState("ok", f"passed on {when}")


def state_faces(
    *, study: Study, actor: User, answer: str, seen: str | None = None
) -> None:
    """Store what the coordinator answers for about faces, and put it on record.

    `seen` is the statement that stood there when this one was chosen.
    """
    if answer not in FACES:
        raise StatementRefused("Choose the sentence that is true of these images.")
    with transaction.atomic():
        held = audit.hold(study.pk)
        if held.state != Study.State.DRAFT:
            raise StatementRefused("The study is locked, so its statements are fixed.")
        if answer != held.faces and seen not in (None, held.faces):
            last = held.audit.filter(verb="state_faces").order_by("n").last()
            both = Difference("Faces", FACES.get(held.faces, ""), FACES[answer])
            raise Stale(last, [both])
        Study.objects.filter(pk=study.pk).update(faces=answer)
        audit.record(
            study=held, actor=actor, verb="state_faces",
            payload={"answer": answer, "words": FACES[answer]},
        )  # fmt: skip
