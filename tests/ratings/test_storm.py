"""Raters who never give up, a server that dies all the time: acknowledged is stored."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from ratings import invitations, protocol
from ratings.models import Item, Score, Session, Study, ViewLog
from ratings.verifying import verify_study
from tests.config.site import database_url
from tests.processes import environment
from tests.ratings.conftest import AddCases, sign_in
from tests.ratings.storm import Server, StormRater

# Two masks a case, so each rater scores 20; 80 with TEST_STORM_CASES=40, for which the
# whole suite has no time on a slow machine.
RATERS, CASES, KILLS = 64, int(os.environ.get("TEST_STORM_CASES", "10")), 40
SCORES = RATERS * CASES * 2

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def crowded(study: Study, ada: User, add_cases: AddCases) -> Study:
    add_cases(CASES)
    for n in range(RATERS):
        email = f"rater{n}@example.org"
        User.objects.create_user(email, email, "a long enough password")
        invitations.add_rater(study=study, actor=ada, name=f"Rater {n}", email=email)
    study.design["min_distance"] = 2
    study.save()
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    return study


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    env = environment(
        tmp_path,
        DATABASE_URL=database_url(),
        SECRET_KEY=settings.SECRET_KEY,
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    server = Server(env, tmp_path / "gunicorn.log")
    server.start()
    server.wait()
    yield server
    server.kill()


def seat(session: Session, port: int) -> StormRater:
    cookie = sign_in(session.enrolment.user).cookies["sessionid"].value
    items = Item.objects.filter(presentation__session=session)
    tokens = items.order_by("presentation__position").values_list("token", flat=True)
    return StormRater(port, cookie, list(tokens), random.Random(session.pk))


def rage_while_all_rate(server: Server, raters: list[StormRater]) -> None:
    over = threading.Event()
    fury = threading.Thread(
        target=server.rage,
        kwargs={
            "rng": random.Random(7),
            "over": over,
            "count": lambda: sum(len(rater.acknowledged) for rater in raters),
            "pause": 2 * SCORES // KILLS,
        },
    )
    threads = [threading.Thread(target=rater.rate_all) for rater in raters]
    fury.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    fury.join()


def test_no_acknowledged_score_is_lost_changed_or_doubled(
    crowded: Study, server: Server
) -> None:
    sessions = Session.objects.filter(enrolment__study=crowded)
    raters = [seat(s, server.port) for s in sessions.select_related("enrolment__user")]
    assert sum(len(rater.tokens) for rater in raters) == SCORES
    rage_while_all_rate(server, raters)

    assert [word for rater in raters for word in rater.refused] == []
    said = Counter(
        (a.key, a.token, a.value) for rater in raters for a in rater.acknowledged
    )
    kept = Counter(
        (str(key), token, value)
        for key, token, value in Score.objects.values_list(
            "client_key", "item__token", "value"
        )
    )
    assert said.total() == SCORES
    assert kept == said
    assert ViewLog.objects.count() == kept.total()
    assert server.killed_workers >= KILLS // 2
    assert server.killed_servers >= 2
    assert sum(rater.broken for rater in raters) > 0
    assert sum(rater.replays for rater in raters) > 0
    assert verify_study(Study.objects.get(pk=crowded.pk)) == []
