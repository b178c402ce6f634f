"""The published description of the coordinators' API, for people at the desk alone."""

from __future__ import annotations

from typing import Any

from drf_spectacular.views import SpectacularAPIView
from rest_framework.authentication import SessionAuthentication

from ratings.desk.calls import AtDesk, DeskCall
from ratings.desk.tokens import TokenAuthentication

Endpoint = tuple[str, str, str, Any]


def keep_desk(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Raters' calls are no public contract, and nobody else's business."""
    return [row for row in endpoints if issubclass(row[3].cls, DeskCall)]


def close_bodies(result: dict[str, Any], **told: Any) -> dict[str, Any]:
    """A body has the fields that it lists and no others; the calls see to it."""
    shapes = result["components"]["schemas"]
    calls = [call for path in result["paths"].values() for call in path.values()]
    kinds = [call.get("requestBody", {}).get("content", {}) for call in calls]
    waiting = [kind.get("application/json", {}) for kind in kinds]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            name = str(one.get("$ref", "")).rpartition("/")[2]
            if name and "additionalProperties" not in shapes[name]:
                shapes[name]["additionalProperties"] = False
                waiting.append(shapes[name])
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return result


class SchemaView(SpectacularAPIView):
    authentication_classes = (TokenAuthentication, SessionAuthentication)
    permission_classes = (AtDesk,)
