"""Leads people on from a form's own address, and back to the form after signing in."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme

Answer = Callable[[HttpRequest], HttpResponse]


def lead_on(get_response: Answer) -> Answer:
    """After signing in one stands where the form was, not where it was sent to."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "GET" and response.status_code == 405:
            return explain(request, response)
        if request.method == "POST" and leads_to_login(response):
            return redirect_to_login(find_page(request))
        return response

    return answer


def explain(request: HttpRequest, refused: HttpResponse) -> HttpResponse:
    """A page in the place of an empty one; what says something already stays."""
    if refused.content or not request.accepts("text/html"):
        return refused
    page = render(request, "405.html", status=405)
    page["Allow"] = refused["Allow"]
    return page


def refuse_damaged(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What can't be understood; a foreign address is led to the site's own."""
    foreign = isinstance(exception, DisallowedHost)
    context = {"own": settings.SITE_URL if foreign else ""}
    # Without the request: whose host is unknown is not asked for anything else.
    return HttpResponseBadRequest(render_to_string("400.html", context))


def leads_to_login(response: HttpResponse) -> bool:
    target = urlsplit(response.get("Location", ""))
    return response.status_code == 302 and (
        target.path == resolve_url(settings.LOGIN_URL) and "next=" in target.query
    )


def find_page(request: HttpRequest) -> str:
    """The page that the form stood on, if it is one of this site."""
    page = request.headers.get("Referer", "")
    own = url_has_allowed_host_and_scheme(
        page, {request.get_host()}, require_https=request.is_secure()
    )
    parts = urlsplit(page)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.path}{query}" if own and parts.path else "/"
