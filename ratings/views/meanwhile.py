"""The page that shows what a colleague stored meanwhile, beside what was typed."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from ratings.meanwhile import Stale, was_self
from ratings.models import Study
from ratings.views import SignedInRequest

OWN = ("csrfmiddlewaretoken", "seen")


def show_stale(
    request: SignedInRequest, study: Study | None, stale: Stale, *,
    seen: str, step: str, back: str,
) -> HttpResponse:  # fmt: skip
    """What was sent can be sent again, now knowingly; or let go of.

    Without a study where a rater reads it: the column of steps is not for raters.
    """
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in OWN
    ]
    context = {
        "study": study,
        "stale": stale,
        "own": was_self(stale.last, request.user),
        "typed": [*typed, ("seen", seen)],
        "step": step,
        "back": back,
    }
    return render(request, "ratings/stale.html", context, status=409)
