"""Names of the calls in the published description."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema


class DeskSchema(AutoSchema):
    """Names a call after its class and method, such as get_Studies."""

    def get_operation_id(self) -> str:
        name = type(self.view).__name__.removesuffix("Call")
        return f"{self.method.lower()}_{name}"
