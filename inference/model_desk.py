"""Calls of the coordinators' API on models: what there is, and registering one."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from inference import shelf
from inference.registering import RegistrationRefused
from ratings import access
from ratings.desk.bodies import Body, read
from ratings.desk.calls import (
    DeskCall,
    describe,
    paged,
    send_page,
)
from ratings.desk.shapes import JobShape
from ratings.models import Job


class ShelfShape(Serializer[Any]):
    """A model on the shelf; `registered` are its names here, `job` registers it."""

    entry = serializers.CharField(source="name")
    kind = serializers.CharField()
    size = serializers.IntegerField()
    folds = serializers.IntegerField()
    suggestion = serializers.CharField()
    registered = serializers.SerializerMethodField()
    job = JobShape(allow_null=True)

    def get_registered(self, entry: Any) -> list[str]:
        return [ensemble.name for ensemble in entry.ensembles]


class RegistrationBody(Body):
    """What lies on the shelf, its name here, and what people read of it."""

    entry = serializers.CharField(max_length=255)
    name = serializers.CharField(max_length=60)
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=200, required=False, allow_blank=True
    )


class ModelsCall(DeskCall):
    """For people on the staff alone; to all others there is no such call."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (
        *DeskCall.refusals, RegistrationRefused,
    )  # fmt: skip

    def check_staff(self) -> None:
        if not access.may_create_study(self.person):
            raise Http404

    @describe(
        "Models that an operator put on the shelf", answer={200: paged(ShelfShape)},
        paginated=True,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        self.check_staff()
        return send_page(self, shelf.list_entries(), ShelfShape)

    @describe(
        "Check a model and register it as an engine",
        body=RegistrationBody, answer={202: JobShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        self.check_staff()
        job = shelf.submit(**{"label": "", **read(RegistrationBody, request)})
        return Response(JobShape(job).data, status=202)


class RegistrationCall(DeskCall):
    @describe("How far a registration is", answer={200: JobShape})
    def get(self, request: Request, job_id: UUID) -> Response:
        job = Job.objects.filter(pk=job_id, kind=Job.Kind.REGISTER).first()
        if job is None or not access.may_create_study(self.person):
            raise Http404
        return Response(JobShape(job).data)
