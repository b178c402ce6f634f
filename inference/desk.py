"""Calls of the coordinators' API on predictions: engines, asking, retrying."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from inference import batches, progress
from inference.batches import BatchRefused
from inference.forms import PredictionForm
from inference.sources import list_sources
from inference.views import complete, read_log
from ratings import jobs
from ratings.arms import MADE_HERE
from ratings.desk.bodies import check_form, read_body, shape_form
from ratings.desk.calls import (
    DeskCall,
    describe,
    paged,
    send_page,
)
from ratings.desk.shapes import JobShape
from ratings.models import Arm, Job, Study

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


class ArmChangedShape(Serializer[Any]):
    """How many predictions of the arm were queued again, cancelled or removed."""

    changed = serializers.IntegerField()


class ArmCall(PredictionCall):
    """A call on all predictions of one arm that was made here."""

    def find_arm(self, study_id: UUID, key: str) -> Arm:
        study = self.find_study(study_id, "edit")
        arm = study.arms.filter(key=key, kind__in=MADE_HERE).first()
        if arm is None:
            raise Http404
        return arm

    def tell(self, changed: int) -> Response:
        return Response(ArmChangedShape({"changed": changed}).data)


class PredictedArmCall(ArmCall):
    @describe(
        "Remove an arm with all its predictions from a draft",
        answer={200: ArmChangedShape}, refusals=(409,),
    )  # fmt: skip
    def delete(self, request: Request, study_id: UUID, key: str) -> Response:
        arm = self.find_arm(study_id, key)
        return self.tell(batches.withdraw(arm=arm, actor=self.person))


class CompleteArmCall(ArmCall):
    @describe(
        "Ask the arm's own engine for the cases that lack its mask",
        answer={202: BatchShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, key: str) -> Response:
        arm = self.find_arm(study_id, key)
        batch = complete(arm.study, arm, self.person)
        return Response(BatchShape(batch).data, status=202)


class RetryArmCall(ArmCall):
    @describe(
        "Do the arm's failed and cancelled predictions again",
        answer={200: ArmChangedShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, key: str) -> Response:
        return self.tell(batches.retry_failed(self.find_arm(study_id, key)))


class CancelArmCall(ArmCall):
    @describe("Cancel what waits or runs of the arm", answer={200: ArmChangedShape})
    def post(self, request: Request, study_id: UUID, key: str) -> Response:
        return self.tell(batches.cancel_all(self.find_arm(study_id, key)))


class LogCall(PredictionCall):
    @describe(
        "What was printed while a prediction was made",
        answer={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request, study_id: UUID, job_id: UUID) -> HttpResponse:
        job = self.find_job(self.find_study(study_id, "edit"), job_id)
        return HttpResponse(read_log(job), content_type="text/plain; charset=utf-8")


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
