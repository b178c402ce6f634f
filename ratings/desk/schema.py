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


class SchemaView(SpectacularAPIView):
    authentication_classes = (TokenAuthentication, SessionAuthentication)
    permission_classes = (AtDesk,)
