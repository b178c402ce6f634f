"""Calls on who drew which mask, and what follows for raters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import audit, conflicts
from ratings.conflict_forms import ConflictForm
from ratings.conflicts import ConflictStale
from ratings.design import CONFLICTS
from ratings.desk.bodies import Body, check_form, read
from ratings.desk.calls import DeskCall, Refused, describe
from ratings.models import Study


class ConflictsBody(Body):
    """All entries at once; `authors` says by case and arm who drew the mask.

    `seen` is the one that was read: if others were stored since, nothing is changed.
    """

    rule = serializers.ChoiceField(list(CONFLICTS))
    sites = serializers.DictField(child=serializers.CharField(), required=False)
    authors = serializers.DictField(
        child=serializers.DictField(child=serializers.CharField()), required=False
    )
    seen = serializers.CharField()


class ConflictsShape(Serializer[Any]):
    """The entries, and the cases that are each rater's own by them."""

    rule = serializers.CharField()
    sites = serializers.DictField(child=serializers.CharField())
    authors = serializers.DictField(
        child=serializers.DictField(child=serializers.CharField())
    )
    touched = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField())
    )
    seen = serializers.CharField()


def show(study: Study) -> Response:
    entries = conflicts.read_entries(study.design)
    raters = study.enrolments.filter(role="rater").values_list("code", flat=True)
    told = {
        "rule": entries["conflict"],
        "sites": entries["sites"],
        "authors": entries["authors"],
        "touched": conflicts.list_touched(study.design, raters),
        "seen": audit.digest(entries),
    }
    return Response(ConflictsShape(told).data)


def refuse_strange(field: str, given: Iterable[str], known: Iterable[str]) -> None:
    if strange := sorted(set(given) - set(known)):
        sentence = f"There is no {strange[0]} here that can be named."
        raise ValidationError({field: [sentence]})


class ConflictsCall(DeskCall):
    @describe("Who drew what, and the rule for it", answer={200: ConflictsShape})
    def get(self, request: Request, study_id: UUID) -> Response:
        return show(self.find_study(study_id, "edit"))

    @describe(
        "Say who drew what, in place of what stands there",
        body=ConflictsBody, answer={200: ConflictsShape}, refusals=(409,),
    )  # fmt: skip
    def put(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        body = read(ConflictsBody, request)
        form = ConflictForm(spread(study, body), study=study)
        data = check_form(form)
        try:
            conflicts.change_conflicts(
                study=study, actor=self.person, rule=data["conflict"],
                sites=form.read_sites(), authors=form.read_authors(),
                seen=body["seen"],
            )  # fmt: skip
        except ConflictStale as stale:
            both = "; ".join(stale.differences)
            told = f"{stale} Read them again. {both}."
            raise Refused(409, told, stale.differences) from stale
        study.refresh_from_db()
        return show(study)


def spread(study: Study, body: dict[str, Any]) -> dict[str, str]:
    """The entries as the page's form has them, a field each."""
    sites, authors = body.get("sites", {}), body.get("authors", {})
    form = ConflictForm(study=study)
    keys = {arm.key for arm in form.arms}
    refuse_strange("sites", sites, (rater.code for rater in form.raters))
    refuse_strange("authors", authors, form.labels)
    for arms in authors.values():
        refuse_strange("authors", arms, keys)
    typed = {f"site_{code}": site for code, site in sites.items()}
    for label, arms in authors.items():
        typed |= {f"author_{label}_{key}": names for key, names in arms.items()}
    return {"conflict": body["rule"], **typed}
