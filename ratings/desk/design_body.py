"""The fields of a design as a call takes them, with lists where the page has rows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ratings.design_forms import ROW, DesignForm, fill_in
from ratings.desk.bodies import (
    Body,
    read_body,
    read_object,
    refuse_unknown,
    shape_form,
)
from ratings.models import Study


class CalibrationBody(Body):
    """A practice item: whose mask of which case, and the right score by question."""

    case = serializers.CharField()
    arm = serializers.CharField()
    values = serializers.ListField(child=serializers.IntegerField(), max_length=20)
    note = serializers.CharField(required=False, allow_blank=True)


class ListedBody(Body):
    """The parts of a design that are lists."""

    anchors = serializers.ListField(
        child=serializers.CharField(allow_blank=True), required=False,
        help_text="The words of the scale, the lowest first; as many as it has points.",
    )  # fmt: skip
    calibration = CalibrationBody(
        many=True, required=False, help_text="All practice items, in their order."
    )


DesignBody = shape_form(
    "DesignBody", DesignForm, optional=True, **ListedBody._declared_fields
)


def read_design_body(study: Study, sent: Any) -> DesignForm:
    """The page's form: the study as it is, but for the fields that were sent."""
    stored, typed = fill_in(study), read_object(sent)
    refuse_unknown(typed, DesignBody().fields)
    parts = ListedBody._declared_fields.keys() & typed.keys()
    lists = ListedBody(data={part: typed.pop(part) for part in parts})
    lists.is_valid(raise_exception=True)
    told = lists.validated_data
    if "anchors" in told:
        stored |= lay_out_words(told["anchors"])
    if "calibration" in told:
        kept = {k: v for k, v in stored.items() if not k.startswith("calibration_")}
        stored = kept | lay_out_items(told["calibration"])
    rows = len(told.get("calibration", ()))
    known = DesignForm(study=study, rows=rows).fields
    kept = {name: value for name, value in stored.items() if name in known}
    return DesignForm(kept | read_body(typed), study=study, rows=rows)


def lay_out_words(words: list[str]) -> dict[str, Any]:
    """The words of the scale as the fields of the page."""
    named = {f"anchor_{number}": word for number, word in enumerate(words, 1)}
    return {"points": len(words), **named}


def lay_out_items(items: list[dict[str, Any]]) -> dict[str, str]:
    """Practice items as the fields of the page."""
    rows = [{**one, "values": " ".join(map(str, one["values"]))} for one in items]
    return {
        f"calibration_{number}_{part}": row.get(part, "")
        for number, row in enumerate(rows)
        for part in ROW
    }
