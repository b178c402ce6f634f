"""The product's application with its pages loaded before the workers are forked."""

from __future__ import annotations

from django.urls import get_resolver

from config.wsgi import application

__all__ = ["application"]
# Otherwise every worker loads them at its first request, and dies before its answer.
assert get_resolver().reverse_dict
