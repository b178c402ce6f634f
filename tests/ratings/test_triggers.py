"""The database itself refuses to change the record, whoever asks and however."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import (
    DatabaseError,
    IntegrityError,
    connection,
    migrations,
    models,
    transaction,
)
from django.db.migrations.state import ProjectState
from django.test import Client

from ratings import audit, signing, triggers
from ratings.checks import check_triggers
from ratings.models import Arm, Case, Item, Mask, Score, Session, Study
from tests.ratings.conftest import end_collecting
from tests.ratings.test_scoring import body, current, put

REFUSALS = (IntegrityError, DatabaseError)
COLUMNS = (
    "item_id", "question", "revision", "supersedes_id", "value", "reason", "comment",
    "marks", "client_key", "active_ms", "by_id", "change_reason", "protocol_version",
    "created_at",
)  # fmt: skip


def run(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def insert(item: Item, user_id: int, literal: str, **more: Any) -> None:
    """A score by raw SQL, its value spelled as a literal, as an intruder would."""
    key = uuid4()
    row = {
        "item_id": item.pk, "question": "quality", "revision": 1,
        "supersedes_id": None, "value": None, "reason": "", "comment": "",
        "marks": "[]", "client_key": key.hex if is_sqlite() else str(key),
        "active_ms": 0, "by_id": user_id, "change_reason": "", "protocol_version": 1,
        "created_at": "2026-01-01 00:00:00+00:00", **more,
    }  # fmt: skip
    marks = ", ".join(literal if name == "value" else "%s" for name in COLUMNS)
    given = [row[name] for name in COLUMNS if name != "value"]
    run(f"INSERT INTO ratings_score ({', '.join(COLUMNS)}) VALUES ({marks})", *given)


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


@pytest.fixture
def scored(rater: Client, session: Session) -> Score:
    put(rater, current(session).token, body(4))
    return Score.objects.get()


@pytest.mark.parametrize("literal", ["1", "5", "3", "3.0"])
def test_raw_sql_can_give_a_score_on_the_scale(session: Session, literal: str) -> None:
    insert(current(session), session.enrolment.user_id, literal)
    assert Score.objects.get().value == int(float(literal))


@pytest.mark.parametrize("literal", ["0", "6", "NULL", "3.5", "-1", "4.0001", "99"])
def test_raw_sql_can_not_give_a_score_off_the_scale(
    session: Session, literal: str
) -> None:
    with pytest.raises(REFUSALS):
        insert(current(session), session.enrolment.user_id, literal)
    assert not Score.objects.exists()


def test_raw_sql_can_not_give_both_a_value_and_a_reason(session: Session) -> None:
    with pytest.raises(REFUSALS):
        insert(current(session), session.enrolment.user_id, "3", reason="unusable")


def test_raw_sql_can_not_score_for_another_rater(
    session: Session, other_session: Session
) -> None:
    with pytest.raises(REFUSALS, match="not by the rater"):
        insert(current(session), other_session.enrolment.user_id, "3")


def test_raw_sql_can_not_score_a_closed_study(
    session: Session, open_study: Study, ada: User
) -> None:
    end_collecting(open_study, ada)
    with pytest.raises(REFUSALS, match="does not collect"):
        insert(current(session), session.enrolment.user_id, "3")


def test_a_change_must_follow_the_score_of_the_same_item(
    scored: Score, session: Session
) -> None:
    facts = {"revision": 2, "supersedes_id": scored.pk}
    with pytest.raises(REFUSALS, match="latest score"):
        insert(current(session), session.enrolment.user_id, "3", **facts)
    with pytest.raises(REFUSALS):
        insert(scored.item, session.enrolment.user_id, "3", revision=2)
    insert(scored.item, session.enrolment.user_id, "3", **facts)
    assert Score.objects.count() == 2


STATEMENTS = [
    "UPDATE ratings_score SET value = 5",
    "UPDATE ratings_score SET comment = 'better'",
    "UPDATE ratings_score SET created_at = '2020-01-01 00:00:00+00:00'",
    "DELETE FROM ratings_score",
    "UPDATE ratings_item SET token = 'known' WHERE slot = 0",
    "UPDATE ratings_item SET mask_id = (SELECT mask_id FROM ratings_item LIMIT 1)",
    "DELETE FROM ratings_item",
    "UPDATE ratings_presentation SET position = position + 100",
    "UPDATE ratings_auditentry SET actor = 'nobody'",
    "DELETE FROM ratings_auditentry WHERE n = 3",
    "UPDATE ratings_accessentry SET actor = 'nobody'",
    "DELETE FROM ratings_accessentry",
    "UPDATE ratings_protocolversion SET sha256 = ''",
    "DELETE FROM ratings_protocolversion",
    "UPDATE ratings_signature SET name = 'somebody else'",
    "DELETE FROM ratings_signature",
    "UPDATE ratings_study SET scale = '[]'",
    "UPDATE ratings_study SET questions = '[]'",
    "UPDATE ratings_study SET design = '{}'",
    "UPDATE ratings_study SET seed = ''",
    "UPDATE ratings_study SET protocol = NULL",
    "UPDATE ratings_study SET reference_arm = 'model'",
    "UPDATE ratings_study SET state = 'draft'",
    "UPDATE ratings_study SET state = 'locked'",
    "UPDATE ratings_study SET state = 'unblinded'",
    "UPDATE ratings_study SET state = 'nonsense'",
    "UPDATE ratings_mask SET sha256 = ''",
    "UPDATE ratings_case SET image_path = 'elsewhere'",
    'UPDATE ratings_case SET strata = \'{"contrast": "other"}\'',
    "UPDATE ratings_case SET subject = 'sub-99'",
    "UPDATE ratings_arm SET key = 'k'",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_raw_sql_can_not_change_what_is_on_record(
    scored: Score, session: Session, ada: User, statement: str
) -> None:
    study = session.enrolment.study
    audit.note_access(study=study, actor=ada, verb="export", payload={})
    signing.sign(
        study=study, user=ada, password="a long enough password",
        meaning="amend", digest="0" * 64,
    )  # fmt: skip
    with pytest.raises(REFUSALS):
        run(statement)


def test_a_closed_study_is_unblinded_only_with_a_reason_on_record(
    open_study: Study, ada: User
) -> None:
    end_collecting(open_study, ada)
    with pytest.raises(REFUSALS, match="reason on record"):
        run("UPDATE ratings_study SET state = 'unblinded'")


def test_a_locked_study_takes_no_new_case_arm_or_mask(open_study: Study) -> None:
    case, arm = open_study.cases.all()[0], open_study.arms.all()[0]
    attempts: list[Callable[[], Any]] = [
        lambda: Case.objects.create(study=open_study, label="C099"),
        lambda: Arm.objects.create(study=open_study, key="late", kind="upload"),
        lambda: Mask.objects.filter(case=case, arm=arm).delete(),
        lambda: case.delete(),
    ]
    for attempt in attempts:
        with pytest.raises(REFUSALS), transaction.atomic():
            attempt()


@pytest.mark.skipif(not is_sqlite(), reason="PostgreSQL has no REPLACE")
def test_a_replacing_insert_is_refused_like_a_change(scored: Score) -> None:
    copy = ", ".join("1" if c == "value" else c for c in ("id", *COLUMNS))
    columns = ", ".join(("id", *COLUMNS))
    with pytest.raises(REFUSALS, match="append-only"):
        run(
            f"INSERT OR REPLACE INTO ratings_score ({columns}) "
            f"SELECT {copy} FROM ratings_score"
        )
    assert Score.objects.get().value == 4


@pytest.mark.skipif(is_sqlite(), reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("model", triggers.APPEND_ONLY)
def test_emptying_a_table_is_refused(db: None, model: type[models.Model]) -> None:
    with pytest.raises(REFUSALS, match="append-only"):
        run(f"TRUNCATE {model._meta.db_table} CASCADE")


def test_every_trigger_is_there_after_all_migrations(db: None) -> None:
    wanted = {trigger.name for trigger in triggers.list_triggers(connection.vendor)}
    assert set(triggers.find_installed(connection)) == wanted
    assert len(wanted) > 40
    assert check_triggers(databases=["default"]) == []


@pytest.mark.parametrize(
    "name", [t.name for t in triggers.list_triggers(connection.vendor)]
)
def test_a_missing_trigger_is_said_and_mended(db: None, name: str) -> None:
    table = triggers.find_installed(connection)[name]
    on = "" if is_sqlite() else f" ON {table}"
    run(f"DROP TRIGGER {name}{on}")
    (warning,) = check_triggers(databases=["default"])
    assert name in warning.msg
    triggers.install(connection)
    assert check_triggers(databases=["default"]) == []


class Widen(migrations.Migration):
    """A change of a table that SQLite can only make by building it anew."""

    operations = (
        migrations.AlterField(
            "score", "question", models.CharField(max_length=41, default="")
        ),
    )


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_built_anew_gets_its_triggers_back() -> None:
    from django.apps import apps
    from django.db.models.signals import post_migrate, pre_migrate

    config = apps.get_app_config("ratings")
    facts = {"using": "default", "verbosity": 0, "interactive": False, "apps": apps}
    pre_migrate.send(sender=config, app_config=config, plan=[(Widen, False)], **facts)
    assert triggers.find_installed(connection) == {}
    state = ProjectState.from_apps(apps)
    with connection.schema_editor(atomic=True) as editor:
        Widen("widen", "ratings").apply(state, editor)
    post_migrate.send(sender=config, app_config=config, plan=[], **facts)
    assert triggers.find_missing(connection) == []


@pytest.mark.django_db(transaction=True)
def test_migrate_again_leaves_the_guard_up() -> None:
    call_command("migrate", verbosity=0)
    assert triggers.find_missing(connection) == []
