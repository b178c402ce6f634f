"""What a call takes: the fields of a page's form or its own, and no field besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from django import forms
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import Serializer

Shape = type[Serializer[Any]]
FIELDS: dict[type[forms.Field], type[serializers.Field[Any, Any, Any, Any]]] = {
    forms.BooleanField: serializers.BooleanField,
    forms.DecimalField: serializers.FloatField,
    forms.FloatField: serializers.FloatField,
    forms.IntegerField: serializers.IntegerField,
    forms.EmailField: serializers.EmailField,
}


def shape_form(
    name: str, form: type[forms.Form], *, optional: bool = False, **more: Any
) -> Shape:
    """What a page's form takes, as the body of a call; the form itself judges it.

    `more` are fields that the call takes and the form does not have.
    """
    fields: dict[str, Any] = {}
    for key, field in form.base_fields.items():
        kind = next((FIELDS[c] for c in type(field).mro() if c in FIELDS), None)
        fields[key] = (kind or serializers.CharField)(
            required=field.required and not optional, help_text=field.label or ""
        )
    return type(name, (Serializer,), fields | more)


def read_object(data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise ValidationError({"body": ["Send a JSON object."]})
    return dict(data)


def read_body(data: Any) -> dict[str, Any]:
    """The fields of a JSON object as a form reads them; a list is one item a line."""
    read: dict[str, Any] = {}
    for key, value in read_object(data).items():
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            value = "\n".join(value)
        if not (value is None or isinstance(value, str | bool | int | float)):
            raise ValidationError({str(key): ["Send one text, number or truth value."]})
        read[str(key)] = value
    return read


UNKNOWN = "This call has no such field."


def refuse_unknown(given: Iterable[Any], known: Iterable[str]) -> None:
    """A field misspelt would else be left out in silence."""
    names = list(known)
    if strange := sorted(map(str, set(given) - set(names))):
        raise ValidationError({name: [tell_unknown(name, names)] for name in strange})


def tell_unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"{UNKNOWN} Did you mean “{near[0]}”?" if near else UNKNOWN


class Body(Serializer[Any]):
    """What a call takes as JSON: these fields and no other."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            refuse_unknown(data, self.fields)
        return super().to_internal_value(data)


def read(body: type[Body], request: Request) -> dict[str, Any]:
    form = body(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def check_form(form: forms.Form) -> dict[str, Any]:
    """What the page's form makes of it, or its sentences field by field."""
    refuse_unknown(form.data, form.fields)
    form.data = {key: spell(form, key, value) for key, value in form.data.items()}
    if not form.is_valid():
        raise ValidationError(
            {key: [str(e) for e in found] for key, found in form.errors.items()}
        )
    return form.cleaned_data


def spell(form: forms.Form, key: str, value: Any) -> Any:
    """A value as the page would send it, where a number is text too."""
    field = form.fields[key]
    if isinstance(field, forms.BooleanField) or not isinstance(value, int | float):
        return value
    if isinstance(value, bool) and not isinstance(field, forms.ChoiceField):
        raise ValidationError({key: ["This is no truth value. Send text or a number."]})
    return str(value)
