"""Calls on what is gone through before a lock: checklist, statement, both audits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import audit, checklist, frozen, protocol, separating, steps
from ratings.desk.bodies import Body, read
from ratings.desk.calls import (
    DeskCall,
    Refused,
    describe,
)
from ratings.desk.shapes import JobShape
from ratings.models import Study
from ratings.proof import auditing
from ratings.views.locking import describe_burden, list_remarks


class CheckShape(Serializer[Any]):
    """One line: `state` is ok, warn or bad; obstacles keep from locking."""

    label = serializers.CharField()  # type: ignore[assignment]
    state = serializers.CharField()
    fact = serializers.CharField()
    obstacles = serializers.ListField(child=serializers.CharField())
    remarks = serializers.ListField(child=serializers.CharField())


class ChecklistShape(Serializer[Any]):
    """`seen` goes with the lock, which is refused if the study changed since."""

    ready = serializers.BooleanField()
    checks = CheckShape(many=True)
    faces = serializers.CharField()
    blinding_audit = serializers.CharField()
    burden = serializers.CharField()
    remarks = serializers.ListField(child=serializers.CharField())
    seen = serializers.CharField()


class FacesBody(Body):
    """What the coordinator answers for; `seen` is the statement that stood there."""

    faces = serializers.ChoiceField(list(frozen.FACES))
    seen = serializers.CharField(required=False, allow_blank=True)


class FaultsShape(Serializer[Any]):
    """What would tell the arms apart; none is what one wants."""

    faults = serializers.ListField(child=serializers.CharField())


class SeparabilityShape(Serializer[Any]):
    """Whether the look of the masks tells the arms apart, arm by arm."""

    job = JobShape(allow_null=True)
    arms = serializers.JSONField(allow_null=True)


class ChecklistCall(DeskCall):
    @describe("What holds, and what keeps a draft from being locked",
              answer={200: ChecklistShape}, refusals=(409,))  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "lock")
        if study.state != Study.State.DRAFT:
            raise Refused(409, "The study is locked already.")
        seen = protocol.tell_revision(study)
        facts = steps.count_facts(study)
        told = {
            "ready": not facts.obstacles,
            "checks": checklist.list_checks(study, facts, self.person),
            "faces": study.faces,
            "blinding_audit": checklist.describe_audit(study).fact,
            "burden": describe_burden(study, facts),
            "remarks": list_remarks(facts),
            "seen": seen,
        }
        return Response(ChecklistShape(told).data)


class FacesCall(DeskCall):
    @describe(
        "State what is true of faces in all images", body=FacesBody,
        answer={204: None}, refusals=(409,),
    )  # fmt: skip
    def put(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "lock")
        body = read(FacesBody, request)
        checklist.state_faces(
            study=study, actor=self.person, answer=body["faces"],
            seen=body.get("seen"),
        )  # fmt: skip
        return Response(status=204)


class BlindingAuditCall(DeskCall):
    @describe(
        "Run the blinding audit and put its outcome on record",
        answer={200: FaultsShape},
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "lock")
        faults = auditing.list_faults(auditing.audit_blinding(study))
        audit.record(
            study=study, actor=self.person, verb="audit_blinding",
            payload={"faults": len(faults), "of": checklist.digest_draft(study)},
        )  # fmt: skip
        return Response({"faults": faults})


class SeparabilityCall(DeskCall):
    @describe("The outcome for the masks as they are", answer={200: SeparabilityShape})
    def get(self, request: Request, study_id: UUID) -> Response:
        return show(self.find_study(study_id, "lock"))

    @describe(
        "Ask whether the look of the masks tells the arms apart, before the lock",
        answer={202: SeparabilityShape}, refusals=(409,),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "lock")
        if study.state != Study.State.DRAFT:
            raise Refused(409, "The study is locked; this is asked before the lock.")
        separating.request(study, user=self.person)
        audit.record(
            study=study, actor=self.person, verb="audit_separability", payload={}
        )
        return show(study, 202)


def show(study: Study, status: int = 200) -> Response:
    found = separating.find_audit(study)
    told = {
        "job": separating.find_job(study),
        "arms": found.results["arms"] if found else None,
    }
    return Response(SeparabilityShape(told).data, status=status)
