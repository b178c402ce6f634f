"""Calls on studies: list, make, read, change the design of a draft."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from ratings import access, designing, steps
from ratings.desk.bodies import check_form, read_body, shape_form
from ratings.desk.calls import (
    DeskCall,
    describe,
    paged,
    send_page,
)
from ratings.desk.design_body import DesignBody, read_design_body
from ratings.desk.shapes import StudyDetail, StudyShape
from ratings.forms import StudyForm
from ratings.models import Study
from ratings.views.design import collect_wishes
from ratings.views.studies import add_study

StudyBody = shape_form("StudyBody", StudyForm)


def describe_study(study: Study) -> dict[str, Any]:
    facts = steps.count_facts(study)
    arms = [
        {"key": a.key, "label": a.label, "kind": a.kind, "masks": a.masks.count()}
        for a in study.rated_arms()
    ]
    obstacles = [sentence for _, sentence in facts.obstacles]
    counts = {"cases": facts.cases, "raters": facts.raters}
    told = vars(study) | counts | {"arms": arms, "obstacles": obstacles}
    return dict(StudyDetail(told).data)


class StudiesCall(DeskCall):
    @describe("Your studies", answer={200: paged(StudyShape)}, paginated=True)
    def get(self, request: Request) -> Response:
        own = Study.objects.filter(
            enrolments__user=self.person, enrolments__role__in=access.ACTS["view"]
        )
        return send_page(self, own.order_by("-created_at", "pk"), StudyShape)

    @describe("Make a study", body=StudyBody, answer={201: StudyDetail})
    def post(self, request: Request) -> Response:
        if not access.may_create_study(self.person):
            raise Http404
        data = check_form(StudyForm(read_body(request.data)))
        study = add_study(actor=self.person, data=data)
        return Response(describe_study(study), status=201)


class StudyCall(DeskCall):
    @describe("One study, and what hinders its lock", answer={200: StudyDetail})
    def get(self, request: Request, study_id: UUID) -> Response:
        return Response(describe_study(self.find_study(study_id, "view")))

    @describe(
        "Change the design of a draft: the fields of the design page that you send",
        body=DesignBody, answer={200: StudyDetail}, refusals=(409,),
    )  # fmt: skip
    def patch(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        if study.state != Study.State.DRAFT:
            raise designing.DesignRefused(
                "The study is locked, so its design is fixed."
            )
        form = read_design_body(study, request.data)
        check_form(form)
        wishes = collect_wishes(study, form)
        designing.change_design(
            study=study, actor=self.person, wishes=wishes,
            revision=form.cleaned_data["revision"],
        )  # fmt: skip
        study.refresh_from_db()
        return Response(describe_study(study))
