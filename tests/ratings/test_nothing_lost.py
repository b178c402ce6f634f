"""Whatever way one tries, nothing that has to do with a score goes away."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from ratings import triggers
from ratings.models import (
    Arm,
    AuditEntry,
    Case,
    Enrolment,
    Item,
    Mask,
    Presentation,
    ProtocolVersion,
    Score,
    Session,
    Study,
)
from tests.ratings.script import Script
from tests.ratings.test_results import score_all

KEPT: tuple[type[models.Model], ...] = (
    Study, Case, Arm, Mask, Enrolment, Session, Presentation, Item, Score,
    ProtocolVersion, AuditEntry, User,
)  # fmt: skip


@pytest.fixture(autouse=True)
def scored(open_study: Study) -> Study:
    score_all(open_study)
    return open_study


def count_all() -> dict[str, int]:
    counted: list[Any] = [*apps.get_app_config("ratings").get_models(), User]
    passing = {"AccessEntry", "AccessToken", "Invitation"}
    return {
        model.__name__: model._default_manager.count()
        for model in counted
        if model.__name__ not in passing
    }


def test_no_page_takes_anything_away(coordinator: Client, scored: Study) -> None:
    before = count_all()
    rater = scored.enrolments.filter(role="rater").first()
    assert rater
    for name, more in (("cases-remove", ()), ("arm-remove", ("model",)),
                       ("rater-remove", (rater.pk,))):  # fmt: skip
        posted = {"case": [str(case.pk) for case in scored.cases.all()]}
        url = reverse(name, args=[scored.pk, *more])
        assert coordinator.post(url, posted).status_code == 302
    assert count_all() == before


def test_no_call_takes_anything_away(ada: User, scored: Study) -> None:
    before, script = count_all(), Script(ada)
    one = f"studies/{scored.pk}"
    rater = scored.enrolments.filter(role="rater").first()
    case = scored.cases.first()
    assert rater
    assert case
    for path in (f"{one}/cases/{case.pk}", f"{one}/raters/{rater.pk}"):
        answer = script.send("delete", path)
        assert (answer.status_code, "locked" in answer.json()["detail"]) == (409, True)
    assert script.send("delete", one).status_code == 405
    assert count_all() == before


@pytest.mark.parametrize("model", KEPT)
def test_no_row_can_be_deleted_by_the_program(model: type[models.Model]) -> None:
    before = count_all()
    for delete in (delete_one, delete_all):
        with pytest.raises((ProtectedError, DatabaseError)), transaction.atomic():
            delete(model)
    assert count_all() == before


def delete_one(model: type[models.Model]) -> None:
    rows: Any = model._default_manager.order_by("pk")
    # A coordinator's own part holds no score, and random keys may put it first.
    row = (rows.filter(role="rater") if model is Enrolment else rows).first()
    row.delete()
    connection.check_constraints()


def delete_all(model: type[models.Model]) -> None:
    model._default_manager.all().delete()
    connection.check_constraints()


@pytest.mark.parametrize(
    "words", [("flush",), ("migrate", "ratings", "zero"), ("migrate", "auth", "zero")]
)
def test_no_command_takes_anything_away(words: tuple[str, ...]) -> None:
    before = Score.objects.count()
    with pytest.raises(CommandError, match=r"nothing was changed|flushed"):
        call_command(*words, interactive=False, verbosity=0)
    assert Score.objects.count() == before > 0
    assert triggers.find_missing(connection) == []


@pytest.mark.parametrize("model", KEPT)
def test_no_row_can_be_deleted_in_the_database(model: type[models.Model]) -> None:
    before = count_all()
    with pytest.raises(DatabaseError), transaction.atomic():
        delete_by_sql(model)
    assert count_all() == before


def delete_by_sql(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
    connection.check_constraints()


def test_a_withdrawn_case_keeps_its_scores_and_wants_a_reason(
    coordinator: Client, ada: User, scored: Study
) -> None:
    case, before = scored.cases.first(), Score.objects.count()
    assert case
    script = Script(ada)
    path = f"studies/{scored.pk}/withdraw"
    assert script.post(path, {"case": str(case.pk)}).status_code == 400
    body = {"case": str(case.pk), "reason": "Wrong person."}
    assert script.post(path, body).status_code == 200
    assert script.post(path, body).status_code == 400
    assert Score.objects.count() == before
    assert scored.audit.filter(verb="withdraw_case").count() == 1
