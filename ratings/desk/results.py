"""Calls on jobs and results; the latter are sealed until the study is unblinded."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from ratings import audit, results
from ratings.desk.calls import DeskCall, Refused, describe, paged, send_page
from ratings.desk.shapes import JobShape, ResultsShape
from ratings.models import Job, Study
from ratings.views.results import last_job, take_bundle, take_figure

SEALED = "Results are sealed until the study is unblinded."


class JobsCall(DeskCall):
    @describe(
        "Predictions and analyses, newest first", answer={200: paged(JobShape)},
        paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "view")
        return send_page(self, study.jobs.order_by("-created_at", "pk"), JobShape)


class JobCall(DeskCall):
    @describe("One job", answer={200: JobShape})
    def get(self, request: Request, study_id: UUID, job_id: UUID) -> Response:
        job = self.find_study(study_id, "view").jobs.filter(pk=job_id).first()
        if job is None:
            raise Http404
        return Response(JobShape(job).data)


class ResultsCall(DeskCall):
    @describe(
        "The analyses; 202 and the job while they are being made",
        answer={200: ResultsShape, 202: JobShape}, refusals=(423,),
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "results")
        if study.state != Study.State.UNBLINDED:
            raise Refused(423, SEALED)
        if runs := results.find_runs(study):
            audit.note_access(
                study=study, actor=self.person, verb="read_results", payload={}
            )
            return Response(ResultsShape({"questions": runs}).data)
        job = last_job(study)
        if job is None or job.status == Job.Status.DONE:
            job = results.request(study)
        return Response(JobShape(job).data, status=202)


class AgainCall(DeskCall):
    @describe(
        "Ask for the analyses again after they failed", answer={202: JobShape},
        refusals=(423,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "results")
        if study.state != Study.State.UNBLINDED:
            raise Refused(423, SEALED)
        return Response(JobShape(results.request(study)).data, status=202)


class FigureCall(DeskCall):
    @describe(
        "One figure of an analysis as `svg` or `png`, or its numbers as `csv`",
        answer={
            (200, "image/svg+xml"): OpenApiTypes.BINARY,
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "text/csv"): OpenApiTypes.STR,
        },
        refusals=(423,),
    )  # fmt: skip
    def get(
        self, request: Request, study_id: UUID, run_id: int, name: str, kind: str
    ) -> HttpResponse:
        study = self.find_study(study_id, "results")
        if study.state != Study.State.UNBLINDED:
            raise Refused(423, SEALED)
        figure = take_figure(study, run_id, name, kind)
        audit.note_access(
            study=study, actor=self.person, verb="read_results", payload={}
        )
        return figure


class ExportCall(DeskCall):
    @describe(
        "The whole study as a zip; 409 until its analysis is made",
        answer={(200, "application/zip"): OpenApiTypes.BINARY}, refusals=(409, 423),
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> HttpResponse:
        study = self.find_study(study_id, "results")
        if study.state != Study.State.UNBLINDED:
            raise Refused(423, SEALED)
        if not results.find_runs(study):
            raise Refused(409, "The analysis is not made yet: ask for the results.")
        return take_bundle(study, self.person)
