"""The source is asked last, of a part of the masks, and scores stay as they are."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from ratings import blinding, guessing, invitations, protocol, triggers
from ratings.models import Arm, AuditEntry, Enrolment, Guess, Item, Session, Study
from ratings.results import name_guesses
from ratings.verifying import verify_study
from tests.ratings.conftest import AddCases, end_collecting, make_user


@pytest.fixture
def open_study(
    study: Study, ada: User, add_cases: AddCases, request: pytest.FixtureRequest
) -> Study:
    """Open for rating, with a guess of half the masks unless said otherwise."""
    add_cases(6)
    for name in ("rhea", "otto"):
        make_user(name)
        invitations.add_rater(
            study=study, actor=ada, name=name, email=f"{name}@example.org"
        )
    asked = {"min_distance": 4, "guess": "end", "guess_percent": 50}
    study.design |= asked | getattr(request, "param", {})
    study.save()
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    return study


@pytest.fixture
def asking(open_study: Study) -> Study:
    return open_study


with_design = partial(pytest.mark.parametrize, "open_study", indirect=True)


def rate_all(client: Client, session: Session) -> None:
    base = f"/api/rate/{session.key}/next"
    while current := client.get(base).json()["current"]:
        for item in current["items"]:
            body = {
                "client_key": str(uuid4()),
                "answers": {"quality": {"value": 3}},
            }
            url = f"/api/items/{item['token']}/scores"
            assert client.put(url, body, "application/json").status_code == 200


def ask(client: Client, session: Session) -> dict[str, Any]:
    answer = client.get(f"/api/rate/{session.key}/guesses")
    assert answer.status_code == 200
    return dict(answer.json())


def guess(client: Client, token: str, word: str = "manual", **more: Any) -> Any:
    url = f"/api/items/{token}/guess"
    return client.put(url, {"guess": word, **more}, "application/json")


@with_design(argvalues=[{"guess": "off"}])
def test_a_study_without_guesses_asks_none(rater: Client, session: Session) -> None:
    rate_all(rater, session)
    assert ask(rater, session)["state"] == "off"
    token = Item.objects.filter(presentation__session=session)[0].token
    assert guess(rater, token).status_code == 409
    assert Guess.objects.count() == 0


def test_nothing_is_asked_before_the_scores_are_final(
    asking: Study, rater: Client, session: Session
) -> None:
    told = ask(rater, session)
    assert (told["state"], told["current"], told["choices"]) == ("early", None, [])
    token = rater.get(f"/api/rate/{session.key}/next").json()["current"]["items"][0]
    answer = guess(rater, token["token"])
    assert answer.status_code == 409
    assert "Finish all your scores first" in answer.json()["detail"]


@with_design(argvalues=[{"edit_policy": "revisable"}])
def test_revisable_scores_must_be_signed_off_first(
    asking: Study, rater: Client, session: Session
) -> None:
    rate_all(rater, session)
    assert ask(rater, session)["state"] == "early"
    sign = f"/api/rate/{session.key}/sign"
    rater.post(sign, {"password": "a long enough password"}, "application/json")
    assert ask(rater, session)["state"] == "open"


def test_a_part_of_the_masks_is_asked_one_after_the_other(
    asking: Study, rater: Client, session: Session
) -> None:
    rate_all(rater, session)
    seen: list[str] = []
    while (told := ask(rater, session))["state"] == "open":
        assert (told["done"], told["total"]) == (len(seen), 6)
        (item,) = told["current"]["items"]
        assert rater.get(item["image"]).status_code == 200
        assert rater.get(item["mask"]).status_code == 200
        seen.append(item["token"])
        answer = guess(rater, item["token"], "automatic", confidence=2)
        assert answer.json() == {"saved": True, "replay": False}
    assert told["state"] == "done"
    assert len(set(seen)) == 6
    assert Counter(Guess.objects.values_list("guess", "confidence")) == {
        ("automatic", 2): 6
    }
    assert AuditEntry.objects.filter(study=asking, verb="guess").count() == 6


def test_the_same_guess_again_is_a_replay_and_another_is_refused(
    asking: Study, rater: Client, session: Session
) -> None:
    rate_all(rater, session)
    token = ask(rater, session)["current"]["items"][0]["token"]
    assert guess(rater, token).json()["replay"] is False
    assert guess(rater, token).json()["replay"] is True
    assert guess(rater, token, "unsure").status_code == 409
    assert guess(rater, token, "manual", confidence=3).status_code == 409
    assert Guess.objects.get().guess == "manual"


def test_a_mask_that_is_not_asked_is_not_found(
    asking: Study, rater: Client, other_rater: Client, session: Session
) -> None:
    rate_all(rater, session)
    enrolment = Enrolment.objects.get(pk=session.enrolment_id)
    asked = {item.token for item in guessing.list_asked(enrolment)}
    items = Item.objects.filter(presentation__session=session)
    other = items.exclude(token__in=asked)[0].token
    assert guess(rater, other).status_code == 404
    assert guess(other_rater, min(asked)).status_code == 404
    assert Guess.objects.count() == 0


@pytest.mark.parametrize(
    "body", [{}, {"guess": "robot"}, {"guess": "manual", "confidence": 9}]
)
def test_a_guess_is_one_of_the_choices(
    asking: Study, rater: Client, session: Session, body: dict[str, Any]
) -> None:
    rate_all(rater, session)
    token = ask(rater, session)["current"]["items"][0]["token"]
    answer = rater.put(f"/api/items/{token}/guess", body, "application/json")
    assert answer.status_code == 400


@with_design(argvalues=[{"edit_policy": "revisable"}, {"edit_policy": "final"}])
def test_scores_cannot_change_after_a_guess(
    asking: Study, rater: Client, session: Session
) -> None:
    rate_all(rater, session)
    sign = f"/api/rate/{session.key}/sign"
    rater.post(sign, {"password": "a long enough password"}, "application/json")
    told = ask(rater, session)["current"]["items"][0]["token"]
    assert guess(rater, told).status_code == 200
    other = Item.objects.filter(presentation__session=session).exclude(token=told)[0]
    body = {
        "client_key": str(uuid4()),
        "answers": {"quality": {"value": 5}},
        "base_revision": 1,
    }
    url = f"/api/items/{other.token}/scores"
    answer = rater.put(url, body, "application/json")
    assert answer.status_code == 409
    assert "final" in answer.json()["detail"]


def test_each_rater_is_asked_an_own_part_that_stays_the_same(asking: Study) -> None:
    drawn = {
        enrolment.code: [
            (i.presentation.case.label, i.presentation.position)
            for i in guessing.list_asked(enrolment)
        ]
        for enrolment in asking.enrolments.filter(role="rater")
    }
    assert drawn["R01"] != drawn["R02"]
    again = asking.enrolments.get(code="R01")
    assert [i.presentation.position for i in guessing.list_asked(again)] == [
        position for _, position in drawn["R01"]
    ]


def test_guesses_reach_the_analysis_after_unblinding(
    asking: Study, ada: User, rater: Client, session: Session
) -> None:
    rate_all(rater, session)
    token = ask(rater, session)["current"]["items"][0]["token"]
    guess(rater, token, "unsure", confidence=1)
    end_collecting(asking, ada)
    assert guess(rater, token, "unsure", confidence=1).json()["replay"] is True
    protocol.unblind(study=asking, actor=ada, typed_title=asking.title)
    (score,) = [s for s in blinding.unseal(asking) if s.guess]
    assert (score.guess, score.confidence, score.rater) == ("unsure", 1, "R01")


def test_a_changed_lost_or_added_guess_is_found(
    asking: Study, rater: Client, session: Session
) -> None:
    rate_all(rater, session)
    token = ask(rater, session)["current"]["items"][0]["token"]
    url = f"/api/items/{token}/guess"
    given = {"guess": "manual", "confidence": 2}
    assert rater.put(url, given, "application/json").status_code == 200
    study = Study.objects.get(pk=asking.pk)
    assert verify_study(study) == []
    triggers.remove(connection)
    guess = Guess.objects.get()
    Guess.objects.update(guess="automatic")
    assert verify_study(study) == [
        f"Guess row {guess.pk} was changed after it was given."
    ]
    Guess.objects.all()._raw_delete("default")
    assert verify_study(study) == [f"The guess of item row {guess.item_id} is missing."]
    other = Item.objects.exclude(pk=guess.item_id)[0]
    guess.save(force_insert=True)
    Guess.objects.create(item=other, guess="manual")
    (fault,) = verify_study(study)
    assert fault.endswith("is not in the record.")


@pytest.mark.parametrize(
    ("arms", "reference", "meant"),
    [
        ([("manual", "manual"), ("m", "model")], "manual", {"manual": "manual"}),
        ([("expert", "upload"), ("m", "model")], "expert", {"manual": "expert"}),
        ([("manual", "manual"), ("m", "model")], "m",
         {"manual": "manual", "automatic": "m"}),
        ([("manual", "manual"), ("m", "model"), ("t", "tool")], "m", None),
        ([("m", "model"), ("t", "tool")], "m", None),
        ([("manual", "manual"), ("m", "model"), ("bad", "control")], "m",
         {"manual": "manual", "automatic": "m"}),
    ],
)  # fmt: skip
def test_a_guess_means_an_arm_by_its_kind_and_not_by_its_key(
    study: Study,
    arms: list[tuple[str, str]],
    reference: str,
    meant: dict[str, str] | None,
) -> None:
    for key, kind in arms:
        Arm.objects.create(study=study, key=key, label=key, kind=kind)
    study.reference_arm = reference
    unanswerable = {"manual": "", "automatic": "", "unsure": ""}
    assert name_guesses(study) == (unanswerable if meant is None else meant)
