"""Chooses the cases of a draft: by a stored draw, or by hand with a reason."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from ratings import audit, draw_text, sampling
from ratings.models import Case, Job, Study
from ratings.sampling import Candidate, Draw, Rule, RuleRefused

AFTER_DRAW = sampling.AFTER_DRAW
# As long as the column that keeps it.
LONGEST_REASON = 200


class SelectionRefused(Exception):
    """Why the choice of cases can't be changed so; a sentence."""


class SelectionStale(SelectionRefused):
    """Somebody else changed the choice meanwhile."""


def read_candidates(study: Study) -> list[Candidate]:
    """The whole pool, with what a rule can ask of each case."""
    arms = list(study.rated_arms())
    pool = []
    for case in study.cases.prefetch_related("masks"):
        volumes = {mask.arm_id: mask.volume_mm3 for mask in case.masks.all()}
        noticed = [case.warnings, *(mask.warnings for mask in case.masks.all())]
        pool.append(
            Candidate(
                label=case.label,
                strata={key: str(word) for key, word in case.strata.items() if word},
                volumes={arm.key: volumes.get(arm.pk) for arm in arms},
                noticed=any(set(codes) - {"reordered"} for codes in noticed),
                by_hand=case.left_out if sampling.is_by_hand(case.left_out) else "",
            )
        )
    return pool


def place_newcomer(study: Study) -> str:
    """Why a case that comes now is not rated: no draw may have missed it in silence."""
    return AFTER_DRAW if study.selection.get("number") else ""


def list_strata(pool: Iterable[Candidate]) -> dict[str, list[str]]:
    """The names of the strata and the values that they take, sorted."""
    found: dict[str, set[str]] = {}
    for case in pool:
        for key, value in case.strata.items():
            found.setdefault(key, set()).add(value)
    return {key: sorted(found[key]) for key in sorted(found)}


def draw_cases(
    *, study: Study, actor: User, rule: Rule, revision: int, reason: str = ""
) -> Draw:
    """Draw with a new seed, store it and put it on record; a redraw has a reason."""
    with transaction.atomic():
        held = hold(study, revision)
        number = int(held.selection.get("number", 0)) + 1
        if number > 1 and not reason.strip():
            raise SelectionRefused(
                "The cases were drawn before. Say why they are drawn again; it is put "
                "on record and into the protocol."
            )
        seed = secrets.token_hex(16)
        pool = read_candidates(held)
        try:
            drawn = sampling.draw(pool, rule, seed=seed)
        except RuleRefused as refusal:
            raise SelectionRefused(str(refusal)) from refusal
        mark(held, drawn)
        held.selection = {
            "number": number, "seed": seed, "reason": reason.strip(),
            "rule": asdict(rule),
            "strata": [asdict(row) for row in drawn.strata],
            "chosen": list(drawn.chosen),
            "pool": [keep_candidate(case, rule) for case in pool],
            "text": draw_text.tell(drawn, rule, seed=seed, number=number),
        }  # fmt: skip
        keep(study, held)
        audit.record(
            study=held, actor=actor, verb="draw_cases",
            payload={
                "number": number, "seed": seed, "reason": reason.strip(),
                "rule": asdict(rule), "chosen": list(drawn.chosen),
            },
        )  # fmt: skip
    return drawn


def keep_candidate(case: Candidate, rule: Rule) -> dict[str, Any]:
    """What the rule asked of the case, and no word more of those that are left out."""
    asked = {key: word for key, word in case.strata.items() if key in rule.by}
    return asdict(replace(case, strata=asked))


def read_pool(selection: Mapping[str, Any]) -> list[Candidate]:
    """The pool of a stored draw, so that it can be drawn again; empty for old ones."""
    return [Candidate(**row) for row in selection.get("pool", ())]


def leave_out(
    *, study: Study, actor: User, ids: Iterable[UUID], reason: str, revision: int
) -> int:
    """Leave cases out by hand; the reason stands in the protocol, and draws keep it."""
    why = " ".join(reason.split())
    if not why:
        raise SelectionRefused("Say why these cases are left out; it is put on record.")
    if len(why) > LONGEST_REASON:
        raise SelectionRefused(
            f"The reason has {len(why)} characters and must have at most "
            f"{LONGEST_REASON}. Shorten it: it stands in the protocol as it is."
        )
    if why.casefold().rstrip(".") in sampling.OWN_WORDS:
        raise SelectionRefused(
            f"“{why}” is what a draw itself writes beside a case. Say in other words "
            "why these cases are left out."
        )
    return _set(study, actor, ids, why, revision, "leave_out_cases")


def take_in(*, study: Study, actor: User, ids: Iterable[UUID], revision: int) -> int:
    """Take cases in again, whatever had left them out."""
    return _set(study, actor, ids, "", revision, "take_in_cases")


def _set(
    study: Study, actor: User, ids: Iterable[UUID], why: str, revision: int, verb: str
) -> int:
    with transaction.atomic():
        held = hold(study, revision)
        cases = held.cases.filter(id__in=ids)
        cases = cases.filter(left_out="") if why else cases.exclude(left_out="")
        labels = list(cases.values_list("label", flat=True))
        if not labels:
            raise SelectionRefused("No case was marked for which that would change.")
        cases.update(left_out=why)
        keep(study, held)
        payload: dict[str, Any] = {"cases": labels, "reason": why}
        audit.record(study=held, actor=actor, verb=verb, payload=payload)
    return len(labels)


def hold(study: Study, revision: int) -> Study:
    """The draft, held against other writers, if nobody changed its choice meanwhile."""
    held = audit.hold(study.pk)
    if held.state != Study.State.DRAFT:
        raise SelectionRefused("The study is locked, so its cases are fixed.")
    if held.cases_revision != revision:
        raise SelectionStale(
            "Somebody else changed the choice of cases meanwhile, so yours was not "
            "stored. The page shows theirs now; look at it, then choose again."
        )
    waiting = (Job.Status.QUEUED, Job.Status.RUNNING)
    if held.jobs.filter(kind=Job.Kind.PREDICT, status__in=waiting).exists():
        raise SelectionRefused("Predictions are running. Wait for them, then choose.")
    return held


def count_change(held: Study) -> None:
    """So that whoever looks at the cases of before is told that others stand here."""
    held.cases_revision += 1
    held.save(update_fields=["cases_revision"])


def keep(study: Study, held: Study) -> None:
    count_change(held)
    held.save(update_fields=["selection"])
    study.selection, study.cases_revision = held.selection, held.cases_revision


def mark(study: Study, drawn: Draw) -> None:
    study.cases.filter(label__in=drawn.chosen).update(left_out="")
    rest = list(study.cases.filter(label__in=drawn.left_out))
    for case in rest:
        case.left_out = drawn.left_out[case.label]
    Case.objects.bulk_update(rest, ["left_out"])


def list_earlier(study: Study) -> list[dict[str, Any]]:
    """What was done to the choice so far, the last first."""
    verbs = ("draw_cases", "leave_out_cases", "take_in_cases")
    entries = study.audit.filter(verb__in=verbs).order_by("-n")
    return [
        {**e.payload, "verb": e.verb, "actor": e.actor, "at": e.at} for e in entries
    ]
