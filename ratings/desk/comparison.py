"""Calls on masks set side by side: the tables, the figures, how robust they are."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import audit, measuring
from ratings.desk.calls import DeskCall, Refused, describe
from ratings.desk.shapes import JobShape
from ratings.models import Arm, Job, Study
from ratings.statistics.segmentation import RULES
from ratings.strata import list_strata
from ratings.views import SignedInRequest, comparison, robustness
from ratings.views.comparison import Choice

SEALED = "Masks are told by their source once the study is unblinded."
TOO_FEW = "Fewer than two arms have masks, so there is nothing to compare."
FURTHER = {"levels": "By vertebral level", "reliability": "Reliability of soft maps"}
CHOICE = [
    OpenApiParameter("reference", str, description="The arm to compare with."),
    OpenApiParameter("rule", str, description="How lesions are matched."),
    OpenApiParameter("by", str, description="The stratum of the tables."),
    OpenApiParameter("baseline", str, description="The arm that tests compare with."),
]
FILES: dict[Any, Any] = {
    (200, "text/csv"): OpenApiTypes.STR,
    (200, "text/x-tex"): OpenApiTypes.STR,
    (200, "image/svg+xml"): OpenApiTypes.BINARY,
    (200, "image/png"): OpenApiTypes.BINARY,
}


class TableShape(Serializer[Any]):
    """A table: its file is `comparison/KEY.csv`, or `.tex`."""

    key = serializers.CharField()
    title = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField())


class ComparisonShape(Serializer[Any]):
    """What is looked at, what else can be, and the tables that there are of it."""

    reference = serializers.CharField(source="choice.reference.key")
    rule = serializers.CharField(source="choice.rule")
    by = serializers.CharField(source="choice.by")
    baseline = serializers.CharField(source="choice.baseline")
    arms = serializers.ListField(child=serializers.CharField())
    rules = serializers.ListField(child=serializers.CharField())
    strata = serializers.ListField(child=serializers.CharField())
    tables = TableShape(many=True)


class RobustnessShape(Serializer[Any]):
    """Pairs of masks measured and missing, and figures by name."""

    measured = serializers.IntegerField()
    missing = serializers.IntegerField()
    coarser_missing = serializers.IntegerField()
    figures = serializers.DictField(child=serializers.CharField())


class ComparingCall(DeskCall):
    """A call on masks by arm: sealed while somebody rates them blind."""

    def find_open(self, study_id: UUID) -> Study:
        study = self.find_study(study_id, "results")
        if not measuring.may_show(study):
            raise Refused(423, SEALED)
        return study

    def note_reading(self, study: Study) -> None:
        audit.note_access(
            study=study, actor=self.person, verb="read_comparison", payload={}
        )

    @property
    def page(self) -> SignedInRequest:
        """The request as a page reads it."""
        return cast(SignedInRequest, self.request._request)

    def choose(self, study: Study) -> Choice:
        """What the address names; a name that the study lacks is refused."""
        choice = comparison.read_choice(self.page, study)
        if choice is None:
            raise Refused(409, TOO_FEW)
        told = {
            "reference": choice.reference.key, "rule": choice.rule, "by": choice.by,
            "baseline": choice.baseline,
        }  # fmt: skip
        asked = self.request.query_params
        wrong = {
            name: [f"“{asked[name]}” can't be chosen here; “{value}” can, for one."]
            for name, value in told.items()
            if asked.get(name, value) != value
        }
        if wrong:
            raise ValidationError(wrong)
        return choice


class ComparisonCall(ComparingCall):
    @describe(
        "The tables of masks compared; 202 and the job while they are measured",
        answer={200: ComparisonShape, 202: JobShape}, refusals=(400, 409, 423),
        query=CHOICE,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_open(study_id)
        choice = self.choose(study)
        if measuring.list_missing(study, choice.reference):
            job = find_job(study, choice.reference)
            return Response(JobShape(job).data, status=202)
        told = {
            "choice": choice,
            "arms": [arm.key for arm in choice.arms],
            "rules": [rule.name for rule in RULES],
            "strata": list_strata(study),
            "tables": comparison.list_tables(self.page, study),
        }
        self.note_reading(study)
        return Response(ComparisonShape(told).data)


def find_job(study: Study, reference: Arm) -> Job:
    """The job that measures, begun anew unless it failed: that is asked for."""
    job = comparison.last_job(study, reference)
    if job is None or job.status in (Job.Status.DONE, Job.Status.CANCELLED):
        return measuring.request(study, reference)
    return job


class MeasureCall(ComparingCall):
    @describe(
        "Measure the masks again after it failed", answer={202: JobShape},
        refusals=(400, 409, 423), query=CHOICE[:1],
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_open(study_id)
        job = measuring.request(study, self.choose(study).reference)
        return Response(JobShape(job).data, status=202)


class ComparisonFileCall(ComparingCall):
    @describe(
        "A table as `csv` or `tex`; `flow` and `scatter` as `svg` or `png`",
        answer=FILES, refusals=(400, 409, 423), query=CHOICE,
    )  # fmt: skip
    def get(
        self, request: Request, study_id: UUID, name: str, kind: str
    ) -> HttpResponse:
        study = self.find_open(study_id)
        self.choose(study)
        file = comparison.take_file(self.page, study, name, kind)
        self.note_reading(study)
        return file


class RobustnessCall(ComparingCall):
    @describe(
        "How robust the masks are: what was measured, and the figures",
        answer={200: RobustnessShape}, refusals=(400, 409, 423), query=CHOICE[:1],
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_open(study_id)
        choice = self.choose(study)
        kept = measuring.list_current(study, choice.reference)
        laid = robustness.lay_out(study, choice, kept)
        named = {section.name: section.title for section in laid["sections"]}
        further = {name: title for name, title in FURTHER.items() if laid[name]}
        told = {**laid, "figures": named | laid["voxels"] | further}
        self.note_reading(study)
        return Response(RobustnessShape(told).data)


class RobustnessFileCall(ComparingCall):
    @describe(
        "One of these figures as `svg` or `png`, or its numbers as `csv`",
        answer=FILES, refusals=(400, 409, 423), query=CHOICE[:1],
    )  # fmt: skip
    def get(
        self, request: Request, study_id: UUID, name: str, kind: str
    ) -> HttpResponse:
        study = self.find_open(study_id)
        self.choose(study)
        figure = robustness.take_figure(self.page, study, name, kind)
        self.note_reading(study)
        return figure


class CoarserCall(ComparingCall):
    @describe(
        "Predict every ensemble's cases again from coarser images",
        answer={202: JobShape}, refusals=(400, 409, 423), query=CHOICE[:1],
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_open(study_id)
        choice = self.choose(study)
        job = measuring.request_coarser(study, choice.reference)
        return Response(JobShape(job).data, status=202)
