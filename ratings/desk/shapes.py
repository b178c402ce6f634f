"""The shapes of what the coordinators' API answers; never a score by arm."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import Serializer


class StudyShape(Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    state = serializers.CharField()
    simulated = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    locked_at = serializers.DateTimeField(allow_null=True)
    opened_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    unblinded_at = serializers.DateTimeField(allow_null=True)


class ArmShape(Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField()
    masks = serializers.IntegerField()


class StudyDetail(StudyShape):
    contact = serializers.CharField()
    instructions = serializers.CharField()
    questions = serializers.JSONField()
    scale = serializers.JSONField()
    design = serializers.JSONField()
    design_revision = serializers.IntegerField()
    reference_arm = serializers.CharField()
    faces = serializers.CharField()
    protocol_sha256 = serializers.CharField()
    cases = serializers.IntegerField()
    arms = ArmShape(many=True)
    raters = serializers.IntegerField()
    obstacles = serializers.ListField(child=serializers.CharField())


class UploadShape(Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.CharField()
    size = serializers.IntegerField()
    verdict = serializers.JSONField()


class CaseShape(Serializer[Any]):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]
    source_name = serializers.CharField()
    strata = serializers.JSONField()
    warnings = serializers.JSONField()
    image_sha256 = serializers.CharField()
    masks = serializers.SerializerMethodField()
    companions = serializers.SerializerMethodField()

    def get_companions(self, case: Any) -> list[str]:
        """What the case has beside its image: second, cord, levels, soft."""
        return sorted(companion.kind for companion in case.companions.all())

    def get_masks(self, case: Any) -> list[str]:
        """The keys of the arms of which the case has a mask."""
        return sorted(mask.arm.key for mask in case.masks.all())


class RaterShape(Serializer[Any]):
    id = serializers.UUIDField(source="enrolment.pk")
    code = serializers.CharField(source="enrolment.code")
    name = serializers.CharField()
    email = serializers.CharField()
    state = serializers.CharField()


class ProgressShape(Serializer[Any]):
    """How far one rater is: counts and times, never a score."""

    code = serializers.CharField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    practice_done = serializers.IntegerField()
    practice_total = serializers.IntegerField()
    finished = serializers.BooleanField(
        help_text="All rated, all sessions signed off, no source question open."
    )
    unsigned_sessions = serializers.IntegerField(
        help_text="Of a rater who rated everything: sessions not signed off."
    )
    open_source_questions = serializers.IntegerField(
        help_text="Of a rater who rated everything: source questions not answered."
    )
    cannot_rate = serializers.IntegerField()
    reasons = serializers.DictField(child=serializers.IntegerField())
    without_looking = serializers.IntegerField()
    problems = serializers.IntegerField()
    questions = serializers.IntegerField()
    unanswered = serializers.IntegerField()
    active_seconds = serializers.FloatField()
    median_seconds = serializers.FloatField(allow_null=True)
    last_score = serializers.DateTimeField(allow_null=True)
    last_seen = serializers.DateTimeField(allow_null=True)
    deadline = serializers.DateField(allow_null=True)
    late_days = serializers.IntegerField()


class AnswerShape(Serializer[Any]):
    text = serializers.CharField()
    at = serializers.DateTimeField(source="created_at")


class QuestionShape(Serializer[Any]):
    """What a rater wrote about an item, and what was answered."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    code = serializers.CharField(source="presentation.session.enrolment.code")
    session = serializers.IntegerField(source="presentation.session.number")
    position = serializers.IntegerField(source="presentation.position")
    case = serializers.CharField(source="presentation.case.label")
    text = serializers.CharField()
    at = serializers.DateTimeField(source="created_at")
    answers = AnswerShape(many=True, source="replies.all")


class JobShape(Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    status = serializers.CharField()
    progress = serializers.FloatField()
    message = serializers.CharField()
    error = serializers.CharField()
    attempts = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class AnalysisShape(Serializer[Any]):
    """One question's analysis; `figures` are its pictures by name, with captions."""

    run = serializers.IntegerField(source="pk")
    question = serializers.CharField()
    data_sha256 = serializers.CharField()
    analysis = serializers.JSONField(source="results.analysis")
    figures = serializers.DictField(
        child=serializers.CharField(), source="results.captions"
    )


class ResultsShape(Serializer[Any]):
    questions = AnalysisShape(many=True)
