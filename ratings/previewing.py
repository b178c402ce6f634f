"""Lets a coordinator try a draft as its rater: a short copy, rated by nobody else.

The copy is a study of its own that points to its draft. It has no coordinator, so
nothing of it can be monitored, unblinded, analysed or exported.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import models, transaction

from ratings import audit, blinding, drawing, protocol
from ratings.allocation.draws import make_picker, shuffle
from ratings.design import read_design
from ratings.models import Case, Enrolment, Mask, Session, Study, make_seed

CASES = 6  # as many as show what a session is like, and no more
OWN = ("created_at",)
Row = TypeVar("Row", bound=models.Model)


class PreviewRefused(Exception):
    """Why there is nothing to try yet; a sentence."""


def make_preview(*, study: Study, user: User) -> Session:
    """A fresh copy of at most CASES cases and the calibration masks, ready to rate."""
    if study.state != Study.State.DRAFT:
        raise PreviewRefused("The study is locked; a preview is made of a draft.")
    with transaction.atomic():
        seed = make_seed()
        cases = choose(study, seed)
        copy = copy_row(
            study, title=f"Preview: {study.title}"[:200], preview_of=study, seed=seed,
            created_by=user, simulated=True, protocol=None, protocol_sha256="",
            selection={}, design={**study.design, "planes": planes_of(study, cases)},
        )  # fmt: skip
        copy_material(study, copy, cases)
        Enrolment.objects.create(
            study=copy, user=user, role=Enrolment.Role.RATER, code="R01"
        )
        protocol.freeze(copy, user, checked=protocol.tell_revision(copy))
        protocol.advance(
            study=copy, to=Study.State.LOCKED, actor=user,
            payload={"preview_of": str(study.pk)},
        )  # fmt: skip
        drawn = drawing.draw(protocol=copy.protocol or {}, seed=seed)
        blinding.seal(study=copy, placements=drawn.placements)
        protocol.open_study(study=copy, actor=user)
        audit.record(study=study, actor=user, verb="preview", payload={})
    return Session.objects.filter(enrolment__study=copy).order_by("number")[0]


def choose(study: Study, seed: str) -> list[Case]:
    """The calibration cases and some others, by lot, that have every mask."""
    arms = list(study.rated_arms().values_list("pk", flat=True))
    if not arms:
        raise PreviewRefused("There is no mask yet, so there is nothing to try.")
    usable = study.chosen_cases().filter(masks__arm__in=arms)
    usable = usable.annotate(given=models.Count("masks")).filter(given=len(arms))
    by_label = {case.label: case for case in usable}
    training = {row.case for row in read_design(study.design).calibration}
    lost = training - by_label.keys()
    if lost:
        raise PreviewRefused(
            f"The practice case {min(lost)} lacks a mask, or is left out."
        )
    rest = shuffle(sorted(by_label.keys() - training), make_picker(seed, "preview"))
    if not rest:
        raise PreviewRefused("No case has a mask of every source yet.")
    return [by_label[label] for label in (*sorted(training), *rest[:CASES])]


def planes_of(study: Study, cases: list[Case]) -> dict[str, str]:
    labels = {case.label for case in cases}
    planes = read_design(study.design).planes
    return {case: plane for case, plane in planes.items() if case in labels}


def copy_material(study: Study, copy: Study, cases: list[Case]) -> None:
    """Arms, cases, maps and masks as rows of the copy; they share the draft's files."""
    arms = {arm.pk: copy_row(arm, study=copy) for arm in study.rated_arms()}
    for case in cases:
        twin = copy_row(case, study=copy)
        for companion in case.companions.all():
            copy_row(companion, case=twin)
        for mask in Mask.objects.filter(case=case, arm__in=arms):
            copy_row(mask, case=twin, arm=arms[mask.arm_id])


def copy_row(row: Row, **changes: Any) -> Row:
    """A new row with the values of another, but for the changes."""
    values = {
        field.name: getattr(row, field.name)
        for field in row._meta.concrete_fields
        if not field.primary_key and field.name not in OWN
    }
    made: Row = type(row)._default_manager.create(**{**values, **changes})
    return made
