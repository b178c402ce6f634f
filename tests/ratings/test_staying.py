"""How long a sign-in still lasts, and that asking for it begins it anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session as SignIn
from django.test import Client
from django.utils import timezone

from ratings.models import Session

LASTS = 12 * 3600


def test_looking_prolongs_nothing_and_asking_begins_twelve_hours_anew(
    rater: Client, session: Session
) -> None:
    path = f"/api/rate/{session.key}/stay"
    key = rater.cookies["sessionid"].value
    soon = timezone.now() + timedelta(minutes=3)
    SignIn.objects.filter(session_key=key).update(expire_date=soon)
    for _ in range(2):
        assert rater.get(path).json()["seconds_left"] == pytest.approx(180, abs=5)
    assert rater.post(path).json() == {"seconds_left": LASTS}
    assert rater.get(path).json()["seconds_left"] == pytest.approx(LASTS, abs=5)
    assert SignIn.objects.filter(session_key=key).exists()


def test_it_is_each_raters_own_matter(
    rater: Client, outsider: Client, session: Session
) -> None:
    path = f"/api/rate/{session.key}/stay"
    assert [outsider.get(path).status_code, outsider.post(path).status_code] == [
        404
    ] * 2
    assert Client().get(path).status_code == 403
