"""The shape of what a rater's browser may send."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers

from ratings.blanks import shows_nothing
from ratings.guessing import CHOICES, SURE
from ratings.models import Problem
from ratings.scoring import Answer, Submission

CONDUCT_LIMIT = 4000


class AnswerSerializer(serializers.Serializer[Any]):
    value = serializers.IntegerField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=200
    )


class SubmissionSerializer(serializers.Serializer[Any]):
    client_key = serializers.UUIDField()
    answers = serializers.DictField(child=AnswerSerializer(), allow_empty=False)
    comment = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=4000
    )
    marks = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, default=list
    )
    base_revision = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=32_000
    )
    change_reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=500
    )
    active_ms = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=24 * 3600 * 1000
    )
    conduct = serializers.DictField(required=False, default=dict)

    def validate_conduct(self, value: dict[str, Any]) -> dict[str, Any]:
        if len(json.dumps(value)) > CONDUCT_LIMIT:
            raise serializers.ValidationError(f"At most {CONDUCT_LIMIT} characters.")
        return value


class ProblemSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=64)
    text = serializers.CharField(max_length=4000)
    kind = serializers.ChoiceField(
        choices=Problem.Kind.choices, required=False, default=Problem.Kind.PROBLEM
    )

    def validate_text(self, value: str) -> str:
        if shows_nothing(value):
            raise serializers.ValidationError("Write what you want to say.")
        return value


class SignatureSerializer(serializers.Serializer[Any]):
    password = serializers.CharField(max_length=200, trim_whitespace=False)


class GuessSerializer(serializers.Serializer[Any]):
    guess = serializers.ChoiceField(choices=sorted(CHOICES))
    confidence = serializers.ChoiceField(
        choices=sorted(SURE), required=False, allow_null=True, default=None
    )


def build_submission(data: dict[str, Any]) -> Submission:
    return Submission(
        client_key=data["client_key"],
        answers=tuple(
            Answer(question=key, value=answer["value"], reason=answer["reason"])
            for key, answer in data["answers"].items()
        ),
        comment=data["comment"],
        active_ms=data["active_ms"],
        conduct=data["conduct"],
        marks=tuple(data["marks"]),
        base_revision=data["base_revision"],
        change_reason=data["change_reason"],
    )
