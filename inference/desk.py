"""Calls of the coordinators' API on predictions: engines, asking, retrying."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from inference import batches, progress
from inference.batches import BatchRefused
from inference.forms import PredictionForm
from inference.sources import list_sources
from ratings import jobs
from ratings.desk.calls import (
    DeskCall,
    check_form,
    describe,
    paged,
    read_body,
    send_page,
    shape_form,
)
from ratings.desk.shapes import JobShape
from ratings.models import Job, Study

PredictionBody = shape_form("PredictionBody", PredictionForm)


class SourceShape(Serializer[Any]):
    """An engine; `key` is what a prediction asks for as `source`."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField()


class BatchShape(Serializer[Any]):
    """How many cases were queued, and how many have a mask already."""

    arm = serializers.CharField(source="arm.key")
    queued = serializers.IntegerField()
    present = serializers.IntegerField()


class OverviewShape(Serializer[Any]):
    """How far the predictions of one arm are."""

    arm = serializers.CharField(source="arm.key")
    label = serializers.CharField(source="arm.label")  # type: ignore[assignment]
    cases = serializers.IntegerField()
    done = serializers.IntegerField()
    live = serializers.IntegerField()
    failed_or_cancelled = serializers.IntegerField(source="repeatable")
    missing = serializers.IntegerField()
    seconds_left = serializers.FloatField(source="remaining", allow_null=True)


class PredictionCall(DeskCall):
    refusals: ClassVar[tuple[type[Exception], ...]] = (*DeskCall.refusals, BatchRefused)

    def find_job(self, study: Study, job_id: UUID) -> Job:
        job = study.jobs.filter(pk=job_id, kind=Job.Kind.PREDICT).first()
        if job is None:
            raise Http404
        return job


class SourcesCall(DeskCall):
    @describe("What can predict here", answer={200: paged(SourceShape)}, paginated=True)
    def get(self, request: Request) -> Response:
        return send_page(self, list_sources(), SourceShape)


class PredictionsCall(PredictionCall):
    @describe(
        "The predicted arms, in counts", answer={200: paged(OverviewShape)},
        paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        return send_page(self, progress.survey(study), OverviewShape)

    @describe(
        "Ask for the masks of one engine for all cases that lack them",
        body=PredictionBody, answer={202: BatchShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        form = PredictionForm({"rule": "paper", **read_body(request.data)})
        data = check_form(form)
        batch = batches.submit(
            study=study, actor=self.person, source=form.read_source(),
            label=data["label"], settings=form.read_settings(),
        )  # fmt: skip
        return Response(BatchShape(batch).data, status=202)


class RetryCall(PredictionCall):
    @describe(
        "Do a failed or cancelled prediction again", answer={200: JobShape},
        refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, job_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        job = self.find_job(study, job_id)
        batches.retry(study=study, job=job)
        job.refresh_from_db()
        return Response(JobShape(job).data)


class CancelCall(PredictionCall):
    @describe("Cancel a prediction that waits or runs", answer={200: JobShape})
    def post(self, request: Request, study_id: UUID, job_id: UUID) -> Response:
        job = self.find_job(self.find_study(study_id, "edit"), job_id)
        jobs.cancel(job_id=job.pk)
        job.refresh_from_db()
        return Response(JobShape(job).data)
