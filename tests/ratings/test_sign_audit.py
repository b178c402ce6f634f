"""Four hundred scheduled pairs: nothing that is served leans towards an arm."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from ratings import api, blinding, invitations, protocol
from ratings.models import Item, Score, Study
from ratings.proof.signs import LEVEL, compare_tokens, find_leaks
from tests.ratings.conftest import AddCases, make_user, sign_in

CASES, RATERS = 40, 10
LEAST_MS = 2.0
pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@dataclass(frozen=True)
class Showing:
    """One mask as its rater gets it."""

    token: str
    row: int
    position: int
    headers: dict[str, str]
    length: int
    took_ms: float


Pair = tuple[Showing, Showing]
Features = dict[str, list[tuple[float, float]]]


@pytest.fixture
def scheduled(study: Study, ada: User, add_cases: AddCases) -> Study:
    """Forty cases of two arms for ten raters, every item scored so that it is open."""
    add_cases(CASES)
    for n in range(RATERS):
        email = make_user(f"rater{n}").email
        invitations.add_rater(study=study, actor=ada, name=f"rater{n}", email=email)
    study.design |= {"min_distance": 5, "repeat_percent": 0}
    study.save()
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    items = Item.objects.select_related("presentation__session__enrolment")
    Score.objects.bulk_create(
        Score(
            item=item, question="quality", value=3, client_key=uuid4(),
            by_id=item.presentation.session.enrolment.user_id,
        )
        for item in items
    )  # fmt: skip
    return study


def fetch_pairs(study: Study, raters: int = RATERS) -> list[Pair]:
    """Manual and model of every rater and case; which is asked first is by lot."""
    lot = random.Random(20261125)
    clients = {e.code: sign_in(e.user) for e in study.enrolments.exclude(code="")}
    together: dict[tuple[str, str], dict[str, Item]] = {}
    items = Item.objects.select_related(
        "mask__arm", "presentation__case", "presentation__session__enrolment"
    )
    for item in items:
        place = item.presentation.session.enrolment.code, item.presentation.case.label
        together.setdefault(place, {})[item.mask.arm.key] = item
    pairs = []
    for (rater, _), arms in sorted(together.items())[: raters * CASES]:
        shown = {}
        for key in lot.sample(sorted(arms), 2):
            shown[key] = fetch(clients[rater], arms[key])
        pairs.append((shown["manual"], shown["model"]))
    return pairs


def fetch(client: Client, item: Item) -> Showing:
    url = reverse("item-mask", args=[item.token])
    start = time.perf_counter()
    answer = client.get(url)
    took = (time.perf_counter() - start) * 1000
    assert answer.status_code == 200
    return Showing(
        token=item.token, row=item.pk, position=item.presentation.position,
        headers=dict(answer.headers), length=len(answer.content),
        took_ms=took,
    )  # fmt: skip


def list_features(pairs: list[Pair]) -> Features:
    """All that can be measured of an answer, but for the voxels themselves."""
    names = sorted({name for pair in pairs for one in pair for name in one.headers})
    found: Features = {
        "length of the body": each(pairs, lambda one: one.length),
        "order of first showing": each(pairs, lambda one: one.position),
        "order of the rows": each(pairs, lambda one: one.row),
        "number of headers": each(pairs, lambda one: len(one.headers)),
        **compare_tokens([(one.token, other.token) for one, other in pairs]),
    }
    for name in names:
        values = [(a.headers.get(name, ""), b.headers.get(name, "")) for a, b in pairs]
        found[f"length of {name}"] = [(len(a), len(b)) for a, b in values]
        found[f"value of {name}"] = [(float(a > b), float(b > a)) for a, b in values]
    return found


def each(pairs: list[Pair], read: Callable[[Showing], float]) -> list[Any]:
    return [(read(one), read(other)) for one, other in pairs]


def is_late(pairs: list[Pair]) -> bool:
    """Whether the answers of one arm come later: in most pairs and by 2 ms."""
    times = each(pairs, lambda one: one.took_ms)
    leans = bool(find_leaks({"time": times}, LEVEL))
    return leans and abs(median(b - a for a, b in times)) >= LEAST_MS


def test_no_feature_of_four_hundred_pairs_goes_with_the_arm(scheduled: Study) -> None:
    pairs = fetch_pairs(scheduled)
    assert len(pairs) >= 400
    features = list_features(pairs)
    assert len(features) > 30
    assert find_leaks(features, LEVEL) == {}
    assert not is_late(pairs)
    firsts = sum(one.position < other.position for one, other in pairs)
    assert abs(firsts - len(pairs) / 2) <= RATERS / 2


def test_planted_leaks_of_header_and_time_are_found(
    scheduled: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model's masks come five milliseconds late and with one changed header."""
    read, send = blinding.read_mask, api.send_bytes
    late: list[bool] = []

    def read_late(item: Item) -> bytes:
        late.append(item.mask.arm.key == "model")
        if late[-1]:
            time.sleep(0.005)
        return read(item)

    def send_marked(data: bytes) -> HttpResponse:
        response = send(data)
        response["X-Stored"] = "b" if late[-1] else "a"
        return response

    monkeypatch.setattr(blinding, "read_mask", read_late)
    monkeypatch.setattr(api, "send_bytes", send_marked)
    pairs = fetch_pairs(scheduled, raters=3)
    assert list(find_leaks(list_features(pairs), LEVEL)) == ["value of X-Stored"]
    assert is_late(pairs)
